//! Control's ticks since the scene was loaded or reset: kept within bounds, lost ones counted, those
//! whose time can't be true refused.
//!
//! Times are seconds on the shared clock. A tick is [`TickLayout::width`](forearm_protocol::record::TickLayout::width)
//! numbers, its time first.

#[cfg(test)]
mod tests;

use forearm_protocol::record::TickBatch;

/// How many numbers are kept at most: 32 MB; with one arm and two objects, 40 minutes.
const MAX_VALUES: usize = 4 << 20;
/// A tick this much later than the one before it is not believed, seconds.
pub const MAX_LEAP_SECS: f64 = 10.0;
/// Ticks so close to each other have the same time: those that catch up fall on one instant of a browser's
/// coarse clock. What counts is their order, and that no time is there twice. Seconds.
const SAME_SECS: f64 = 1e-6;
/// From so many ticks their period is told: two seconds of them.
const PERIOD_TICKS: usize = 240;
/// So many ticks in a row that agree among themselves are believed after all: time was set.
const AGREEING: u32 = 60;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Intake {
    /// How many ticks were taken; they are the newest ones in [`Ticks::since`].
    pub taken: usize,
    /// Ticks that were lost before this batch.
    pub lost: u64,
    /// Ticks that were refused because of their time.
    pub refused: u64,
    /// Why what came before does not go on in this batch.
    pub broken: Option<Break>,
}

/// Why ticks don't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// They are of another scene.
    Scene,
    /// The scene was reset.
    Reset,
    /// Their clock was set.
    Clock,
}

/// The ticks since the last break; see the module's documentation.
#[derive(Debug, Default)]
pub struct Ticks {
    generation: u64,
    width: usize,
    /// Tick after tick; what is before `dropped` was given up.
    values: Vec<f64>,
    /// Each tick's number, as control counts.
    numbers: Vec<u64>,
    /// How many ticks before the first in `values` were given up for want of room.
    dropped: usize,
    next_tick: u64,
    lost: u64,
    /// Ticks in a row that were refused and agree with each other, and the time of the last.
    suspicious: (u32, f64),
}

impl Ticks {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a batch.
    pub fn take(&mut self, batch: &TickBatch) -> Intake {
        let mut intake = Intake::default();
        let width = batch.width as usize;
        if width == 0 || batch.values.len() < width {
            return intake;
        }
        let begun = self.width > 0;
        if batch.generation != self.generation || width != self.width {
            intake.broken = begun.then_some(Break::Scene);
            self.begin(batch.generation, width);
            self.next_tick = batch.first_tick;
        } else if batch.first_tick < self.next_tick {
            intake.broken = Some(Break::Reset);
            self.begin(batch.generation, width);
            self.next_tick = batch.first_tick;
        } else {
            intake.lost = batch.first_tick - self.next_tick;
            self.lost += intake.lost;
        }
        for (number, tick) in (batch.first_tick..).zip(batch.ticks()) {
            match self.judge(tick[0]) {
                Judgement::Sound => self.keep(number, tick),
                Judgement::Refused => {
                    intake.refused += 1;
                    continue;
                }
                Judgement::Believed => {
                    self.begin(self.generation, self.width);
                    intake.taken = 0;
                    intake.broken = Some(Break::Clock);
                    self.keep(number, tick);
                }
            }
            intake.taken += 1;
        }
        self.next_tick = batch
            .first_tick
            .saturating_add(batch.ticks().count() as u64);
        intake
    }

    /// Forgets everything, as when another scene is there.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The scene they are of; nothing before the first.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        (self.width > 0).then_some(self.generation)
    }

    /// Numbers a tick; 0 before the first.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many ticks there were since the last break, given-up ones among them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.dropped + self.kept()
    }

    /// The ticks from number `from` (counted since the last break) on, one after another; those that
    /// were given up are left out.
    #[must_use]
    pub fn since(&self, from: usize) -> &[f64] {
        let first = from.saturating_sub(self.dropped).min(self.kept());
        &self.values[first * self.width..]
    }

    /// As [`Ticks::since`], in runs whose ticks' numbers count on by one: the first number of each.
    pub fn runs(&self, from: usize) -> impl Iterator<Item = (u64, &[f64])> {
        let first = from.saturating_sub(self.dropped).min(self.kept());
        let runs = self.numbers[first..].chunk_by(|number, next| *next == number + 1);
        runs.scan(first, |begun, run| {
            let from = *begun;
            *begun += run.len();
            let values = &self.values[from * self.width..*begun * self.width];
            Some((run[0], values))
        })
    }

    /// Whether all ticks since the scene was loaded or reset are there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.dropped == 0 && self.lost == 0 && self.numbers.first() == Some(&0)
    }

    /// The number of the first tick at `secs` or later.
    #[must_use]
    pub fn first_at(&self, secs: f64) -> usize {
        let (mut low, mut high) = (0, self.kept());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.values[middle * self.width] < secs {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.dropped + low
    }

    /// The newest tick.
    #[must_use]
    pub fn newest(&self) -> Option<&[f64]> {
        let last = self.kept().checked_sub(1)?;
        Some(&self.values[last * self.width..])
    }

    /// The newest tick's time.
    #[must_use]
    pub fn newest_secs(&self) -> Option<f64> {
        self.newest().map(|tick| tick[0])
    }

    /// Ticks a second, over the second before `now_secs`.
    #[must_use]
    pub fn rate_hz(&self, now_secs: f64) -> f64 {
        (self.count() - self.first_at(now_secs - 1.0)) as f64
    }

    /// The time between two ticks as control means it, seconds: of a whole number of ticks a second. From
    /// the newest ticks; nothing while there are too few.
    #[must_use]
    pub fn period_secs(&self) -> Option<f64> {
        let from = self.kept().saturating_sub(PERIOD_TICKS);
        let (first, last) = (self.numbers.get(from)?, self.numbers.last()?);
        let secs = self.newest_secs()? - self.values.get(from * self.width)?;
        let rate_hz = (last - first) as f64 / secs;
        (rate_hz.is_finite() && rate_hz >= 0.5).then(|| 1.0 / rate_hz.round())
    }

    /// Ticks that were lost on their way since the last break.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn kept(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    fn begin(&mut self, generation: u64, width: usize) {
        self.generation = generation;
        self.width = width;
        self.values.clear();
        self.numbers.clear();
        self.dropped = 0;
        self.lost = 0;
        self.suspicious = (0, 0.0);
    }

    fn judge(&mut self, secs: f64) -> Judgement {
        if !secs.is_finite() {
            return Judgement::Refused;
        }
        let Some(newest) = self.newest_secs() else {
            return Judgement::Sound;
        };
        if (-SAME_SECS..=MAX_LEAP_SECS).contains(&(secs - newest)) {
            self.suspicious.0 = 0;
            return Judgement::Sound;
        }
        let (count, last) = self.suspicious;
        let agrees = count > 0 && secs > last && secs - last <= 1.0;
        self.suspicious = (if agrees { count + 1 } else { 1 }, secs);
        if self.suspicious.0 >= AGREEING {
            Judgement::Believed
        } else {
            Judgement::Refused
        }
    }

    fn keep(&mut self, number: u64, tick: &[f64]) {
        if self.values.len() + self.width > MAX_VALUES {
            // A quarter at once, so that it is rarely moved.
            let gone = (self.kept() / 4).max(1);
            self.values.drain(..gone * self.width);
            self.numbers.drain(..gone);
            self.dropped += gone;
        }
        let newest_secs = self.newest_secs();
        let begin = self.values.len();
        self.values.extend_from_slice(tick);
        self.numbers.push(number);
        if let Some(newest_secs) = newest_secs.filter(|newest| self.values[begin] <= *newest) {
            self.values[begin] = newest_secs.next_up();
        }
    }
}

enum Judgement {
    Sound,
    Refused,
    /// It and those before it were refused long enough.
    Believed,
}
