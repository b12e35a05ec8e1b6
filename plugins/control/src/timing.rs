//! How well the loop keeps time: deviations of intervals from the period, over a sliding window
//! and over a whole run.
//!
//! Plain arithmetic on times that the caller measures. Recording a tick allocates nothing and
//! costs the same however long the run; only [`TimingWindow::summary`] looks at every sample.

use forearm_protocol::control::LoopTiming;

/// How much the window remembers, seconds and samples.
const WINDOW_SECS: f64 = 5.0;
const MAX_SAMPLES: usize = 4096;

/// One tick: the interval before it and the work in it, seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    interval_secs: f64,
    work_secs: f64,
}

/// Statistics over the last seconds.
#[derive(Debug, Clone)]
pub struct TimingWindow {
    period_secs: f64,
    samples: Vec<Sample>,
    next: usize,
    scratch: Vec<f64>,
    last_start_secs: Option<f64>,
    missed: u64,
}

impl TimingWindow {
    /// An empty window for this period.
    #[must_use]
    pub fn new(period_secs: f64) -> Self {
        let wanted = (WINDOW_SECS / period_secs).clamp(2.0, MAX_SAMPLES as f64);
        let capacity = wanted as usize;
        Self {
            period_secs,
            samples: Vec::with_capacity(capacity),
            next: 0,
            scratch: Vec::with_capacity(capacity),
            last_start_secs: None,
            missed: 0,
        }
    }

    /// Notes a tick that started at `start_secs` and worked for `work_secs`; the interval since
    /// the tick before, if there was one.
    pub fn record(&mut self, start_secs: f64, work_secs: f64) -> Option<f64> {
        let interval_secs = start_secs - self.last_start_secs.replace(start_secs)?;
        let sample = Sample {
            interval_secs,
            work_secs,
        };
        if self.samples.len() < self.samples.capacity() {
            self.samples.push(sample);
        } else {
            self.samples[self.next] = sample;
            self.next = (self.next + 1) % self.samples.len();
        }
        Some(interval_secs)
    }

    /// The loop rests: the time until the next tick is no interval.
    pub fn rest(&mut self) {
        self.last_start_secs = None;
    }

    /// Counts deadlines that were missed by more than a period.
    pub fn count_missed(&mut self, count: u64) {
        self.missed += count;
    }

    /// The statistics now. All zero but the target before the second tick.
    pub fn summary(&mut self) -> LoopTiming {
        let mut timing = LoopTiming {
            target_hz: 1.0 / self.period_secs,
            missed: self.missed,
            ..LoopTiming::default()
        };
        if self.samples.is_empty() {
            return timing;
        }
        let count = self.samples.len() as f64;
        let (mut total, mut work) = (0.0, 0.0);
        self.scratch.clear();
        for sample in &self.samples {
            total += sample.interval_secs;
            work += sample.work_secs;
            self.scratch
                .push((sample.interval_secs - self.period_secs).abs());
        }
        timing.rate_hz = if total > 0.0 { count / total } else { 0.0 };
        timing.work_mean_secs = work / count;
        timing.jitter_mean_secs = self.scratch.iter().sum::<f64>() / count;
        timing.jitter_max_secs = self.scratch.iter().copied().fold(0.0, f64::max);
        timing.jitter_p50_secs = percentile(&mut self.scratch, 50);
        timing.jitter_p99_secs = percentile(&mut self.scratch, 99);
        timing
    }
}

/// The nearest-rank percentile: the smallest value that `percent` of all are not above.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    let rank = (values.len() * percent).div_ceil(100).max(1) - 1;
    if rank >= values.len() {
        return 0.0;
    }
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// Buckets an octave; a percentile is known to about 3 %.
const SUB_BUCKETS: u32 = 32;
const BUCKETS: usize = (64 * SUB_BUCKETS) as usize;

/// Statistics over a whole run, in constant space: percentiles come from a logarithmic histogram
/// of nanoseconds and are at most 3.2 % too high, everything else is exact.
#[derive(Debug, Clone)]
pub struct RunTiming {
    period_secs: f64,
    buckets: Vec<u64>,
    count: u64,
    total_secs: f64,
    work_secs: f64,
    deviation_secs: f64,
    max_secs: f64,
    missed: u64,
}

impl RunTiming {
    /// An empty run for this period.
    #[must_use]
    pub fn new(period_secs: f64) -> Self {
        Self {
            period_secs,
            buckets: vec![0; BUCKETS],
            count: 0,
            total_secs: 0.0,
            work_secs: 0.0,
            deviation_secs: 0.0,
            max_secs: 0.0,
            missed: 0,
        }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
        self.total_secs = 0.0;
        self.work_secs = 0.0;
        self.deviation_secs = 0.0;
        self.max_secs = 0.0;
        self.missed = 0;
    }

    /// Notes an interval and the work in it.
    pub fn record(&mut self, interval_secs: f64, work_secs: f64) {
        let deviation = (interval_secs - self.period_secs).abs();
        self.buckets[bucket(deviation)] += 1;
        self.count += 1;
        self.total_secs += interval_secs;
        self.work_secs += work_secs;
        self.deviation_secs += deviation;
        self.max_secs = self.max_secs.max(deviation);
    }

    /// Counts deadlines that were missed by more than a period.
    pub fn count_missed(&mut self, count: u64) {
        self.missed += count;
    }

    /// The statistics now.
    #[must_use]
    pub fn summary(&self) -> LoopTiming {
        let mut timing = LoopTiming {
            target_hz: 1.0 / self.period_secs,
            missed: self.missed,
            ..LoopTiming::default()
        };
        if self.count > 0 {
            let count = self.count as f64;
            timing.rate_hz = if self.total_secs > 0.0 {
                count / self.total_secs
            } else {
                0.0
            };
            timing.work_mean_secs = self.work_secs / count;
            timing.jitter_mean_secs = self.deviation_secs / count;
            timing.jitter_max_secs = self.max_secs;
            timing.jitter_p50_secs = self.percentile(50);
            timing.jitter_p99_secs = self.percentile(99);
        }
        timing
    }

    fn percentile(&self, percent: u64) -> f64 {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut below = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            below += count;
            if below >= rank {
                return upper_edge_secs(index).min(self.max_secs);
            }
        }
        self.max_secs
    }
}

/// The bucket of a deviation: its nanoseconds' leading bit and the five bits after it.
fn bucket(secs: f64) -> usize {
    let nanos = (secs * 1e9).clamp(0.0, 1e18) as u64;
    if nanos < u64::from(SUB_BUCKETS) {
        return nanos as usize;
    }
    let octave = nanos.ilog2() - SUB_BUCKETS.ilog2();
    let sub = (nanos >> octave) as u32 - SUB_BUCKETS;
    ((octave + 1) * SUB_BUCKETS + sub) as usize
}

/// The least deviation above the bucket.
fn upper_edge_secs(bucket: usize) -> f64 {
    let (octave, sub) = (bucket as u32 / SUB_BUCKETS, bucket as u32 % SUB_BUCKETS);
    let nanos = match octave.checked_sub(1) {
        None => f64::from(sub + 1),
        Some(octave) => f64::from(SUB_BUCKETS + sub + 1) * (1_u64 << octave) as f64,
    };
    nanos * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_near(got: f64, expected: f64, tolerance: f64) {
        assert!(
            (got - expected).abs() <= tolerance,
            "got {got}, expected {expected}"
        );
    }

    #[test]
    fn a_perfect_loop_has_no_jitter() {
        let mut window = TimingWindow::new(0.01);
        assert_eq!(window.summary().rate_hz, 0.0);
        for tick in 0..2000 {
            window.record(f64::from(tick) * 0.01, 0.001);
        }
        let timing = window.summary();
        assert_near(timing.rate_hz, 100.0, 1e-9);
        assert_near(timing.jitter_max_secs, 0.0, 1e-12);
        assert_near(timing.work_mean_secs, 0.001, 1e-15);
    }

    #[test]
    fn percentiles_are_of_the_window_only() {
        let mut window = TimingWindow::new(1.0);
        // The window holds 5 samples; the first interval is far off and leaves it again.
        let mut now = 0.0;
        for interval in [9.0, 1.1, 1.2, 0.7, 1.4, 1.5] {
            window.record(now, 0.0);
            now += interval;
        }
        window.record(now, 0.0);
        let timing = window.summary();
        assert_near(timing.jitter_p50_secs, 0.3, 1e-12);
        assert_near(timing.jitter_p99_secs, 0.5, 1e-12);
        assert_near(timing.jitter_max_secs, 0.5, 1e-12);
        assert_near(timing.jitter_mean_secs, 0.3, 1e-12);
    }

    #[test]
    fn nothing_is_allocated_once_the_window_is_full() {
        let mut window = TimingWindow::new(0.001);
        let capacity = window.samples.capacity();
        for tick in 0..10_000 {
            window.record(f64::from(tick) * 0.001, 0.0);
        }
        window.summary();
        assert_eq!(window.samples.capacity(), capacity);
        assert!(window.scratch.capacity() <= capacity);
    }

    proptest! {
        #[test]
        fn a_run_agrees_with_sorting(deviations in prop::collection::vec(0.0_f64..0.02, 1..400)) {
            let mut run = RunTiming::new(0.01);
            for deviation in &deviations {
                run.record(0.01 + deviation, 0.0);
            }
            let mut sorted = deviations.clone();
            sorted.sort_by(f64::total_cmp);
            let timing = run.summary();
            for (percent, got) in [(50, timing.jitter_p50_secs), (99, timing.jitter_p99_secs)] {
                let exact = percentile(&mut sorted.clone(), percent);
                prop_assert!(got >= exact - 1e-8 && got <= exact * 1.04 + 2e-9, "{got} for {exact}");
            }
            prop_assert!((timing.jitter_max_secs - sorted[sorted.len() - 1]).abs() < 1e-12);
            prop_assert!(timing.jitter_p99_secs <= timing.jitter_max_secs);
        }

        #[test]
        fn every_deviation_is_below_its_buckets_edge(secs in 0.0_f64..1e3) {
            let edge = upper_edge_secs(bucket(secs));
            prop_assert!(edge >= secs - 1e-9 && edge <= secs * 1.04 + 2e-9);
        }
    }
}
