//! Collision: which colliders touch, where and how deep.
//!
//! Pairs are chosen once, when the world is built; each step rejects far pairs by bounding balls
//! and boxes, and asks Parry (Rapier's geometry) for the contact points of the rest, in the first
//! collider's frame, so that single precision loses nothing however far from the origin they are.
//! Buffers are reused: nothing allocates once they have grown.
//!
//! Boxes and cylinders meet other than boxes as a core with a thin rounded skin, so that shapes
//! which press on each other by less than their skins are found by the distance between cores.
//! Only hulls of meshes have no skin: pressed into each other by more than the other's, they cost
//! Parry's penetration search, which allocates.

use forearm_arm::Shape;
use rapier3d::math::{Pose as GeometryPose, Rotation, Vector};
use rapier3d::parry::query::details::{
    contact_manifold_convex_ball_shapes, contact_manifold_cuboid_cuboid,
    contact_manifold_pfm_pfm_shapes,
};
use rapier3d::parry::query::{ContactManifold, TrackedContact};
use rapier3d::parry::shape::{
    Ball, ConvexPolyhedron, Cuboid, Cylinder, PackedFeatureId, RoundShape, Segment,
    Shape as Geometry,
};

use crate::math::{Frame, M3, V3, quaternion_of};

/// How far contacts are looked for beyond touching, metres, at rest.
const MARGIN: f64 = 0.001;
/// Thickness of the rounded skin of cores, metres.
const SKIN: f32 = 0.001;
/// Contact points of one pair that are kept.
const MAX_POINTS: usize = 8;
/// Points closer than this from one step to the next are the same contact, metres.
const SAME_POINT: f32 = 0.004;

/// Points of one pair closer than this are one, metres.
const DOUBLE_POINT: f32 = 5e-4;

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
    solid: Solid,
    /// Bounding ball about the shape's origin, metres.
    radius: f64,
    /// Bounding box about the shape's origin, metres.
    half: V3,
}

/// Geometry, with the core that curved shapes are tested against.
enum Solid {
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

    fn geometry(&self) -> &dyn Geometry {
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

/// A contact point, world frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    /// The pair it belongs to, and which of the pair's points it is.
    pub(crate) pair: usize,
    pub(crate) point_index: usize,
    /// Halfway between the two surfaces.
    pub(crate) point: V3,
    /// From the first collider to the second.
    pub(crate) normal: V3,
    /// Distance between the surfaces, metres; negative when they overlap.
    pub(crate) distance: f64,
    /// How far the second collider has slipped along the first since they stuck, metres. Only what
    /// is across the normal counts.
    pub(crate) slip: V3,
    /// Impulses of the step before: along the normal, and across it. N·s.
    pub(crate) warm_normal: f64,
    pub(crate) warm_tangent: V3,
}

/// A contact remembered for the next step: its solution, to start from, and the two points that
/// stick to each other, each in its collider's frame.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    local_point: [f32; 3],
    stuck: [V3; 2],
    sticks: bool,
    normal: f64,
    tangent: V3,
}

impl Remembered {
    fn new(local_point: [f32; 3], stuck: [V3; 2]) -> Self {
        Self {
            local_point,
            stuck,
            sticks: false,
            normal: 0.0,
            tangent: V3::zeros(),
        }
    }
}

/// Two colliders that may touch.
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Coulomb friction coefficient between the two.
    pub(crate) friction: f64,
    points: [Remembered; MAX_POINTS],
    count: usize,
    /// Angular impulse that resisted rolling and spinning in the step before, N·m·s.
    pub(crate) warm_spin: V3,
}

/// All colliders and pairs of a world.
#[derive(Default)]
pub(crate) struct Collisions {
    pub(crate) colliders: Vec<Collider>,
    pub(crate) pairs: Vec<Pair>,
    /// The contacts that the last [`Collisions::detect`] found.
    pub(crate) contacts: Vec<Contact>,
    /// Where each collider is, and how much further ahead contacts are looked for as it moves.
    frames: Vec<Frame>,
    ahead: Vec<f64>,
    manifold: ContactManifold<(), ()>,
}

impl Collisions {
    /// Lists the pairs that can touch: everything against everything else, but nothing against
    /// its own arm or object, and nothing that stands still against another such thing.
    pub(crate) fn pair_up(&mut self, fixed_object: impl Fn(usize) -> bool) {
        self.pairs.clear();
        let still = |owner: Owner| match owner {
            Owner::World | Owner::Arm { body: None, .. } => true,
            Owner::Arm { .. } => false,
            Owner::Object(object) => fixed_object(object),
        };
        for (first, a) in self.colliders.iter().enumerate() {
            for (second, b) in self.colliders.iter().enumerate().skip(first + 1) {
                let same = match (a.owner, b.owner) {
                    (Owner::Arm { arm: a, .. }, Owner::Arm { arm: b, .. }) => a == b,
                    (a, b) => a == b,
                };
                if same || (still(a.owner) && still(b.owner)) {
                    continue;
                }
                // The more slippery surface decides.
                let friction = a.friction.min(b.friction);
                let points = [Remembered::new([0.0; 3], [V3::zeros(); 2]); MAX_POINTS];
                let warm_spin = V3::zeros();
                self.pairs.push(Pair {
                    first,
                    second,
                    friction,
                    points,
                    count: 0,
                    warm_spin,
                });
            }
        }
        self.frames = vec![Frame::identity(); self.colliders.len()];
        self.ahead = vec![0.0; self.colliders.len()];
    }

    /// Forgets what was remembered of past steps.
    pub(crate) fn forget(&mut self) {
        self.contacts.clear();
        for pair in &mut self.pairs {
            pair.count = 0;
            pair.warm_spin = V3::zeros();
        }
    }

    /// Finds all contacts. `frame` tells where an owner is, `speed` how fast its fastest point
    /// goes (m/s, an upper bound), `dt` the step.
    pub(crate) fn detect(
        &mut self,
        frame: impl Fn(Owner) -> Frame,
        speed: impl Fn(Owner) -> f64,
        dt: f64,
    ) {
        for (index, collider) in self.colliders.iter().enumerate() {
            self.frames[index] = frame(collider.owner).then(&collider.owner_from_shape);
            self.ahead[index] = dt * speed(collider.owner);
        }
        self.contacts.clear();
        for (index, pair) in self.pairs.iter_mut().enumerate() {
            let (a, b) = (&self.colliders[pair.first], &self.colliders[pair.second]);
            let (at, bt) = (&self.frames[pair.first], &self.frames[pair.second]);
            let margin = MARGIN + self.ahead[pair.first] + self.ahead[pair.second];
            let reach = b.radius + margin;
            if outside(at, &a.half, &bt.origin, reach)
                || outside(bt, &b.half, &at.origin, a.radius + margin)
            {
                pair.count = 0;
                pair.warm_spin = V3::zeros();
                continue;
            }
            let relative = relative_pose(at, bt);
            touch(a, b, &relative, margin as f32, &mut self.manifold);
            let normal = at.rotation * vector(self.manifold.local_n1);
            let old = pair.points;
            let old_count = std::mem::take(&mut pair.count);
            let clipped = self
                .manifold
                .points
                .iter()
                .filter(|point| has_feature(point))
                .count();
            for point in &self.manifold.points {
                // Where faces and edges were clipped, the closest point adds nothing: it only
                // wanders along them from step to step.
                let redundant = clipped >= 2 && !has_feature(point);
                if redundant || pair.count == MAX_POINTS || f64::from(point.dist) > margin {
                    continue;
                }
                let local = [point.local_p1.x, point.local_p1.y, point.local_p1.z];
                if nearest(&pair.points[..pair.count], local, DOUBLE_POINT).is_some() {
                    continue;
                }
                let here = [vector(point.local_p1), vector(point.local_p2)];
                let (first, second) = (at.point(&here[0]), bt.point(&here[1]));
                let mut remembered = Remembered::new(local, here);
                if let Some(before) = nearest(&old[..old_count], local, SAME_POINT) {
                    remembered.normal = before.normal;
                    remembered.tangent = before.tangent;
                    if before.sticks {
                        remembered.stuck = before.stuck;
                    }
                }
                let [one, other] = remembered.stuck;
                pair.points[pair.count] = remembered;
                self.contacts.push(Contact {
                    pair: index,
                    point_index: pair.count,
                    point: (first + second) / 2.0,
                    normal,
                    distance: f64::from(point.dist),
                    slip: bt.point(&other) - at.point(&one) - normal * f64::from(point.dist),
                    warm_normal: remembered.normal,
                    warm_tangent: remembered.tangent,
                });
                pair.count += 1;
            }
        }
    }
}

impl Pair {
    /// How many contact points the pair has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Keeps a contact's impulses for the next step, and whether it sticks.
    pub(crate) fn remember(&mut self, point_index: usize, normal: f64, tangent: V3, sticks: bool) {
        let point = &mut self.points[point_index];
        point.normal = normal;
        point.tangent = tangent;
        point.sticks = sticks;
    }
}

/// Whether a ball of radius `reach` at `center` stays outside a box.
fn outside(frame: &Frame, half: &V3, center: &V3, reach: f64) -> bool {
    let local = frame.inverse_point(center);
    let gap = (local.abs() - half).sup(&V3::zeros());
    gap.norm_squared() > reach * reach
}

/// Whether a contact point comes from clipping two features against each other.
fn has_feature(point: &TrackedContact<()>) -> bool {
    point.fid1 != PackedFeatureId::UNKNOWN
}

fn vector(v: Vector) -> V3 {
    V3::new(f64::from(v.x), f64::from(v.y), f64::from(v.z))
}

fn relative_pose(first: &Frame, second: &Frame) -> GeometryPose {
    let [x, y, z, w] = quaternion_of(&first.rotation.tr_mul(&second.rotation));
    let origin = first.inverse_point(&second.origin);
    GeometryPose::from_parts(
        Vector::new(origin.x as f32, origin.y as f32, origin.z as f32),
        Rotation::from_xyzw(x as f32, y as f32, z as f32, w as f32),
    )
}

/// Fills the manifold with the contact points of two solids. It starts empty, as Parry's routines
/// copy the points they find there to track them, and the copy would allocate.
fn touch(
    a: &Collider,
    b: &Collider,
    relative: &GeometryPose,
    margin: f32,
    manifold: &mut ContactManifold<(), ()>,
) {
    manifold.points.clear();
    manifold.local_n1 = Vector::ZERO;
    match (&a.solid, &b.solid) {
        (Solid::Cuboid { sharp: first, .. }, Solid::Cuboid { sharp: second, .. }) => {
            contact_manifold_cuboid_cuboid(relative, first, second, margin, manifold);
        }
        (Solid::Ball(first), Solid::Ball(second)) => {
            rapier3d::parry::query::details::contact_manifold_ball_ball(
                relative, first, second, margin, manifold,
            );
        }
        (Solid::Ball(_), _) | (_, Solid::Ball(_)) => {
            contact_manifold_convex_ball_shapes(
                relative,
                a.plain(),
                b.plain(),
                None,
                None,
                margin,
                manifold,
            );
        }
        _ => contact_manifold_pfm_pfm_shapes(
            relative,
            a.geometry(),
            b.geometry(),
            None,
            None,
            margin,
            manifold,
        ),
    }
}

impl Collider {
    /// The geometry that balls are tested against: without a skin where there is one.
    fn plain(&self) -> &dyn Geometry {
        match &self.solid {
            Solid::Cuboid { sharp, .. } => sharp,
            Solid::Ball(ball) => ball,
            Solid::Core(core) => core.as_ref(),
        }
    }
}

/// The remembered point nearest to this one, if there is one within a distance (m).
fn nearest(old: &[Remembered], local: [f32; 3], within: f32) -> Option<Remembered> {
    let mut best = within * within;
    let mut found = None;
    for point in old {
        let squared: f32 = point
            .local_point
            .iter()
            .zip(local)
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        if squared < best {
            best = squared;
            found = Some(*point);
        }
    }
    found
}
