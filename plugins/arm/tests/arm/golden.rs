//! Forward kinematics against reference poses, from every source of the same arm.

use forearm_arm::{ArmModel, kinematics, so101::so101};
use nalgebra::{Isometry3, Matrix3, Vector3};

use crate::{fixture, read};

/// Metres and radians.
const TOLERANCE: f64 = 1e-5;

/// Compares the tool's pose and the jaw's place with every reference pose.
fn check(model: &ArmModel) {
    let golden: serde_json::Value = serde_json::from_str(&fixture("fk_golden.json")).unwrap();
    let jaw = model.link_index("moving_jaw_so101_v1_link").unwrap();
    let mut links = Vec::new();
    let poses = golden.as_array().unwrap();
    assert!(poses.len() >= 14);
    for (index, pose) in poses.iter().enumerate() {
        let joints: Vec<f64> = model
            .joints
            .iter()
            .map(|joint| pose["q"][&joint.name].as_f64().unwrap())
            .collect();
        let tool = kinematics::tool_pose(model, &joints, &mut links);
        let matrix =
            |row: usize, column: usize| pose["gripper_frame_link"][row][column].as_f64().unwrap();
        let expected = Vector3::new(matrix(0, 3), matrix(1, 3), matrix(2, 3));
        let distance = (tool.translation.vector - expected).norm();
        assert!(distance < TOLERANCE, "pose {index}: {distance} m");
        let rotation = Matrix3::from_fn(matrix);
        // The angle of a small rotation is the length of its antisymmetric part; this form does
        // not need the rounded reference to be orthonormal.
        let between = tool.rotation.to_rotation_matrix().matrix().transpose() * rotation;
        let angle = 0.5
            * Vector3::new(
                between[(2, 1)] - between[(1, 2)],
                between[(0, 2)] - between[(2, 0)],
                between[(1, 0)] - between[(0, 1)],
            )
            .norm();
        assert!(between.trace() > 2.9, "pose {index}: turned round");
        assert!(angle < TOLERANCE, "pose {index}: {angle} rad");
        for axis in 0..3 {
            let expected = pose["moving_jaw_xyz"][axis].as_f64().unwrap();
            let error = (links[jaw].translation.vector[axis] - expected).abs();
            assert!(error < TOLERANCE, "pose {index}: jaw {error} m");
        }
    }
}

#[test]
fn built_in_so101_agrees() {
    check(&so101());
}

#[test]
fn imported_urdf_agrees() {
    check(&read(&fixture("so101.urdf")).unwrap().model);
}

#[test]
fn imported_mjcf_agrees() {
    check(&read(&fixture("so101.xml")).unwrap().model);
}

#[test]
fn poses_at_zero_chain_the_fixed_frames() {
    let model = so101();
    let mut links = Vec::new();
    kinematics::link_poses(&model, &[], &mut links);
    assert_eq!(links[0], Isometry3::identity());
    for (link, pose) in model.links.iter().zip(&links).skip(1) {
        let attachment = link.attachment.as_ref().unwrap();
        let expected = links[attachment.parent] * attachment.parent_from_joint;
        assert!((expected.to_homogeneous() - pose.to_homogeneous()).norm() < 1e-12);
    }
}
