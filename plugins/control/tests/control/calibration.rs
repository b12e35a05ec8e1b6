//! Guided calibrations of a virtual arm that is moved by hand, in stepped time.

use std::sync::Arc;

use forearm_arm::calibration::Calibration;
use forearm_arm::so101;
use forearm_control::handles::{self, CalibrationProcess};
use forearm_protocol::control::{Command, Event, Reply, Request};
use forearm_protocol::scene::SceneBundle;
use forearm_protocol::servo::{CalibrationStage, CalibrationStatus, CalibrationStep, MotorRequest};

use crate::servos::{DEVICE, FOLLOWER, Lab, VIRTUAL, config, positions, served, wired};

/// A calibration, and what goes on around it.
struct Guided {
    lab: Lab,
    process: CalibrationProcess,
    seen: usize,
}

impl Guided {
    fn begin(mut lab: Lab) -> Self {
        lab.pass(2.5);
        let process = handles::calibrate(lab.bench.handle.line(), DEVICE);
        let seen = lab.events.len();
        Self { lab, process, seen }
    }

    fn pass(&mut self, secs: f64) {
        self.lab.pass(secs);
        for event in &self.lab.events[self.seen..] {
            self.process.note(event);
        }
        self.seen = self.lab.events.len();
    }

    fn stage(&self) -> CalibrationStage {
        self.process.state().expect("it has begun").stage
    }

    /// Moves the virtual arm as by a hand.
    fn hand(&mut self, positions: &[f64]) {
        self.lab.bench.tell(Command::JointTargets {
            arm: VIRTUAL,
            positions: positions.to_vec(),
        });
        self.pass(2.5);
    }

    fn next(&mut self) -> Result<Reply, String> {
        self.lab
            .ask(Request::CalibrationStep(CalibrationStep::Next))
    }
}

#[test]
fn a_guided_calibration_measures_what_is_right() {
    let model = so101::so101();
    let lab = Lab::new(config(vec![served(VIRTUAL, false)]), wired());
    let mut guided = Guided::begin(lab);
    guided.pass(2.0);
    assert_eq!(guided.stage(), CalibrationStage::Middle);
    let busy = Request::Calibrate(DEVICE);
    let why = guided.lab.ask(busy).expect_err("one at a time");
    assert!(why.contains("already"), "{why}");
    // Neither may anybody write into the motors meanwhile, or take the arm away.
    let write = Request::Motor {
        device: DEVICE,
        request: MotorRequest::Write {
            motor: "elbow_flex".to_owned(),
            register: "Homing_Offset".to_owned(),
            value: 7,
        },
    };
    let another = Request::LoadScene(Arc::new(SceneBundle::from(wired())));
    for request in [write, another] {
        let why = guided.lab.ask(request).expect_err("it is being calibrated");
        assert!(why.contains("being calibrated"), "{why}");
    }
    let middle: Vec<f64> = model
        .joints
        .iter()
        .map(|joint| (joint.limits.lower + joint.limits.upper) / 2.0)
        .collect();
    guided.hand(&middle);
    assert_eq!(guided.next(), Ok(Reply::Done));
    guided.pass(2.0);
    assert_eq!(guided.stage(), CalibrationStage::Ranges);
    let why = guided.next().expect_err("nothing has moved");
    assert!(
        why.contains("`shoulder_pan`") && why.contains("`gripper`"),
        "{why}"
    );
    assert!(!why.contains("wrist_roll"), "{why}");
    for joint in 0..model.joints.len() {
        let limits = model.joints[joint].limits;
        for end in [limits.lower, limits.upper, middle[joint]] {
            let mut pose = middle.clone();
            pose[joint] = end;
            guided.hand(&pose);
        }
    }
    let update = guided.process.state().expect("under way").clone();
    assert_eq!(update.joints.len(), 6);
    assert!(
        update.joints[0].max - update.joints[0].min > 2000,
        "{update:?}"
    );
    assert_eq!(guided.next(), Ok(Reply::Done));
    guided.pass(3.0);
    let calibration = match guided.process.result() {
        Some(Ok(calibration)) => calibration.clone(),
        other => panic!("unexpected {other:?}"),
    };
    let json = Calibration::from_json("measured", &calibration.to_json());
    assert_eq!(json.as_ref(), Ok(&calibration), "LeRobot could read it");
    let right = served(VIRTUAL, true).calibration.expect("made with it");
    for ((name, measured), (_, right)) in calibration.motors.iter().zip(&right.motors) {
        if name == "wrist_roll" {
            assert_eq!((measured.range_min, measured.range_max), (0, 4095));
            continue;
        }
        // The middle of the range reads 2047, wherever the model's zero is.
        let width = (measured.range_max - measured.range_min) - (right.range_max - right.range_min);
        assert!(width.abs() < 90, "{name}: {measured:?}, not {right:?}");
        let middle = (measured.range_min + measured.range_max) / 2 - 2047;
        assert!(middle.abs() < 60, "{name}: {measured:?}");
    }
    // From now on it is an arm like any other.
    let arms = guided.lab.after(2.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("there");
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert!(arms[FOLLOWER].torque);
    let done = guided.lab.events.iter().any(
        |event| matches!(event, Event::CalibrationDone { id, result: Ok(_), .. } if id == "blue"),
    );
    assert!(done);
}

#[test]
fn a_calibration_that_is_left_puts_back_what_was_there() {
    let lab = Lab::new(config(vec![served(VIRTUAL, true)]), wired());
    let mut guided = Guided::begin(lab);
    let offset = guided.lab.register(DEVICE, "Homing_Offset");
    guided.pass(2.0);
    assert_eq!(guided.lab.register(DEVICE, "Torque_Enable"), 0);
    guided.next().expect("it goes on");
    guided.pass(2.0);
    assert_eq!(guided.stage(), CalibrationStage::Ranges);
    assert_ne!(guided.lab.register(DEVICE, "Homing_Offset"), offset);
    let before = positions(&guided.lab.after(0.1)[VIRTUAL]);
    guided
        .lab
        .ask(Request::CalibrationStep(CalibrationStep::Cancel))
        .expect("it can be left");
    guided.pass(3.0);
    let why = match guided.process.result() {
        Some(Err(why)) => why.clone(),
        other => panic!("unexpected {other:?}"),
    };
    assert!(why.contains("what they stored before"), "{why}");
    assert_eq!(guided.lab.register(DEVICE, "Homing_Offset"), offset);
    let arms = guided.lab.after(1.0);
    let bus = arms[FOLLOWER].bus.as_ref().expect("there");
    assert_eq!(bus.calibration, CalibrationStatus::Matches);
    assert!(arms[FOLLOWER].torque);
    let after = positions(&arms[VIRTUAL]);
    assert!(crate::servos::furthest(&before, &after) < 0.1);
}

#[test]
fn a_calibration_ends_when_the_arm_is_gone() {
    let mut virtual_arm = served(VIRTUAL, false);
    virtual_arm.incidents = vec![
        (6.0, forearm_protocol::servo::Incident::Unplug),
        (9.0, forearm_protocol::servo::Incident::Replug),
    ];
    let lab = Lab::new(config(vec![virtual_arm]), wired());
    let mut guided = Guided::begin(lab);
    guided.pass(3.0);
    assert_eq!(guided.stage(), CalibrationStage::Middle);
    guided.pass(1.5);
    let why = match guided.process.result() {
        Some(Err(why)) => why.clone(),
        other => panic!("unexpected {other:?}"),
    };
    assert!(
        why.contains("plug") && why.contains("calibrate the arm before"),
        "{why}"
    );
    guided.lab.pass(5.0);
    // It can be begun again.
    guided.process = handles::calibrate(guided.lab.bench.handle.line(), DEVICE);
    guided.pass(2.0);
    assert_eq!(guided.stage(), CalibrationStage::Middle);
    assert!(guided.process.result().is_none());
}
