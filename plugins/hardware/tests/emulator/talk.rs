//! Who answers what: instructions, broadcasts, ids, response levels.

use crate::host::{Host, Reply};
use forearm_hardware::codec::registers as reg;
use forearm_hardware::codec::{BROADCAST_ID, model};
use forearm_hardware::emulator::{ChainConfig, Knob, ServoConfig, Wire};

fn ids(replies: &[Reply]) -> Vec<u8> {
    replies.iter().map(|reply| reply.id).collect()
}

#[test]
fn pings() {
    let mut host = Host::instant();
    assert_eq!(
        host.raw(&[0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB]),
        [0xFF, 0xFF, 0x01, 0x02, 0x00, 0xFC]
    );
    let all = host.ask(|packet| {
        packet.ping(BROADCAST_ID);
    });
    assert_eq!(ids(&all), [1, 2, 3, 4, 5, 6]);
    let nobody = host.ask(|packet| {
        packet.ping(7);
    });
    assert!(nobody.is_empty());
    assert_eq!(host.chain.injected().replies, 7);
    assert_eq!(host.get(3, &reg::MODEL_NUMBER), i32::from(model::STS3215));
}

#[test]
fn known_bytes_of_a_sync_read() {
    let mut host = Host::instant();
    let got = host.raw(&[
        0xFF, 0xFF, 0xFE, 0x0A, 0x82, 0x38, 0x02, 1, 2, 3, 4, 5, 6, 0x26,
    ]);
    assert_eq!(got.len(), 6 * 8);
    assert_eq!(&got[..8], [0xFF, 0xFF, 1, 4, 0, 0, 8, 0xF2]);
}

#[test]
fn sync_read_answers_in_the_order_of_its_ids() {
    let mut host = Host::instant();
    let replies = host.ask(|packet| {
        packet.sync_read(56, 15, &[6, 2, 9, 4]).unwrap();
    });
    assert_eq!(ids(&replies), [6, 2, 4]);
    assert!(replies.iter().all(|reply| reply.data.len() == 15));
}

#[test]
fn broadcasts_are_obeyed_and_not_answered() {
    let mut host = Host::instant();
    let value = reg::ACCELERATION.encode(50).unwrap();
    let replies = host.ask(|packet| {
        packet
            .write(BROADCAST_ID, reg::ACCELERATION.address, &value)
            .unwrap();
    });
    assert!(replies.is_empty());
    for id in 1..=6 {
        assert_eq!(host.get(id, &reg::ACCELERATION), 50);
    }
    let replies = host.ask(|packet| {
        packet.read(BROADCAST_ID, 56, 2);
    });
    assert!(replies.is_empty());
    let replies = host.ask(|packet| {
        packet
            .sync_write(41, 1, [(2, &[7][..]), (5, &[8][..])])
            .unwrap();
    });
    assert!(replies.is_empty());
    let now: Vec<_> = (1..=6).map(|id| host.get(id, &reg::ACCELERATION)).collect();
    assert_eq!(now, [50, 7, 50, 50, 8, 50]);
}

#[test]
fn a_registered_write_waits_for_its_action() {
    let mut host = Host::instant();
    for id in [1, 2] {
        let replies = host.ask(|packet| {
            packet
                .reg_write(id, reg::ACCELERATION.address, &[9])
                .unwrap();
        });
        assert_eq!(ids(&replies), [id]);
        assert_eq!(host.get(id, &reg::ACCELERATION), 0);
    }
    assert!(
        host.ask(|packet| {
            packet.action(BROADCAST_ID);
        })
        .is_empty()
    );
    assert_eq!(host.get(1, &reg::ACCELERATION), 9);
    assert_eq!(host.get(2, &reg::ACCELERATION), 9);
    // It is done once: another action changes nothing.
    host.set(1, &reg::ACCELERATION, 3);
    let replies = host.ask(|packet| {
        packet.action(1);
    });
    assert_eq!(ids(&replies), [1]);
    assert_eq!(host.get(1, &reg::ACCELERATION), 3);
}

#[test]
fn response_level_0_leaves_only_reads_and_pings() {
    let mut host = Host::instant();
    // The reply to the write itself is of the level before.
    host.set(2, &reg::RESPONSE_STATUS_LEVEL, 0);
    let replies = host.ask(|packet| {
        packet.write(2, reg::ACCELERATION.address, &[4]).unwrap();
    });
    assert!(replies.is_empty());
    assert_eq!(host.get(2, &reg::ACCELERATION), 4);
    assert_eq!(
        host.ask(|packet| {
            packet.ping(2);
        })
        .len(),
        1
    );
    assert_eq!(
        host.ask(|packet| {
            packet.sync_read(56, 2, &[1, 2]).unwrap();
        })
        .len(),
        2
    );
}

#[test]
fn id_and_baud_change_with_the_reply() {
    let mut host = Host::instant();
    host.set(6, &reg::ID, 9);
    assert_eq!(host.get(9, &reg::MODEL_NUMBER), 777);
    host.set(9, &reg::BAUD_RATE, 1);
    let at_the_old_rate = host.ask(|packet| {
        packet.ping(9);
    });
    assert!(at_the_old_rate.is_empty());
    host.baud = 500_000;
    assert_eq!(host.get(9, &reg::MODEL_NUMBER), 777);
    assert_eq!(
        ids(&host.ask(|packet| {
            packet.ping(BROADCAST_ID);
        })),
        [9]
    );
    // What would take the servo off the bus for good is not taken.
    host.set(9, &reg::BAUD_RATE, 8);
    host.set(9, &reg::ID, 254);
    assert_eq!(host.get(9, &reg::BAUD_RATE), 1);
    assert_eq!(host.get(9, &reg::ID), 9);
}

/// New servos all have the id 1. Two of them answer a ping with the same bytes at the same time,
/// which looks like one; what differs comes out spoiled.
#[test]
fn two_servos_of_one_id_speak_at_once() {
    let mut host = Host::new(&ChainConfig {
        servos: vec![ServoConfig::default(); 2],
        wire: Wire::INSTANT,
        ..ChainConfig::default()
    });
    host.place_ticks(0, 0x0803 as f64);
    host.place_ticks(1, 0x080C as f64);
    assert_eq!(
        host.ask(|packet| {
            packet.ping(1);
        })
        .len(),
        1
    );
    let spoiled = host.ask(|packet| {
        packet.read(1, 56, 2);
    });
    assert!(spoiled.is_empty(), "{spoiled:?}");
}

#[test]
fn garbage_and_half_requests_do_no_harm() {
    let mut host = Host::instant();
    let corrupt = [0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFA];
    assert!(host.raw(&corrupt).is_empty());
    let too_short = [0xFF, 0xFF, 0x01, 0x03, 0x02, 0x38, 0xC1];
    assert!(host.raw(&too_short).is_empty());
    // A header that promises more than ever comes is forgotten, at the latest by the next request.
    assert!(host.raw(&[0xFF, 0xFF, 0x01, 0xF0, 0x03]).is_empty());
    assert_eq!(host.get(1, &reg::MODEL_NUMBER), 777);
    assert!(host.raw(&[0xFF, 0xFF, 0x01]).is_empty());
    host.now += 1.0;
    assert_eq!(host.get(1, &reg::MODEL_NUMBER), 777);
}

#[test]
fn without_power_nobody_answers() {
    let mut host = Host::instant();
    host.set(1, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    assert!(host.command.drives(0));
    host.chain.turn(Knob::Power(false));
    host.run(0.01);
    assert_eq!(host.command.torque, 0);
    assert!(
        host.ask(|packet| {
            packet.ping(BROADCAST_ID);
        })
        .is_empty()
    );
    host.chain.turn(Knob::Power(true));
    host.run(0.01);
    assert_eq!(host.get(1, &reg::TORQUE_ENABLE), 0);
    assert_eq!(host.command.torque, 0);
}

/// How `setup-motors` goes: all motors are new, one at a time is plugged in.
#[test]
fn new_motors_get_their_ids_one_by_one() {
    let mut host = Host::new(&ChainConfig {
        servos: vec![ServoConfig::default(); 6],
        wire: Wire::INSTANT,
        ..ChainConfig::default()
    });
    for servo in 0..6 {
        host.chain.turn(Knob::Attached(servo, false));
    }
    for servo in (0..6_u8).rev() {
        host.chain.turn(Knob::Attached(usize::from(servo), true));
        if servo > 0 {
            host.set(1, &reg::ID, i32::from(servo) + 1);
        }
        host.chain.turn(Knob::Attached(usize::from(servo), false));
        let replies = host.ask(|packet| {
            packet.ping(BROADCAST_ID);
        });
        assert!(replies.is_empty());
    }
    for servo in 0..6 {
        host.chain.turn(Knob::Attached(servo, true));
    }
    let replies = host.ask(|packet| {
        packet.ping(BROADCAST_ID);
    });
    assert_eq!(ids(&replies), [1, 2, 3, 4, 5, 6]);

    // A pulled cable takes the torque along.
    host.set(2, &reg::TORQUE_ENABLE, 1);
    host.run(0.01);
    assert!(host.command.drives(1));
    host.chain.turn(Knob::Attached(1, false));
    host.run(0.01);
    assert!(!host.command.drives(1));
    host.chain.turn(Knob::Attached(1, true));
    assert_eq!(host.get(2, &reg::TORQUE_ENABLE), 0);
}
