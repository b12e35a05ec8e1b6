//! Real arms, served in memory by virtual servos: connecting, driving, switching, losing the bus.
//!
//! Everything runs in stepped time. Rates of 20 Hz publish every single tick.

use std::sync::Arc;

use forearm_arm::so101;
use forearm_control::{
    ControlConfig, ControlService, ControlSetup, EMULATED, ServedArm, ServedAt, Startup,
};
use forearm_protocol::control::{ArmState, Command, Event, Reply, Request, TeleopMode};
use forearm_protocol::keys::Key;
use forearm_protocol::scene::{Backend, Scene, SceneBundle};
use forearm_protocol::servo::{
    ArmCalibrations, CalibrationStatus, Connection, Device, Incident, MotorRequest, Role, SerialArm,
};
use forearm_workers::{Host, Pending, spawn};

use crate::Bench;

/// How the horns sit: nobody's arm reads 2048 at its zero.
pub(crate) const MOUNTS: [f64; 6] = [2100.0, 1800.0, 2500.0, 2048.0, 900.0, 3000.0];
/// The follower, and the virtual arm that it drives; the leader of the follower's is arm 2.
pub(crate) const FOLLOWER: usize = 0;
pub(crate) const VIRTUAL: usize = 1;
pub(crate) const LEADER: usize = 2;

pub(crate) fn served(arm: usize, calibrated: bool) -> ServedArm {
    let mut served = ServedArm::new(arm, ServedAt::Memory);
    served.mount_ticks = MOUNTS.to_vec();
    if calibrated {
        served.calibration = Some(served.right_calibration(&so101::so101()));
    }
    served
}

pub(crate) fn port(name: &str) -> SerialArm {
    SerialArm {
        port: format!("{EMULATED}{name}"),
        id: Some("blue".to_owned()),
    }
}

pub(crate) fn backend(name: &str) -> Backend {
    Backend::Serial(port(name))
}

/// Three arms apart from each other: `follower`, `virtual`, `leader`.
pub(crate) fn scene() -> Scene {
    let mut scene = crate::scene();
    scene.objects.clear();
    scene.cameras.clear();
    let arm = scene.arms.remove(0);
    for (index, name) in ["follower", "virtual", "leader"].into_iter().enumerate() {
        let mut arm = arm.clone();
        arm.name = name.to_owned();
        arm.position = [0.0, index as f64 * 1.5, 0.0];
        scene.arms.push(arm);
    }
    scene
}

pub(crate) struct Lab {
    pub(crate) bench: Bench,
    pub(crate) events: Vec<Event>,
}

impl Lab {
    /// The scene with a follower on the virtual arm's bus.
    pub(crate) fn new(config: ControlConfig, scene: Scene) -> Self {
        let calibration = config
            .served
            .iter()
            .find_map(|served| served.calibration.clone());
        let mut bundle = SceneBundle::from(scene);
        let calibrations = ArmCalibrations {
            follower: calibration.clone(),
            leader: calibration,
        };
        bundle
            .calibrations
            .insert("follower".to_owned(), calibrations);
        let setup = ControlSetup {
            config,
            startup: Startup {
                bundle: Some(Arc::new(bundle)),
                start: true,
                ..Startup::default()
            },
        };
        Self {
            bench: Bench {
                handle: spawn::<ControlService>(setup, Host::Stepped),
                now_secs: 0.0,
                notices: Vec::new(),
            },
            events: Vec::new(),
        }
    }

    pub(crate) fn pass(&mut self, secs: f64) -> Vec<Vec<ArmState>> {
        let end = self.bench.now_secs + secs;
        let mut states = Vec::new();
        while self.bench.now_secs < end - 1e-9 {
            self.bench.now_secs = (self.bench.now_secs + 0.05).min(end);
            self.bench.handle.advance_to(self.bench.now_secs);
            for event in self.bench.handle.events() {
                match event {
                    Event::State(state) => states.push(state.arms),
                    Event::Notice(notice) => self.bench.notices.push(notice.text),
                    event => self.events.push(event),
                }
            }
        }
        states
    }

    pub(crate) fn after(&mut self, secs: f64) -> Vec<ArmState> {
        self.pass(secs).pop().expect("states are published")
    }

    /// The answer to a question that takes its time.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let mut pending: Pending<ControlService> = self.bench.handle.request(request);
        for _ in 0..200 {
            if let Some(answer) = pending.try_take() {
                return answer.map_err(|error| error.to_string());
            }
            self.pass(0.05);
        }
        panic!("no answer");
    }

    pub(crate) fn register(&mut self, device: Device, register: &str) -> i32 {
        let request = Request::Motor {
            device,
            request: MotorRequest::Read {
                motor: "elbow_flex".to_owned(),
                register: register.to_owned(),
            },
        };
        match self.ask(request) {
            Ok(Reply::Register(value)) => value,
            other => panic!("unexpected answer {other:?}"),
        }
    }

    pub(crate) fn said(&self, part: &str) -> bool {
        self.bench.notices.iter().any(|text| text.contains(part))
    }
}

pub(crate) fn targets(arm: &ArmState) -> Vec<f64> {
    arm.joints.iter().map(|joint| joint.target).collect()
}

pub(crate) fn positions(arm: &ArmState) -> Vec<f64> {
    arm.joints.iter().map(|joint| joint.position).collect()
}

pub(crate) fn furthest(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// A scene whose follower is on the virtual arm's bus.
pub(crate) fn wired() -> Scene {
    let mut scene = scene();
    scene.arms[FOLLOWER].backend = backend("virtual");
    scene
}

pub(crate) fn config(arms: Vec<ServedArm>) -> ControlConfig {
    ControlConfig {
        served: arms,
        ..ControlConfig::default()
    }
}

pub(crate) const DEVICE: Device = Device {
    arm: FOLLOWER,
    role: Role::Follower,
};

#[test]
fn a_real_arm_is_set_up_held_and_driven() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true)]), wired());
    let first = lab.after(0.05);
    let bus = first[FOLLOWER].bus.as_ref().expect("it has a bus");
    assert_eq!(bus.connection, Connection::Connecting);
    assert!(!first[FOLLOWER].torque);
    let there = lab.after(3.0);
    let bus = there[FOLLOWER].bus.as_ref().expect("it has a bus");
    assert_eq!(
        bus.connection,
        Connection::Connected,
        "{:?}",
        lab.bench.notices
    );
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert!(there[FOLLOWER].torque && there[FOLLOWER].connected);
    assert!(bus.rate_hz > 100.0, "{} Hz", bus.rate_hz);
    assert_eq!(bus.motors.len(), 6);
    assert!((bus.motors[0].voltage - 7.4).abs() < 0.11);
    // It holds where it was, in every place that knows.
    let home = so101::so101().home;
    let (real, virtual_arm) = (&there[FOLLOWER], &there[VIRTUAL]);
    assert!(
        furthest(&positions(real), &home) < 0.03,
        "{:?}",
        positions(real)
    );
    assert!(furthest(&positions(real), &positions(virtual_arm)) < 0.01);
    let twin = real.twin.as_ref().expect("it has a twin");
    assert!(furthest(twin, &positions(real)) < 0.03, "{twin:?}");
    assert!(
        virtual_arm.backend.contains("virtual"),
        "{}",
        virtual_arm.backend
    );
    // LeRobot's settings are in the motors.
    for (register, value) in [
        ("Return_Delay_Time", 0),
        ("Acceleration", 254),
        ("P_Coefficient", 16),
        ("I_Coefficient", 0),
        ("Torque_Enable", 1),
        ("Lock", 1),
    ] {
        assert_eq!(lab.register(DEVICE, register), value, "{register}");
    }

    let mut far = positions(&there[FOLLOWER]);
    far[0] += 0.6;
    far[5] += 0.3;
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: far.clone(),
    });
    let moved = lab.after(2.5);
    for arm in [FOLLOWER, VIRTUAL] {
        let off = furthest(&positions(&moved[arm]), &far);
        assert!(off < 0.03, "arm {arm} is {off} rad off");
    }
    assert!(furthest(moved[FOLLOWER].twin.as_ref().expect("there"), &far) < 0.03);
}

#[test]
fn an_arm_without_its_calibration_is_only_watched() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, false)]), wired());
    let arms = lab.after(2.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("it has a bus");
    assert_eq!(bus.connection, Connection::Connected);
    assert_eq!(bus.calibration, CalibrationStatus::Missing);
    assert_ne!(bus.motors[2].ticks, 0, "its ticks are read");
    assert!(!arms[FOLLOWER].torque);
    assert!(
        lab.said("there is no calibration"),
        "{:?}",
        lab.bench.notices
    );
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: vec![0.5; 6],
    });
    lab.pass(1.0);
    assert_eq!(lab.register(DEVICE, "Torque_Enable"), 0);
    let on = Request::SetTorque {
        arm: FOLLOWER,
        on: true,
    };
    let why = lab.ask(on).expect_err("it is not calibrated");
    assert!(why.contains("calibrate it first"), "{why}");

    // Writing the right calibration into the motors makes it an arm.
    let calibration = served(VIRTUAL, true).calibration.expect("made with it");
    let set = Request::SetCalibration {
        device: DEVICE,
        calibration,
    };
    assert_eq!(lab.ask(set), Ok(Reply::Done));
    let arms = lab.after(2.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("it has a bus");
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert!(arms[FOLLOWER].torque);
}

#[test]
fn motors_that_store_something_else_are_told_and_not_driven() {
    let mut virtual_arm = served(VIRTUAL, true);
    let file = virtual_arm.calibration.clone();
    if let Some(stored) = &mut virtual_arm.calibration {
        stored.motors[2].1.homing_offset += 7;
    }
    let mut bundle = SceneBundle::from(wired());
    let calibrations = ArmCalibrations {
        follower: file,
        leader: None,
    };
    bundle
        .calibrations
        .insert("follower".to_owned(), calibrations);
    let mut lab = Lab::new(config(vec![virtual_arm]), scene());
    lab.ask(Request::LoadScene(Arc::new(bundle)))
        .expect("it loads");
    let arms = lab.after(2.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("it has a bus");
    let CalibrationStatus::Differs(differences) = &bus.calibration else {
        panic!("unexpected {:?}", bus.calibration);
    };
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].contains("elbow_flex"), "{differences:?}");
    assert!(!arms[FOLLOWER].torque);
    assert!(lab.said("elbow_flex: homing offset"));
}

/// Ticks at 20 Hz, each of them published: no joint goes further than the safety chain allows, and
/// nothing that is commanded begins anywhere but where the arm is.
#[test]
fn switching_to_a_bus_and_back_while_a_key_is_held_never_jumps() {
    let slow = ControlConfig {
        rate_hz: 20.0,
        ..config(vec![served(VIRTUAL, true)])
    };
    let step = slow.safety.max_step_radians;
    let calibration = served(VIRTUAL, true).calibration;
    let mut lab = Lab::new(slow, scene());
    // The two arms stand differently when they are exchanged.
    let mut elsewhere = positions(&lab.after(0.5)[FOLLOWER]);
    elsewhere[0] -= 0.7;
    elsewhere[2] += 0.4;
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: elsewhere,
    });
    let mut states = lab.pass(3.0);
    lab.bench.tell(Command::Key {
        arm: FOLLOWER,
        key: Key::ArrowRight,
        pressed: true,
    });
    states.extend(lab.pass(1.0));
    for round in 0..2 {
        for backend in [backend("virtual"), Backend::Sim] {
            lab.ask(Request::SetBackend {
                arm: FOLLOWER,
                backend,
                calibration: calibration.clone(),
                motion: None,
            })
            .expect("it can be switched");
            // A key counts as released after ten seconds.
            lab.bench.tell(Command::Key {
                arm: FOLLOWER,
                key: Key::ArrowRight,
                pressed: true,
            });
            let run = lab.pass(6.0);
            let (first, last) = (&run[100], &run[run.len() - 1]);
            assert!(last[FOLLOWER].torque);
            let moved = last[FOLLOWER].joints[0].target - first[FOLLOWER].joints[0].target;
            let at_limit = last[FOLLOWER].joints[0].target > 1.9;
            assert!(
                moved > 0.02 || at_limit,
                "round {round}: it still moves: {moved}"
            );
            states.extend(run);
        }
    }
    let mut drives = 0;
    for (before, after) in states.iter().zip(&states[1..]) {
        let (before, after) = (&before[FOLLOWER], &after[FOLLOWER]);
        let off = if before.backend == after.backend && before.torque {
            furthest(&targets(before), &targets(after))
        } else {
            // It began: where the arm is.
            furthest(&positions(after), &targets(after))
        };
        // A tick of the servo is 0.0015 rad, and an arm sags by a little when it is held anew.
        assert!(
            off <= step + 0.004,
            "{off} rad from {before:?} to {after:?}"
        );
        drives += usize::from(after.torque && after.bus.is_some());
    }
    assert!(drives > 100, "it was driven over the bus in {drives} ticks");
}

#[test]
fn an_unplugged_arm_holds_and_goes_on_softly_when_it_is_back() {
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![(4.0, Incident::Unplug), (7.0, Incident::Replug)];
    let slow = ControlConfig {
        rate_hz: 20.0,
        ..config(vec![virtual_arm])
    };
    let mut lab = Lab::new(slow, wired());
    let mut far = positions(&lab.after(3.5)[FOLLOWER]);
    far[0] += 1.5;
    // On its way when the plug is pulled.
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: far.clone(),
    });
    let mut states = lab.pass(0.6);
    let gone = lab.pass(2.0);
    let held = gone[gone.len() - 1].clone();
    let Connection::Lost(why) = &held[FOLLOWER].bus.as_ref().expect("there").connection else {
        panic!("it is gone");
    };
    assert!(why.contains("plug"), "{why}");
    assert!(!held[FOLLOWER].connected);
    // The servos finished what they were told last, and hold.
    let at = positions(&held[VIRTUAL]);
    assert!(furthest(&at, &far) > 0.3, "it was still on its way: {at:?}");
    states.extend(gone);
    states.extend(lab.pass(6.0));
    let back = states[states.len() - 1].clone();
    let bus = back[FOLLOWER].bus.as_ref().expect("there");
    assert_eq!(bus.connection, Connection::Connected);
    assert_eq!(bus.errors.reconnects, 1);
    // A slider's target is not gone to by itself.
    assert!(furthest(&positions(&back[VIRTUAL]), &at) < 0.05);
    assert!(back[FOLLOWER].torque);
    for (before, after) in states.iter().zip(&states[1..]) {
        let moved = furthest(&targets(&before[VIRTUAL]), &targets(&after[VIRTUAL]));
        assert!(moved <= 0.15, "the servos' goal jumped by {moved} rad");
    }
    assert!(lab.said("plug was pulled") && lab.said("it is there again"));
    // And it can be driven again.
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: far.clone(),
    });
    let there = lab.after(3.0);
    assert!(furthest(&positions(&there[VIRTUAL]), &far) < 0.03);
}

#[test]
fn motors_that_lost_their_power_are_set_up_anew() {
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![(3.0, Incident::Power(false)), (4.5, Incident::Power(true))];
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    assert!(lab.after(2.5)[FOLLOWER].torque);
    let dark = lab.after(1.5);
    assert!(!dark[FOLLOWER].torque && !dark[FOLLOWER].connected);
    assert!(lab.said("no longer answers"), "{:?}", lab.bench.notices);
    let back = lab.after(4.0);
    assert!(back[FOLLOWER].torque, "{:?}", lab.bench.notices);
    // The acceleration is one of the settings that are lost with the power.
    assert_eq!(lab.register(DEVICE, "Acceleration"), 254);
    assert_eq!(lab.register(DEVICE, "Torque_Enable"), 1);
}

#[test]
fn a_hot_motor_is_told_of_and_a_hotter_one_ends_it() {
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![
        (3.0, Incident::Temperature(2, Some(66.0))),
        (4.0, Incident::Temperature(2, Some(70.0))),
        (7.0, Incident::Temperature(2, Some(40.0))),
    ];
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    let warm = lab.after(3.8);
    assert!(warm[FOLLOWER].torque);
    assert!(
        lab.said("`elbow_flex` is 66 °C warm"),
        "{:?}",
        lab.bench.notices
    );
    let hot = lab.after(1.2);
    assert!(!hot[FOLLOWER].torque);
    assert!(lab.said("70 °C hot"), "{:?}", lab.bench.notices);
    assert_eq!(lab.register(DEVICE, "Torque_Enable"), 0);
    let on = Request::SetTorque {
        arm: FOLLOWER,
        on: true,
    };
    let why = lab.ask(on.clone()).expect_err("too hot");
    assert!(why.contains("cool"), "{why}");
    lab.pass(3.0);
    assert_eq!(lab.ask(on), Ok(Reply::Done));
    assert!(lab.after(0.5)[FOLLOWER].torque);
}

#[test]
fn an_overloaded_motor_holds_where_it_is_and_is_cleared() {
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![(3.5, Incident::Overload(2))];
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    let mut far = positions(&lab.after(3.0)[FOLLOWER]);
    far[2] += 0.9;
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: far,
    });
    lab.pass(0.45);
    let arms = lab.after(1.0);
    assert!(
        lab.said("`elbow_flex` was blocked"),
        "{:?}",
        lab.bench.notices
    );
    let faults = &arms[FOLLOWER].bus.as_ref().expect("there").motors[2].faults;
    assert!(faults.is_empty(), "{faults:?}");
    let joint = arms[FOLLOWER].joints[2];
    assert!((joint.target - joint.position).abs() < 0.05, "{joint:?}");
    assert!(arms[FOLLOWER].torque, "the others hold, and so does it");
}

#[test]
fn a_gripper_that_holds_something_is_not_opened_by_its_overload() {
    let gripper = so101::so101().gripper.expect("it has one");
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![(4.0, Incident::Overload(gripper))];
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    let mut closed = positions(&lab.after(3.0)[FOLLOWER]);
    closed[gripper] = 0.0;
    lab.bench.tell(Command::JointTargets {
        arm: FOLLOWER,
        positions: closed,
    });
    let before = targets(&lab.after(0.9)[FOLLOWER])[gripper];
    let after = targets(&lab.after(1.0)[FOLLOWER])[gripper];
    assert!(
        lab.said("`gripper` protects itself"),
        "{:?}",
        lab.bench.notices
    );
    assert!(after <= before, "it goes on closing: {before}, {after}");
}

#[test]
fn a_joint_outside_of_its_range_is_not_switched_on() {
    let mut virtual_arm = served(VIRTUAL, true);
    let calibration = virtual_arm.calibration.as_mut().expect("it has one");
    let elbow = calibration
        .motors
        .iter_mut()
        .find(|(name, _)| name == "elbow_flex");
    // The arm begins at its home, with the elbow at 63 degrees: 2764.
    elbow.expect("a motor").1.range_max = 2500;
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    let start = positions(&lab.after(0.1)[VIRTUAL]);
    let arms = lab.after(3.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("there");
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert!(!arms[FOLLOWER].torque);
    assert!(
        lab.said("outside of its calibrated range"),
        "{:?}",
        lab.bench.notices
    );
    assert!(furthest(&positions(&arms[VIRTUAL]), &start) < 0.02);
    let on = || Request::SetTorque {
        arm: FOLLOWER,
        on: true,
    };
    let why = lab.ask(on()).expect_err("it would jump");
    assert!(
        why.contains("`elbow_flex`") && why.contains("by hand"),
        "{why}"
    );
    // Moved into its range by hand it can be switched on.
    let mut within = start;
    within[2] = 0.2;
    lab.bench.tell(Command::JointTargets {
        arm: VIRTUAL,
        positions: within,
    });
    lab.pass(3.0);
    assert_eq!(lab.ask(on()), Ok(Reply::Done));
    assert!(lab.after(1.0)[FOLLOWER].torque);
}

#[test]
fn a_silent_app_makes_a_real_arm_hold_even_in_a_motion() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true)]), wired());
    lab.pass(2.5);
    lab.bench.tell(Command::Alive);
    lab.bench.play(crate::WAVE);
    lab.pass(0.6);
    lab.pass(0.8);
    let held = lab.after(0.1);
    assert!(lab.said("the app was silent"), "{:?}", lab.bench.notices);
    let later = lab.after(1.0);
    assert_eq!(targets(&held[FOLLOWER]), targets(&later[FOLLOWER]));
    lab.bench.tell(Command::Alive);
    let again = lab.after(0.5);
    assert!(furthest(&targets(&again[FOLLOWER]), &targets(&later[FOLLOWER])) < 0.02);
}

#[test]
fn leaving_an_arm_lets_it_go_or_not() {
    for (on_exit, torque) in [
        (forearm_control::OnExit::TorqueOff, false),
        (forearm_control::OnExit::Hold, true),
    ] {
        let config = ControlConfig {
            on_exit,
            ..config(vec![served(VIRTUAL, true)])
        };
        let mut lab = Lab::new(config, wired());
        let mut stretched = positions(&lab.after(2.5)[FOLLOWER]);
        (stretched[1], stretched[2]) = (0.0, 0.0);
        lab.bench.tell(Command::JointTargets {
            arm: FOLLOWER,
            positions: stretched,
        });
        assert!(lab.after(3.0)[FOLLOWER].torque);
        lab.ask(Request::SetBackend {
            arm: FOLLOWER,
            backend: Backend::Sim,
            calibration: None,
            motion: None,
        })
        .expect("it can be switched");
        // While nobody drives, a hand does not hold it either.
        lab.ask(Request::Stop).expect("stopped");
        let before = positions(&lab.after(0.1)[VIRTUAL]);
        let after = positions(&lab.after(2.0)[VIRTUAL]);
        let sagged = furthest(&before, &after) > 0.05;
        assert_eq!(sagged, !torque, "{on_exit:?}");
    }
}

#[test]
fn registers_that_would_make_the_arm_jump_are_refused() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true)]), wired());
    lab.pass(2.5);
    let write = |register: &str, value| Request::Motor {
        device: DEVICE,
        request: MotorRequest::Write {
            motor: "elbow_flex".to_owned(),
            register: register.to_owned(),
            value,
        },
    };
    for (register, why) in [
        ("Goal_Position", "without any limit"),
        ("Torque_Enable", "without any limit"),
        ("ID", "not found any more"),
        ("Homing_Offset", "switch torque off first"),
        ("Present_Position", "can only be read"),
        ("Nonsense", "there is no register"),
    ] {
        let refused = lab.ask(write(register, 1)).expect_err(register);
        assert!(refused.contains(why), "{register}: {refused}");
    }
    assert_eq!(
        lab.ask(write("Torque_Limit", 600)),
        Ok(Reply::Register(600))
    );
    let nobody = Device {
        arm: FOLLOWER,
        role: Role::Leader,
    };
    let request = MotorRequest::Read {
        motor: "elbow_flex".to_owned(),
        register: "ID".to_owned(),
    };
    let refused = lab.ask(Request::Motor {
        device: nobody,
        request,
    });
    assert!(refused.expect_err("no leader").contains("has no leader"));
}

#[test]
fn a_replay_moves_nothing_but_the_picture() {
    let mut lab = Lab::new(config(Vec::new()), scene());
    lab.ask(Request::SetBackend {
        arm: FOLLOWER,
        backend: Backend::Replay("wave.ron".to_owned()),
        calibration: None,
        motion: Some(crate::WAVE.to_owned()),
    })
    .expect("it plays");
    let states = lab.pass(20.0);
    let moved = states.iter().map(|arms| positions(&arms[FOLLOWER])[0]);
    let (least, most) = moved.fold((f64::MAX, f64::MIN), |(least, most), it| {
        (least.min(it), most.max(it))
    });
    assert!(most - least > 0.3, "it waves");
    assert_eq!(states[0][FOLLOWER].backend, "replay:wave.ron");
    for (before, after) in states.iter().zip(&states[1..]) {
        let off = furthest(&positions(&before[FOLLOWER]), &positions(&after[FOLLOWER]));
        assert!(off < 0.2, "{off}");
    }
    let wrong = Request::SetBackend {
        arm: FOLLOWER,
        backend: Backend::Replay("wave.ron".to_owned()),
        calibration: None,
        motion: None,
    };
    let why = lab.ask(wrong).expect_err("there is no text");
    assert!(why.contains("wave.ron"), "{why}");
    assert_eq!(lab.after(0.1)[FOLLOWER].mode, TeleopMode::Keyboard);
}

#[test]
fn a_service_after_a_crash_connects_to_what_this_one_was_connected_to() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true)]), scene());
    lab.pass(0.2);
    let calibration = served(VIRTUAL, true).calibration;
    lab.ask(Request::SetBackend {
        arm: FOLLOWER,
        backend: backend("virtual"),
        calibration: calibration.clone(),
        motion: None,
    })
    .expect("it can be switched");
    lab.ask(Request::SetLeader {
        arm: FOLLOWER,
        leader: Some(port("leader")),
        calibration: None,
    })
    .expect_err("that one is not served");
    let mut setup = ControlSetup::default();
    setup.startup.bundle = Some(Arc::new(SceneBundle::from(scene())));
    lab.pass(0.2);
    for event in &lab.events {
        if matches!(event, Event::DevicesChanged { .. }) {
            setup.startup.remember(event);
        }
    }
    let bundle = setup.startup.bundle.expect("it was there");
    assert_eq!(bundle.scene.arms[FOLLOWER].backend, backend("virtual"));
    assert_eq!(bundle.scene.arms[FOLLOWER].leader, None);
    assert_eq!(bundle.calibrations["follower"].follower, calibration);
}

#[test]
fn the_same_port_with_its_calibration_is_not_opened_twice() {
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true)]), wired());
    assert!(lab.after(2.5)[FOLLOWER].torque);
    let mut again = |calibration| {
        lab.ask(Request::SetBackend {
            arm: FOLLOWER,
            backend: backend("virtual"),
            calibration,
            motion: None,
        })
        .expect("it can be switched");
        let states = lab.pass(2.5);
        states[states.len() - 1][FOLLOWER].clone()
    };
    let unknown = again(None);
    let bus = unknown.bus.as_ref().expect("there");
    assert_eq!(bus.calibration, CalibrationStatus::Missing);
    assert!(unknown.torque, "what is only watched is not let go either");
    let known = again(served(VIRTUAL, true).calibration);
    let bus = known.bus.as_ref().expect("there");
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert_eq!(bus.errors.reconnects, 0);
    assert!(known.torque, "{:?}", lab.bench.notices);
}
