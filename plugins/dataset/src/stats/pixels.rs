//! Statistics of a camera's pictures, gathered while they come: exact counts of each channel's 256
//! values.
//!
//! Like LeRobot, large pictures are looked at in a grid of about 150 pixels across, and the count that
//! weighs an episode among others is the number of pictures that LeRobot would have looked at. Unlike
//! LeRobot, every picture of the episode is looked at, not some of them.

use super::{FeatureStats, Histogram, QUANTILES};

/// From this width or height on only a grid of a picture is looked at.
const THIN_FROM: u32 = 300;
/// About how many pixels the grid has across.
const GRID: u32 = 150;
/// What [`PixelStats::to_bytes`] begins with.
const MARK: &[u8; 8] = b"pixels01";
/// Bytes of [`PixelStats::to_bytes`]: the mark, the number of rows, counts.
const BYTES: usize = 8 + 8 + 3 * 256 * 8;

/// Counts of a camera's pixel values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelStats {
    rows: u64,
    counts: Box<[[u64; 256]; 3]>,
    last: Box<[[u32; 256]; 3]>,
}

impl Default for PixelStats {
    fn default() -> Self {
        Self::new()
    }
}

impl PixelStats {
    /// Of no pictures.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rows: 0,
            counts: Box::new([[0; 256]; 3]),
            last: Box::new([[0; 256]; 3]),
        }
    }

    /// Looks at the picture of a row: width and height in pixels, RGB, 8 bits each. Fewer bytes than the
    /// size says are not looked at, and false is returned.
    pub fn add(&mut self, [width, height]: [u32; 2], rgb: &[u8]) -> bool {
        let stride = stride(width, height);
        let (width, height) = (width as usize, height as usize);
        let Some(bytes) = width.checked_mul(3).filter(|bytes| *bytes > 0) else {
            return false;
        };
        if height == 0 || bytes.checked_mul(height).is_none_or(|all| all > rgb.len()) {
            return false;
        }
        *self.last = [[0; 256]; 3];
        let [reds, greens, blues] = &mut *self.last;
        for row in rgb.chunks_exact(bytes).take(height).step_by(stride) {
            for pixel in row.chunks_exact(3).step_by(stride) {
                reds[usize::from(pixel[0])] += 1;
                greens[usize::from(pixel[1])] += 1;
                blues[usize::from(pixel[2])] += 1;
            }
        }
        self.again();
        true
    }

    /// Counts a row that shows the last picture again.
    pub fn again(&mut self) {
        self.rows += 1;
        for (counts, last) in self.counts.iter_mut().zip(self.last.iter()) {
            for (count, last) in counts.iter_mut().zip(last) {
                *count += u64::from(*last);
            }
        }
    }

    /// How many rows were counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The statistics so far.
    #[must_use]
    pub fn finish(&self) -> FeatureStats {
        let mut stats = FeatureStats {
            count: sampled(self.rows),
            ..FeatureStats::default()
        };
        for counts in self.counts.iter() {
            let total: u64 = counts.iter().sum();
            let levels = || (0..=255_u8).zip(counts).filter(|(_, count)| **count > 0);
            let min = levels().next().map_or(0.0, |(level, _)| f64::from(level));
            let max = levels()
                .next_back()
                .map_or(0.0, |(level, _)| f64::from(level));
            let mean_of = |value: &dyn Fn(f64) -> f64| {
                let sum: f64 = levels()
                    .map(|(level, count)| value(f64::from(level)) * *count as f64)
                    .sum();
                sum / total.max(1) as f64
            };
            let mean = mean_of(&|level| level);
            let variance = mean_of(&|level| (level - mean) * (level - mean));
            stats.min.push(min / 255.0);
            stats.max.push(max / 255.0);
            stats.mean.push(mean / 255.0);
            stats.std.push(variance.sqrt() / 255.0);
            let mut histogram = Histogram::new(min, max);
            levels().for_each(|(level, count)| histogram.add(f64::from(level), *count));
            for (name, share) in QUANTILES {
                if let Some(values) = stats.by_name(name) {
                    values.push(histogram.quantile(share) / 255.0);
                }
            }
        }
        stats
    }

    /// Everything counted so far, to go on from after a crash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        for count in self.counts.iter().flatten() {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes
    }

    /// What [`PixelStats::to_bytes`] gave; `None` for anything else. The last picture is not in it: a
    /// row that shows it again counts nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != BYTES || !bytes.starts_with(MARK) {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(bytes[at..at + 8].try_into().ok()?));
        let mut stats = Self::new();
        stats.rows = number(8)?;
        // Nobody records more pixels than that; sums of counts stay far from overflowing.
        let limit = 1_u64 << 48;
        let mut totals = [0_u64; 3];
        for (channel, counts) in stats.counts.iter_mut().enumerate() {
            for (level, count) in counts.iter_mut().enumerate() {
                *count = number(16 + (channel * 256 + level) * 8)?;
                totals[channel] = totals[channel].checked_add(*count)?;
            }
        }
        let sound =
            stats.rows <= limit && totals[0] <= limit && totals.iter().all(|t| *t == totals[0]);
        sound.then_some(stats)
    }
}

/// Every how many pixels one is looked at, as LeRobot does.
fn stride(width: u32, height: u32) -> usize {
    let longer = width.max(height);
    if longer < THIN_FROM {
        1
    } else {
        (longer / GRID) as usize
    }
}

/// How many of so many pictures LeRobot looks at: all up to 100, then the number to the power of 3/4,
/// 100 at least and 10000 at most.
fn sampled(rows: u64) -> u64 {
    let power = super::to_count((rows as f64).powf(0.75));
    power.min(10_000).max(rows.min(100))
}
