//! How a servo turns registers into motion, and motion into registers.

use crate::host::Host;
use forearm_hardware::codec::BROADCAST_ID;
use forearm_hardware::codec::registers as reg;
use forearm_hardware::emulator::{ChainConfig, PlantSample, ServoConfig, Wire};
use std::f64::consts::TAU;

fn radians(ticks: f64) -> f64 {
    ticks / 4096.0 * TAU
}

#[track_caller]
fn near(got: f64, expected: f64, within: f64) {
    assert!(
        (got - expected).abs() <= within,
        "{got}, expected {expected}"
    );
}

#[test]
fn a_goal_is_reached_and_told() {
    let mut host = Host::instant();
    host.set(2, &reg::TORQUE_ENABLE, 1);
    host.set(2, &reg::GOAL_POSITION, 3000);
    host.run(0.05);
    assert_eq!(host.get(2, &reg::MOVING), 1);
    assert!(host.get(2, &reg::PRESENT_VELOCITY) > 1000);
    host.run(1.0);
    assert_eq!(host.position(2), 3000);
    assert_eq!(host.get(2, &reg::MOVING), 0);
    assert_eq!(host.get(2, &reg::PRESENT_VELOCITY), 0);
    near(
        host.plant.sample().positions[1],
        radians(3000.0 - 2048.0),
        1e-3,
    );
    // Back: what goes down is negative.
    host.set(2, &reg::GOAL_POSITION, 1000);
    host.run(0.1);
    assert!(host.get(2, &reg::PRESENT_VELOCITY) < -1000);
    assert!(host.get(2, &reg::PRESENT_LOAD) < -100);
}

#[test]
fn torque_holds_where_the_joint_is() {
    let mut host = Host::instant();
    host.place_ticks(0, 2900.0);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.run(0.2);
    assert_eq!(host.position(1), 2900);
    assert_eq!(host.get(1, &reg::GOAL_POSITION), 2900);
    host.set(1, &reg::TORQUE_ENABLE, 0);
    host.run(0.01);
    assert!(!host.command.drives(0));
    // By hand: the encoder is read also without torque.
    host.place_ticks(0, 1500.0);
    assert_eq!(host.position(1), 1500);
}

/// As on a real one: a goal switches torque on, whoever switched it off.
#[test]
fn a_goal_switches_torque_on() {
    let mut host = Host::instant();
    host.set(1, &reg::GOAL_POSITION, 2100);
    assert_eq!(host.get(1, &reg::TORQUE_ENABLE), 1);
    host.run(0.5);
    assert_eq!(host.position(1), 2100);

    let mut host = Host::new(&ChainConfig {
        servos: vec![ServoConfig {
            goal_enables_torque: false,
            ..ServoConfig::default()
        }],
        wire: Wire::INSTANT,
        ..ChainConfig::default()
    });
    host.set(1, &reg::GOAL_POSITION, 2100);
    host.run(0.5);
    assert_eq!(host.position(1), 2048);
}

#[test]
fn goals_stay_within_the_limits_and_the_register_does_not_show_it() {
    let mut host = Host::instant();
    host.set(1, &reg::MIN_POSITION_LIMIT, 1800);
    host.set(1, &reg::MAX_POSITION_LIMIT, 2300);
    for (goal, reached) in [(4000, 2300), (10, 1800), (-500, 1800)] {
        host.set(1, &reg::GOAL_POSITION, goal);
        host.run(1.0);
        assert_eq!(host.position(1), reached);
        assert_eq!(host.get(1, &reg::GOAL_POSITION), goal);
        assert_eq!(host.get(1, &reg::GOAL_POSITION_2), reached);
    }
    // The nearer limit counts, also the other way around.
    host.set(1, &reg::MIN_POSITION_LIMIT, 1000);
    for (goal, reached) in [(3600, 2300), (3800, 1000), (-500, 1000)] {
        host.set(1, &reg::GOAL_POSITION, goal);
        host.run(1.0);
        assert_eq!(host.position(1), reached);
    }
    host.set(1, &reg::MIN_POSITION_LIMIT, 2000);
    host.set(1, &reg::MAX_POSITION_LIMIT, 3500);
    host.set(1, &reg::GOAL_POSITION, 300);
    host.run(1.0);
    assert_eq!(host.position(1), 3500);
}

#[test]
fn speed_and_acceleration_shape_the_motion() {
    let mut host = Host::instant();
    host.set(1, &reg::GOAL_VELOCITY, 500);
    host.set(1, &reg::GOAL_POSITION, 3048);
    host.run(1.0);
    near(f64::from(host.position(1)), 2548.0, 25.0);
    host.run(1.2);
    assert_eq!(host.position(1), 3048);

    // 1000 ticks at 1000 ticks/s²: half of it after a second, all after two.
    host.set(1, &reg::GOAL_VELOCITY, 0);
    host.set(1, &reg::ACCELERATION, 10);
    host.set(1, &reg::GOAL_POSITION, 2048);
    host.run(0.5);
    near(f64::from(host.position(1)), 3048.0 - 125.0, 30.0);
    host.run(0.5);
    near(f64::from(host.position(1)), 2548.0, 50.0);
    host.run(1.2);
    assert_eq!(host.position(1), 2048);
}

#[test]
fn the_offset_is_taken_off_and_the_turn_wraps() {
    let mut host = Host::instant();
    host.plant.set_ends(0, -10.0, 10.0);
    host.place_ticks(0, 300.0);
    assert_eq!(host.position(1), 300);
    // LeRobot's homing: where the joint is becomes the middle.
    host.set(1, &reg::HOMING_OFFSET, 300 - 2047);
    assert_eq!(host.position(1), 2047);
    // The encoder's own end is now somewhere within the range, and nothing jumps there.
    let mut before = host.position(1);
    for ticks in (-500..300).rev() {
        host.place_ticks(0, f64::from(ticks));
        let position = host.position(1);
        assert_eq!(before - position, 1);
        before = position;
    }
    // Beyond the turn it starts over.
    host.place_ticks(0, 300.0 - 2048.0);
    assert_eq!(host.position(1), 4095);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.run(0.1);
    assert_eq!(host.position(1), 4095);
}

#[test]
fn a_calibrated_servo_goes_where_it_is_sent() {
    let mut host = Host::new(&ChainConfig {
        servos: vec![ServoConfig {
            mount_ticks: 3900.0,
            homing_offset: 1853,
            position_limits: (700, 3400),
            reversed: true,
            ..ServoConfig::default()
        }],
        wire: Wire::INSTANT,
        ..ChainConfig::default()
    });
    host.run(0.01);
    assert_eq!(host.position(1), 3900 - 1853);
    host.set(1, &reg::GOAL_POSITION, 3000);
    host.run(1.0);
    assert_eq!(host.position(1), 3000);
    near(
        host.plant.sample().positions[0],
        -radians(3000.0 - 2047.0),
        1e-3,
    );
}

#[test]
fn torque_128_makes_the_middle() {
    let mut host = Host::instant();
    host.place_ticks(3, 1234.0);
    host.set(4, &reg::LOCK, 1);
    host.set(4, &reg::TORQUE_ENABLE, 128);
    assert_eq!(host.position(4), 2048);
    assert_eq!(host.get(4, &reg::HOMING_OFFSET), 1234 - 2048);
    assert_eq!(host.get(4, &reg::TORQUE_ENABLE), 0);
}

/// At the end of the turn a joint that trembles is not sent around.
#[test]
fn the_end_of_the_turn_is_no_cliff() {
    let mut host = Host::instant();
    host.set(5, &reg::GOAL_POSITION, 4095);
    host.run(1.0);
    let mut sample = *host.plant.sample();
    for (tremble, shown) in [(0.0, 4095), (3.0, 2), (-3.0, 4092), (20.0, 19)] {
        sample.positions[4] = radians(4095.0 - 2048.0 + tremble);
        host.now += 0.01;
        let command = host.chain.advance(host.now, &sample);
        assert_eq!(host.position(5), shown);
        near(command.targets[4], radians(4095.0 - 2048.0), 1e-6);
    }
    // What is read and written back holds the joint where it is.
    host.set(5, &reg::GOAL_POSITION, 19);
    host.now += 0.5;
    let command = host.chain.advance(host.now, &sample);
    near(command.targets[4], sample.positions[4], 1e-3);
}

#[test]
fn beyond_one_turn() {
    let mut host = Host::instant();
    host.plant.set_ends(0, -20.0, 20.0);
    let phase = host.get(1, &reg::PHASE);
    host.set(1, &reg::PHASE, phase | 0x10);
    host.set(1, &reg::MIN_POSITION_LIMIT, 0);
    host.set(1, &reg::MAX_POSITION_LIMIT, 0);
    host.set(1, &reg::GOAL_POSITION, -3000);
    host.run(3.0);
    assert_eq!(host.position(1), -3000);
    host.set(1, &reg::GOAL_POSITION, 9000);
    host.run(5.0);
    assert_eq!(host.position(1), 9000);
    // LeRobot switches it off: then one turn is all that is told.
    host.set(1, &reg::TORQUE_ENABLE, 0);
    host.set(1, &reg::PHASE, phase);
    host.set(1, &reg::MAX_POSITION_LIMIT, 4095);
    assert_eq!(host.position(1), 9000 - 8192);
}

#[test]
fn velocity_mode_turns_until_told_otherwise() {
    let mut host = Host::instant();
    host.plant.set_ends(0, -1e3, 1e3);
    host.set(1, &reg::OPERATING_MODE, 1);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.run(0.2);
    assert_eq!(host.position(1), 2048);
    let before = host.plant.sample().positions[0];
    host.set(1, &reg::GOAL_VELOCITY, -1000);
    host.run(3.0);
    near(
        host.plant.sample().positions[0] - before,
        -radians(3000.0),
        radians(60.0),
    );
    near(
        f64::from(host.get(1, &reg::PRESENT_VELOCITY)),
        -1000.0,
        20.0,
    );
    host.set(1, &reg::GOAL_VELOCITY, 0);
    host.run(0.3);
    assert_eq!(host.get(1, &reg::PRESENT_VELOCITY), 0);
}

#[test]
fn steps_and_duty() {
    let mut host = Host::instant();
    host.set(1, &reg::OPERATING_MODE, 3);
    for _ in 0..3 {
        host.set(1, &reg::GOAL_POSITION, 100);
        host.run(0.3);
    }
    assert_eq!(host.position(1), 2348);
    host.set(1, &reg::TORQUE_ENABLE, 0);
    host.set(1, &reg::OPERATING_MODE, 2);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.set(1, &reg::GOAL_TIME, 100 | 1 << 10);
    host.run(1.0);
    near(f64::from(host.position(1)), 2348.0 - 340.0, 40.0);
}

#[test]
fn sync_written_goals_move_all() {
    let mut host = Host::instant();
    let goals: Vec<_> = (1..=6_u8)
        .map(|id| {
            (
                id,
                reg::GOAL_POSITION
                    .encode(2000 + i32::from(id) * 20)
                    .unwrap(),
            )
        })
        .collect();
    host.ask(|packet| {
        packet
            .sync_write(42, 2, goals.iter().map(|(id, goal)| (*id, &**goal)))
            .unwrap();
    });
    host.run(0.5);
    for id in 1..=6_u8 {
        assert_eq!(host.position(id), 2000 + i32::from(id) * 20);
    }
    host.ask(|packet| {
        packet
            .write(BROADCAST_ID, reg::TORQUE_ENABLE.address, &[0])
            .unwrap();
    });
    host.run(0.01);
    assert_eq!(host.command.torque, 0);
}

#[test]
fn the_torque_limit_is_what_the_motor_may_do() {
    let mut host = Host::instant();
    host.set(6, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    near(host.command.fractions[5], 1.0, 1e-12);
    host.set(6, &reg::TORQUE_LIMIT, 300);
    host.run(0.01);
    near(host.command.fractions[5], 0.3, 1e-12);
    host.set(6, &reg::MAX_TORQUE_LIMIT, 200);
    host.run(0.01);
    near(host.command.fractions[5], 0.2, 1e-12);
}

/// Between two reports of where the joints are, a position goes on with its velocity.
#[test]
fn positions_go_on_between_reports() {
    let mut host = Host::instant();
    let mut sample = PlantSample::default();
    sample.velocities[0] = radians(1000.0);
    host.chain.advance(0.0, &sample);
    host.now = 0.01;
    near(f64::from(host.position(1)), 2058.0, 1.0);
    // Not for ever.
    host.now = 10.0;
    near(f64::from(host.position(1)), 2068.0, 1.0);
}

#[test]
fn a_sick_world_does_no_harm() {
    let mut host = Host::instant();
    host.set(1, &reg::TORQUE_ENABLE, 1);
    let sample = PlantSample {
        positions: [f64::NAN; 16],
        velocities: [f64::INFINITY; 16],
        efforts: [f64::NEG_INFINITY; 16],
    };
    let command = host.chain.advance(1.0, &sample);
    assert!(command.targets.iter().all(|target| target.is_finite()));
    assert_eq!(host.position(1), 2048);
}
