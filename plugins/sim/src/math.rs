//! Small fixed-size helpers: frames as matrix and vector, conversions at the edges.
//!
//! Everything here is additions, multiplications, divisions and square roots, so that a run gives
//! the same bits on every target.

use forearm_protocol::Pose;
use nalgebra::{Isometry3, Matrix3, Quaternion, UnitQuaternion, Vector3};

/// A vector of three, world frame unless its name says otherwise.
pub(crate) type V3 = Vector3<f64>;
/// A 3×3 matrix.
pub(crate) type M3 = Matrix3<f64>;

/// A frame: `parent = rotation · child + origin`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    /// Columns are the child's axes in the parent's frame.
    pub(crate) rotation: M3,
    /// The child's origin in the parent's frame, metres.
    pub(crate) origin: V3,
}

impl Frame {
    /// The frame that changes nothing.
    pub(crate) fn identity() -> Self {
        Self {
            rotation: M3::identity(),
            origin: V3::zeros(),
        }
    }

    /// From nalgebra's isometry.
    pub(crate) fn from_isometry(pose: &Isometry3<f64>) -> Self {
        Self {
            rotation: pose.rotation.to_rotation_matrix().into_inner(),
            origin: pose.translation.vector,
        }
    }

    /// From a position (m) and a quaternion `[x, y, z, w]`; `None` unless finite and not zero.
    pub(crate) fn from_pose(pose: &Pose) -> Option<Self> {
        let [x, y, z, w] = pose.rotation;
        let quaternion = Quaternion::new(w, x, y, z);
        let norm = quaternion.norm();
        let finite = pose.position.iter().all(|value| value.is_finite());
        if !finite || !norm.is_finite() || norm < 1e-9 {
            return None;
        }
        let unit = UnitQuaternion::new_unchecked(quaternion / norm);
        Some(Self {
            rotation: unit.to_rotation_matrix().into_inner(),
            origin: V3::from(pose.position),
        })
    }

    /// As a position and a quaternion.
    pub(crate) fn to_pose(self) -> Pose {
        let [x, y, z, w] = quaternion_of(&self.rotation);
        Pose {
            position: self.origin.into(),
            rotation: [x, y, z, w],
        }
    }

    /// This frame, then `child` in it.
    pub(crate) fn then(&self, child: &Self) -> Self {
        Self {
            rotation: self.rotation * child.rotation,
            origin: self.rotation * child.origin + self.origin,
        }
    }

    /// A point of the child in the parent's frame.
    pub(crate) fn point(&self, point: &V3) -> V3 {
        times(&self.rotation, point) + self.origin
    }

    /// A point of the parent in the child's frame.
    pub(crate) fn inverse_point(&self, point: &V3) -> V3 {
        self.rotation.tr_mul(&(point - self.origin))
    }
}

/// The quaternion `[x, y, z, w]` of a rotation matrix.
pub(crate) fn quaternion_of(m: &M3) -> [f64; 4] {
    let trace = m.m11 + m.m22 + m.m33;
    if trace > 0.0 {
        let s = (trace + 1.0).sqrt() * 2.0;
        [
            (m.m32 - m.m23) / s,
            (m.m13 - m.m31) / s,
            (m.m21 - m.m12) / s,
            0.25 * s,
        ]
    } else if m.m11 > m.m22 && m.m11 > m.m33 {
        let s = (1.0 + m.m11 - m.m22 - m.m33).sqrt() * 2.0;
        [
            0.25 * s,
            (m.m12 + m.m21) / s,
            (m.m13 + m.m31) / s,
            (m.m32 - m.m23) / s,
        ]
    } else if m.m22 > m.m33 {
        let s = (1.0 + m.m22 - m.m11 - m.m33).sqrt() * 2.0;
        [
            (m.m12 + m.m21) / s,
            0.25 * s,
            (m.m23 + m.m32) / s,
            (m.m13 - m.m31) / s,
        ]
    } else {
        let s = (1.0 + m.m33 - m.m11 - m.m22).sqrt() * 2.0;
        [
            (m.m13 + m.m31) / s,
            (m.m23 + m.m32) / s,
            0.25 * s,
            (m.m21 - m.m12) / s,
        ]
    }
}

/// The matrix that multiplies as `v ×`.
pub(crate) fn cross_matrix(v: &V3) -> M3 {
    M3::new(0.0, -v.z, v.y, v.z, 0.0, -v.x, -v.y, v.x, 0.0)
}

/// `|v|² 1 − v vᵀ`: the inertia of a unit point mass at `v`.
pub(crate) fn point_inertia(v: &V3) -> M3 {
    M3::identity() * v.norm_squared() - v * v.transpose()
}

/// A symmetric 3×3 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Symmetric {
    pub(crate) xx: f64,
    pub(crate) yy: f64,
    pub(crate) zz: f64,
    pub(crate) xy: f64,
    pub(crate) xz: f64,
    pub(crate) yz: f64,
}

impl Symmetric {
    /// All zeros.
    pub(crate) const ZERO: Self = Self {
        xx: 0.0,
        yy: 0.0,
        zz: 0.0,
        xy: 0.0,
        xz: 0.0,
        yz: 0.0,
    };

    /// The inertia of a point of mass `mass` at `v`.
    pub(crate) fn of_point(v: &V3, mass: f64) -> Self {
        let (x, y, z) = (v.x * v.x, v.y * v.y, v.z * v.z);
        Self {
            xx: (y + z) * mass,
            yy: (x + z) * mass,
            zz: (x + y) * mass,
            xy: -(v.x * v.y * mass),
            xz: -(v.x * v.z * mass),
            yz: -(v.y * v.z * mass),
        }
    }

    /// The same in axes of which `r` has the old ones as columns: `r · self · rᵀ`.
    pub(crate) fn turned(&self, r: &M3) -> Self {
        let row = |x: f64, y: f64, z: f64| self.times(&V3::new(x, y, z));
        let (x, y, z) = (
            row(r.m11, r.m12, r.m13),
            row(r.m21, r.m22, r.m23),
            row(r.m31, r.m32, r.m33),
        );
        Self {
            xx: x.x * r.m11 + x.y * r.m12 + x.z * r.m13,
            yy: y.x * r.m21 + y.y * r.m22 + y.z * r.m23,
            zz: z.x * r.m31 + z.y * r.m32 + z.z * r.m33,
            xy: x.x * r.m21 + x.y * r.m22 + x.z * r.m23,
            xz: x.x * r.m31 + x.y * r.m32 + x.z * r.m33,
            yz: y.x * r.m31 + y.y * r.m32 + y.z * r.m33,
        }
    }

    /// `self · v`.
    pub(crate) fn times(&self, v: &V3) -> V3 {
        V3::new(
            self.xx * v.x + self.xy * v.y + self.xz * v.z,
            self.xy * v.x + self.yy * v.y + self.yz * v.z,
            self.xz * v.x + self.yz * v.y + self.zz * v.z,
        )
    }
}

impl From<&M3> for Symmetric {
    /// Takes what is on and above the diagonal.
    fn from(m: &M3) -> Self {
        Self {
            xx: m.m11,
            yy: m.m22,
            zz: m.m33,
            xy: m.m12,
            xz: m.m13,
            yz: m.m23,
        }
    }
}

impl std::ops::AddAssign for Symmetric {
    fn add_assign(&mut self, other: Self) {
        self.xx += other.xx;
        self.yy += other.yy;
        self.zz += other.zz;
        self.xy += other.xy;
        self.xz += other.xz;
        self.yz += other.yz;
    }
}

/// `m · v`, in one go.
pub(crate) fn times(m: &M3, v: &V3) -> V3 {
    V3::new(
        m.m11 * v.x + m.m12 * v.y + m.m13 * v.z,
        m.m21 * v.x + m.m22 * v.y + m.m23 * v.z,
        m.m31 * v.x + m.m32 * v.y + m.m33 * v.z,
    )
}

/// `value`, or the bound that it is beyond; the lower one for what is not a number.
///
/// Not `max` and `min`: of two zeros of different sign those give the one or the other, as the target
/// likes.
pub(crate) fn between(value: f64, lower: f64, upper: f64) -> f64 {
    if value > upper {
        upper
    } else if value >= lower {
        value
    } else {
        lower
    }
}

/// A unit vector across `n`, the same for the same bits of `n`.
pub(crate) fn any_tangent(n: &V3) -> V3 {
    let axis = if n.x.abs() < 0.6 { V3::x() } else { V3::y() };
    let t = axis - n * n.dot(&axis);
    t / t.norm()
}
