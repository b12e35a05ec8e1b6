//! The real servo: what its registers, its supply, its gears and the arm's weight do to a joint.

use std::f64::consts::TAU;

use forearm_arm::so101;
use forearm_protocol::scene::{ServoModel, Sts3215Spec};
use forearm_sim::World;
use forearm_sim::sts3215::{
    ERROR_GAIN, LOAD_FRICTION, NO_LOAD_SPEED, STALL_TORQUE, TORQUE_PER_VOLT,
};
use proptest::prelude::*;

use crate::counting::count;
use crate::support::{efforts, positions, run, scene, velocities, world, world_of};

/// A step of the encoder, radians.
const STEP: f64 = TAU / 4096.0;
const FOLDED: [f64; 6] = [0.0, -1.2, 1.1, 1.2, 0.0, 0.4];

fn servos(spec: Sts3215Spec) -> World {
    let mut scene = scene(vec![]);
    scene.physics.servo = ServoModel::Sts3215(spec);
    world(&scene)
}

fn without_play() -> Sts3215Spec {
    Sts3215Spec {
        backlash_degrees: 0.0,
        ..Sts3215Spec::default()
    }
}

fn pan(world: &mut World, target: f64) {
    let mut targets = FOLDED;
    targets[0] = target;
    world.set_targets(0, &targets);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn weight_pulls_the_arm_as_far_from_its_target_as_the_gain_lets_it(
        p in 12_u8..64,
        voltage in 9.0..12.6_f64,
    ) {
        let mut world = servos(Sts3215Spec { p, voltage, ..without_play() });
        world.set_targets(0, &[0.0; 6]);
        run(&mut world, 4.0);
        let (q, effort) = (positions(&world), efforts(&world));
        prop_assert!(velocities(&world).iter().all(|v| v.abs() < 1e-3));
        let stiffness = TORQUE_PER_VOLT * voltage * ERROR_GAIN * f64::from(p);
        for (joint, weight) in [(1, 0.539), (2, 0.453)] {
            // The sagging arm weighs a little less; friction carries part of it; steps are whole.
            let friction = 0.052 + LOAD_FRICTION * weight;
            let least = (0.93 * weight - friction) / stiffness - 1.5 * STEP;
            let most = (weight + friction) / stiffness + 1.5 * STEP;
            prop_assert!(q[joint] > least && q[joint] < most, "{q:?}: {least} to {most}");
            prop_assert!((effort[joint] + stiffness * q[joint]).abs() < 2.0 * stiffness * STEP);
        }
    }

    #[test]
    fn within_its_dead_band_a_servo_rests(dead_band in 2_u8..30, part in -1.0..1.0_f64) {
        let mut world = servos(Sts3215Spec { dead_band, ..without_play() });
        pan(&mut world, 0.0);
        run(&mut world, 2.0);
        let before = positions(&world)[0];
        // The error it stopped with is within the band too, to either side.
        let band = f64::from(dead_band) * STEP;
        prop_assert!(before.abs() <= band + STEP, "{before}");
        pan(&mut world, before + part * (band - STEP));
        run(&mut world, 1.0);
        prop_assert!(efforts(&world)[0].abs() < 1e-3);
        prop_assert!((positions(&world)[0] - before).abs() < 1e-5);
        pan(&mut world, before + (20.0 * STEP + 2.0 * band).copysign(part));
        run(&mut world, 1.0);
        prop_assert!((positions(&world)[0] - before).abs() > 10.0 * STEP);
    }

    #[test]
    fn goals_move_as_fast_as_the_registers_let_them(velocity in 200_u16..2000, acceleration in 5_u8..100) {
        let mut world = servos(Sts3215Spec {
            goal_velocity: velocity,
            acceleration,
            ..without_play()
        });
        pan(&mut world, -1.5);
        run(&mut world, 12.0);
        pan(&mut world, 1.5);
        let (speed, gain) = (f64::from(velocity) * STEP, f64::from(acceleration) * 100.0 * STEP);
        let start = positions(&world)[0];
        let mut moved = 0.0_f64;
        for step in 1..3000 {
            world.step();
            let time = f64::from(step) * world.dt_secs();
            let profile = if time < speed / gain {
                gain * time * time / 2.0
            } else {
                speed * (time - speed / gain / 2.0)
            };
            // The joint hangs behind its goal, and is never ahead of it by more than friction holds.
            moved = positions(&world)[0] - start;
            prop_assert!(moved < profile + 0.03, "after {time} s: {moved} of {profile}");
            prop_assert!(velocities(&world)[0] < 1.15 * speed + 0.1);
        }
        let ideal = 3.0 / speed + speed / gain;
        if ideal < 5.0 {
            prop_assert!((moved - 3.0).abs() < 0.05, "{moved} after 6 s, not 3 after {ideal} s");
        }
    }

    #[test]
    fn torque_and_speed_fall_with_the_supply(voltage in 6.0..12.6_f64) {
        let part = voltage / 12.0;
        let mut world = servos(Sts3215Spec { voltage, ..without_play() });
        // Against the stop of the wrist's roll, turned so far that the error is greatest.
        let mut model = so101::so101();
        model.joints[4].limits.upper = 2.0;
        pan(&mut world, -1.8);
        run(&mut world, 3.0);
        pan(&mut world, 1.8);
        let mut fastest = 0.0_f64;
        for _ in 0..1000 {
            world.step();
            fastest = fastest.max(velocities(&world)[0].abs());
            prop_assert!(efforts(&world)[0].abs() <= STALL_TORQUE * part * 1.001);
        }
        prop_assert!(fastest <= NO_LOAD_SPEED * part * 1.01, "{fastest} at {voltage} V");
        prop_assert!(fastest > 0.8 * NO_LOAD_SPEED * part, "{fastest} at {voltage} V");
    }
}

#[test]
fn torque_falls_with_speed() {
    // So stiff that the motor gets all it can take before the joint has moved.
    let mut world = servos(Sts3215Spec {
        p: 250,
        d: 0,
        acceleration: 0,
        ..without_play()
    });
    pan(&mut world, -1.8);
    run(&mut world, 3.0);
    pan(&mut world, 1.8);
    let (mut at_rest, mut at_speed) = (0.0_f64, f64::INFINITY);
    for _ in 0..300 {
        world.step();
        let (speed, effort) = (velocities(&world)[0], efforts(&world)[0]);
        if speed < 1.0 {
            at_rest = at_rest.max(effort);
        }
        if speed > 4.2 {
            at_speed = at_speed.min(effort);
        }
    }
    assert!((at_rest - STALL_TORQUE).abs() < 1e-3, "{at_rest}");
    assert!(at_speed < 1.0, "{at_speed}");
}

#[test]
fn play_delays_every_reversal() {
    let delay = |backlash_degrees: f64| {
        let mut world = servos(Sts3215Spec {
            backlash_degrees,
            goal_velocity: 300,
            acceleration: 0,
            ..Sts3215Spec::default()
        });
        pan(&mut world, -0.8);
        run(&mut world, 4.0);
        pan(&mut world, 0.8);
        run(&mut world, 2.0);
        assert!(velocities(&world)[0] > 0.3, "{:?}", velocities(&world));
        pan(&mut world, -0.8);
        let here = positions(&world)[0];
        let mut steps = 0;
        // On for a moment, back again, and a little further.
        while positions(&world)[0] > here - 0.02 && steps < 2000 {
            world.step();
            steps += 1;
        }
        steps
    };
    let (tight, loose, looser) = (delay(0.0), delay(2.0), delay(6.0));
    assert!(tight < loose && loose < looser, "{tight} {loose} {looser}");
}

#[test]
fn a_joint_that_hangs_on_its_gears_does_not_feel_their_play() {
    // The encoder sits on the joint: play adds nothing to what the weight has pulled it.
    let sag = |backlash_degrees: f64| {
        let mut world = servos(Sts3215Spec {
            backlash_degrees,
            ..Sts3215Spec::default()
        });
        world.set_targets(0, &[0.0; 6]);
        run(&mut world, 4.0);
        positions(&world)[1]
    };
    let (tight, loose) = (sag(0.0), sag(4.0));
    assert!((tight - loose).abs() < 0.015, "{tight} {loose}");
}

#[test]
fn the_firmware_keeps_its_own_time() {
    // The same run at 250, 500 and 2000 steps a second: the firmware looks as often.
    let end = |hz: f64| {
        let mut scene = scene(vec![]);
        scene.physics.hz = hz;
        scene.physics.servo = ServoModel::Sts3215(without_play());
        let mut world = world(&scene);
        pan(&mut world, 0.8);
        run(&mut world, 0.25);
        positions(&world)[0]
    };
    let [slow, usual, fast] = [250.0, 500.0, 2000.0].map(end);
    assert!((slow - fast).abs() < 0.03, "{slow} {usual} {fast}");
    assert!((usual - fast).abs() < 0.015, "{slow} {usual} {fast}");
}

#[test]
fn runs_repeat_and_allocate_nothing() {
    let drive = |world: &mut World| {
        for step in 0..1500 {
            let swing = (f64::from(step) * 0.004).sin();
            world.set_targets(
                0,
                &[swing, -0.8 + 0.3 * swing, 0.5, 0.5 * swing, swing, 0.5],
            );
            world.set_torque(0, step % 500 != 7);
            world.step();
        }
        world.state_hash()
    };
    let mut world = servos(Sts3215Spec::default());
    let first = drive(&mut world);
    world.reset();
    let before = count();
    let second = drive(&mut world);
    assert_eq!(count() - before, 0);
    assert_eq!(first, second);
}

#[test]
fn limp_servos_let_go_and_bad_supplies_are_refused() {
    let mut world = servos(Sts3215Spec::default());
    world.set_targets(0, &[0.0, -0.3, 0.2, 0.0, 0.0, 0.0]);
    run(&mut world, 2.0);
    let high = world.tool_pose(0).position[2];
    world.set_torque(0, false);
    run(&mut world, 0.4);
    assert_eq!(efforts(&world), [0.0; 6]);
    assert!(high - world.tool_pose(0).position[2] > 0.03);
    let held = positions(&world);
    world.set_torque(0, true);
    run(&mut world, 1.0);
    let moved = positions(&world)[1] - held[1];
    assert!(moved.abs() < 0.15, "{moved}");

    let mut scene = scene(vec![]);
    scene.physics.servo = ServoModel::Sts3215(Sts3215Spec {
        voltage: f64::NAN,
        ..Sts3215Spec::default()
    });
    let models = [std::sync::Arc::new(so101::so101())];
    let error = World::new(&scene, &models).err().expect("no supply");
    assert!(error.to_string().contains("servo.voltage"), "{error}");
    // An arm that slides keeps its ideal actuator.
    let mut model = so101::so101();
    model.joints[5].kind = forearm_arm::JointKind::Prismatic;
    scene.physics.servo = ServoModel::Sts3215(Sts3215Spec::default());
    let mut sliding = world_of(&scene, model);
    run(&mut sliding, 0.2);
    assert!((positions(&sliding)[5] - 0.4).abs() < 0.01);
}
