//! What goes wrong on a bus: nothing wrong is delivered, nothing is lost, everything is counted.

use forearm_hardware::bus::{ABSENT_AFTER, BusConfig, BusError, Goals, Job, JobReply};
use forearm_hardware::codec::registers;
use forearm_hardware::emulator::{ChainConfig, Faults, Knob, ServoConfig};
use proptest::prelude::*;

use crate::rig::{JOINTS, Rig};

const ALL: u16 = 0b11_1111;

/// Six servos whose positions and offsets can't be confused.
fn distinct(faults: Faults, seed: u64) -> ChainConfig {
    let servos = (1..=6_u8).map(|id| ServoConfig {
        id,
        mount_ticks: 400.0 * f64::from(id),
        homing_offset: -i32::from(id),
        ..ServoConfig::default()
    });
    ChainConfig {
        servos: servos.collect(),
        faults,
        seed,
        ..ChainConfig::default()
    }
}

/// Joints move a little, so that positions change.
fn sway(rig: &mut Rig) {
    for joint in 0..6 {
        rig.plant.place(joint, 0.01 * (rig.now * 20.0).sin());
    }
}

/// Runs cycles and jobs, and checks every value that comes out.
fn hold_out(rig: &mut Rig, secs: f64) -> (u64, u64) {
    let (mut done, mut failed) = (0, 0);
    let mut turn = 0;
    let until = rig.now + secs;
    while rig.now < until {
        for _ in 0..20 {
            let sample = rig.sample();
            for place in 0..6 {
                let center = 401 * (place as i32 + 1);
                let off = (sample.positions[place] - center).abs();
                let known = sample.known & (1 << place) != 0;
                assert!(!known || off <= 10, "{place}: {off} off in {sample:?}");
            }
            sway(rig);
        }
        turn += 1;
        let id = (turn % 6) as u8 + 1;
        // The same motor and the same length in turns.
        let (register, expected) = match turn % 4 {
            0 => (&registers::MODEL_NUMBER, 777),
            1 => (&registers::HOMING_OFFSET, -i32::from(id)),
            2 => (&registers::MAX_POSITION_LIMIT, 4095),
            _ => (&registers::ID, i32::from(id)),
        };
        match rig.job(Job::Read { id, register }) {
            Ok(JobReply::Value { value, .. }) => {
                assert_eq!(value, expected, "{} of {id}", register.name);
                done += 1;
            }
            Ok(other) => panic!("{other:?}"),
            Err(BusError::NoAnswer { .. } | BusError::Garbled { .. }) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    (done, failed)
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..0.05]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever comes: values are right or not there, jobs are answered.
    #[test]
    fn no_wrong_value_and_no_lost_job(
        seed in any::<u64>(),
        drop_replies in share(),
        corrupt_replies in share(),
        delay_replies in share(),
        delay_secs in 0.0..0.015,
        wrong_ids in share(),
        drop_requests in share(),
        echo in any::<bool>(),
    ) {
        let faults = Faults {
            drop_replies, corrupt_replies, delay_replies, delay_secs, wrong_ids, drop_requests, echo,
        };
        let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(faults, seed));
        let (done, failed) = hold_out(&mut rig, 2.0);
        prop_assert!(done > failed, "{done} done, {failed} failed");
    }

    /// Dropped and damaged replies are counted one by one.
    #[test]
    fn counters_are_what_was_injected(
        seed in any::<u64>(),
        drop_replies in share(),
        corrupt_replies in share(),
    ) {
        let faults = Faults { drop_replies, corrupt_replies, ..Faults::default() };
        let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(faults, seed));
        rig.run(2.0, |rig, _| sway(rig));
        // The cycle under way is not counted yet.
        rig.turn(Knob::Faults(Faults::default()));
        rig.run(0.1, |_, _| {});
        let (counters, injected) = (rig.bus.counters(), rig.chain.injected());
        prop_assert_eq!(counters.timeouts, injected.dropped_replies);
        prop_assert_eq!(counters.corrupt_replies, injected.corrupted_replies);
        prop_assert_eq!(counters.wrong_id, 0);
        prop_assert_eq!(injected.collisions, 0);
        prop_assert!(counters.skipped_bytes >= counters.checksum_errors);
    }
}

#[test]
fn one_percent_of_everything_costs_little() {
    let faults = Faults {
        drop_replies: 0.01,
        corrupt_replies: 0.01,
        ..Faults::default()
    };
    let config = BusConfig {
        max_hz: Some(120.0),
        ..BusConfig::of(JOINTS)
    };
    let mut rig = Rig::new(config, &distinct(faults, 7));
    let (mut cycles, mut stale) = (0, 0);
    rig.run(60.0, |rig, sample| {
        cycles += 1;
        stale += u32::from(sample.fresh != ALL);
        let mut goals = Goals::after(sample);
        for place in 0..6 {
            goals = goals.with(place, sample.positions[place]);
        }
        rig.bus.command(rig.now, &goals);
    });
    let (counters, injected) = (rig.bus.counters(), rig.chain.injected());
    println!("{cycles} cycles, {stale} not whole, {counters:?}, {injected:?}");
    assert!((7195..=7202).contains(&cycles), "{cycles}");
    assert!(stale <= 5, "{stale}");
    assert_eq!(counters.timeouts, injected.dropped_replies);
    assert_eq!(counters.corrupt_replies, injected.corrupted_replies);
    assert!(injected.dropped_replies > 300);
}

#[test]
fn at_full_speed_faults_cost_little_too() {
    let faults = Faults {
        drop_replies: 0.01,
        corrupt_replies: 0.01,
        ..Faults::default()
    };
    let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(faults, 9));
    let mut cycles = 0;
    rig.run(10.0, |_, _| cycles += 1);
    println!("{} Hz", cycles / 10);
    assert!(cycles > 4500, "{cycles}");
}

#[test]
fn a_motor_that_is_gone_is_left_out_and_taken_up_again() {
    let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(Faults::default(), 1));
    rig.sample();
    // Id 6 becomes another one: for the bus it is gone.
    let write = |rig: &mut Rig, id, value| {
        let register = &registers::ID;
        rig.job(Job::Write {
            id,
            register,
            value,
        })
        .unwrap();
    };
    write(&mut rig, 6, 9);
    let mut first = None;
    rig.run(2.0, |rig, sample| {
        if sample.absent != 0 && first.is_none() {
            first = Some(rig.bus.counters().lost_samples);
        }
    });
    assert_eq!(first, Some(u64::from(ABSENT_AFTER)));
    let mut cycles = 0;
    rig.run(1.0, |_, sample| {
        cycles += 1;
        assert_eq!((sample.fresh, sample.absent), (0b01_1111, 0b10_0000));
    });
    assert!(cycles > 450, "the others keep their pace: {cycles}");
    write(&mut rig, 9, 6);
    rig.run(1.0, |_, _| {});
    let sample = rig.sample();
    assert_eq!((sample.fresh, sample.absent), (ALL, 0));
    assert_eq!(
        sample.limp, 0b10_0000,
        "its torque is nobody's but who asks for it"
    );
}

#[test]
fn an_arm_without_power_is_awaited() {
    let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(Faults::default(), 1));
    rig.run(0.1, |_, _| {});
    rig.turn(Knob::Power(false));
    rig.run(3.0, |_, _| {});
    let sample = rig.sample();
    assert_eq!((sample.fresh, sample.absent), (0, ALL));
    assert_eq!(sample.known, ALL, "where they were");
    rig.turn(Knob::Power(true));
    rig.run(1.0, |_, _| {});
    let sample = rig.sample();
    assert_eq!((sample.fresh, sample.absent, sample.limp), (ALL, 0, ALL));
}

#[test]
fn unplugged_and_plugged_again() {
    let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(Faults::default(), 1));
    let before = rig.sample();
    rig.plug(false);
    rig.bus.disconnected("unplugged");
    rig.plug(true);
    rig.bus.reconnected();
    let after = rig.sample();
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(after.positions, before.positions);
    assert_eq!(rig.bus.counters().reconnects, 1);
}

#[test]
fn torque_goes_off_through_faults() {
    for seed in 0..20 {
        let faults = Faults {
            drop_replies: 0.1,
            corrupt_replies: 0.1,
            drop_requests: 0.1,
            ..Faults::default()
        };
        let mut rig = Rig::new(BusConfig::of(JOINTS), &distinct(Faults::default(), seed));
        rig.sample();
        let on = Job::Torque {
            mask: ALL,
            on: true,
        };
        rig.job(on).unwrap();
        rig.turn(Knob::Faults(faults));
        rig.sample();
        rig.bus.close(rig.now, true);
        let began = rig.now;
        while !rig.bus.is_closed() {
            rig.step();
        }
        assert!(rig.now - began < 1.6);
        let command = rig.chain.pass(rig.now);
        assert_eq!(command.torque, 0, "seed {seed}");
    }
}

/// Every cycle may leave its last question unanswered; jobs have their turn all the same.
#[test]
fn a_flaky_motor_does_not_keep_jobs_waiting() {
    let torque = |on| Job::Torque { mask: ALL, on };
    let register = &registers::PRESENT_POSITION;
    // As patient as on a port of the system and as in a browser.
    for reply_timeout_secs in [0.02, 0.1] {
        for seed in 1..=20_u32 {
            let config = BusConfig {
                reply_timeout_secs,
                ..BusConfig::of(JOINTS)
            };
            let mut rig = Rig::new(config, &distinct(Faults::default(), 1));
            rig.sample();
            rig.job(torque(true)).unwrap();
            rig.make_flaky(6, seed.wrapping_mul(0x9E37_79B9));
            rig.run(0.3, |_, _| {});
            let began = rig.now;
            rig.job(Job::Read { id: 1, register }).unwrap();
            let took = rig.now - began;
            assert!(took < 1.0, "read, seed {seed}: {took} s");
            rig.run(0.1, |_, _| {});
            let began = rig.now;
            let answer = rig.job(torque(false));
            let took = rig.now - began;
            assert!(took < 1.0, "off, seed {seed}: {took} s");
            assert!(
                matches!(
                    answer,
                    Ok(JobReply::Done { .. }) | Err(BusError::NoAnswer { .. })
                ),
                "{answer:?}"
            );
            let now = rig.now;
            assert_eq!(rig.chain.pass(now).torque, 0, "seed {seed}");
            let sample = rig.sample();
            assert_eq!((sample.absent, sample.limp), (0, ALL), "cycles go on");
        }
    }
}
