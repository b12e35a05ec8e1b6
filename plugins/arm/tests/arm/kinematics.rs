//! The Jacobian against finite differences.

use forearm_arm::kinematics::{Jacobian, link_poses, tool_pose};
use forearm_arm::so101::so101;
use forearm_arm::{ArmModel, JointKind};
use nalgebra::Vector3;
use proptest::prelude::*;

use crate::within_limits;

/// The SO-101 with its elbow turned into a slide.
fn with_a_slide() -> ArmModel {
    let mut model = so101();
    model.joints[2].kind = JointKind::Prismatic;
    model.validate().unwrap();
    model
}

fn check_jacobian(model: &ArmModel, joints: &[f64]) {
    const STEP: f64 = 1e-6;
    let mut links = Vec::new();
    link_poses(model, joints, &mut links);
    let mut jacobian = Jacobian::new(model);
    jacobian.compute(model, &links);
    for index in 0..model.dof() {
        let mut moved = joints.to_vec();
        moved[index] = joints[index] + STEP;
        let after = tool_pose(model, &moved, &mut links);
        moved[index] = joints[index] - STEP;
        let before = tool_pose(model, &moved, &mut links);
        let linear = (after.translation.vector - before.translation.vector) / (2.0 * STEP);
        let angular: Vector3<f64> =
            (after.rotation * before.rotation.inverse()).scaled_axis() / (2.0 * STEP);
        let column = jacobian.columns()[index];
        let expected = [
            linear.x, linear.y, linear.z, angular.x, angular.y, angular.z,
        ];
        for row in 0..6 {
            assert!(
                (column[row] - expected[row]).abs() < 1e-7,
                "joint {index}, row {row}: {} and {}",
                column[row],
                expected[row]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn jacobian_is_the_derivative(joints in within_limits(&so101())) {
        check_jacobian(&so101(), &joints);
        check_jacobian(&with_a_slide(), &joints);
    }
}

#[test]
fn the_gripper_does_not_move_the_tool() {
    let model = so101();
    let mut links = Vec::new();
    link_poses(&model, &model.home, &mut links);
    let mut jacobian = Jacobian::new(&model);
    jacobian.compute(&model, &links);
    assert_eq!(jacobian.columns()[5].norm(), 0.0);
    assert!(
        jacobian.columns()[..5]
            .iter()
            .all(|column| column.norm() > 0.5)
    );
    let speed = jacobian.velocity(&[1.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
    assert_eq!(speed, jacobian.columns()[0]);
}
