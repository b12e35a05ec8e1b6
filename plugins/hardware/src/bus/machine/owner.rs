//! What the owner of a bus asks and is told.

use super::{Bus, CLOSING_SECS, Phase};
use crate::bus::cycle::GoalState;
use crate::bus::errand::Errand;
use crate::bus::job::places;
use crate::bus::patience::Patience;
use crate::bus::{BusError, Counters, Goals, Job, JobId, JobReply, MAX_JOBS, Sample};
use crate::codec::registers::GOAL_POSITION;

impl Bus {
    /// Goals for the next cycle; they replace those before. Goals of another generation and goals
    /// that fit into no register are dropped.
    pub fn command(&mut self, now: f64, goals: &Goals) {
        let (least, most) = GOAL_POSITION.range();
        let fit = places(goals.mask).all(|place| (least..=most).contains(&goals.ticks[place]));
        if goals.generation != self.sample.generation || !fit || self.closing_until.is_some() {
            self.counters.stale_goals += 1;
            return;
        }
        self.goals.set(now, goals);
    }

    /// Somebody still wants the goals that were commanded.
    pub fn alive(&mut self, now: f64) {
        self.goals.alive(now);
    }

    /// A job, to be done after those before it. Its answer comes from [`Bus::take_reply`].
    ///
    /// # Errors
    /// [`BusError::Busy`], [`BusError::Closed`].
    pub fn submit(&mut self, job: Job) -> Result<JobId, BusError> {
        if self.closing_until.is_some() {
            return Err(BusError::Closed {
                port: self.names.port().to_owned(),
            });
        }
        let waiting = self.queue.len() + self.replies.len();
        if waiting >= MAX_JOBS {
            return Err(BusError::Busy {
                port: self.names.port().to_owned(),
                waiting,
            });
        }
        self.last_job += 1;
        let id = JobId(self.last_job);
        self.queue.push_back((id, job));
        Ok(id)
    }

    /// A job that is done, and what it brought.
    pub fn take_reply(&mut self) -> Option<(JobId, Result<JobReply, BusError>)> {
        self.replies.pop_front()
    }

    /// What the last cycle brought, once.
    pub fn take_sample(&mut self) -> Option<&Sample> {
        std::mem::take(&mut self.has_sample).then_some(&self.sample)
    }

    /// The state after the last cycle.
    #[must_use]
    pub const fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Everything counted so far. Sorts some numbers: not for every cycle.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let errors = self.parser.errors();
        let [read_time, write_time, cycle_time] = self.cycles.timings();
        Counters {
            checksum_errors: errors.checksum,
            skipped_bytes: errors.skipped_bytes,
            echoes: self.echo.count(),
            read_time,
            write_time,
            cycle_time,
            ..self.counters
        }
    }

    /// The port is gone: jobs fail, goals are forgotten, everything is as before the first cycle.
    /// Samples have the next generation from here on.
    pub fn disconnected(&mut self, why: &str) {
        let error = BusError::Disconnected {
            port: self.names.port().to_owned(),
            why: why.to_owned(),
        };
        self.fail_jobs(&error);
        self.parser.clear();
        self.echo.restart();
        self.patience = Patience::new(self.config.reply_secs());
        self.cycles.restart();
        self.goals = GoalState::new();
        self.sample = Sample {
            generation: self.sample.generation.wrapping_add(1),
            cycle: self.sample.cycle,
            ..Sample::default()
        };
        self.has_sample = false;
        self.uncertain_until = 0.0;
        self.unsettled = false;
        match self.closing_until {
            Some(_) => self.phase = Phase::Closed,
            None => self.phase = Phase::Idle,
        }
    }

    /// The port is back after [`Bus::disconnected`].
    pub fn reconnected(&mut self) {
        self.counters.reconnects += 1;
    }

    /// Stops cycles and jobs; switches the torque of all motors off first, if so asked. Goes on
    /// until [`Bus::is_closed`], at most one and a half seconds.
    pub fn close(&mut self, now: f64, torque_off: bool) {
        if self.closing_until.is_some() {
            return;
        }
        let port = self.names.port().to_owned();
        self.fail_jobs(&BusError::Closed { port });
        self.closing_until = Some(now + CLOSING_SECS);
        self.cycles.wanted = 0;
        if matches!(self.phase, Phase::Awaiting(_)) {
            self.uncertain_until = self.exchange.limit();
            self.phase = Phase::Idle;
        }
        let job = Job::Torque {
            mask: u16::MAX,
            on: false,
        };
        match Errand::new(None, job, &self.names) {
            Ok(errand) if torque_off && !errand.is_empty() => self.errand = Some(errand),
            _ => self.shut(),
        }
    }

    /// Whether nothing is sent any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    pub(super) fn shut(&mut self) {
        self.errand = None;
        self.phase = Phase::Closed;
    }

    pub(super) fn fail_jobs(&mut self, error: &BusError) {
        self.deferred_since = None;
        if let Some(id) = self.errand.take().and_then(|errand| errand.id) {
            self.answer(Some(id), Err(error.clone()));
        }
        while let Some((id, _)) = self.queue.pop_front() {
            self.answer(Some(id), Err(error.clone()));
        }
    }
}
