//! Registers: every one can be read, what may be written is, and what is kept when the power goes.

use crate::host::Host;
use forearm_hardware::codec::registers::{self as reg, Register};
use forearm_hardware::emulator::Knob;
use proptest::prelude::*;

/// Registers whose value has consequences for the talk itself, or is changed by the servo.
const SPECIAL: [&str; 5] = [
    "ID",
    "Baud_Rate",
    "Response_Status_Level",
    "Torque_Enable",
    "Lock",
];

fn restart(host: &mut Host) {
    host.chain.turn(Knob::Power(false));
    host.chain.turn(Knob::Power(true));
}

#[test]
fn a_new_servo_is_as_from_the_factory() {
    let mut host = Host::instant();
    for register in reg::ALL {
        let measured = register.address >= 56 && register.address < 80;
        let differs = ["ID", "Goal_Position"].contains(&register.name);
        if !measured && !differs {
            let factory = register.decode_raw(register.factory);
            assert_eq!(host.get(4, register), factory, "{register}");
        }
    }
    assert_eq!(host.get(4, &reg::ID), 4);
    assert_eq!(host.get(4, &reg::PRESENT_VOLTAGE), 74);
    assert_eq!(host.get(4, &reg::PRESENT_TEMPERATURE), 28);
    assert_eq!(host.get(4, &reg::PRESENT_POSITION), 2048);
    assert_eq!(host.get(4, &reg::STATUS), 0);
    assert_eq!(host.get(4, &reg::MOVING), 0);
    // Reserved bytes and what is beyond the table are 0.
    let replies = host.ask(|packet| {
        packet.read(4, 90, 20);
    });
    assert_eq!(replies[0].data, [0; 20]);
}

/// Another value that every register takes.
fn other_value(register: &Register) -> i32 {
    register.decode_raw(register.factory ^ 1)
}

#[test]
fn what_may_be_written_is_and_nothing_else() {
    let mut host = Host::instant();
    for register in reg::ALL {
        if SPECIAL.contains(&register.name) {
            continue;
        }
        let before = host.get(1, register);
        let value = other_value(register);
        // A servo has no word for refusing: it answers that all is well.
        assert_eq!(host.set(1, register, value), 0);
        let expected = if register.writable { value } else { before };
        assert_eq!(host.get(1, register), expected, "{register}");
    }
}

#[test]
fn the_lock_decides_what_is_kept() {
    let mut host = Host::instant();
    let kept: Vec<_> = reg::ALL
        .iter()
        .filter(|register| {
            register.eeprom && register.writable && !SPECIAL.contains(&register.name)
        })
        .collect();
    assert!(kept.len() > 20);

    host.set(1, &reg::LOCK, 1);
    for register in &kept {
        host.set(1, register, other_value(register));
        // It counts at once, locked or not.
        assert_eq!(host.get(1, register), other_value(register));
    }
    restart(&mut host);
    for register in &kept {
        let factory = register.decode_raw(register.factory);
        assert_eq!(host.get(1, register), factory, "{register}");
    }

    host.set(1, &reg::LOCK, 0);
    for register in &kept {
        host.set(1, register, other_value(register));
    }
    restart(&mut host);
    for register in &kept {
        assert_eq!(host.get(1, register), other_value(register), "{register}");
    }
}

#[test]
fn what_is_not_kept_starts_over() {
    let mut host = Host::instant();
    host.set(1, &reg::MAX_TORQUE_LIMIT, 500);
    assert_eq!(host.get(1, &reg::TORQUE_LIMIT), 1000);
    host.set(1, &reg::ACCELERATION, 254);
    host.set(1, &reg::LOCK, 1);
    restart(&mut host);
    assert_eq!(host.get(1, &reg::ACCELERATION), 0);
    assert_eq!(host.get(1, &reg::LOCK), 0);
    assert_eq!(host.get(1, &reg::TORQUE_LIMIT), 500);
}

/// An id written while the lock is on is gone after the power was.
#[test]
fn a_locked_id_does_not_last() {
    let mut host = Host::instant();
    host.set(6, &reg::LOCK, 1);
    host.set(6, &reg::ID, 60);
    assert_eq!(host.get(60, &reg::ID), 60);
    restart(&mut host);
    assert_eq!(host.get(6, &reg::ID), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any requests at all: nothing panics, and the servos can still be reached.
    #[test]
    fn any_writes_are_survived(
        writes in prop::collection::vec(
            (0..=255_u8, prop::collection::vec(any::<u8>(), 0..60), 0..4_u8),
            0..40,
        ),
    ) {
        let mut host = Host::instant();
        for (address, data, how) in &writes {
            // Its id stays: two servos of one id spoil each other's replies.
            let changes_id = *address <= reg::ID.address
                && usize::from(reg::ID.address - *address) < data.len();
            let address = if changes_id { &reg::BAUD_RATE.address } else { address };
            host.ask(|packet| match how {
                0 => { packet.write(1, *address, data).unwrap(); }
                1 => { packet.reg_write(1, *address, data).unwrap(); }
                2 => { packet.action(1); }
                _ => { packet.read(1, *address, data.len() as u8); }
            });
            host.run(0.01);
            prop_assert!(host.command.targets.iter().all(|target| target.is_finite()));
            prop_assert!(
                host.command.fractions.iter().all(|part| (0.0..=1.0).contains(part))
            );
        }
        // The other servos heard nothing of it.
        prop_assert_eq!(host.get(2, &reg::MODEL_NUMBER), 777);
    }

    /// Any bytes on the line: nothing panics.
    #[test]
    fn any_bytes_are_survived(pieces in prop::collection::vec(
        prop::collection::vec(prop_oneof![any::<u8>(), Just(0xFF_u8)], 0..80), 0..20,
    )) {
        let mut host = Host::instant();
        for piece in &pieces {
            host.raw(piece);
            host.run(0.005);
        }
    }
}
