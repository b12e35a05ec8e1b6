//! The narrow phase: where two colliders touch and how deep.
//!
//! A box on the table is worked out here, in double precision: it is what most objects do most of
//! the time. Everything else is asked of Parry (Rapier's geometry), in the first collider's frame,
//! so that single precision loses nothing however far from the origin they are.

use rapier3d::math::{Pose as GeometryPose, Rotation, Vector};
use rapier3d::parry::query::details::{
    contact_manifold_ball_ball, contact_manifold_convex_ball_shapes,
    contact_manifold_cuboid_cuboid, contact_manifold_pfm_pfm_shapes,
};
use rapier3d::parry::query::{ContactManifold, TrackedContact};
use rapier3d::parry::shape::PackedFeatureId;

use crate::collider::{Collider, Solid};
use crate::math::{Frame, V3, quaternion_of};

/// A box lies on a slab, as on a plane, when it is at least so far from the slab's edges, metres.
const INSET: f64 = 0.005;
/// And sunk in no deeper than this, metres.
const DEEPEST: f64 = 0.005;

/// A point where two colliders touch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touch {
    /// The point on each of them, in its frame, metres.
    pub(crate) local: [V3; 2],
    /// Distance between the surfaces, metres; negative when they overlap.
    pub(crate) distance: f64,
}

/// Finds touching points. Buffers are kept.
#[derive(Default)]
pub(crate) struct Toucher {
    /// What [`Toucher::find`] found last.
    pub(crate) touches: Vec<Touch>,
    manifold: ContactManifold<(), ()>,
}

impl Toucher {
    /// Finds where two solids at `at` and `bt` are closer than `margin` (m); answers the normal,
    /// from the first to the second, world frame.
    pub(crate) fn find(
        &mut self,
        (a, at): (&Collider, &Frame),
        (b, bt): (&Collider, &Frame),
        margin: f64,
    ) -> V3 {
        self.touches.clear();
        if let (true, Solid::Cuboid { .. }) = (a.level, &b.solid)
            && self.lies_on(a, at, &b.half, bt, margin)
        {
            return V3::z();
        }
        self.touches.clear();
        let relative = relative_pose(at, bt);
        touch(a, b, &relative, margin as f32, &mut self.manifold);
        let points = &self.manifold.points;
        let clipped = points.iter().filter(|point| has_feature(point)).count();
        let kept = points.iter().filter(|point| {
            // Where faces and edges were clipped, the closest point adds nothing: it only wanders
            // along them from step to step.
            clipped < 2 || has_feature(point)
        });
        self.touches.extend(kept.map(|point| Touch {
            local: [vector(point.local_p1), vector(point.local_p2)],
            distance: number(point.dist),
        }));
        at.rotation * vector(self.manifold.local_n1)
    }

    /// Finds the corners by which a box is on a level slab, if it is above the slab's top and away
    /// from its edges: there the top is a plane. Answers whether it is.
    fn lies_on(&mut self, slab: &Collider, at: &Frame, half: &V3, bt: &Frame, margin: f64) -> bool {
        let up = bt.rotation.row(2);
        // The face that looks down most.
        let lean = up.abs();
        let face = if lean.x >= lean.y && lean.x >= lean.z {
            0
        } else if lean.y >= lean.z {
            1
        } else {
            2
        };
        let (one, other) = ((face + 1) % 3, (face + 2) % 3);
        let top = slab.half.z;
        let mut corner = V3::zeros();
        corner[face] = if up[face] > 0.0 {
            -half[face]
        } else {
            half[face]
        };
        for (first, second) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
            corner[one] = first * half[one];
            corner[other] = second * half[other];
            // The slab's axes are the world's.
            let place = bt.point(&corner) - at.origin;
            let distance = place.z - top;
            if distance < -DEEPEST
                || !(place.x.abs() < slab.half.x - INSET)
                || !(place.y.abs() < slab.half.y - INSET)
            {
                return false;
            }
            if distance <= margin {
                self.touches.push(Touch {
                    local: [V3::new(place.x, place.y, top), corner],
                    distance,
                });
            }
        }
        true
    }
}

/// Whether a contact point comes from clipping two features against each other.
fn has_feature(point: &TrackedContact<()>) -> bool {
    point.fid1 != PackedFeatureId::UNKNOWN
}

/// What Parry computed, in double precision. Zeros lose their sign, which differs between targets.
fn vector(v: Vector) -> V3 {
    V3::new(number(v.x), number(v.y), number(v.z))
}

fn number(value: f32) -> f64 {
    f64::from(value) + 0.0
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
            contact_manifold_ball_ball(relative, first, second, margin, manifold);
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
