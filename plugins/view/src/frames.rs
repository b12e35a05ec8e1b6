//! Between the simulation's frame (Z up, `f64`) and Bevy's (Y up, `f32`).
//!
//! Everything of the scene hangs under one entity, the [`WorldRoot`], whose rotation is the whole
//! difference: transforms below it are in the simulation's frame.

use core::f32::consts::FRAC_PI_2;

use bevy::prelude::*;
use forearm_protocol::Pose;
use nalgebra::Isometry3;

/// The entity whose children live in the simulation's frame.
#[derive(Component, Debug, Default)]
#[require(Transform = Transform::from_rotation(bevy_from_world()), Visibility)]
pub struct WorldRoot;

/// The rotation from the simulation's frame (Z up) to Bevy's (Y up).
#[must_use]
pub fn bevy_from_world() -> Quat {
    Quat::from_rotation_x(-FRAC_PI_2)
}

/// A rigid transform as Bevy wants it.
pub(crate) fn transform(isometry: &Isometry3<f64>) -> Transform {
    let t = isometry.translation.vector.cast::<f32>();
    let q = isometry.rotation.coords.cast::<f32>();
    Transform::from_xyz(t.x, t.y, t.z).with_rotation(Quat::from_xyzw(q.x, q.y, q.z, q.w))
}

/// A message's pose as Bevy wants it; a rotation that is none counts as no rotation.
pub(crate) fn pose_transform(pose: &Pose) -> Transform {
    let rotation = Vec4::from_array(pose.rotation.map(|value| value as f32));
    let rotation = rotation
        .try_normalize()
        .map_or(Quat::IDENTITY, Quat::from_vec4);
    Transform::from_translation(vec3(pose.position)).with_rotation(rotation)
}

/// Roll, pitch, yaw in degrees about the fixed X, Y, Z axes in this order.
pub(crate) fn rotation_degrees([roll, pitch, yaw]: [f64; 3]) -> Quat {
    let radians = |degrees: f64| degrees.to_radians() as f32;
    Quat::from_euler(EulerRot::ZYX, radians(yaw), radians(pitch), radians(roll))
}

pub(crate) fn vec3(position: [f64; 3]) -> Vec3 {
    Vec3::from_array(position.map(|value| value as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_is_up_and_ahead_stays_ahead() {
        let turned = bevy_from_world() * Vec3::Z;
        assert!(turned.abs_diff_eq(Vec3::Y, 1e-6), "{turned}");
        assert!((bevy_from_world() * Vec3::X).abs_diff_eq(Vec3::X, 1e-6));
    }

    #[test]
    fn angles_turn_about_fixed_axes_roll_first() {
        let turned = rotation_degrees([90.0, 0.0, 90.0]) * Vec3::Y;
        // Roll takes Y to Z, and yaw leaves Z where it is.
        assert!(turned.abs_diff_eq(Vec3::Z, 1e-6), "{turned}");
    }

    #[test]
    fn isometries_keep_their_meaning() {
        let isometry = Isometry3::new(
            nalgebra::Vector3::new(1.0, 2.0, 3.0),
            nalgebra::Vector3::new(0.1, -0.4, 0.9),
        );
        let point = nalgebra::Point3::new(0.3, -0.2, 0.5);
        let expected = (isometry * point).cast::<f32>();
        let got = transform(&isometry) * Vec3::new(0.3, -0.2, 0.5);
        assert!(got.abs_diff_eq(Vec3::new(expected.x, expected.y, expected.z), 1e-6));
    }
}
