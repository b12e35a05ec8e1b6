//! Quantiles from a histogram, as LeRobot estimates them: 5000 equal bins between the smallest and the
//! greatest value, and a straight line within a bin.

/// How many bins.
const BINS: usize = 5000;
/// How far the first and the last edge are beyond the values.
const MARGIN: f64 = 1e-10;

/// Counts of values between two limits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    first: f64,
    step: f64,
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// For values from `min` to `max`.
    pub(crate) fn new(min: f64, max: f64) -> Self {
        let (first, last) = (min - MARGIN, max + MARGIN);
        #[expect(clippy::cast_precision_loss, reason = "5000")]
        let step = (last - first) / BINS as f64;
        Self {
            first,
            step,
            counts: vec![0; BINS],
            total: 0,
        }
    }

    /// Adds a value, so many times. What is beyond the limits, or no number, goes to the nearest bin.
    pub(crate) fn add(&mut self, value: f64, times: u64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates; NaN is 0"
        )]
        let bin = ((value - self.first) / self.step) as usize;
        self.counts[bin.min(BINS - 1)] += times;
        self.total += times;
    }

    /// The value that `share` of the values is below.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let (target, edge) = (share * self.total as f64, |bin: usize| {
            self.first + bin as f64 * self.step
        });
        let mut below = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
            if (below + count) as f64 >= target {
                if bin == 0 {
                    return edge(0);
                }
                if *count == 0 {
                    return edge(bin);
                }
                return edge(bin) + (target - below as f64) / *count as f64 * self.step;
            }
            below += count;
        }
        edge(BINS)
    }
}
