//! How servos protect themselves, and how they say so.

use crate::host::Host;
use forearm_hardware::codec::registers as reg;
use forearm_hardware::codec::{ServoFault, StatusBits};
use forearm_hardware::emulator::Knob;

/// A host whose first joint is pressed against its end, just now.
fn blocked() -> Host {
    let mut host = Host::instant();
    host.plant.set_ends(0, -0.1, 0.1);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.set(1, &reg::GOAL_POSITION, 3500);
    host.run(0.2);
    host
}

#[test]
fn a_blocked_joint_is_let_off_after_a_while() {
    let mut host = blocked();
    assert_eq!(host.get(1, &reg::STATUS), 0);
    assert!(host.get(1, &reg::PRESENT_LOAD) > 950);
    let current = host.get(1, &reg::PRESENT_CURRENT);
    assert!((300..500).contains(&current), "{current}");
    // Not before the protection time, which is 2 s.
    host.run(1.7);
    assert_eq!(host.get(1, &reg::STATUS), 0);
    host.run(0.4);
    let (_, status) = host.read(1, &reg::PRESENT_POSITION);
    assert_eq!(
        StatusBits(status),
        StatusBits::OK.with(ServoFault::Overload)
    );
    assert_eq!(host.get(1, &reg::STATUS), 0x20);
    assert!(host.command.drives(0));
    assert!((host.command.fractions[0] - 0.2).abs() < 1e-12);
    host.run(0.1);
    let load = host.get(1, &reg::PRESENT_LOAD);
    assert!((150..=210).contains(&load), "{load}");
    // Its neighbours are well.
    assert_eq!(host.read(2, &reg::PRESENT_POSITION).1, 0);
    // More of the same does not help.
    host.set(1, &reg::GOAL_POSITION, 3400);
    assert_eq!(host.get(1, &reg::STATUS), 0x20);
}

#[test]
fn torque_written_again_ends_an_overload() {
    let mut host = blocked();
    host.run(2.2);
    // Its reply still tells.
    assert_eq!(host.set(1, &reg::TORQUE_ENABLE, 0), 0x20);
    assert_eq!(host.get(1, &reg::STATUS), 0);
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    assert!((host.command.fractions[0] - 1.0).abs() < 1e-12);
}

#[test]
fn a_goal_the_other_way_ends_an_overload() {
    let mut host = blocked();
    host.run(2.2);
    assert_eq!(host.set(1, &reg::GOAL_POSITION, 2048), 0x20);
    host.run(0.5);
    assert_eq!(host.read(1, &reg::PRESENT_POSITION), (2048, 0));
}

#[test]
fn the_registers_of_the_protection_count() {
    let mut host = Host::instant();
    host.plant.set_ends(5, -0.1, 0.1);
    // As LeRobot sets a gripper.
    host.set(6, &reg::TORQUE_LIMIT, 500);
    host.set(6, &reg::OVERLOAD_TORQUE, 25);
    host.set(6, &reg::PROTECTION_TIME, 50);
    host.set(6, &reg::PROTECTIVE_TORQUE, 10);
    host.set(6, &reg::GOAL_POSITION, 3500);
    host.run(0.45);
    assert_eq!(host.get(6, &reg::STATUS), 0);
    host.run(0.3);
    assert_eq!(host.get(6, &reg::STATUS), 0x20);
    assert!((host.command.fractions[5] - 0.1).abs() < 1e-12);

    // Told not to act on it, the servo only complains.
    host.set(6, &reg::UNLOADING_CONDITION, 0);
    host.run(0.01);
    assert_eq!(host.get(6, &reg::STATUS), 0x20);
    assert!((host.command.fractions[5] - 0.5).abs() < 1e-12);
}

#[test]
fn too_much_current_lets_go() {
    let mut host = Host::instant();
    host.plant.set_ends(5, -0.1, 0.1);
    host.set(6, &reg::PROTECTION_CURRENT, 150);
    host.set(6, &reg::OVER_CURRENT_PROTECTION_TIME, 20);
    host.set(6, &reg::GOAL_POSITION, 3500);
    host.run(0.5);
    assert_eq!(host.get(6, &reg::STATUS), 0x08);
    assert!(!host.command.drives(5));
    assert_eq!(host.get(6, &reg::PRESENT_LOAD), 0);
    host.set(6, &reg::TORQUE_ENABLE, 1);
    assert_eq!(host.get(6, &reg::STATUS), 0);
}

#[test]
fn heat_lets_go_until_torque_is_written() {
    let mut host = Host::instant();
    host.set(3, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    host.chain.turn(Knob::Temperature(2, Some(71.0)));
    host.run(0.01);
    assert_eq!(host.get(3, &reg::PRESENT_TEMPERATURE), 71);
    assert_eq!(host.get(3, &reg::STATUS), 0x04);
    assert!(!host.command.drives(2));
    // Writing torque does not cool it down.
    host.set(3, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    assert!(!host.command.drives(2));
    host.chain.turn(Knob::Temperature(2, None));
    host.run(0.01);
    assert_eq!(host.get(3, &reg::STATUS), 0);
    assert!(!host.command.drives(2));
    host.set(3, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    assert!(host.command.drives(2));
}

#[test]
fn work_makes_warm() {
    let mut host = blocked();
    host.set(1, &reg::OVERLOAD_TORQUE, 200);
    host.run(60.0);
    let warm = host.get(1, &reg::PRESENT_TEMPERATURE);
    assert!(warm > 40, "{warm}");
    assert_eq!(host.get(2, &reg::PRESENT_TEMPERATURE), 28);
    host.set(1, &reg::TORQUE_ENABLE, 0);
    host.run(300.0);
    assert!(host.get(1, &reg::PRESENT_TEMPERATURE) < warm);
}

#[test]
fn the_supply_is_watched() {
    let mut host = Host::instant();
    host.chain.turn(Knob::Volts(3.9));
    assert_eq!(host.read(1, &reg::PRESENT_VOLTAGE), (39, 0x01));
    host.chain.turn(Knob::Volts(12.1));
    assert_eq!(host.read(1, &reg::PRESENT_VOLTAGE), (121, 0x01));
    host.set(1, &reg::MAX_VOLTAGE_LIMIT, 140);
    assert_eq!(host.read(1, &reg::PRESENT_VOLTAGE), (121, 0));
    assert_eq!(host.read(2, &reg::PRESENT_VOLTAGE), (121, 0x01));
}

#[test]
fn an_overload_on_demand() {
    let mut host = Host::instant();
    host.set(4, &reg::TORQUE_ENABLE, 1);
    host.chain.turn(Knob::Overload(3));
    host.chain.turn(Knob::Overload(77));
    assert_eq!(host.chain.status(3), StatusBits(0x20));
    assert_eq!(host.read(4, &reg::PRESENT_POSITION).1, 0x20);
    host.set(4, &reg::TORQUE_ENABLE, 1);
    assert_eq!(host.chain.status(3), StatusBits::OK);
}
