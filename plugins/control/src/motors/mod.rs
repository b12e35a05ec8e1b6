//! The motors of one real arm, a follower's or a leader's: connection, set-up, the newest sample,
//! guards, telemetry.
//!
//! `Motors::attend` is called once a tick and never waits. A connection that comes (back) is set up
//! from the beginning, and whoever drives begins at the arm's present position: [`Footing::New`].

mod connection;
mod guard;
mod set_up;
mod telemetry;
mod torque;

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_arm::calibration::{Calibration, JointTicks};
pub(crate) use forearm_hardware::bus::Motor;
use forearm_hardware::bus::{Goals, MAX_SERVOS, Sample};
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::servo::{CalibrationStatus, Role, SerialArm};

use crate::backend::Footing;
use crate::config::OnExit;
use crate::line::{self, BusLine, LineSpec, Link};
use crate::procedure::Jobs;
use crate::serve::Served;
use connection::Stage;
use guard::{Alarm, Guard};
use telemetry::Rate;
use torque::Switching;

pub(crate) use set_up::stored_in;

/// A reading that is older than this, seconds, is no reading.
const STALE_SECS: f64 = 0.25;

/// What a person should read: how bad, and what.
pub(crate) type News = Vec<(NoticeLevel, String)>;

/// What is needed to speak with an arm's motors.
#[derive(Debug, Clone)]
pub(crate) struct MotorsSpec {
    /// Where.
    pub(crate) serial: SerialArm,
    /// Which of the two.
    pub(crate) role: Role,
    /// The name of the scene's arm.
    pub(crate) arm: String,
    /// The model that joints are of: the follower's, also for a leader.
    pub(crate) model: Arc<ArmModel>,
    /// Its calibration, if there is one.
    pub(crate) calibration: Option<Calibration>,
    /// What becomes of the motors at the end.
    pub(crate) on_exit: OnExit,
    /// How long the loop may be silent, seconds, before no more goals are written.
    pub(crate) silence_secs: f64,
}

/// The motors of one real arm.
pub struct Motors {
    spec: MotorsSpec,
    /// For people: `arm follower on /dev/ttyACM0`.
    title: String,
    motors: Arc<[Motor]>,
    mask: u16,
    line: Arc<dyn BusLine>,
    stage: Stage,
    /// Why it is not connected, while it isn't and was or should be.
    trouble: Option<String>,
    /// One a joint; empty without a calibration.
    ticks: Vec<JointTicks>,
    status: CalibrationStatus,
    /// Whether motors should hold, and whether they do.
    wants_torque: bool,
    torque: bool,
    switching: Option<Switching>,
    /// When torque that could not be switched off is switched off again, seconds.
    off_again_at_secs: Option<f64>,
    /// The newest sample of this connection, and when it came, by the loop's time.
    sample: Option<Sample>,
    sampled_at_secs: f64,
    now_secs: f64,
    /// Whether whoever drives was told to begin anew.
    begun: bool,
    /// Whether they were set up before: only the port was away since.
    was_set_up: bool,
    guard: Guard,
    rate: Rate,
}

impl Motors {
    /// Opens the line; set-up follows by itself.
    ///
    /// # Errors
    /// There can be no such line, or no such arm on one.
    pub(crate) fn connect(spec: MotorsSpec, served: &[Served]) -> Result<Self, String> {
        let joints = spec.model.joints.len();
        if joints > MAX_SERVOS {
            return Err(format!(
                "the model `{}` has {joints} joints; a servo bus takes at most {MAX_SERVOS}",
                spec.model.name
            ));
        }
        let ticks = match &spec.calibration {
            Some(calibration) => calibration
                .joints(&spec.model)
                .map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        let motors: Arc<[Motor]> = motors_of(&spec.model, spec.calibration.as_ref());
        let line = line::open(
            LineSpec {
                port: spec.serial.port.clone(),
                motors: motors.iter().map(|it| (it.id, it.name.clone())).collect(),
                silence_secs: spec.silence_secs,
                on_exit: match spec.role {
                    Role::Follower => spec.on_exit,
                    // A leader has no torque that could be kept.
                    Role::Leader => OnExit::TorqueOff,
                },
            },
            served,
        )?;
        let role = match spec.role {
            Role::Follower => "arm",
            Role::Leader => "leader of arm",
        };
        Ok(Self {
            title: format!("{role} `{}` on {}", spec.arm, spec.serial.port),
            mask: ((1_u32 << joints) - 1) as u16,
            guard: Guard::default(),
            rate: Rate::default(),
            status: CalibrationStatus::default(),
            wants_torque: spec.role == Role::Follower,
            torque: false,
            switching: None,
            off_again_at_secs: None,
            sample: None,
            sampled_at_secs: 0.0,
            now_secs: 0.0,
            begun: false,
            was_set_up: false,
            stage: Stage::Away,
            trouble: None,
            motors,
            line,
            ticks,
            spec,
        })
    }

    /// Goes on with what takes its time; answers how it stands.
    pub(crate) fn attend(&mut self, now_secs: f64, news: &mut News) -> Footing {
        self.now_secs = now_secs;
        self.line.pump(now_secs);
        self.take_sample();
        self.rate.note(now_secs, &*self.line);
        match self.line.link() {
            Link::Connected => self.missing(news),
            Link::Connecting => self.leave(),
            Link::Lost(why) => self.lose(why, news),
        }
        self.go_on(news);
        self.go_on_switching(news);
        self.go_on_switching_off();
        self.footing(news)
    }

    fn footing(&mut self, news: &mut News) -> Footing {
        let Some(sample) = self.sample.filter(|_| self.is_there()) else {
            return Footing::None;
        };
        let mut settle = 0;
        let follows = self.spec.role == Role::Follower;
        for alarm in self.guard.look(&sample, self.mask, self.now_secs) {
            let told = alarm.told(&self.motors);
            match alarm {
                // A leader has no torque, and gets none. A gripper that holds something is blocked: it
                // would let go; its own protection limits how hard it presses.
                Alarm::Blocked { motor, fault }
                    if !follows || self.spec.model.gripper == Some(motor) =>
                {
                    let text = format!(
                        "{}: `{}` protects itself ({}) and holds with less force.",
                        self.title,
                        self.motors[motor].name,
                        fault.name()
                    );
                    news.push((NoticeLevel::Info, text));
                    continue;
                }
                Alarm::TooHot { .. } if follows => {
                    self.wants_torque = false;
                    self.switch(false);
                }
                Alarm::Blocked { motor, .. } => settle |= 1 << motor,
                Alarm::TooHot { .. } | Alarm::Warm { .. } | Alarm::Fault { .. } => {}
            }
            news.push((told.0, format!("{}: {}.", self.title, told.1)));
        }
        if !self.is_fresh() {
            // Whatever it does meanwhile, nothing is built on it.
            self.begun = false;
            return Footing::None;
        }
        let everybody = sample.known & self.mask == self.mask;
        if !everybody || self.ticks.is_empty() || self.status != CalibrationStatus::Matches {
            return Footing::None;
        }
        if self.spec.role == Role::Follower && !self.torque {
            return Footing::None;
        }
        if !self.begun {
            self.begun = true;
            return Footing::New;
        }
        if settle != 0 {
            self.clear_overload(settle);
            return Footing::Settle(settle);
        }
        Footing::Firm
    }

    /// Whether motors hold.
    pub(crate) fn torque(&self) -> bool {
        self.torque
    }

    /// Whether they are connected and set up.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    /// Whether a reading is there that is not too old.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_there() && self.now_secs - self.sampled_at_secs <= STALE_SECS
    }

    /// The newest sample.
    pub(crate) fn sample(&self) -> Option<&Sample> {
        self.sample.as_ref()
    }

    /// Writes joint positions, radians (metres), of the newest sample; answers whether there are any.
    pub(crate) fn positions(&self, out: &mut [f64]) -> bool {
        let Some(sample) = self.sample.filter(|it| it.known & self.mask == self.mask) else {
            return false;
        };
        for ((out, ticks), joint) in out.iter_mut().zip(&sample.positions).zip(&self.ticks) {
            *out = joint.position(*ticks);
        }
        !self.ticks.is_empty()
    }

    /// Writes velocities, a second, and efforts (N·m, from the duty), as they are read ten times a
    /// second.
    pub(crate) fn slow(&self, velocities: &mut [f64], efforts: &mut [f64]) {
        let Some(sample) = &self.sample else {
            return;
        };
        for (index, joint) in self.ticks.iter().enumerate() {
            let (lowest, _) = joint.range();
            let per_tick = joint.position(lowest + 1) - joint.position(lowest);
            let limit = self.spec.model.joints[index].limits.effort;
            velocities[index] = f64::from(sample.slow.velocity[index]) * per_tick;
            efforts[index] = f64::from(sample.slow.load[index]) / 1000.0 * limit;
        }
    }

    /// Commands joints, radians (metres); `applied` receives what that is in ticks. Does nothing to
    /// motors that may not be driven.
    pub(crate) fn command(&mut self, targets: &[f64], applied: &mut [f64]) {
        let driven = self.torque && self.is_there() && self.status == CalibrationStatus::Matches;
        let Some(sample) = self.sample.filter(|_| driven) else {
            return;
        };
        let mut goals = Goals::after(&sample);
        for (index, joint) in self.ticks.iter().enumerate() {
            let ticks = joint.ticks(targets[index]);
            goals = goals.with(index, ticks);
            applied[index] = joint.position(ticks);
        }
        self.line.command(&goals);
    }

    /// Leaves the motors, as the configuration says. Waits for nothing.
    pub(crate) fn close(&self) {
        self.line.close(match self.spec.role {
            Role::Follower => self.spec.on_exit,
            Role::Leader => OnExit::TorqueOff,
        });
    }

    /// Whether this calibration has all motors, with the ids that they have.
    ///
    /// # Errors
    /// What is missing or different.
    pub(crate) fn check(&self, calibration: &Calibration) -> Result<(), String> {
        for motor in self.motors.iter() {
            let wanted = calibration
                .motor(&motor.name)
                .map_err(|error| error.to_string())?;
            if wanted.id != motor.id {
                return Err(format!(
                    "`{}` has the id {}, the calibration says {}; connect to the arm with that \
                     calibration",
                    motor.name, motor.id, wanted.id
                ));
            }
        }
        Ok(())
    }

    /// Whether its port is open.
    pub(crate) fn is_linked(&self) -> bool {
        self.line.link() == Link::Connected
    }

    /// Why it is not connected, if it isn't.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Jobs beside everything else, for whoever asks one motor something.
    pub(crate) fn jobs(&self) -> Jobs {
        Jobs::new(&self.line)
    }

    /// The motors, in the order of samples.
    pub(crate) fn motors(&self) -> &Arc<[Motor]> {
        &self.motors
    }

    /// LeRobot's id: the name of the calibration file.
    pub(crate) fn lerobot_id(&self) -> &str {
        self.spec.serial.id.as_deref().unwrap_or(&self.spec.arm)
    }

    /// The port's name.
    pub(crate) fn port(&self) -> &str {
        &self.spec.serial.port
    }
}

impl Drop for Motors {
    fn drop(&mut self) {
        self.close();
    }
}

/// The motors of a model: with the ids of its calibration, else numbered from 1 as LeRobot does.
fn motors_of(model: &ArmModel, calibration: Option<&Calibration>) -> Arc<[Motor]> {
    let joints = model.joints.iter().zip(1_u8..);
    let motors = joints.map(|(joint, number)| Motor {
        id: calibration
            .and_then(|calibration| calibration.motor(&joint.name).ok())
            .map_or(number, |motor| motor.id),
        name: joint.name.clone(),
    });
    motors.collect()
}
