//! Which frame of a camera belongs to which row, decided while recording.

use std::collections::VecDeque;

use super::{Tally, Timeline};
use crate::journal::Freshness;

/// How long a row waits for a nearer frame by default, seconds: as long as a camera of 5 frames a
/// second needs to give its next one.
const PATIENCE_SECS: f64 = 0.3;

/// How far from its row a frame may be, by default, before the camera counts as gone, seconds.
const STALE_SECS: f64 = 0.5;

/// How many frames may wait. Two wait in normal times.
const CAPACITY: usize = 32;

/// Frames that are this equally near to a row are equally near: the earlier one is shown, or rounding
/// would choose.
const TIE_SECS: f64 = 5e-7;

/// A frame this near to its row can't be bettered: it is shown without waiting for the next, seconds.
const EXACT_SECS: f64 = 1e-6;

/// Says which frame each row of one camera shows: the one that was taken nearest to it.
///
/// Frames are pushed in the order in which they were taken; [`Slotter::next`] then says what to do,
/// row after row. A row is decided when a frame at or after it is there, or when none came for a
/// while. `F` is whatever holds a frame: the slotter never looks into it and gives each one out once.
#[derive(Debug)]
pub struct Slotter<F> {
    /// Frames that no row shows so far, oldest first.
    waiting: VecDeque<(f64, F)>,
    /// When the newest frame that was pushed was taken.
    newest_secs: f64,
    /// When the frame that the last row shows was taken.
    shown_secs: Option<f64>,
    row: u32,
    hung: bool,
    patience_secs: f64,
    stale_secs: f64,
    tally: Tally,
    repeated: u32,
    stale: u32,
}

/// What to do with a frame, or a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot<F> {
    /// Encode this frame for this row.
    Show {
        /// The row.
        row: u32,
        /// The frame.
        frame: F,
        /// When it was taken, seconds.
        captured_secs: f64,
        /// [`Freshness::New`], or [`Freshness::Stale`] when the camera hung.
        freshness: Freshness,
    },
    /// Encode the frame of the row before again for this row.
    Again {
        /// The row.
        row: u32,
        /// When the frame was taken, seconds.
        captured_secs: f64,
        /// [`Freshness::Repeated`], or [`Freshness::Stale`] when the camera hung or was gone.
        freshness: Freshness,
    },
    /// No row shows this frame: its memory can be used again.
    Spare(F),
}

impl<F> Default for Slotter<F> {
    fn default() -> Self {
        Self::new(PATIENCE_SECS, STALE_SECS)
    }
}

impl<F> Slotter<F> {
    /// A slotter at row 0. A row waits for `patience_secs` after its time for a nearer frame; a frame
    /// further than `stale_secs` from its row is none of it. [`Slotter::default`] has what suits
    /// cameras of 5 frames a second and more.
    #[must_use]
    pub fn new(patience_secs: f64, stale_secs: f64) -> Self {
        Self {
            waiting: VecDeque::with_capacity(CAPACITY),
            newest_secs: f64::NEG_INFINITY,
            shown_secs: None,
            row: 0,
            hung: false,
            patience_secs,
            stale_secs,
            tally: Tally::default(),
            repeated: 0,
            stale: 0,
        }
    }

    /// Takes a frame. It comes back when it was not taken after the one before (a clock that jumped),
    /// or when too many wait: that one counts as dropped.
    #[must_use = "a frame that comes back can be used again"]
    pub fn push(&mut self, captured_secs: f64, frame: F) -> Option<F> {
        if !captured_secs.is_finite() || captured_secs <= self.newest_secs {
            return Some(frame);
        }
        if self.waiting.len() >= CAPACITY {
            self.tally.count(captured_secs);
            self.tally.dropped += 1;
            return Some(frame);
        }
        self.newest_secs = captured_secs;
        self.waiting.push_back((captured_secs, frame));
        None
    }

    /// Gives out the frames that wait and were taken after `last_secs`: they are of another world. Call
    /// it between two calls of [`Slotter::next`], and push no more such frames.
    pub fn cut(&mut self, last_secs: f64) -> impl Iterator<Item = F> {
        let kept = self.waiting.partition_point(|(secs, _)| *secs <= last_secs);
        self.waiting.drain(kept..).map(|(_, frame)| frame)
    }

    /// Whether the camera gives the same picture all the time: rows from here on are stale.
    pub fn set_hung(&mut self, hung: bool) {
        self.hung = hung;
    }

    /// Counts a frame that was given out as [`Slot::Show`] and could not be encoded in time, so that its
    /// row shows the one before.
    pub fn count_dropped(&mut self) {
        self.tally.dropped += 1;
    }

    /// The next row to be decided: so many are decided.
    #[must_use]
    pub fn row(&self) -> u32 {
        self.row
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Rows so far that show the frame of the row before.
    #[must_use]
    pub fn repeated(&self) -> u32 {
        self.repeated
    }

    /// Rows so far during which the camera hung or was gone.
    #[must_use]
    pub fn stale(&self) -> u32 {
        self.stale
    }

    /// The next thing to do; `None` when there is nothing until more frames or more time have come.
    /// Call it until then.
    ///
    /// No row after `now_secs` is decided. After the episode's end ([`Timeline::end`]) infinity as
    /// `now_secs` decides all rows by the frames that are there; those that are left over come out as
    /// [`Slot::Spare`]. A camera that never gave a frame has no rows: see [`Slotter::row`].
    pub fn next(&mut self, timeline: &Timeline, now_secs: f64) -> Option<Slot<F>> {
        if timeline.rows().is_some_and(|rows| self.row >= rows) {
            // What is left was taken at the end or behind it.
            return self
                .waiting
                .pop_front()
                .map(|(_, frame)| Slot::Spare(frame));
        }
        let Some(at) = timeline.row_secs(self.row) else {
            // The clock stands before this row: of what is taken meanwhile only the newest can be near.
            return (self.waiting.len() > 1)
                .then(|| self.spare(timeline))
                .flatten();
        };
        if let Some((second, _)) = self.waiting.get(1) {
            let first = self.waiting.front().map_or(at, |(secs, _)| *secs);
            if *second <= at || (first <= at && second - at + TIE_SECS < at - first) {
                return self.spare(timeline);
            }
        }
        if at > now_secs {
            return None;
        }
        // Now the first one that waits is the last one before the row, or the first one after it.
        let late = now_secs > at + self.patience_secs;
        let offset = |secs: f64| (secs - at).abs();
        match (self.waiting.front(), self.shown_secs) {
            // Nothing to come can be nearer than a frame that was taken after the row.
            (_, Some(shown)) if shown >= at => Some(self.again(at, shown)),
            (Some((first, _)), Some(shown)) if *first > at && offset(shown) <= offset(*first) => {
                Some(self.again(at, shown))
            }
            (Some((first, _)), _) if *first > at - EXACT_SECS || self.waiting.len() > 1 || late => {
                self.show(at)
            }
            (None, Some(shown)) if late => Some(self.again(at, shown)),
            _ => None,
        }
    }

    fn spare(&mut self, timeline: &Timeline) -> Option<Slot<F>> {
        let (secs, frame) = self.waiting.pop_front()?;
        if timeline.runs_at(secs) {
            self.tally.count(secs);
            self.tally.unused += 1;
        }
        Some(Slot::Spare(frame))
    }

    fn show(&mut self, at: f64) -> Option<Slot<F>> {
        let (captured_secs, frame) = self.waiting.pop_front()?;
        self.tally.count(captured_secs);
        self.shown_secs = Some(captured_secs);
        let freshness = self.freshness(at, captured_secs, Freshness::New);
        let row = self.row;
        self.row += 1;
        Some(Slot::Show {
            row,
            frame,
            captured_secs,
            freshness,
        })
    }

    fn again(&mut self, at: f64, captured_secs: f64) -> Slot<F> {
        self.repeated += 1;
        let freshness = self.freshness(at, captured_secs, Freshness::Repeated);
        let row = self.row;
        self.row += 1;
        Slot::Again {
            row,
            captured_secs,
            freshness,
        }
    }

    fn freshness(&mut self, at: f64, captured_secs: f64, otherwise: Freshness) -> Freshness {
        if self.hung || (captured_secs - at).abs() > self.stale_secs {
            self.stale += 1;
            Freshness::Stale
        } else {
            otherwise
        }
    }
}
