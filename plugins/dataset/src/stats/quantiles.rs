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
        let mut bin = (((value - self.first) / self.step) as usize).min(BINS - 1);
        // Dividing may round to the wrong side of an edge; the edges decide.
        if bin > 0 && value < self.edge(bin) {
            bin -= 1;
        } else if bin + 1 < BINS && value >= self.edge(bin + 1) {
            bin += 1;
        }
        self.counts[bin] += times;
        self.total += times;
    }

    /// Where a bin begins.
    fn edge(&self, bin: usize) -> f64 {
        let steps = bin as f64;
        steps * self.step + self.first
    }

    /// The value that `share` of the values is below.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let target = share * self.total as f64;
        let mut below = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            if (below + count) as f64 >= target {
                if bin == 0 {
                    return self.edge(0);
                }
                if *count == 0 {
                    return self.edge(bin);
                }
                return self.edge(bin) + (target - below as f64) / *count as f64 * self.step;
            }
            below += count;
        }
        self.edge(BINS)
    }
}
