//! Torque: switched on and off, and woken where a motor protects itself.

use forearm_protocol::control::NoticeLevel;
use forearm_protocol::servo::{CalibrationStatus, Role};

use super::connection::Stage;
use super::{Motors, News, guard, set_up};
use crate::procedure::{Jobs, Procedure};

/// Time between two attempts to switch torque off, seconds.
const OFF_AGAIN_SECS: f64 = 1.0;

/// Torque that is being switched.
pub(super) struct Switching {
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
    pub(super) fn go_on_switching(&mut self, news: &mut News) {
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
                if self.off_again_at_secs.is_none() {
                    let text = format!("{}: torque was not switched: {why}.", self.title);
                    news.push((NoticeLevel::Error, text));
                }
                let off = !self.wants_torque && self.spec.role == Role::Follower;
                self.off_again_at_secs = off.then_some(self.now_secs + OFF_AGAIN_SECS);
                self.switching = None;
                return;
            }
        }
        self.off_again_at_secs = None;
        self.switching = None;
    }

    /// Torque that could not be switched off is switched off again.
    pub(super) fn go_on_switching_off(&mut self) {
        let due = self.off_again_at_secs.is_some_and(|at| self.now_secs >= at);
        let may = self.is_linked() && !matches!(self.stage, Stage::Lent);
        if due && may && !self.wants_torque && self.switching.is_none() {
            self.switch(false);
        }
    }

    /// A motor that protects itself holds with little force until its torque is switched on again:
    /// that makes its present position its goal.
    pub(super) fn clear_overload(&mut self, mask: u16) {
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
            if let Some(sample) = &self.sample {
                if let Some(why) = guard::too_warm(sample, &self.motors) {
                    return Err(why);
                }
                let calibration = self.spec.calibration.as_ref();
                let astray = calibration
                    .and_then(|it| set_up::out_of_range(it, &self.motors, &sample.positions));
                if let Some(why) = astray {
                    return Err(why);
                }
            }
        }
        self.wants_torque = on;
        // Off is tried on whoever hears it, also while another motor is missing.
        let may_switch_off = !on && self.is_linked() && !matches!(self.stage, Stage::Lent);
        if self.is_there() || may_switch_off {
            self.switch(on);
        }
        Ok(())
    }

    pub(super) fn switch(&mut self, on: bool) {
        if !on {
            // From now on nothing is commanded, whatever the motors answer.
            self.torque = false;
        }
        let jobs = Jobs::new(&self.line);
        self.switching = Some(Switching::new(jobs, self.mask, on, false));
    }
}
