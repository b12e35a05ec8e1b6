//! From what happened when it happened to the even rows of a dataset.
//!
//! Control ticks and camera frames come at times of their own. A [`Timeline`] says when row `k` is:
//! `k / fps` seconds after the episode's start, pauses left out. Joint values are interpolated
//! linearly between the two ticks around a row ([`Series`]); of frames a row shows the one that was
//! taken nearest to it, and the one of the row before again where there is no nearer one
//! ([`Slotter`], which decides while recording). What that costs in truth is counted
//! ([`EpisodeQuality`]).
//!
//! Times are seconds on the recording's clock, which nothing here reads.

mod quality;
mod series;
mod slotter;
#[cfg(test)]
mod tests;

pub use quality::{CameraQuality, EpisodeQuality, Tally};
pub use series::{ResampleError, Rows, Series};
pub use slotter::{Slot, Slotter};

/// When the rows of an episode are.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    fps: u32,
    start_secs: f64,
    /// From when to when the episode's clock stood, in order.
    pauses: Vec<[f64; 2]>,
    paused_secs: Option<f64>,
    rows: Option<u32>,
}

impl Timeline {
    /// Rows from `start_secs` on, `fps` a second (at least 1).
    #[must_use]
    pub fn new(fps: u32, start_secs: f64) -> Self {
        Self {
            fps: fps.max(1),
            start_secs,
            pauses: Vec::new(),
            paused_secs: None,
            rows: None,
        }
    }

    /// Rows a second.
    #[must_use]
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// When row 0 is.
    #[must_use]
    pub fn start_secs(&self) -> f64 {
        self.start_secs
    }

    /// From when to when the clock stood, without a pause that still lasts.
    #[must_use]
    pub fn pauses(&self) -> &[[f64; 2]] {
        &self.pauses
    }

    /// Whether the clock stands now.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused_secs.is_some()
    }

    /// Stops the clock. Nothing happens when it stands, or for a time that is no number.
    pub fn pause(&mut self, secs: f64) {
        if self.paused_secs.is_none() && secs.is_finite() {
            let after = self
                .pauses
                .last()
                .map_or(self.start_secs, |[_, resumed]| *resumed);
            self.paused_secs = Some(secs.max(after));
        }
    }

    /// Lets the clock go on. Nothing happens when it goes, or for a time that is no number.
    pub fn resume(&mut self, secs: f64) {
        if secs.is_finite()
            && let Some(paused) = self.paused_secs.take()
        {
            self.pauses.push([paused, secs.max(paused)]);
        }
    }

    /// Ends the episode and says how many rows it has: those up to `secs`.
    pub fn end(&mut self, secs: f64) -> u32 {
        let rows = self.rows_by(secs);
        self.rows = Some(rows);
        rows
    }

    /// Ends the episode after so many rows.
    pub fn end_after(&mut self, rows: u32) {
        self.rows = Some(rows);
    }

    /// How many rows there are; `None` before the end is known.
    #[must_use]
    pub fn rows(&self) -> Option<u32> {
        self.rows
    }

    /// When a row is; `None` when that is not known yet because the clock stands before it.
    #[must_use]
    pub fn row_secs(&self, row: u32) -> Option<f64> {
        let mut secs = self.start_secs + f64::from(row) / f64::from(self.fps);
        for [paused, resumed] in &self.pauses {
            if secs <= *paused {
                return Some(secs);
            }
            secs += resumed - paused;
        }
        match self.paused_secs {
            Some(paused) if secs > paused => None,
            _ => Some(secs),
        }
    }

    /// How much of the episode has passed at `secs`, pauses left out, seconds; negative before it.
    #[must_use]
    pub fn elapsed_secs(&self, secs: f64) -> f64 {
        let open = self.paused_secs.map(|paused| [paused, f64::INFINITY]);
        let stood: f64 = self
            .pauses
            .iter()
            .chain(&open)
            .map(|[paused, resumed]| (secs.min(*resumed) - paused).max(0.0))
            .sum();
        secs - self.start_secs - stood
    }

    /// Whether `secs` is part of the episode: not before its start, and the clock goes.
    #[must_use]
    pub fn runs_at(&self, secs: f64) -> bool {
        let stands = |[paused, resumed]: &[f64; 2]| secs > *paused && secs < *resumed;
        secs >= self.start_secs
            && !self.pauses.iter().any(stands)
            && self.paused_secs.is_none_or(|paused| secs <= paused)
    }

    /// How many rows are at or before `secs`.
    #[must_use]
    pub fn rows_by(&self, secs: f64) -> u32 {
        /// Rounding makes a difference of one; only for times that are no times it would be more.
        const STEPS: usize = 3;
        let by = |row: u32| self.row_secs(row).is_some_and(|at| at <= secs);
        // Within one of the answer, which only `row_secs` knows to the last bit.
        let mut rows = (self.elapsed_secs(secs) * f64::from(self.fps)).max(0.0) as u32;
        for _ in 0..STEPS {
            if rows > 0 && !by(rows - 1) {
                rows -= 1;
            }
        }
        for _ in 0..STEPS {
            if rows < u32::MAX && by(rows) {
                rows += 1;
            }
        }
        self.rows.map_or(rows, |limit| rows.min(limit))
    }
}
