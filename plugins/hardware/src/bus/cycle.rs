//! When a cycle begins, what it still wants, and which motors are left out of it.

use super::counters::{Timing, Window};
use super::{
    ABSENT_AFTER, Goals, MAX_SERVOS, PROBE_SECS, PerServo, REFRESH_SECS, SLOW_SECS, Sample,
};

/// After so many times in a row in which goals and question together were not answered and the
/// question alone was, goals go out on their own.
const JOINED_FAILURES: u8 = 5;

/// Whether motors understand two packets without a pause between them.
#[derive(Debug, Clone, Copy, Default)]
struct Joined {
    /// The question that is out has goals before it.
    together: bool,
    /// The last such was not answered at all.
    unheard: bool,
    failures: u8,
    apart: bool,
}

/// The cycle under way, if one is, and what has to be known from one to the next.
#[derive(Debug, Clone)]
pub(super) struct Cycles {
    /// Motors whose positions are still wanted: bit a motor. 0 between two cycles.
    pub(super) wanted: u16,
    /// Whether the read is a long one.
    pub(super) long: bool,
    /// How often may still be asked again.
    pub(super) tries: u8,
    /// Whether the question of this cycle was asked before.
    pub(super) again: bool,
    joined: Joined,
    started_at: Option<f64>,
    due_at: f64,
    long_at: f64,
    misses: PerServo<u8>,
    probe_at: f64,
    probed: usize,
    read_times: Window,
    write_times: Window,
    cycle_times: Window,
}

impl Cycles {
    pub(super) fn new() -> Self {
        Self {
            wanted: 0,
            long: false,
            tries: 0,
            again: false,
            joined: Joined::default(),
            started_at: None,
            due_at: 0.0,
            long_at: 0.0,
            misses: [0; MAX_SERVOS],
            probe_at: 0.0,
            probed: 0,
            read_times: Window::new(),
            write_times: Window::new(),
            cycle_times: Window::new(),
        }
    }

    /// The port is another one, or the same again.
    pub(super) fn restart(&mut self) {
        self.wanted = 0;
        self.joined = Joined::default();
        self.started_at = None;
        self.due_at = 0.0;
        self.long_at = 0.0;
        self.misses = [0; MAX_SERVOS];
        self.probe_at = 0.0;
    }

    /// Goals and the question went out together.
    pub(super) const fn go_together(&mut self) {
        self.joined.together = true;
    }

    /// A question of a cycle ended, and somebody was heard or nobody. Whether goals go out on their
    /// own from now on.
    pub(super) fn was_heard(&mut self, heard: bool) -> bool {
        let joined = &mut self.joined;
        if std::mem::take(&mut joined.together) {
            joined.unheard = !heard;
            if heard {
                joined.failures = 0;
            }
        } else if heard && std::mem::take(&mut joined.unheard) {
            joined.failures += 1;
            if joined.failures >= JOINED_FAILURES && !joined.apart {
                joined.apart = true;
                return true;
            }
        }
        false
    }

    /// Whether goals go out on their own.
    pub(super) const fn are_apart(&self) -> bool {
        self.joined.apart
    }

    /// Whether a cycle has begun and not ended.
    pub(super) const fn is_under_way(&self) -> bool {
        self.wanted != 0
    }

    /// When the next cycle may begin.
    pub(super) const fn due_at(&self) -> f64 {
        self.due_at
    }

    /// When the next motor that was left out is looked for.
    pub(super) const fn probe_at(&self) -> f64 {
        self.probe_at
    }

    pub(super) fn begin(&mut self, now: f64, motors: u16, tries: u8, period: f64) {
        if let Some(before) = self.started_at.replace(now) {
            self.cycle_times.add(now - before);
        }
        // Absolute, so that waiting a little too long does not add up.
        self.due_at = (self.due_at + period).max(now);
        self.wanted = motors;
        self.tries = tries;
        self.again = false;
        self.long = now >= self.long_at;
        if self.long {
            self.long_at = now + SLOW_SECS;
        }
    }

    /// All retries are used up or not needed. Counts who did not answer, and leaves out who has not
    /// for long. Answers how many are missing.
    pub(super) fn end(&mut self, asked: u16, sample: &mut Sample) -> u64 {
        let missing = std::mem::take(&mut self.wanted);
        for place in super::job::places(asked) {
            let bit = 1 << place;
            if missing & bit == 0 {
                self.misses[place] = 0;
                continue;
            }
            self.misses[place] = self.misses[place].saturating_add(1);
            if self.misses[place] >= ABSENT_AFTER {
                sample.absent |= bit;
            }
        }
        missing.count_ones().into()
    }

    /// The motor to look for, if one was left out and it is time to.
    pub(super) fn probe(&mut self, now: f64, absent: u16) -> Option<usize> {
        if absent == 0 || now < self.probe_at {
            return None;
        }
        let after = (1..=MAX_SERVOS).map(|step| (self.probed + step) % MAX_SERVOS);
        let place = after.into_iter().find(|place| absent & (1 << place) != 0)?;
        self.probed = place;
        self.probe_at = now + PROBE_SECS;
        Some(place)
    }

    /// A motor that was left out is there again. The others are looked for at once.
    pub(super) fn is_back(&mut self, place: usize, now: f64) {
        self.misses[place] = 0;
        self.probe_at = now;
        self.long_at = now;
    }

    pub(super) fn was_read(&mut self, secs: f64) {
        self.read_times.add(secs);
    }

    pub(super) fn was_written(&mut self, secs: f64) {
        self.write_times.add(secs);
    }

    /// Times of reads, writes and whole cycles.
    pub(super) fn timings(&self) -> [Timing; 3] {
        [&self.read_times, &self.write_times, &self.cycle_times].map(Window::timing)
    }
}

/// The goals of cycles, and whether they have to be written.
#[derive(Debug, Clone)]
pub(super) struct GoalState {
    goals: Goals,
    fresh: bool,
    written_at: f64,
    alive_at: f64,
}

impl GoalState {
    pub(super) fn new() -> Self {
        Self {
            goals: Goals::default(),
            fresh: false,
            written_at: 0.0,
            alive_at: f64::NEG_INFINITY,
        }
    }

    pub(super) fn set(&mut self, now: f64, goals: &Goals) {
        self.goals = *goals;
        self.fresh = true;
        self.alive(now);
    }

    pub(super) const fn alive(&mut self, now: f64) {
        self.alive_at = now;
    }

    /// These motors have no goal any more.
    pub(super) const fn drop_of(&mut self, motors: u16) {
        self.goals.mask &= !motors;
    }

    /// What is to be written now to these motors. `None` if nothing is.
    pub(super) fn due(&mut self, now: f64, motors: u16, silence_secs: f64) -> Option<Goals> {
        let mask = self.goals.mask & motors;
        let again = now - self.written_at >= REFRESH_SECS && now - self.alive_at <= silence_secs;
        if mask == 0 || !(self.fresh || again) {
            return None;
        }
        self.fresh = false;
        self.written_at = now;
        Some(Goals { mask, ..self.goals })
    }
}
