//! A cycle's questions: goals and positions, what was missing again, motors that were left out.

use super::{Bus, Phase, Purpose};
use crate::bus::job::places;
use crate::bus::{MAX_SERVOS, errand, sample};
use crate::codec::registers::GOAL_POSITION;

/// Pause between goals and question where motors need one.
const APART_SECS: f64 = 2e-4;

impl Bus {
    pub(super) fn begin_cycle(&mut self, now: f64) -> bool {
        let motors = self.present();
        let free = self.phase == Phase::Idle && self.cycles_run();
        if !free || motors == 0 || now < self.cycles.due_at() {
            return false;
        }
        let (retries, period) = (self.config.retries, self.config.period_secs());
        self.cycles.begin(now, motors, retries, period);
        self.sample.fresh = 0;
        self.has_sample = false;
        self.counters.reads += 1;
        let driven = motors & !self.sample.limp;
        if let Some(goals) = self.goals.due(now, driven, self.config.silence_secs) {
            let (packet, names) = (&mut self.packet, &self.names);
            // Goals that don't fit into the register are not taken in the first place.
            if errand::write_all(packet, names, &GOAL_POSITION, &goals.ticks, goals.mask).is_ok() {
                self.append_packet();
                self.out_writes = true;
                self.counters.writes += 1;
                if self.cycles.are_apart() {
                    let on_wire = self.out_len as f64 * self.config.byte_secs();
                    let until = now + on_wire + APART_SECS;
                    self.phase = Phase::Quieting {
                        until,
                        secs: 0.0,
                        at_most: until,
                    };
                    return true;
                }
                self.cycles.go_together();
            }
        }
        self.ask_cycle()
    }

    /// Asks for what the cycle still wants.
    pub(super) fn ask_cycle(&mut self) -> bool {
        let wanted = self.cycles.wanted;
        let len = if self.cycles.long {
            sample::LONG
        } else {
            sample::SHORT
        };
        if wanted.count_ones() == 1 {
            let id = self.names.id(wanted.trailing_zeros() as usize);
            self.packet.read(id, sample::READ_FROM, len);
        } else {
            let mut ids = [0; MAX_SERVOS];
            let mut count = 0;
            for place in places(wanted) {
                ids[count] = self.names.id(place);
                count += 1;
            }
            let asked = self.packet.sync_read(sample::READ_FROM, len, &ids[..count]);
            if asked.is_err() {
                return false;
            }
        }
        self.append_packet();
        self.await_places(wanted, len.into(), Purpose::Cycle);
        true
    }

    pub(super) fn cycle_read(&mut self, now: f64, timed_out: bool) {
        for (id, data, status) in self.exchange.replies() {
            if let Some(place) = self.names.place(id) {
                self.sample.take(place, data, status);
                self.cycles.wanted &= !(1 << place);
            }
        }
        if self.cycles.was_heard(!self.exchange.is_silent()) {
            tracing::info!(
                "motors on {} don't understand goals and a question in one go: they are sent apart",
                self.names.port()
            );
        }
        if !self.cycles.again || self.sample.fresh == 0 {
            self.sample.at_secs = self.exchange.middle();
        }
        if self.cycles.wanted != 0 && self.cycles.tries > 0 {
            // What went wrong twice may be replies to the first question.
            if self.cycles.again && !timed_out && self.phase == Phase::Idle {
                self.quiet(now);
            }
            self.cycles.tries -= 1;
            self.cycles.again = true;
            self.counters.retries += 1;
            return;
        }
        if self.cycles.wanted != 0 && !timed_out && self.phase == Phase::Idle {
            self.quiet(now);
        }
        let motors = self.present();
        self.counters.lost_samples += self.cycles.end(motors, &mut self.sample);
        self.counters.cycles += 1;
        self.cycles.was_read(now - self.cycle_sent_at);
        self.sample.cycle += 1;
        if self.cycles.long && self.sample.fresh != 0 {
            self.sample.slow.at_secs = self.sample.at_secs;
        }
        self.has_sample = true;
        self.job_turn = true;
    }

    pub(super) fn probe(&mut self, now: f64) -> bool {
        if self.phase != Phase::Idle || !self.cycles_run() {
            return false;
        }
        let Some(place) = self.cycles.probe(now, self.sample.absent) else {
            return false;
        };
        self.packet
            .read(self.names.id(place), sample::READ_FROM, sample::SHORT);
        self.append_packet();
        let len = sample::SHORT.into();
        self.await_places(1 << place, len, Purpose::Probe(place));
        true
    }

    pub(super) fn probed(&mut self, now: f64, place: usize) {
        if self.exchange.is_complete() {
            self.sample.absent &= !(1 << place);
            // It may have been without power: its torque is switched on deliberately or not at all.
            self.goals.drop_of(1 << place);
            self.sample.limp |= 1 << place;
            self.cycles.is_back(place, now);
        }
        if self.present() == 0 {
            self.sample.fresh = 0;
            self.has_sample = true;
        }
        self.job_turn = true;
    }
}
