//! Inverse kinematics: round trips, limits, targets out of reach.

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::kinematics::tool_pose;
use forearm_arm::so101::so101;
use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::{assert_within_limits, within_limits};

fn position_only() -> IkConfig {
    IkConfig {
        orientation_weight: 0.0,
        ..IkConfig::default()
    }
}

fn pose_of(joints: &[f64]) -> Isometry3<f64> {
    tool_pose(&so101(), joints, &mut Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn reachable_positions_are_reached_from_anywhere(
        goal in within_limits(&so101()),
        start in within_limits(&so101()),
    ) {
        let model = so101();
        let config = IkConfig { restarts: 32, ..position_only() };
        let mut solver = IkSolver::new(&model, config);
        let target = pose_of(&goal);
        let solution = solver.solve(&start, &target);
        prop_assert!(solution.converged, "{solution:?}");
        prop_assert_eq!(solution.joints[5], start[5]);
        assert_within_limits(&model, solution.joints);
        let error = (pose_of(solution.joints).translation.vector
            - target.translation.vector).norm();
        prop_assert!(error < 1e-4);
        prop_assert!((error - solution.position_error_m).abs() < 1e-9);
    }

    #[test]
    fn a_nearby_pose_is_reached_and_kept_near(
        goal in within_limits(&so101()),
        offsets in prop::collection::vec(-0.1..0.1, 6),
    ) {
        let model = so101();
        let mut solver = IkSolver::new(&model, IkConfig::default());
        let start: Vec<f64> = goal.iter().zip(&offsets).map(|(q, d)| q + d).collect();
        let target = pose_of(&goal);
        let solution = solver.solve(&start, &target);
        prop_assert!(solution.position_error_m <= 1e-5, "{solution:?}");
        prop_assert!(solution.orientation_error_rad < 0.05, "{solution:?}");
        assert_within_limits(&model, solution.joints);
    }

    #[test]
    fn targets_out_of_reach_are_approached_within_limits(
        start in within_limits(&so101()),
        far in prop::array::uniform3(-3.0..3.0),
        turn in prop::array::uniform3(-3.0..3.0),
    ) {
        let model = so101();
        let mut solver = IkSolver::new(&model, IkConfig::default());
        let target = Isometry3::new(Vector3::from(far), Vector3::from(turn));
        let mut joints = start;
        let mut cost = cost_of(&joints, &target);
        // Nothing oscillates: each solve is at least as good as the last.
        for _ in 0..30 {
            let solution = solver.solve(&joints, &target);
            assert_within_limits(&model, solution.joints);
            let next_cost = cost_of(solution.joints, &target);
            prop_assert!(next_cost <= cost + 1e-6, "{next_cost} after {cost}");
            joints.copy_from_slice(solution.joints);
            cost = next_cost;
        }
    }
}

/// What the solver minimises, with the default weights.
fn cost_of(joints: &[f64], target: &Isometry3<f64>) -> f64 {
    let config = IkConfig::default();
    let tool = pose_of(joints);
    let position = (tool.translation.vector - target.translation.vector).norm();
    let orientation = tool.rotation.angle_to(&target.rotation);
    (config.position_weight * position).powi(2) + (config.orientation_weight * orientation).powi(2)
}

#[test]
fn whole_poses_are_found_on_any_branch() {
    let model = so101();
    let mut solver = IkSolver::new(&model, IkConfig::thorough());
    let mut runner = TestRunner::deterministic();
    let strategy = (within_limits(&model), within_limits(&model));
    let mut found = 0;
    for _ in 0..400 {
        let (goal, start) = strategy.new_tree(&mut runner).unwrap().current();
        let solution = solver.solve(&start, &pose_of(&goal));
        assert!(solution.position_error_m <= 1e-5, "{goal:?}: {solution:?}");
        assert_within_limits(&model, solution.joints);
        found += usize::from(solution.converged);
    }
    // A goal next to several limits may have a basin too small to hit.
    assert!(found >= 392, "{found} of 400");
}

#[test]
fn turns_to_the_other_side() {
    let model = so101();
    let mut solver = IkSolver::new(&model, IkConfig::default());
    let mut start = model.home.clone();
    start[0] = -1.8;
    let mut goal = model.home.clone();
    goal[0] = 1.8;
    let solution = solver.solve(&start, &pose_of(&goal));
    assert!(solution.converged, "{solution:?}");
}

#[test]
fn five_joints_keep_the_position_when_the_orientation_is_out_of_reach() {
    let model = so101();
    let mut solver = IkSolver::new(&model, IkConfig::default());
    let mut target = pose_of(&model.home);
    target.rotation =
        UnitQuaternion::from_scaled_axis(Vector3::new(0.0, 0.0, 0.5)) * target.rotation;
    let wanted = 0.5;
    let solution = solver.solve(&model.home, &target);
    assert!(solution.position_error_m <= 1e-5, "{solution:?}");
    assert!(
        solution.orientation_error_rad < wanted + 1e-6,
        "{solution:?}"
    );
}

#[test]
fn nonsense_is_refused_without_harm() {
    let model = so101();
    let mut solver = IkSolver::new(&model, IkConfig::default());
    let target = Isometry3::translation(f64::NAN, 0.0, 0.0);
    let solution = solver.solve(&model.home, &target);
    assert!(!solution.converged);
    assert!(solution.position_error_m.is_infinite());
    assert_eq!(solution.joints, model.home);
    // Holes in the start are filled from home.
    let solution = solver.solve(&[f64::NAN, f64::INFINITY], &pose_of(&model.home));
    assert!(solution.converged);
    assert_within_limits(&model, solution.joints);
    // Weights that make no sense weigh nothing.
    let config = IkConfig {
        position_weight: f64::NAN,
        orientation_weight: -1.0,
        damping: f64::NAN,
        ..IkConfig::default()
    };
    solver.set_config(config);
    assert_within_limits(
        &model,
        solver.solve(&model.home, &pose_of(&[0.5; 6])).joints,
    );
}

#[test]
fn a_dragged_target_never_makes_the_arm_jump() {
    let model = so101();
    let mut solver = IkSolver::new(&model, IkConfig::default());
    let mut joints = model.home.clone();
    let center = pose_of(&joints);
    let mut largest = 0.0_f64;
    for step in 0..600 {
        let phase = f64::from(step) * 0.01;
        let mut target = center;
        target.translation.vector += Vector3::new(
            0.03 * phase.sin(),
            0.10 * (2.0 * phase).sin(),
            0.02 * (1.0 - phase.cos()),
        );
        let solution = solver.solve(&joints, &target);
        assert!(
            solution.position_error_m <= 1e-5,
            "step {step}: {solution:?}"
        );
        for (old, new) in joints.iter().zip(solution.joints) {
            largest = largest.max((old - new).abs());
        }
        joints.copy_from_slice(solution.joints);
    }
    assert!(largest < 0.1, "a joint jumped by {largest} rad");
}
