//! When bytes arrive, and what goes wrong on their way.

use crate::host::Host;
use forearm_hardware::codec::registers as reg;
use forearm_hardware::emulator::{ChainConfig, Faults, Knob, ServoConfig, Wire};

const SIX: [u8; 6] = [1, 2, 3, 4, 5, 6];

fn chain(wire: Wire, faults: Faults) -> Host {
    Host::new(&ChainConfig {
        wire,
        faults,
        ..ChainConfig::default()
    })
}

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
}

#[test]
fn a_sync_read_takes_as_long_as_on_a_wire() {
    let mut host = chain(
        Wire {
            turnaround_secs: 0.0,
            ..Wire::default()
        },
        Faults::default(),
    );
    host.ask(|packet| {
        packet.sync_read(56, 2, &SIX).unwrap();
    });
    // 14 bytes of request, six replies of 8, and the adapter's millisecond.
    near(host.now, 140e-6 + 6.0 * 80e-6 + 1e-3);
    // At a quarter of the rate it takes four times as long.
    for id in SIX {
        host.set(id, &reg::BAUD_RATE, 2);
    }
    host.baud = 250_000;
    let before = host.now;
    host.ask(|packet| {
        packet.sync_read(56, 2, &SIX).unwrap();
    });
    near(host.now - before, 4.0 * 620e-6 + 1e-3);
}

#[test]
fn the_return_delay_is_waited() {
    let mut host = chain(
        Wire {
            turnaround_secs: 0.0,
            from_bus_secs: 0.0,
            ..Wire::default()
        },
        Faults::default(),
    );
    host.set(1, &reg::RETURN_DELAY_TIME, 250);
    let before = host.now;
    host.ask(|packet| {
        packet.ping(1);
    });
    near(host.now - before, 2.0 * 60e-6 + 500e-6);
}

#[test]
fn requests_queue_on_the_wire() {
    let mut host = chain(
        Wire {
            turnaround_secs: 0.0,
            from_bus_secs: 0.0,
            ..Wire::default()
        },
        Faults::default(),
    );
    // A sync write (14 bytes, not answered) and a read right behind it, in one write.
    let mut both = vec![0xFF, 0xFF, 0xFE, 10, 0x83, 42, 2, 1, 0, 8, 2, 0, 8, 0x35];
    assert_eq!(both.len(), 14);
    both.extend([0xFF, 0xFF, 0x01, 0x04, 0x02, 0x38, 0x02, 0xBE]);
    let got = host.raw(&both);
    assert_eq!(got, [0xFF, 0xFF, 1, 4, 0, 0, 8, 0xF2]);
    near(host.now, (14.0 + 8.0 + 8.0) * 10e-6);
}

#[test]
fn a_missing_servo_costs_its_time() {
    let mut host = chain(Wire::default(), Faults::default());
    let start = host.now;
    host.ask(|packet| {
        packet.sync_read(56, 2, &[1, 2]).unwrap();
    });
    let two = host.now - start;
    let start = host.now;
    host.ask(|packet| {
        packet.sync_read(56, 2, &[1, 9, 2]).unwrap();
    });
    // One byte more in the request, and the time of one reply that nobody gives.
    near(host.now - start - two, 10e-6 + 80e-6 + 20e-6);
}

/// Who speaks while a servo speaks spoils both.
#[test]
fn talking_over_a_reply_is_a_collision() {
    let mut host = chain(Wire::default(), Faults::default());
    host.chain
        .receive(0.0, None, &[0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB]);
    let got = host.raw(&[0xFF, 0xFF, 0x02, 0x02, 0x01, 0xFA]);
    assert_eq!(got.len(), 6);
    assert_ne!(got, [0xFF, 0xFF, 0x01, 0x02, 0x00, 0xFC]);
    assert_eq!(host.chain.injected().collisions, 1);
    host.now += 0.1;
    assert_eq!(host.get(2, &reg::MODEL_NUMBER), 777);
}

/// Every reply that is missing, corrupt or not from whom it should be was counted as such.
#[test]
fn faults_are_counted_as_they_are_seen() {
    let faults = Faults {
        drop_replies: 0.02,
        corrupt_replies: 0.02,
        wrong_ids: 0.01,
        drop_requests: 0.01,
        ..Faults::default()
    };
    let mut host = chain(Wire::default(), faults);
    let rounds = 5000;
    let mut missing = 0;
    let mut strangers = 0;
    for _ in 0..rounds {
        let replies = host.ask(|packet| {
            packet.sync_read(56, 2, &SIX).unwrap();
        });
        missing += SIX
            .iter()
            .filter(|id| !replies.iter().any(|reply| reply.id == **id))
            .count() as u64;
        strangers += replies
            .iter()
            .filter(|reply| !SIX.contains(&reply.id))
            .count() as u64;
        host.now += 0.01;
    }
    let injected = host.chain.injected();
    assert_eq!(injected.requests, rounds);
    assert_eq!(injected.replies, (rounds - injected.dropped_requests) * 6);
    assert_eq!(strangers, injected.wrong_ids);
    assert_eq!(
        missing,
        injected.lost_replies() + 6 * injected.dropped_requests
    );
    for (got, share) in [
        (injected.dropped_replies, 0.02),
        (injected.corrupted_replies, 0.02),
        (injected.wrong_ids, 0.01),
    ] {
        let expected = injected.replies as f64 * share;
        assert!(
            (got as f64 - expected).abs() < expected * 0.2,
            "{got}, {share}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let run = |seed: u64| {
        let mut host = Host::new(&ChainConfig {
            faults: Faults {
                drop_replies: 0.1,
                corrupt_replies: 0.1,
                ..Faults::default()
            },
            seed,
            ..ChainConfig::default()
        });
        (0..200)
            .flat_map(|_| {
                host.now += 0.01;
                host.raw(&[0xFF, 0xFF, 0x01, 0x04, 0x02, 0x38, 0x02, 0xBE])
            })
            .collect::<Vec<u8>>()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn late_replies_come_late_and_in_order() {
    let mut host = chain(
        Wire::INSTANT,
        Faults {
            delay_replies: 1.0,
            delay_secs: 0.03,
            ..Faults::default()
        },
    );
    let replies = host.ask(|packet| {
        packet.sync_read(56, 2, &SIX).unwrap();
    });
    assert_eq!(replies.len(), 6);
    near(host.now, 0.03);
    host.chain.turn(Knob::Faults(Faults::default()));
    host.get(1, &reg::ID);
    near(host.now, 0.03);
    assert_eq!(host.chain.injected().delayed_replies, 6);
}

#[test]
fn an_echo_comes_first() {
    let mut host = chain(
        Wire::default(),
        Faults {
            echo: true,
            ..Faults::default()
        },
    );
    let request = [0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB];
    let got = host.raw(&request);
    assert_eq!(got[..6], request);
    assert_eq!(got[6..], [0xFF, 0xFF, 0x01, 0x02, 0x00, 0xFC]);
}

#[test]
fn another_baud_rate_is_noise() {
    let mut host = Host::new(&ChainConfig {
        servos: vec![
            ServoConfig {
                id: 1,
                baud: 500_000,
                ..ServoConfig::default()
            },
            ServoConfig {
                id: 2,
                ..ServoConfig::default()
            },
        ],
        ..ChainConfig::default()
    });
    for (baud, there) in [(1_000_000, 2), (500_000, 1)] {
        host.baud = baud;
        for id in [1, 2] {
            let replies = host.ask(|packet| {
                packet.ping(id);
            });
            assert_eq!(replies.len(), usize::from(id == there), "{baud}, {id}");
        }
    }
}

#[test]
fn pulling_the_plug_forgets_what_is_on_its_way() {
    let mut host = chain(Wire::default(), Faults::default());
    host.set(1, &reg::GOAL_POSITION, 2200);
    host.chain
        .receive(host.now, None, &[0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB]);
    assert!(host.chain.wait_until().is_some());
    host.chain.unplug();
    assert_eq!(host.chain.wait_until(), None);
    // The servo goes on with what it was told.
    host.run(0.5);
    assert_eq!(host.position(1), 2200);
}
