//! How well an episode was recorded, in figures.

use serde::{Deserialize, Serialize};

/// How well an episode was recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EpisodeQuality {
    /// Control ticks a second.
    pub tick_hz: f64,
    /// 99th percentile of a tick interval's deviation from the median interval, seconds.
    pub tick_jitter_p99_secs: f64,
    /// Ticks that were lost.
    pub ticks_lost: u64,
    /// Greatest time between a row and the ticks around it, seconds.
    pub tick_gap_max_secs: f64,
    /// One a camera.
    pub cameras: Vec<CameraQuality>,
}

/// How well a camera was recorded in an episode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CameraQuality {
    /// Its name.
    pub name: String,
    /// Frames that it gave, a second.
    pub rate_hz: f64,
    /// Rows that show the same frame as the row before, for want of a newer one.
    pub repeated: u32,
    /// Frames that no row was near to: the camera is faster than the dataset.
    pub unused: u32,
    /// Frames that were lost because encoding was behind.
    pub dropped: u32,
    /// Rows during which the camera hung or was gone.
    pub stale: u32,
    /// Greatest time between a row and its frame, seconds.
    pub offset_max_secs: f64,
}

/// What is counted of a camera's frames while an episode is recorded. Frames before its start and in
/// pauses don't count.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Frames that it gave: shown by a row, unused or dropped.
    pub offered: u32,
    /// Frames that no row was near to.
    pub unused: u32,
    /// Frames that were lost because encoding was behind.
    pub dropped: u32,
    /// When the first of them was taken, seconds.
    pub first_secs: f64,
    /// When the last of them was taken, seconds.
    pub last_secs: f64,
}

impl Tally {
    /// Counts a frame.
    pub(super) fn count(&mut self, secs: f64) {
        if self.offered == 0 {
            self.first_secs = secs;
        }
        self.offered += 1;
        self.last_secs = secs.max(self.last_secs);
    }
}
