//! Control ticks with their true times, and the rows between them.

use super::{EpisodeQuality, Timeline};
use crate::journal::{Channel, Layout};

/// Control ticks in the order of their time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    layout: Layout,
    /// Tick after tick.
    values: Vec<f64>,
    /// Each tick's scene and number.
    numbers: Vec<(u64, u64)>,
}

/// Rows of a dataset, in its units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Row after row, a number a channel of the action each.
    pub action: Vec<f32>,
    /// Row after row, a number a channel of the state each.
    pub state: Vec<f32>,
}

/// Why no rows can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResampleError {
    /// There is nothing to interpolate.
    #[error("no control tick was recorded; check that control runs while recording")]
    NoTicks,
    /// A number of the rows is of a joint that ticks don't have.
    #[error(
        "{channel} is joint {joint}, but a tick has {joints} joints; record with the scene's own names"
    )]
    NoJoint {
        /// The number's name.
        channel: String,
        /// Its joint.
        joint: usize,
        /// Joints of a tick.
        joints: usize,
    },
}

impl Series {
    /// No ticks.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            values: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// What is where in a tick.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Takes ticks one after another, of which the first has the number `first` in the scene
    /// `generation`. One that is not later than the one before, or has a value that is no number, is
    /// left out.
    pub fn push(&mut self, generation: u64, first: u64, ticks: &[f64]) {
        for (index, tick) in ticks.chunks_exact(self.layout.width()).enumerate() {
            let later = self.last_secs().is_none_or(|last| tick[0] > last);
            if later && tick.iter().all(|value| value.is_finite()) {
                self.values.extend_from_slice(tick);
                self.numbers
                    .push((generation, first.saturating_add(index as u64)));
            }
        }
    }

    /// How many ticks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// All ticks, one after another, [`Layout::width`] numbers each.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Each tick's scene and number.
    #[must_use]
    pub fn numbers(&self) -> &[(u64, u64)] {
        &self.numbers
    }

    /// When the last tick was, seconds.
    #[must_use]
    pub fn last_secs(&self) -> Option<f64> {
        self.len().checked_sub(1).map(|last| self.secs(last))
    }

    fn tick(&self, index: usize) -> &[f64] {
        let width = self.layout.width();
        &self.values[index * width..(index + 1) * width]
    }

    fn secs(&self, index: usize) -> f64 {
        self.values[index * self.layout.width()]
    }

    /// Whether the world went on from a tick to the one after it: not where it was reset between them.
    fn goes_on(&self, index: usize) -> bool {
        let ((scene, number), (next_scene, next)) = (self.numbers[index], self.numbers[index + 1]);
        scene == next_scene && next > number
    }

    /// The first `rows` rows of an episode: linear between the ticks around each; the nearest tick
    /// before the first, after the last, and where the world was reset between the two. Writes the
    /// figures about ticks into `quality`.
    ///
    /// # Errors
    /// Without ticks, and for channels of joints that they don't have.
    pub fn rows(
        &self,
        timeline: &Timeline,
        rows: u32,
        action: &[Channel],
        state: &[Channel],
        quality: &mut EpisodeQuality,
    ) -> Result<Rows, ResampleError> {
        let joints = self.layout.joints;
        for channel in action.iter().chain(state) {
            if channel.joint >= joints {
                return Err(ResampleError::NoJoint {
                    channel: channel.name.clone(),
                    joint: channel.joint,
                    joints,
                });
            }
        }
        if self.is_empty() {
            return Err(ResampleError::NoTicks);
        }
        let mut made = Rows {
            action: Vec::with_capacity(rows as usize * action.len()),
            state: Vec::with_capacity(rows as usize * state.len()),
        };
        let mut before = 0;
        let mut gap_max_secs: f64 = 0.0;
        for row in 0..rows {
            let Some(at) = timeline.row_secs(row) else {
                break;
            };
            while before + 1 < self.len() && self.secs(before + 1) <= at {
                before += 1;
            }
            let after = if self.secs(before) < at {
                (before + 1).min(self.len() - 1)
            } else {
                before
            };
            let (from, to) = (self.secs(before), self.secs(after));
            gap_max_secs = gap_max_secs.max((at - from).abs()).max((to - at).abs());
            let part = if after == before {
                0.0
            } else if self.goes_on(before) {
                (at - from) / (to - from)
            } else {
                ((at - from) / (to - from)).round()
            };
            let (from, to) = (self.tick(before), self.tick(after));
            let value = |offset: usize, channel: &Channel| {
                let index = offset + channel.joint;
                let joint = from[index] + (to[index] - from[index]) * part;
                ((joint - channel.zero) * channel.scale) as f32
            };
            made.action
                .extend(action.iter().map(|channel| value(1 + joints, channel)));
            made.state
                .extend(state.iter().map(|channel| value(1, channel)));
        }
        quality.tick_gap_max_secs = gap_max_secs;
        self.measure(timeline, rows, quality);
        Ok(made)
    }

    /// Rate, jitter and losses of the ticks from the first row to the last.
    fn measure(&self, timeline: &Timeline, rows: u32, quality: &mut EpisodeQuality) {
        let last = timeline.row_secs(rows.saturating_sub(1));
        let within = |index: usize| {
            let secs = self.secs(index);
            secs >= timeline.start_secs() && last.is_none_or(|last| secs <= last)
        };
        let mut intervals = Vec::new();
        let mut span_secs = 0.0;
        for index in 0..self.len().saturating_sub(1) {
            if !(within(index) && within(index + 1) && self.goes_on(index)) {
                continue;
            }
            let secs = self.secs(index + 1) - self.secs(index);
            span_secs += secs;
            let lost = self.numbers[index + 1].1 - self.numbers[index].1 - 1;
            quality.ticks_lost = quality.ticks_lost.saturating_add(lost);
            intervals.push(secs);
        }
        if intervals.is_empty() {
            return;
        }
        quality.tick_hz = intervals.len() as f64 / span_secs;
        let median = percentile(&mut intervals, 0.5);
        for interval in &mut intervals {
            *interval = (*interval - median).abs();
        }
        quality.tick_jitter_p99_secs = percentile(&mut intervals, 0.99);
    }
}

/// The value that `part` of all values are not above. `values` is not empty; its order changes.
fn percentile(values: &mut [f64], part: f64) -> f64 {
    let rank = (values.len() as f64 * part).ceil() as usize;
    let index = rank.clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(index, f64::total_cmp).1
}
