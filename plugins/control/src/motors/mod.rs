//! The motors of one real arm, a follower's or a leader's: connection, set-up, the newest sample,
//! guards, telemetry.
//!
//! [`Motors::attend`] is called once a tick and never waits. A connection that comes (back) is set up
//! from the beginning, and whoever drives begins at the arm's present position: [`Footing::New`].

mod guard;
mod set_up;
mod telemetry;

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
use crate::procedure::{Jobs, Procedure};
use crate::serve::Served;
use guard::{Alarm, Guard};
use telemetry::Rate;

pub(crate) use set_up::stored_in;

/// A reading that is older than this, seconds, is no reading.
const STALE_SECS: f64 = 0.25;
/// How long until a set-up that failed is tried again, seconds.
const RETRY_SECS: f64 = 1.0;

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

/// How far the connection is.
enum Stage {
    /// There is none, or it is not known what is at its other end.
    Away,
    /// Motors are looked for and set up.
    SettingUp(Procedure<Result<set_up::SetUp, String>>),
    /// That failed; it is tried again then, seconds.
    Refused(f64),
    /// They are as they should be.
    Ready,
    /// A procedure of somebody else has them.
    Lent,
}

/// Torque that is being switched.
struct Switching {
    /// Whether only motors that protect themselves are woken; the others go on meanwhile.
    wakes: bool,
    procedure: Procedure<Result<(), String>>,
}

impl Switching {
    fn new(jobs: Jobs, mask: u16, on: bool, wakes: bool) -> Self {
        let work = async move { jobs.torque(mask, on).await };
        Self {
            wakes,
            procedure: Procedure::new(async { work.await.map_err(|error| error.to_string()) }),
        }
    }
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
        self.footing(news)
    }

    fn take_sample(&mut self) {
        let Some(sample) = self.line.latest() else {
            return;
        };
        let last = self.sample.map(|last| (last.generation, last.cycle));
        if last.is_some_and(|(generation, _)| generation != sample.generation)
            && !matches!(self.stage, Stage::SettingUp(_))
        {
            // It was away for a moment, and nobody noticed.
            self.leave();
        }
        if last.is_none_or(|(_, cycle)| cycle != sample.cycle) {
            self.sampled_at_secs = self.now_secs;
        }
        self.sample = Some(sample);
    }

    /// Forgets what was known of the connection.
    fn leave(&mut self) {
        if !matches!(self.stage, Stage::Lent) {
            self.stage = Stage::Away;
        }
        self.switching = None;
        self.torque = false;
        self.begun = false;
    }

    fn lose(&mut self, why: String, news: &mut News) {
        let was_there = matches!(self.stage, Stage::Ready | Stage::Lent);
        if was_there || self.trouble.is_none() {
            let next = if self.torque {
                "It holds; the port is looked for again and again."
            } else {
                "The port is looked for again and again."
            };
            let text = format!("{}: {why}. {next}", self.title);
            news.push((NoticeLevel::Error, text));
        }
        self.trouble = Some(why);
        self.leave();
    }

    /// Motors that fell silent may have lost their power, and with it all that they were told.
    fn missing(&mut self, news: &mut News) {
        let absent = self.sample.map_or(0, |sample| sample.absent & self.mask);
        if !matches!(self.stage, Stage::Ready) || absent == 0 {
            return;
        }
        let names: Vec<_> = self.names(absent).collect();
        let why = format!(
            "{} no longer answers; check the power and the cable before it",
            names.join(", ")
        );
        news.push((NoticeLevel::Error, format!("{}: {why}.", self.title)));
        self.trouble = Some(why);
        self.leave();
        self.stage = Stage::Refused(self.now_secs + RETRY_SECS);
    }

    fn go_on(&mut self, news: &mut News) {
        if self.line.link() != Link::Connected {
            return;
        }
        match &mut self.stage {
            Stage::Away => self.begin_set_up(),
            Stage::Refused(again_at_secs) if self.now_secs >= *again_at_secs => {
                self.begin_set_up();
            }
            Stage::SettingUp(procedure) => match procedure.poll() {
                None => {}
                Some(Ok(done)) => self.end_set_up(done, news),
                Some(Err(why)) => {
                    if self.trouble.as_ref() != Some(&why) {
                        news.push((NoticeLevel::Error, format!("{}: {why}.", self.title)));
                    }
                    self.trouble = Some(why);
                    self.stage = Stage::Refused(self.now_secs + RETRY_SECS);
                }
            },
            Stage::Refused(_) | Stage::Ready | Stage::Lent => {}
        }
    }

    fn begin_set_up(&mut self) {
        let plan = set_up::Plan {
            role: self.spec.role,
            motors: Arc::clone(&self.motors),
            mask: self.mask,
            gripper: self.spec.model.gripper,
            calibration: self.spec.calibration.clone(),
            torque: self.wants_torque,
            again: self.was_set_up,
        };
        let jobs = Jobs::new(&self.line);
        self.stage = Stage::SettingUp(Procedure::new(set_up::set_up(jobs, plan)));
    }

    fn end_set_up(&mut self, done: set_up::SetUp, news: &mut News) {
        self.stage = Stage::Ready;
        self.was_set_up = true;
        self.torque = done.torque;
        self.guard = Guard::default();
        if self.trouble.take().is_some() {
            let text = format!("{}: it is there again.", self.title);
            news.push((NoticeLevel::Info, text));
        }
        if self.status != done.status {
            if let Some(text) = calibration_text(&self.title, &done.status) {
                news.push((NoticeLevel::Warning, text));
            }
            self.status = done.status;
        }
    }

    fn go_on_switching(&mut self, news: &mut News) {
        let Some(switching) = &mut self.switching else {
            return;
        };
        match switching.procedure.poll() {
            None => return,
            Some(Ok(())) if switching.wakes => {}
            Some(Ok(())) => {
                self.torque = self.wants_torque;
                self.begun = false;
            }
            Some(Err(why)) => {
                let text = format!("{}: torque was not switched: {why}.", self.title);
                news.push((NoticeLevel::Error, text));
            }
        }
        self.switching = None;
    }

    fn footing(&mut self, news: &mut News) -> Footing {
        let Some(sample) = self.sample.filter(|_| self.is_there()) else {
            return Footing::None;
        };
        let mut settle = 0;
        for alarm in self.guard.look(&sample, self.mask, self.now_secs) {
            let told = alarm.told(&self.motors);
            match alarm {
                Alarm::TooHot { .. } if self.spec.role == Role::Follower => {
                    self.wants_torque = false;
                    self.switch(false);
                }
                Alarm::Overload(motor) => settle |= 1 << motor,
                Alarm::TooHot { .. } | Alarm::Warm { .. } | Alarm::Fault { .. } => {}
            }
            news.push((told.0, format!("{}: {}.", self.title, told.1)));
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

    /// A motor that protects itself holds with little force until its torque is switched on again:
    /// that makes its present position its goal.
    fn clear_overload(&mut self, mask: u16) {
        if self.switching.is_none() {
            let jobs = Jobs::new(&self.line);
            self.switching = Some(Switching::new(jobs, mask, true, true));
        }
    }

    /// Switches torque; on begins where each motor is.
    ///
    /// # Errors
    /// They may not be driven: why, and what to do.
    pub(crate) fn set_torque(&mut self, on: bool) -> Result<(), String> {
        if on {
            if self.spec.role == Role::Leader {
                return Err("a leader is moved by hand".to_owned());
            }
            match &self.status {
                CalibrationStatus::Missing | CalibrationStatus::Differs(_) => {
                    return Err("it is not calibrated as its file says; calibrate it first".into());
                }
                CalibrationStatus::Unknown | CalibrationStatus::Matches => {}
            }
            if let Some(why) = self
                .sample
                .and_then(|it| guard::too_warm(&it, &self.motors))
            {
                return Err(why);
            }
        }
        self.wants_torque = on;
        if self.is_there() {
            self.switch(on);
        }
        Ok(())
    }

    fn switch(&mut self, on: bool) {
        if !on {
            // From now on nothing is commanded, whatever the motors answer.
            self.torque = false;
        }
        let jobs = Jobs::new(&self.line);
        self.switching = Some(Switching::new(jobs, self.mask, on, false));
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
        let driven = self.torque && self.is_there();
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

    /// Hands the bus to a procedure that changes what the motors store; nothing else is done with
    /// them until [`Motors::take_back`].
    pub(crate) fn lend(&mut self) -> Result<(Jobs, Arc<[Motor]>), String> {
        if !self.is_there() {
            return Err(match &self.trouble {
                Some(why) => format!("it is not connected: {why}"),
                None => "it is not connected yet".to_owned(),
            });
        }
        self.stage = Stage::Lent;
        self.switching = None;
        self.torque = false;
        self.begun = false;
        Ok((Jobs::new(&self.line), Arc::clone(&self.motors)))
    }

    /// After [`Motors::lend`]: they are set up from the beginning, with this calibration if there is
    /// a new one.
    pub(crate) fn take_back(&mut self, calibration: Option<Calibration>) -> Result<(), String> {
        if matches!(self.stage, Stage::Lent) {
            self.stage = Stage::Away;
        }
        // What they hold on to was changed: nothing of it counts.
        self.was_set_up = false;
        if let Some(calibration) = calibration {
            self.ticks = calibration
                .joints(&self.spec.model)
                .map_err(|error| error.to_string())?;
            self.spec.calibration = Some(calibration);
        }
        Ok(())
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

    fn names(&self, mask: u16) -> impl Iterator<Item = &str> {
        let motors = self.motors.iter().enumerate();
        motors
            .filter(move |(index, _)| mask & (1 << index) != 0)
            .map(|(_, motor)| motor.name.as_str())
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

/// What a person should know of how a calibration stands.
fn calibration_text(title: &str, status: &CalibrationStatus) -> Option<String> {
    match status {
        CalibrationStatus::Unknown | CalibrationStatus::Matches => None,
        CalibrationStatus::Missing => Some(format!(
            "{title}: there is no calibration for it; it is only watched until it is calibrated."
        )),
        CalibrationStatus::Differs(differences) => Some(format!(
            "{title}: its motors store something else than its calibration file says ({}). It is \
             only watched; write the file into the motors, or calibrate it again.",
            differences.join("; ")
        )),
    }
}
