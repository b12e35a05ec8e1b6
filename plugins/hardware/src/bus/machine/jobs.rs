//! Jobs' questions, one after the other, and their answers.

use super::{Bus, CLOSING_RETRIES, Phase, Purpose};
use crate::bus::errand::{Errand, Expect, JobId, Progress};
use crate::bus::{BusError, JobReply};
use crate::codec::StatusBits;

impl Bus {
    pub(super) fn ask_job(&mut self, now: f64) -> bool {
        if self.phase != Phase::Idle || !self.has_job() {
            return false;
        }
        self.job_turn = false;
        let unanswered = self.errand.as_ref().is_some_and(Errand::asks_nobody);
        let since = self.deferred_since;
        let overdue = since.is_some_and(|since| now - since > self.patience.limit());
        // An answer to an earlier question could be taken for one to this.
        if now < self.uncertain_until && !unanswered {
            self.deferred_since.get_or_insert(now);
            // A flaky motor leaves question after question of cycles unanswered: then they pause.
            if overdue || !self.cycles_run() || self.present() == 0 {
                self.job_turn = true;
                self.phase = Phase::Quieting {
                    until: self.uncertain_until,
                    secs: 0.0,
                    at_most: self.uncertain_until,
                };
            }
            return false;
        }
        let Some(mut errand) = self.errand.take().or_else(|| self.next_errand()) else {
            return false;
        };
        // Goals and positions wait until the torque is off, if that had to wait for them.
        self.job_turn = overdue && errand.effect(&self.names).off != 0;
        let expect = errand.ask(&mut self.packet, &self.names);
        let (id, sent) = (errand.id, expect.is_ok());
        if sent {
            self.append_packet();
        }
        match expect {
            Err(error) => self.answer(id, Err(error)),
            Ok(Expect::Nobody) => {
                let progress = errand.answered(&[], StatusBits::OK);
                self.errand = Some(errand);
                self.advance(Some(progress));
            }
            Ok(Expect::One { id, len }) => {
                self.errand = Some(errand);
                self.await_ids(&[id], len, Purpose::Job);
            }
            Ok(Expect::Several { mask, len }) => {
                self.errand = Some(errand);
                self.await_places(mask, len, Purpose::JobSeveral);
            }
            Ok(Expect::Everybody) => {
                self.errand = Some(errand);
                self.await_ids(&[], 0, Purpose::JobEverybody);
            }
        }
        sent
    }

    /// The next job that has something to ask; those that have not are answered.
    pub(super) fn next_errand(&mut self) -> Option<Errand> {
        loop {
            let (id, job) = self.queue.pop_front()?;
            match Errand::new(Some(id), job, &self.names) {
                Ok(errand) if errand.is_empty() => {
                    let status = StatusBits::OK;
                    self.answer(Some(id), Ok(JobReply::Done { status }));
                }
                Ok(errand) => {
                    let effect = errand.effect(&self.names);
                    self.goals.drop_of(effect.ends_goals);
                    self.sample.limp |= effect.off;
                    return Some(errand);
                }
                Err(error) => self.answer(Some(id), Err(error)),
            }
        }
    }

    pub(super) fn job_answered(&mut self, broken: bool) {
        let complete = self.exchange.is_complete();
        let (_, data, status) = self.exchange.reply(0);
        let progress = match &mut self.errand {
            Some(errand) if complete => Some(errand.answered(data, status)),
            _ => self.job_unanswered(broken),
        };
        self.advance(progress);
    }

    pub(super) fn job_answered_by_several(&mut self, broken: bool) {
        let Some(errand) = &mut self.errand else {
            return;
        };
        for (id, data, _) in self.exchange.replies() {
            if let Some(place) = self.names.place(id) {
                errand.several(place, data);
            }
        }
        let progress = match errand.several_end() {
            Some(progress) => Some(progress),
            None => self.job_unanswered(broken),
        };
        self.advance(progress);
    }

    pub(super) fn job_unanswered(&mut self, broken: bool) -> Option<Progress> {
        let errand = self.errand.as_mut()?;
        let retries = match self.closing_until {
            Some(_) => self.config.retries.max(CLOSING_RETRIES),
            None => self.config.retries,
        };
        let doubtful = self.echo.is_doubtful();
        let progress = errand.unanswered(broken, retries, doubtful, &self.names);
        self.counters.retries += u64::from(matches!(progress, Progress::Goes));
        Some(progress)
    }

    pub(super) fn advance(&mut self, progress: Option<Progress>) {
        let Some(Progress::Ended(result)) = progress else {
            return;
        };
        let Some(errand) = self.errand.take() else {
            return;
        };
        self.deferred_since = None;
        let effect = errand.effect(&self.names);
        self.goals.drop_of(effect.ends_goals);
        if result.is_ok() {
            self.sample.limp &= !effect.on;
        }
        let result = result.map_err(|error| errand.named(error, &self.names));
        self.answer(errand.id, result);
    }

    pub(super) fn answer(&mut self, id: Option<JobId>, result: Result<JobReply, BusError>) {
        match (id, result) {
            (Some(id), result) => {
                self.counters.jobs += 1;
                self.replies.push_back((id, result));
            }
            (None, result) => {
                if let Err(error) = result {
                    tracing::warn!("closing: {error}");
                }
                self.shut();
            }
        }
    }
}
