//! Rigid objects on the table: a cube, a tray, whatever can be pushed or grasped.

use forearm_arm::Shape;
use forearm_protocol::scene::{ObjectShape, ObjectSpec};

use crate::math::{Frame, M3, Symmetric, V3, cross_matrix, point_inertia};
use crate::rest::Rest;
use crate::snapshot::state;

/// Speeds above these are cut off: nothing on a table is faster, metres and radians a second.
const MAX_SPEED: f64 = 20.0;
const MAX_SPIN: f64 = 300.0;

/// Arms whose touch is told apart, and bodies of each.
const MAX_ARMS: usize = 8;
const MAX_BODIES: u32 = u64::BITS;

/// A part of an object that collides: its shape and where it is in the object's frame.
pub(crate) struct Part {
    pub(crate) shape: Shape,
    pub(crate) frame: Frame,
}

/// A rigid object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) fixed: bool,
    /// Where the object's frame is in the world.
    pub(crate) frame: Frame,
    start: Frame,
    /// Centre of mass and inertia about it, in the object's frame.
    com: V3,
    inertia: M3,
    inverse_inertia: M3,
    /// The same in the world's axes, in this step.
    world_inverse_inertia: Symmetric,
    mass: f64,
    /// Mass, inertia and inverse inertia as the scene has them.
    nominal: (f64, M3, M3),
    /// Distance of the farthest point from the origin, metres.
    pub(crate) reach: f64,
    /// Whether an arm pressed on it in the last step.
    pub(crate) touched: bool,
    pub(crate) rest: Rest,
    /// Which bodies of each arm pressed on it in the last step, one bit a body.
    pub(crate) touched_by: [u64; MAX_ARMS],
}

state!(Object { frame, touched, touched_by, rest } but {
    fixed, start, com, inertia, inverse_inertia, world_inverse_inertia, mass, nominal, reach,
});

impl Object {
    /// An object at rest at `frame`; the spec's numbers are already checked.
    pub(crate) fn new(spec: &ObjectSpec, frame: Frame) -> Self {
        let parts = parts(&spec.shape);
        let volume: f64 = parts.iter().map(|part| volume(&part.shape)).sum();
        let mut com = V3::zeros();
        let mut reach: f64 = 0.0;
        for part in &parts {
            com += part.frame.origin * (self::volume(&part.shape) / volume);
            reach = reach.max(part.frame.origin.norm() + half_extents(&part.shape).norm());
        }
        let mut inertia = M3::zeros();
        for part in &parts {
            let mass = spec.mass * self::volume(&part.shape) / volume;
            inertia +=
                unit_inertia(&part.shape) * mass + point_inertia(&(part.frame.origin - com)) * mass;
        }
        // Parts are along the object's axes and mirror each other, so the inertia is diagonal.
        let inverse_inertia =
            M3::from_diagonal(&inertia.diagonal().map(|moment| 1.0 / moment.max(1e-12)));
        let inertia = M3::from_diagonal(&inertia.diagonal());
        Self {
            fixed: spec.fixed,
            frame,
            start: frame,
            com,
            inertia,
            inverse_inertia,
            world_inverse_inertia: Symmetric::ZERO,
            mass: spec.mass,
            nominal: (spec.mass, inertia, inverse_inertia),
            reach,
            touched: false,
            rest: Rest::default(),
            touched_by: [0; MAX_ARMS],
        }
    }

    /// Makes it so many times as heavy as the scene has it.
    pub(crate) fn scale_mass(&mut self, factor: f64) {
        let (mass, inertia, inverse_inertia) = self.nominal;
        self.mass = mass * factor;
        self.inertia = inertia * factor;
        self.inverse_inertia = inverse_inertia / factor;
    }

    /// Nobody touches it.
    pub(crate) fn let_go(&mut self) {
        self.touched = false;
        self.touched_by = [0; MAX_ARMS];
    }

    /// Notes that an arm's body (`None`: its base) presses on it.
    pub(crate) fn touch(&mut self, arm: usize, body: Option<usize>) {
        self.touched = true;
        let bit = body.map_or(0, |body| 1 << (body as u32).min(MAX_BODIES - 1));
        if let Some(bodies) = self.touched_by.get_mut(arm) {
            *bodies |= bit;
        }
    }

    /// Back to where it was when the world was built.
    pub(crate) fn reset(&mut self) {
        self.frame = self.start;
        self.rest = Rest::default();
        self.let_go();
    }

    /// Whether steps move it: it is neither fixed nor asleep.
    pub(crate) fn moves(&self) -> bool {
        !self.fixed && !self.rest.is_asleep()
    }

    /// The centre of mass in the world.
    pub(crate) fn center(&self) -> V3 {
        self.frame.point(&self.com)
    }

    /// Begins a step: turns the inverse inertia into the world's axes.
    pub(crate) fn turn_inertia(&mut self) {
        self.world_inverse_inertia =
            Symmetric::from(&self.inverse_inertia).turned(&self.frame.rotation);
    }

    /// What an impulse (N·s) and an angular impulse about the centre of mass (N·m·s) do to the
    /// velocity and to the spin in this step.
    pub(crate) fn yield_to(&self, force: &V3, moment: &V3) -> (V3, V3) {
        (force / self.mass, self.world_inverse_inertia.times(moment))
    }

    /// Mass, centre of mass and inertia about it (diagonal), in the object's frame.
    pub(crate) fn mass_properties(&self) -> (f64, V3, M3) {
        (self.mass, self.com, self.inertia)
    }

    /// Adds what gravity and its own spin do to its velocity in a step.
    pub(crate) fn free_velocity(&self, linear: &mut V3, angular: &mut V3, gravity: &V3, dt: f64) {
        *linear += gravity * dt;
        // One Newton step of the implicit gyroscopic equation, in the object's axes: explicit
        // integration would let a tumbling box gain energy.
        let spin = self.frame.rotation.tr_mul(angular);
        let momentum = self.inertia * spin;
        let residual = spin.cross(&momentum) * dt;
        let slope =
            self.inertia + (cross_matrix(&spin) * self.inertia - cross_matrix(&momentum)) * dt;
        if let Some(inverse) = slope.try_inverse() {
            *angular = self.frame.rotation * (spin - inverse * residual);
        }
    }

    /// Ends a step: speed limits, motion.
    pub(crate) fn advance(&mut self, linear: &mut V3, angular: &mut V3, dt: f64) {
        limit(linear, MAX_SPEED);
        limit(angular, MAX_SPIN);
        let center = self.center() + *linear * dt;
        let rotation = turned(&self.frame.rotation, &(*angular * dt));
        self.frame = Frame {
            rotation,
            origin: center - rotation * self.com,
        };
    }
}

/// The solids an object is made of.
pub(crate) fn parts(shape: &ObjectShape) -> Vec<Part> {
    let single = |shape| {
        vec![Part {
            shape,
            frame: Frame::identity(),
        }]
    };
    match *shape {
        ObjectShape::Cube { size } => single(Shape::Box {
            half_extents: [size / 2.0; 3],
        }),
        ObjectShape::Box { size } => single(Shape::Box {
            half_extents: size.map(|length| length / 2.0),
        }),
        ObjectShape::Cylinder { radius, height } => single(Shape::Cylinder {
            radius,
            half_length: height / 2.0,
        }),
        ObjectShape::Ball { radius } => single(Shape::Sphere { radius }),
        ObjectShape::Tray {
            inner: [length, width],
            height,
            wall,
        } => {
            let place = |x, y, z, half_extents| Part {
                shape: Shape::Box { half_extents },
                frame: Frame {
                    rotation: M3::identity(),
                    origin: V3::new(x, y, z),
                },
            };
            let rise = (height - wall) / 2.0;
            let (x, y, z) = ((length + wall) / 2.0, (width + wall) / 2.0, wall + rise);
            let along = [length / 2.0 + wall, wall / 2.0, rise];
            let across = [wall / 2.0, width / 2.0, rise];
            vec![
                place(
                    0.0,
                    0.0,
                    wall / 2.0,
                    [length / 2.0 + wall, width / 2.0 + wall, wall / 2.0],
                ),
                place(0.0, -y, z, along),
                place(0.0, y, z, along),
                place(-x, 0.0, z, across),
                place(x, 0.0, z, across),
            ]
        }
    }
}

fn half_extents(shape: &Shape) -> V3 {
    match *shape {
        Shape::Box { half_extents } => V3::from(half_extents),
        Shape::Cylinder {
            radius,
            half_length,
        } => V3::new(radius, radius, half_length),
        Shape::Sphere { radius } => V3::repeat(radius / 3.0_f64.sqrt()),
        // Objects are made of nothing else.
        _ => V3::repeat(1.0),
    }
}

fn volume(shape: &Shape) -> f64 {
    let half = half_extents(shape);
    8.0 * half.x * half.y * half.z
}

/// The inertia of a solid of one kilogram about its centre.
fn unit_inertia(shape: &Shape) -> M3 {
    let moments = match *shape {
        Shape::Box {
            half_extents: [x, y, z],
        } => V3::new(y * y + z * z, x * x + z * z, x * x + y * y) / 3.0,
        Shape::Cylinder {
            radius,
            half_length,
        } => {
            let across = radius * radius / 4.0 + half_length * half_length / 3.0;
            V3::new(across, across, radius * radius / 2.0)
        }
        Shape::Sphere { radius } => V3::repeat(0.4 * radius * radius),
        _ => V3::repeat(1.0),
    };
    M3::from_diagonal(&moments)
}

fn limit(v: &mut V3, most: f64) {
    let length = v.norm();
    if length > most {
        *v *= most / length;
    }
}

/// A rotation turned by a small rotation vector (radians, world axes) and made orthonormal again.
fn turned(rotation: &M3, by: &V3) -> M3 {
    let angle_squared = by.norm_squared();
    if angle_squared == 0.0 {
        return *rotation;
    }
    let angle = angle_squared.sqrt();
    let (sine, cosine) = libm::sincos(angle);
    let cross = cross_matrix(by);
    let turn =
        M3::identity() + cross * (sine / angle) + cross * cross * ((1.0 - cosine) / angle_squared);
    let next = turn * rotation;
    let x: V3 = next.column(0).into_owned();
    let x = x / x.norm();
    let y: V3 = next.column(1).into_owned();
    let y = y - x * x.dot(&y);
    let y = y / y.norm();
    M3::from_columns(&[x, y, x.cross(&y)])
}
