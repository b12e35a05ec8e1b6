//! Colliders: convex solids fixed to what they ride on.
//!
//! Boxes and cylinders meet other than boxes as a core with a thin rounded skin, so that shapes
//! which press on each other by less than their skins are found by the distance between cores.
//! Only hulls of meshes have no skin: pressed into each other by more than the other's, they cost
//! Parry's penetration search, which allocates.

use forearm_arm::Shape;
use rapier3d::math::Vector;
use rapier3d::parry::shape::{
    Ball, ConvexPolyhedron, Cuboid, Cylinder, RoundShape, Segment, Shape as Geometry,
};

use crate::math::{Frame, M3, V3};

/// Thickness of the rounded skin of cores, metres.
const SKIN: f32 = 0.001;

/// What a collider rides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nothing: it stands still.
    World,
    /// A body of an arm (`None`: its base).
    Arm { arm: usize, body: Option<usize> },
    /// An object.
    Object(usize),
}

/// A convex solid fixed to its owner.
pub(crate) struct Collider {
    pub(crate) owner: Owner,
    pub(crate) owner_from_shape: Frame,
    pub(crate) friction: f64,
    pub(crate) solid: Solid,
    /// Bounding ball about the shape's origin, metres.
    pub(crate) radius: f64,
    /// Bounding box about the shape's origin, metres.
    pub(crate) half: V3,
    /// Whether its axes are the world's, for good: true of the table and the floor.
    pub(crate) level: bool,
}

/// Geometry, with the core that curved shapes are tested against.
pub(crate) enum Solid {
    Cuboid {
        sharp: Cuboid,
        core: RoundShape<Cuboid>,
    },
    Ball(Ball),
    Core(Box<dyn Geometry>),
}

impl Collider {
    /// A collider of a shape of the arm crate; `None` if the shape has no volume.
    pub(crate) fn new(owner: Owner, frame: Frame, shape: &Shape, friction: f64) -> Option<Self> {
        let along_z = Frame {
            // Parry's cylinders stand along Y.
            rotation: M3::new(1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0),
            origin: V3::zeros(),
        };
        let upright = frame.then(&along_z);
        let (frame, solid, half) = match shape {
            Shape::Box { half_extents } | Shape::RoundedBox { half_extents, .. } => {
                let half = V3::from(*half_extents);
                (frame, cuboid(&half), half)
            }
            Shape::Sphere { radius } => (
                frame,
                Solid::Ball(Ball::new(*radius as f32)),
                V3::repeat(*radius),
            ),
            Shape::Cylinder {
                radius,
                half_length,
            }
            | Shape::Tube {
                outer_radius: radius,
                half_length,
                ..
            } => {
                let skin = SKIN
                    .min(0.5 * *radius as f32)
                    .min(0.5 * *half_length as f32);
                let inner_shape = Cylinder::new(*half_length as f32 - skin, *radius as f32 - skin);
                let core = RoundShape {
                    inner_shape,
                    border_radius: skin,
                };
                (
                    upright,
                    Solid::Core(Box::new(core)),
                    V3::new(*radius, *half_length, *radius),
                )
            }
            Shape::Capsule {
                radius,
                half_length,
            } => {
                let end = Vector::new(0.0, *half_length as f32, 0.0);
                let core = rapier3d::parry::shape::Capsule {
                    segment: Segment::new(-end, end),
                    radius: *radius as f32,
                };
                let half = V3::new(*radius, half_length + radius, *radius);
                (upright, Solid::Core(Box::new(core)), half)
            }
            Shape::Extrusion {
                outline,
                half_depth,
                ..
            } => {
                let corner = |z: f64| {
                    outline
                        .iter()
                        .map(move |[x, y]| Vector::new(*x as f32, *y as f32, z as f32))
                };
                let points: Vec<_> = corner(-half_depth).chain(corner(*half_depth)).collect();
                hull(frame, &points)?
            }
            Shape::Mesh(mesh) => {
                let points: Vec<_> = mesh
                    .positions
                    .iter()
                    .map(|[x, y, z]| Vector::new(*x, *y, *z))
                    .collect();
                hull(frame, &points)?
            }
        };
        let volume = half.x * half.y * half.z;
        (volume > 0.0 && volume.is_finite()).then(|| Self {
            owner,
            level: owner == Owner::World && frame.rotation == M3::identity(),
            owner_from_shape: frame,
            friction,
            radius: match solid {
                Solid::Ball(ball) => f64::from(ball.radius),
                _ => half.norm(),
            },
            solid,
            half,
        })
    }

    /// The geometry that balls are tested against: without a skin where there is one.
    pub(crate) fn plain(&self) -> &dyn Geometry {
        match &self.solid {
            Solid::Cuboid { sharp, .. } => sharp,
            Solid::Ball(ball) => ball,
            Solid::Core(core) => core.as_ref(),
        }
    }

    /// The geometry that anything else is tested against.
    pub(crate) fn geometry(&self) -> &dyn Geometry {
        match &self.solid {
            Solid::Cuboid { core, .. } => core,
            Solid::Ball(ball) => ball,
            Solid::Core(core) => core.as_ref(),
        }
    }
}

fn cuboid(half: &V3) -> Solid {
    let half = Vector::new(half.x as f32, half.y as f32, half.z as f32);
    let skin = SKIN.min(0.5 * half.min_element());
    Solid::Cuboid {
        sharp: Cuboid::new(half),
        core: RoundShape {
            inner_shape: Cuboid::new(half - Vector::splat(skin)),
            border_radius: skin,
        },
    }
}

fn hull(frame: Frame, points: &[Vector]) -> Option<(Frame, Solid, V3)> {
    let mut half = V3::zeros();
    for point in points {
        half = half.sup(&V3::new(
            f64::from(point.x.abs()),
            f64::from(point.y.abs()),
            f64::from(point.z.abs()),
        ));
    }
    let hull = ConvexPolyhedron::from_convex_hull(points)?;
    Some((frame, Solid::Core(Box::new(hull)), half))
}
