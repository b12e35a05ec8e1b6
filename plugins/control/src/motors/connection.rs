//! A connection that comes, is set up, goes and comes back.

use std::sync::Arc;

use forearm_arm::calibration::Calibration;
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::servo::{CalibrationStatus, Role, SerialArm};

use super::guard::Guard;
use super::{Motor, Motors, News, set_up};
use crate::line::Link;
use crate::procedure::{Jobs, Procedure};

/// How long until a set-up that failed is tried again, seconds.
const RETRY_SECS: f64 = 1.0;

/// How far the connection is.
pub(super) enum Stage {
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

impl Motors {
    pub(super) fn take_sample(&mut self) {
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
    pub(super) fn leave(&mut self) {
        if !matches!(self.stage, Stage::Lent) {
            self.stage = Stage::Away;
        }
        self.switching = None;
        self.torque = false;
        self.begun = false;
    }

    pub(super) fn lose(&mut self, why: String, news: &mut News) {
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
    pub(super) fn missing(&mut self, news: &mut News) {
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

    pub(super) fn go_on(&mut self, news: &mut News) {
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

    pub(super) fn begin_set_up(&mut self) {
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

    pub(super) fn end_set_up(&mut self, done: set_up::SetUp, news: &mut News) {
        self.stage = Stage::Ready;
        self.was_set_up = true;
        self.torque = done.torque;
        self.guard = Guard::default();
        if let Some(why) = done.obstacle {
            self.wants_torque = false;
            let text = format!("{}: torque stays off: {why}.", self.title);
            news.push((NoticeLevel::Warning, text));
        }
        if done.torque && !self.wants_torque && self.spec.role == Role::Follower {
            // It was switched off while it was being set up.
            self.switch(false);
        }
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

    /// Speaks with the same motors from now on by another calibration, or none, from the beginning.
    ///
    /// # Errors
    /// It is not these motors'; nothing changes then.
    pub(crate) fn begin_anew(
        &mut self,
        serial: SerialArm,
        calibration: Option<Calibration>,
    ) -> Result<(), String> {
        let ticks = match &calibration {
            Some(calibration) => {
                self.check(calibration)?;
                calibration
                    .joints(&self.spec.model)
                    .map_err(|error| error.to_string())?
            }
            None => Vec::new(),
        };
        self.ticks = ticks;
        self.spec.calibration = calibration;
        self.spec.serial = serial;
        self.wants_torque = self.spec.role == Role::Follower;
        self.was_set_up = false;
        self.leave();
        Ok(())
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

    fn names(&self, mask: u16) -> impl Iterator<Item = &str> {
        let motors = self.motors.iter().enumerate();
        motors
            .filter(move |(index, _)| mask & (1 << index) != 0)
            .map(|(_, motor)| motor.name.as_str())
    }
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
            CalibrationStatus::few(differences)
        )),
    }
}
