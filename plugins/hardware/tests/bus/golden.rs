//! What goes over the wire, byte for byte, against a fake that only knows these packets.

use forearm_hardware::bus::{Bus, BusConfig, BusError, Goals, Job, JobReply};
use forearm_hardware::codec::registers;
use forearm_hardware::codec::{PacketBuf, StatusBits};

use crate::rig::{JOINTS, jobs_only};

const READ_ALL: [u8; 14] = [0xFF, 0xFF, 0xFE, 0x0A, 0x82, 56, 2, 1, 2, 3, 4, 5, 6, 0x26];
const READ_1: [u8; 8] = [0xFF, 0xFF, 1, 4, 2, 56, 2, 0xBE];
const AT_2048: [u8; 8] = [0xFF, 0xFF, 1, 4, 0, 0, 8, 0xF2];

fn status(id: u8, status: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = PacketBuf::new();
    packet
        .status(id, StatusBits(status), data)
        .expect("it fits")
        .to_vec()
}

/// A bus of six that has done its first cycle, a long one, and the time.
fn after_first_cycle() -> (Bus, f64) {
    let mut bus = Bus::new("fake", BusConfig::of(JOINTS)).expect("a bus");
    let asked = bus.transmit(0.0).expect("a question").to_vec();
    assert_eq!(
        asked[..7],
        [0xFF, 0xFF, 0xFE, 0x0A, 0x82, 56, 15],
        "a long read"
    );
    bus.sent(0.0);
    for id in 1..=6 {
        let mut data = [0; 15];
        // Position 2048 + id, velocity −id, 7.4 V, 30 °C, current 2.
        data[..4].copy_from_slice(&[id, 8, id, 0x80]);
        (data[6], data[7], data[13]) = (74, 30, 2);
        bus.receive(0.002, &status(id, 0, &data));
    }
    let sample = *bus.take_sample().expect("a sample");
    assert_eq!(sample.positions[..6], [2049, 2050, 2051, 2052, 2053, 2054]);
    assert_eq!(sample.fresh, 0b11_1111);
    assert_eq!(sample.slow.velocity[5], -6);
    assert_eq!(sample.slow.voltage_decivolts[0], 74);
    assert_eq!(sample.slow.temperature[0], 30);
    assert_eq!(sample.slow.current[0], 2);
    (bus, 0.002)
}

#[test]
fn goals_and_a_read_go_out_together() {
    let (mut bus, now) = after_first_cycle();
    let mut goals = Goals::after(bus.sample());
    for place in 0..6 {
        goals = goals.with(place, 2048);
    }
    bus.command(now, &goals);
    let write = [
        0xFF, 0xFF, 0xFE, 0x16, 0x83, 42, 2, 1, 0, 8, 2, 0, 8, 3, 0, 8, 4, 0, 8, 5, 0, 8, 6, 0, 8,
        0xF7,
    ];
    assert_eq!(bus.transmit(now).unwrap(), [&write[..], &READ_ALL].concat());
    bus.sent(now);
    assert!(bus.transmit(now).is_none(), "one question at a time");
    for id in 1..=6 {
        assert!(bus.take_sample().is_none());
        bus.receive(now + 0.002, &status(id, 0, &[id, 8]));
    }
    assert_eq!(bus.take_sample().unwrap().cycle, 2);
    assert_eq!(bus.transmit(now + 0.002).unwrap(), READ_ALL, "goals once");
}

#[test]
fn motors_that_need_a_pause_after_goals_get_one() {
    let (mut bus, mut now) = after_first_cycle();
    let goals = Goals::after(bus.sample()).with(0, 2048);
    let mut apart = 0;
    let mut silent = 0;
    for _ in 0..100 {
        bus.command(now, &goals);
        bus.take_sample();
        while bus.take_sample().is_none() {
            let asked = bus.transmit(now).map(<[u8]>::to_vec);
            bus.sent(now);
            let Some(asked) = asked else {
                now = bus.wait_until().unwrap();
                bus.on_time(now);
                continue;
            };
            let joined = asked[4] == 0x83 && asked.len() > 12;
            apart += u32::from(asked[4] == 0x83 && !joined);
            silent += u32::from(joined);
            if asked[4] == 0x82 {
                let long = asked[6] == 15;
                now += 0.002;
                for id in 1..=6 {
                    bus.receive(now, &status(id, 0, &[0; 15][..if long { 15 } else { 2 }]));
                }
            }
        }
    }
    assert_eq!(silent, 5, "it gives up");
    assert_eq!(apart, 95, "and goes on");
    assert_eq!(bus.counters().lost_samples, 0);
}

#[test]
fn goals_of_another_time_are_dropped() {
    let (mut bus, now) = after_first_cycle();
    let old = Goals::after(bus.sample()).with(0, 2048);
    bus.disconnected("unplugged");
    bus.reconnected();
    bus.command(now, &old);
    let asked = bus.transmit(now).unwrap();
    assert_eq!(asked[4], 0x82, "only a read");
    assert_eq!(bus.counters().stale_goals, 1);
    assert_eq!(bus.sample().generation, 2);
    assert_eq!(bus.sample().known, 0);
}

#[test]
fn goals_are_repeated_while_somebody_lives() {
    let (mut bus, mut now) = after_first_cycle();
    let goals = Goals::after(bus.sample()).with(0, 2048);
    bus.command(now, &goals);
    let mut writes = Vec::new();
    for _ in 0..600 {
        let asked = bus.transmit(now).unwrap().to_vec();
        if asked[4] == 0x83 {
            writes.push(now);
        }
        let long = asked[asked.len() - 8] == 15;
        bus.sent(now);
        now += 0.002;
        for id in 1..=6 {
            let data = [0; 15];
            bus.receive(now, &status(id, 0, &data[..if long { 15 } else { 2 }]));
        }
    }
    let gaps: Vec<_> = writes.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(
        gaps.iter().all(|gap| (0.05..0.055).contains(gap)),
        "{gaps:?}"
    );
    let last = writes.last().unwrap();
    assert!(
        (0.45..=0.51).contains(last),
        "silent after half a second: {last}"
    );
}

#[test]
fn who_is_missing_is_asked_alone() {
    let (mut bus, now) = after_first_cycle();
    assert_eq!(bus.transmit(now).unwrap(), READ_ALL);
    bus.sent(now);
    // 1 is damaged, the others are there: nothing is waited for.
    let mut damaged = status(1, 0, &[0, 8]);
    damaged[6] ^= 1;
    bus.receive(now + 0.001, &damaged);
    for id in 2..=6 {
        bus.receive(now + 0.001, &status(id, 0, &[id, 8]));
    }
    assert!(bus.take_sample().is_none());
    assert_eq!(bus.transmit(now + 0.001).unwrap(), READ_1);
    bus.sent(now + 0.001);
    bus.receive(now + 0.002, &AT_2048);
    let sample = *bus.take_sample().unwrap();
    assert_eq!(sample.positions[..2], [2048, 2050]);
    assert_eq!(sample.fresh, 0b11_1111);
    let counters = bus.counters();
    assert_eq!((counters.corrupt_replies, counters.timeouts), (1, 0));
    assert_eq!((counters.checksum_errors, counters.retries), (1, 1));
}

#[test]
fn a_length_that_makes_a_right_checksum_with_the_next_packet_hides_nothing() {
    let (mut bus, now) = after_first_cycle();
    bus.transmit(now).unwrap();
    bus.sent(now);
    let mut damaged = status(1, 0, &[0, 8]);
    damaged[3] += 1;
    bus.receive(now + 0.001, &damaged);
    for id in 2..=6 {
        bus.receive(now + 0.001, &status(id, 0, &[id, 8]));
    }
    assert_eq!(
        bus.transmit(now + 0.001).unwrap(),
        READ_1,
        "only 1 is missing"
    );
    bus.sent(now + 0.001);
    bus.receive(now + 0.002, &AT_2048);
    assert_eq!(bus.take_sample().unwrap().fresh, 0b11_1111);
    let counters = bus.counters();
    assert_eq!((counters.corrupt_replies, counters.timeouts), (1, 0));
}

#[test]
fn a_reply_that_is_late_is_not_taken_for_another() {
    let mut bus = Bus::new("fake", jobs_only()).unwrap();
    let [position, voltage] = [&registers::PRESENT_POSITION, &registers::PRESENT_LOAD];
    let first = bus
        .submit(Job::Read {
            id: 1,
            register: position,
        })
        .unwrap();
    let second = bus
        .submit(Job::Read {
            id: 1,
            register: voltage,
        })
        .unwrap();
    let mut now = 0.0;
    for _ in 0..3 {
        assert_eq!(bus.transmit(now).unwrap(), READ_1);
        bus.sent(now);
        now = bus.wait_until().unwrap();
        bus.on_time(now);
    }
    let (id, answer) = bus.take_reply().unwrap();
    assert_eq!(id, first);
    let error = answer.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("motor 1 (shoulder_pan) did not answer on fake"),
        "{text}"
    );
    assert!(matches!(error, BusError::NoAnswer { times: 3, .. }));
    // Now, before the second is asked, one comes after all.
    bus.receive(now, &AT_2048);
    assert!(bus.transmit(now).is_some());
    bus.sent(now);
    bus.receive(now + 0.001, &status(1, 0, &[7, 0]));
    let reply = JobReply::Value {
        value: 7,
        status: StatusBits::OK,
    };
    assert_eq!(bus.take_reply().unwrap(), (second, Ok(reply)));
    assert_eq!(bus.counters().late_replies, 1);
}

#[test]
fn what_comes_back_is_no_reply() {
    // The echo of a read of two bytes looks like a reply with two bytes.
    let mut bus = Bus::new("fake", jobs_only()).unwrap();
    bus.submit(Job::Read {
        id: 1,
        register: &registers::PRESENT_POSITION,
    })
    .unwrap();
    let asked = bus.transmit(0.0).unwrap().to_vec();
    bus.sent(0.0);
    bus.receive(0.001, &asked[..3]);
    bus.receive(0.001, &asked[3..]);
    assert!(bus.take_reply().is_none());
    bus.receive(0.002, &AT_2048);
    let reply = JobReply::Value {
        value: 2048,
        status: StatusBits::OK,
    };
    assert_eq!(bus.take_reply().unwrap().1, Ok(reply));
    assert_eq!(bus.counters().echoes, 1);
    assert_eq!(bus.counters().skipped_bytes, 0);
}

#[test]
fn a_register_that_is_kept_is_unlocked_checked_and_locked() {
    let mut bus = Bus::new("fake", jobs_only()).unwrap();
    bus.submit(Job::Write {
        id: 3,
        register: &registers::HOMING_OFFSET,
        value: -879,
    })
    .unwrap();
    let ok = status(3, 0, &[]);
    let script: [(&[u8], &[u8]); 4] = [
        (&[0xFF, 0xFF, 3, 4, 3, 55, 0, 0xBE], &ok),
        (&[0xFF, 0xFF, 3, 5, 3, 31, 0x6F, 0x0B, 0x5B], &ok),
        (
            &[0xFF, 0xFF, 3, 4, 2, 31, 2, 0xD5],
            &status(3, 0, &[0x6F, 0x0B]),
        ),
        (&[0xFF, 0xFF, 3, 4, 3, 55, 1, 0xBD], &ok),
    ];
    for (asked, answer) in script {
        assert_eq!(bus.transmit(0.0).unwrap(), asked);
        bus.sent(0.0);
        bus.receive(0.0, answer);
    }
    let (_, answer) = bus.take_reply().unwrap();
    assert!(matches!(answer, Ok(JobReply::Done { .. })), "{answer:?}");
}

#[test]
fn torque_goes_on_where_the_motor_stands() {
    let mut bus = Bus::new("fake", jobs_only()).unwrap();
    bus.submit(Job::Torque { mask: 1, on: true }).unwrap();
    let ok = status(1, 0, &[]);
    let script: [(&[u8], &[u8]); 3] = [
        (&READ_1, &AT_2048),
        (&[0xFF, 0xFF, 1, 5, 3, 42, 0, 8, 0xC4], &ok),
        (&[0xFF, 0xFF, 1, 4, 3, 40, 1, 0xCE], &ok),
    ];
    for (asked, answer) in script {
        assert_eq!(bus.transmit(0.0).unwrap(), asked);
        bus.sent(0.0);
        bus.receive(0.0, answer);
    }
    assert!(matches!(
        bus.take_reply().unwrap().1,
        Ok(JobReply::Done { .. })
    ));
}

#[test]
fn closing_switches_torque_off_and_insists() {
    let mut bus = Bus::new("fake", BusConfig::of(["only"])).unwrap();
    assert!(bus.transmit(0.0).is_some());
    bus.sent(0.0);
    bus.close(0.0, true);
    let all_off = [0xFF, 0xFF, 0xFE, 6, 0x83, 40, 1, 1, 0, 0x4E];
    assert_eq!(bus.transmit(0.0).unwrap(), all_off, "at once");
    bus.sent(0.0);
    let off = [0xFF, 0xFF, 1, 4, 3, 40, 0, 0xCF];
    let mut now = 0.0;
    let mut asked = 0;
    while asked < 3 {
        if let Some(bytes) = bus.transmit(now) {
            assert_eq!(bytes, off);
            bus.sent(now);
            asked += 1;
        }
        if asked < 3 {
            now = bus.wait_until().unwrap();
            bus.on_time(now);
        }
    }
    assert!(!bus.is_closed());
    bus.receive(now, &status(1, 0, &[]));
    assert!(bus.is_closed());
    assert!(bus.transmit(now).is_none());
    let closed = bus.submit(Job::Ping { id: 1 }).unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
}

#[test]
fn buses_that_can_not_be_are_refused() {
    let twice = BusConfig {
        motors: [BusConfig::of(["a"]).motors, BusConfig::of(["b"]).motors].concat(),
        ..BusConfig::default()
    };
    let error = Bus::new("p", twice).unwrap_err().to_string();
    assert!(error.contains("twice") && error.contains('b'), "{error}");
    let many = BusConfig::of(["x"; 17]);
    assert!(Bus::new("p", many).unwrap_err().to_string().contains("17"));
}
