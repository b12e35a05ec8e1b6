//! Torque: switched on and off, and woken where a motor protects itself.

use forearm_protocol::control::NoticeLevel;
use forearm_protocol::servo::{CalibrationStatus, Role};

use super::{Motors, News, guard};
use crate::procedure::{Jobs, Procedure};

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
                let text = format!("{}: torque was not switched: {why}.", self.title);
                news.push((NoticeLevel::Error, text));
            }
        }
        self.switching = None;
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

    pub(super) fn switch(&mut self, on: bool) {
        if !on {
            // From now on nothing is commanded, whatever the motors answer.
            self.torque = false;
        }
        let jobs = Jobs::new(&self.line);
        self.switching = Some(Switching::new(jobs, self.mask, on, false));
    }
}
