//! The tool's orientation as people think of it: where it points and how it is turned about that.
//!
//! The tool points along its +Z. Its heading comes from where it is, seen from the axis that the
//! arm turns about: an arm with five joints can't choose it. With a roll of zero the tool's +Y is
//! level and to the left.

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use nalgebra::{Isometry3, Matrix3, Quaternion, Rotation3, Translation3, UnitQuaternion, Vector3};

/// A vertical axis of the base's frame that headings are seen from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Headings {
    x: f64,
    y: f64,
}

/// Where a tool points, radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pointing {
    /// 0 level, π/2 straight down.
    pub(super) pitch: f64,
    /// About the direction it points in.
    pub(super) roll: f64,
}

impl Headings {
    /// The axis of the arm's first joint if it stands upright, else the base's Z.
    pub(super) fn of(model: &ArmModel) -> Self {
        let first = model
            .links
            .iter()
            .filter_map(|link| link.attachment.as_ref())
            .find(|it| {
                it.joint == Some(0) && it.parent == 0 && {
                    let axis = it.parent_from_joint.rotation * model.joints[0].axis.into_inner();
                    axis.z.abs() > 0.99
                }
            });
        first.map_or(Self { x: 0.0, y: 0.0 }, |attachment| {
            let origin = attachment.parent_from_joint.translation.vector;
            Self {
                x: origin.x,
                y: origin.y,
            }
        })
    }

    /// The heading of a point of the base's frame, radians about Z; zero on the axis itself.
    fn heading(&self, point: &Vector3<f64>) -> f64 {
        libm::atan2(point.y - self.y, point.x - self.x)
    }

    /// The tool's rotation, in the base's frame, when it points this way at `point`.
    pub(super) fn rotation(&self, point: &Vector3<f64>, pointing: Pointing) -> UnitQuaternion<f64> {
        let level = self.level(point, pointing.pitch);
        level * UnitQuaternion::from_axis_angle(&Vector3::z_axis(), pointing.roll)
    }

    /// Where a tool at this pose points.
    pub(super) fn pointing(&self, base_from_tool: &Isometry3<f64>) -> Pointing {
        let point = base_from_tool.translation.vector;
        let heading = self.heading(&point);
        let ahead = Vector3::new(libm::cos(heading), libm::sin(heading), 0.0);
        let direction = base_from_tool.rotation * Vector3::z();
        let pitch = libm::atan2(-direction.z, direction.dot(&ahead));
        let turn = self.level(&point, pitch).inverse() * (base_from_tool.rotation * Vector3::x());
        Pointing {
            pitch,
            roll: libm::atan2(turn.y, turn.x),
        }
    }

    /// The rotation with roll zero.
    fn level(&self, point: &Vector3<f64>, pitch: f64) -> UnitQuaternion<f64> {
        let heading = self.heading(point);
        let (sin, cos) = (libm::sin(heading), libm::cos(heading));
        let z = Vector3::new(
            cos * libm::cos(pitch),
            sin * libm::cos(pitch),
            -libm::sin(pitch),
        );
        let y = Vector3::new(-sin, cos, 0.0);
        let columns = Matrix3::from_columns(&[y.cross(&z), y, z]);
        UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(columns))
    }
}

/// A message's pose as an isometry; `None` when a number is not finite or the rotation is none.
pub(super) fn isometry(pose: &Pose) -> Option<Isometry3<f64>> {
    let [x, y, z, w] = pose.rotation;
    let quaternion = Quaternion::new(w, x, y, z);
    let finite = pose
        .position
        .iter()
        .chain(&pose.rotation)
        .all(|number| number.is_finite());
    (finite && (0.5..2.0).contains(&quaternion.norm())).then(|| {
        let [px, py, pz] = pose.position;
        let rotation = UnitQuaternion::from_quaternion(quaternion);
        Isometry3::from_parts(Translation3::new(px, py, pz), rotation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use forearm_arm::so101::so101;
    use proptest::prelude::*;
    use std::f64::consts::FRAC_PI_2;

    #[test]
    fn straight_down_and_straight_ahead() {
        let headings = Headings { x: 0.0, y: 0.0 };
        let point = Vector3::new(0.2, 0.0, 0.1);
        let down = headings.rotation(
            &point,
            Pointing {
                pitch: FRAC_PI_2,
                roll: 0.0,
            },
        );
        assert!((down * Vector3::z() + Vector3::z()).norm() < 1e-12);
        assert!((down * Vector3::y() - Vector3::y()).norm() < 1e-12);
        let ahead = headings.rotation(
            &point,
            Pointing {
                pitch: 0.0,
                roll: 0.0,
            },
        );
        assert!((ahead * Vector3::z() - Vector3::x()).norm() < 1e-12);
    }

    #[test]
    fn the_so101_turns_about_its_first_joint() {
        let headings = Headings::of(&so101());
        assert!((headings.x - 0.0388353).abs() < 1e-9 && headings.y.abs() < 1e-6);
    }

    #[test]
    fn poses_that_are_none_are_refused() {
        let good = Pose::IDENTITY;
        assert!(isometry(&good).is_some());
        assert!(
            isometry(&Pose {
                position: [f64::NAN, 0.0, 0.0],
                ..good
            })
            .is_none()
        );
        assert!(
            isometry(&Pose {
                rotation: [0.0; 4],
                ..good
            })
            .is_none()
        );
        assert!(
            isometry(&Pose {
                rotation: [f64::INFINITY, 0.0, 0.0, 1.0],
                ..good
            })
            .is_none()
        );
    }

    proptest! {
        #[test]
        fn pointing_is_rotations_inverse(
            pitch in -1.5_f64..3.0, roll in -3.0_f64..3.0,
            x in 0.05_f64..0.4, y in -0.3_f64..0.3,
        ) {
            let headings = Headings { x: 0.03, y: 0.01 };
            let point = Vector3::new(x, y, 0.1);
            let rotation = headings.rotation(&point, Pointing { pitch, roll });
            let pose = Isometry3::from_parts(Translation3::from(point), rotation);
            let again = headings.pointing(&pose);
            prop_assert!((again.pitch - pitch).abs() < 1e-9 && (again.roll - roll).abs() < 1e-9);
        }
    }
}
