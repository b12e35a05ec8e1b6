//! Servos, gravity, limits, friction.

use forearm_arm::so101;

use crate::support::{distance, efforts, positions, run, scene, velocities, world, world_of};

#[test]
fn servos_reach_their_targets_and_stay() {
    let mut world = world(&scene(vec![]));
    let mut start = positions(&world);
    for target in [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.8, -0.9, 0.9, 0.5, -1.0, 1.2],
        [-1.2, -0.3, -0.4, 0.2, 2.0, 0.1],
        [0.0, -1.2, 1.1, 1.2, 0.0, 0.4],
    ] {
        world.set_targets(0, &target);
        for step in 0..1500 {
            world.step();
            let q = positions(&world);
            for joint in 0..6 {
                let error = (q[joint] - target[joint]).abs();
                assert!(
                    step < 750 || error < 3e-3,
                    "joint {joint} swings by {error}"
                );
                // A step of a radian saturates the servo, and on its way down gravity helps: some
                // overshoot is right. MuJoCo's is the same to a hundredth of a degree.
                let way = target[joint] - start[joint];
                let beyond = (q[joint] - target[joint]) * way.signum();
                assert!(
                    beyond < 0.12,
                    "joint {joint} overshoots {target:?} by {beyond}"
                );
            }
        }
        let (q, v) = (positions(&world), velocities(&world));
        for joint in 0..6 {
            assert!(
                (q[joint] - target[joint]).abs() < 1.5e-3,
                "joint {joint}: {q:?} {target:?}"
            );
            assert!(v[joint].abs() < 1e-4, "joint {joint} still moves: {v:?}");
        }
        start = q;
    }
}

#[test]
fn servos_carry_the_arms_weight() {
    let mut world = world(&scene(vec![]));
    world.set_targets(0, &[0.0; 6]);
    run(&mut world, 3.0);
    // Gravity's torques on the stretched arm, from the published model. Dry friction carries up
    // to 0.052 N·m of them.
    let expected = [0.0, -0.539, -0.453, -0.117, 0.0, 0.0];
    for (joint, (effort, expected)) in efforts(&world).into_iter().zip(expected).enumerate() {
        assert!(
            (effort - expected).abs() < 0.056,
            "joint {joint}: {effort}, not {expected}"
        );
    }
}

#[test]
fn efforts_and_speeds_keep_to_the_limits() {
    let mut world = world(&scene(vec![]));
    let model = so101::so101();
    let mut fastest: f64 = 0.0;
    for round in 0..6 {
        let swing = if round % 2 == 0 { 1.0 } else { -1.0 };
        world.set_targets(
            0,
            &[
                1.9 * swing,
                -0.8,
                0.8 * swing,
                1.0,
                2.5 * swing,
                0.8 + 0.8 * swing,
            ],
        );
        for _ in 0..400 {
            world.step();
            let (effort, speed) = (efforts(&world), velocities(&world));
            for (joint, limits) in model.joints.iter().map(|joint| joint.limits).enumerate() {
                assert!(
                    effort[joint].abs() <= limits.effort * 1.001,
                    "{joint}: {effort:?}"
                );
                // Nothing but the motor's own brake keeps gravity from driving it faster.
                assert!(
                    speed[joint].abs() <= limits.velocity * 1.2,
                    "{joint}: {speed:?}"
                );
                fastest = fastest.max(speed[joint].abs());
            }
        }
    }
    assert!(
        fastest > 4.0,
        "the fastest joint reached {fastest} rad/s only"
    );
}

#[test]
fn arm_sags_without_torque_and_holds_where_it_is_with_it() {
    let mut world = world(&scene(vec![]));
    world.set_targets(0, &[0.0, -0.3, 0.2, 0.0, 0.0, 0.0]);
    run(&mut world, 2.0);
    let high = world.tool_pose(0).position[2];
    assert!(world.torque(0));
    world.set_torque(0, false);
    run(&mut world, 0.4);
    assert!(!world.torque(0));
    assert_eq!(efforts(&world), [0.0; 6]);
    let low = world.tool_pose(0).position[2];
    assert!(high - low > 0.01, "the tool sank from {high} to {low} only");
    world.set_torque(0, true);
    let held = positions(&world);
    run(&mut world, 2.0);
    let moved = positions(&world)
        .iter()
        .zip(held)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    assert!(
        moved < 0.03,
        "it moved by {moved} rad after torque came back"
    );
}

#[test]
fn nothing_jumps_when_torque_comes_back_after_new_targets() {
    let mut world = world(&scene(vec![]));
    run(&mut world, 0.5);
    world.set_torque(0, false);
    world.set_targets(0, &[1.5; 6]);
    run(&mut world, 0.1);
    let before = world.tool_pose(0).position;
    world.set_torque(0, true);
    run(&mut world, 0.5);
    assert!(distance(before, world.tool_pose(0).position) < 0.01);
}

#[test]
fn joints_stop_at_their_limits() {
    let model = so101::so101();
    let mut world = world(&scene(vec![]));
    for sign in [1.0, -1.0] {
        world.set_targets(0, &[0.0, -1.0, 0.0, 0.0, sign * 100.0, sign * 100.0]);
        run(&mut world, 2.0);
        let q = positions(&world);
        for joint in [4, 5] {
            let limits = &model.joints[joint].limits;
            let stop = if sign > 0.0 {
                limits.upper
            } else {
                limits.lower
            };
            assert!(
                (q[joint] - stop).abs() < 2e-3,
                "joint {joint}: {} is not {stop}",
                q[joint]
            );
        }
    }
    // Dropped without torque, the arm sinks onto the table, within its limits.
    world.set_torque(0, false);
    for _ in 0..2500 {
        world.step();
        for (q, joint) in positions(&world).iter().zip(&model.joints) {
            let limits = &joint.limits;
            assert!(
                *q > limits.lower - 0.02 && *q < limits.upper + 0.02,
                "{}: {q}",
                joint.name
            );
        }
    }
    assert!(
        velocities(&world).iter().all(|v| v.abs() < 0.05),
        "{:?}",
        velocities(&world)
    );
    assert!(
        world.tool_pose(0).position[2] < 0.02,
        "{:?}",
        world.tool_pose(0)
    );
}

#[test]
fn dry_friction_holds_a_balanced_joint_without_torque() {
    let mut world = world(&scene(vec![]));
    run(&mut world, 1.0);
    world.set_torque(0, false);
    let before = positions(&world)[0];
    run(&mut world, 2.0);
    // Nothing turns the pan joint; friction must not let it creep either.
    assert!((positions(&world)[0] - before).abs() < 1e-4);
}

#[test]
fn backlash_leaves_the_joint_short_of_its_target_on_either_side() {
    let mut model = so101::so101();
    model.joints[0].servo.backlash = 0.02;
    let mut world = world_of(&scene(vec![]), model);
    let mut settle = |target: f64| {
        world.set_targets(0, &[target, -1.2, 1.1, 1.2, 0.0, 0.4]);
        run(&mut world, 1.5);
        positions(&world)[0]
    };
    settle(-0.5);
    let from_below = settle(0.2);
    settle(0.7);
    let from_above = settle(0.2);
    assert!((from_below - 0.19).abs() < 1e-3, "{from_below}");
    assert!((from_above - 0.21).abs() < 1e-3, "{from_above}");
}

#[test]
fn one_joint_can_be_limp_or_weak_while_the_others_hold() {
    let mut world = world(&scene(vec![]));
    world.set_targets(0, &[0.0; 6]);
    run(&mut world, 3.0);
    let held = positions(&world);
    world.set_joint_torque(0, 2, 0.0);
    run(&mut world, 0.5);
    let sagged = positions(&world);
    assert!(world.torque(0));
    assert!(sagged[2] - held[2] > 0.2, "{sagged:?} from {held:?}");
    assert!((sagged[0] - held[0]).abs() < 0.02 && (sagged[1] - held[1]).abs() < 0.05);
    // Switched on it holds where it is, and not where it was told to be.
    world.set_joint_torque(0, 2, 1.0);
    run(&mut world, 1.0);
    assert!((positions(&world)[2] - sagged[2]).abs() < 0.1);
    // A weak motor can't carry what a strong one can.
    world.set_joint_torque(0, 1, 0.05);
    run(&mut world, 1.0);
    let weak = positions(&world);
    assert!(weak[1] - sagged[1] > 0.2, "{weak:?} from {sagged:?}");
    assert!(efforts(&world)[1].abs() < 0.06 * 3.0 + 0.2);
    // With the arm's motors off, one that is switched on is alone.
    world.set_torque(0, false);
    world.set_joint_torque(0, 0, 1.0);
    run(&mut world, 0.5);
    let limp = efforts(&world);
    assert!(limp[1..].iter().all(|effort| *effort == 0.0), "{limp:?}");
    world.set_joint_torque(0, 9, 1.0);
    world.set_joint_torque(7, 0, f64::NAN);
    world.set_torque(0, true);
    run(&mut world, 1.0);
    assert!(efforts(&world)[1].abs() > 0.1);
}
