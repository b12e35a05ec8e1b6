//! Jobs against virtual servos, with and without cycles.

use forearm_hardware::bus::{BusConfig, BusError, Goals, Job, JobReply, MAX_JOBS};
use forearm_hardware::codec::registers::{self, Register};
use forearm_hardware::codec::{BROADCAST_ID, StatusBits};
use forearm_hardware::emulator::{ChainConfig, Knob};

use crate::rig::{JOINTS, Rig, jobs_only};

fn rig(config: BusConfig) -> Rig {
    Rig::new(config, &ChainConfig::default())
}

fn read(rig: &mut Rig, id: u8, register: &'static Register) -> i32 {
    match rig.job(Job::Read { id, register }).expect("a value") {
        JobReply::Value { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

fn write(rig: &mut Rig, id: u8, register: &'static Register, value: i32) {
    let job = Job::Write {
        id,
        register,
        value,
    };
    rig.job(job).expect("it is written");
}

#[test]
fn motors_are_found_and_known() {
    for config in [jobs_only(), BusConfig::of(JOINTS)] {
        let mut rig = rig(config);
        let pong = JobReply::Pong {
            model: 777,
            status: StatusBits::OK,
        };
        assert_eq!(rig.job(Job::Ping { id: 4 }).unwrap(), pong);
        let JobReply::Found(ids) = rig.job(Job::BroadcastPing).unwrap() else {
            panic!("no ids");
        };
        assert_eq!(ids.iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!((ids.len(), ids.is_empty()), (6, false));
        let error = rig.job(Job::Ping { id: 9 }).unwrap_err();
        assert!(
            error.to_string().starts_with("motor 9 did not answer"),
            "{error}"
        );
    }
}

#[test]
fn values_are_read_and_written_while_cycles_go_on() {
    let mut rig = rig(BusConfig::of(JOINTS));
    rig.sample();
    write(&mut rig, 2, &registers::HOMING_OFFSET, -879);
    assert_eq!(read(&mut rig, 2, &registers::HOMING_OFFSET), -879);
    assert_eq!(read(&mut rig, 2, &registers::LOCK), 1, "locked again");
    write(&mut rig, 2, &registers::P_COEFFICIENT, 16);
    rig.turn(Knob::Power(false));
    rig.turn(Knob::Power(true));
    assert_eq!(read(&mut rig, 2, &registers::P_COEFFICIENT), 16, "kept");
    let before = rig.bus.counters().cycles;
    assert!(before > 10);
    let JobReply::Values(models) = rig
        .job(Job::ReadAll {
            register: &registers::MODEL_NUMBER,
        })
        .unwrap()
    else {
        panic!("no values");
    };
    assert_eq!(models[..7], [777, 777, 777, 777, 777, 777, 0]);
    let JobReply::Block(block) = rig
        .job(Job::ReadBlock {
            id: 3,
            address: 3,
            len: 3,
        })
        .unwrap()
    else {
        panic!("no bytes");
    };
    assert_eq!(block.as_bytes(), [0x09, 0x03, 3]);
}

#[test]
fn a_new_id_answers_under_its_new_id() {
    let mut rig = rig(jobs_only());
    write(&mut rig, 6, &registers::ID, 16);
    assert_eq!(read(&mut rig, 16, &registers::LOCK), 1);
    assert!(matches!(
        rig.job(Job::Ping { id: 6 }),
        Err(BusError::NoAnswer { .. })
    ));
}

#[test]
fn motors_that_do_not_acknowledge_are_believed_by_their_registers() {
    let mut rig = rig(jobs_only());
    write(&mut rig, 1, &registers::RESPONSE_STATUS_LEVEL, 0);
    write(&mut rig, 1, &registers::ACCELERATION, 254);
    assert_eq!(read(&mut rig, 1, &registers::ACCELERATION), 254);
    write(&mut rig, 1, &registers::I_COEFFICIENT, 3);
    assert_eq!(read(&mut rig, 1, &registers::I_COEFFICIENT), 3);
}

#[test]
fn written_for_later_waits_for_the_action() {
    let mut rig = rig(jobs_only());
    for id in 1..=6 {
        let job = Job::RegWrite {
            id,
            register: &registers::ACCELERATION,
            value: 7,
        };
        rig.job(job).unwrap();
    }
    assert_ne!(read(&mut rig, 5, &registers::ACCELERATION), 7);
    rig.job(Job::Action { id: BROADCAST_ID }).unwrap();
    assert_eq!(read(&mut rig, 5, &registers::ACCELERATION), 7);
}

#[test]
fn what_can_not_be_is_refused_without_asking() {
    let mut rig = rig(jobs_only());
    let refuse = |rig: &mut Rig, job| rig.job(job).unwrap_err().to_string();
    let read_only = Job::Write {
        id: 1,
        register: &registers::PRESENT_POSITION,
        value: 1,
    };
    assert!(refuse(&mut rig, read_only).contains("can only be read"));
    let too_much = Job::Write {
        id: 1,
        register: &registers::HOMING_OFFSET,
        value: 2048,
    };
    assert!(refuse(&mut rig, too_much).contains("2047"));
    assert!(refuse(&mut rig, Job::Ping { id: 0xFD }).contains("252"));
    assert!(rig.sent.is_empty());
    for _ in 0..MAX_JOBS {
        rig.bus.submit(Job::Ping { id: 1 }).unwrap();
    }
    let busy = rig.bus.submit(Job::Ping { id: 1 }).unwrap_err();
    assert!(matches!(busy, BusError::Busy { .. }));
}

#[test]
fn goals_reach_only_motors_with_torque() {
    let mut rig = rig(BusConfig::of(JOINTS));
    rig.plant.place(0, 0.5);
    rig.sample();
    let sample = rig.sample();
    let on = Job::Torque {
        mask: 0b11_1111,
        on: true,
    };
    rig.job(on).unwrap();
    let stays = rig.sample().positions[0];
    assert!((stays - sample.positions[0]).abs() <= 2, "no jump");
    let goals = Goals::after(&sample).with(0, stays + 100).with(1, 2148);
    rig.bus.command(rig.now, &goals);
    rig.run(0.5, |_, _| {});
    let there = rig.sample();
    assert!((there.positions[0] - stays - 100).abs() <= 3, "{there:?}");
    // Off, and goals go on being commanded.
    let off = Job::Torque {
        mask: 0b1,
        on: false,
    };
    rig.job(off).unwrap();
    rig.run(0.2, |rig, sample| {
        let goals = Goals::after(sample).with(0, 2048).with(1, 2248);
        rig.bus.command(rig.now, &goals);
    });
    assert_eq!(read(&mut rig, 1, &registers::TORQUE_ENABLE), 0, "stays off");
    assert_eq!(read(&mut rig, 2, &registers::TORQUE_ENABLE), 1);
    let sample = rig.sample();
    assert_eq!(sample.limp, 1);
    assert_eq!(sample.positions[0], there.positions[0]);
    rig.job(Job::Torque { mask: 1, on: true }).unwrap();
    assert_eq!(rig.sample().limp, 0);
}

#[test]
fn jobs_fail_when_the_port_goes() {
    let mut rig = rig(BusConfig::of(JOINTS));
    rig.sample();
    let jobs: Vec<_> = (1..=3)
        .map(|id| rig.bus.submit(Job::Ping { id }).unwrap())
        .collect();
    rig.bus.disconnected("plug it in");
    rig.step();
    let answers = rig.answers();
    assert_eq!(answers.len(), jobs.len());
    for (id, answer) in answers {
        assert!(jobs.contains(&id));
        let text = answer.unwrap_err().to_string();
        assert!(text.contains("plug it in"), "{text}");
    }
}

#[test]
fn an_echo_does_no_harm() {
    let chain = ChainConfig {
        faults: forearm_hardware::emulator::Faults {
            echo: true,
            ..Default::default()
        },
        ..ChainConfig::default()
    };
    let mut rig = Rig::new(BusConfig::of(JOINTS), &chain);
    rig.turn(Knob::Overload(2));
    rig.run(0.5, |_, sample| {
        assert_eq!(sample.fresh, 0b11_1111);
        assert!(sample.positions[..6].iter().all(|ticks| *ticks == 2048));
    });
    for id in 1..=6 {
        assert!(rig.job(Job::Ping { id }).is_ok());
        assert_eq!(read(&mut rig, id, &registers::ID), i32::from(id));
    }
    assert!(rig.job(Job::Ping { id: 7 }).is_err(), "an echo is no motor");
    let counters = rig.bus.counters();
    assert_eq!(counters.skipped_bytes, 0);
    assert_eq!((counters.timeouts, counters.wrong_id), (3, 0));
}

#[test]
fn a_ping_s_echo_is_no_motor_even_at_first() {
    let faults = forearm_hardware::emulator::Faults {
        echo: true,
        ..Default::default()
    };
    let chain = ChainConfig {
        faults,
        ..ChainConfig::default()
    };
    let mut rig = Rig::new(jobs_only(), &chain);
    assert!(rig.job(Job::Ping { id: 7 }).is_err());
    let mut rig = Rig::new(jobs_only(), &chain);
    assert!(rig.job(Job::Ping { id: 1 }).is_ok());
    // A voltage fault makes the reply the same as the ping, without any echo.
    let mut rig = Rig::new(jobs_only(), &ChainConfig::default());
    rig.turn(Knob::Volts(3.0));
    let status = StatusBits(1);
    let pong = JobReply::Pong { model: 777, status };
    assert_eq!(rig.job(Job::Ping { id: 1 }).unwrap(), pong);
}
