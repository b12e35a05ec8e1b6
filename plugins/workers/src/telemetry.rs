//! What is counted of a service's requests, by kind: how many, how long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forearm_protocol::telemetry::KindStats;

/// The counters of one service.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    kinds: Mutex<BTreeMap<&'static str, Kind>>,
    /// Messages that went either way, those of the runtime itself left out.
    pub(crate) messages: AtomicU64,
    /// Bytes that were copied or transferred; none where values move.
    pub(crate) bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Kind {
    queued: usize,
    cache_hits: u64,
    running: usize,
    done: u64,
    failed: u64,
    cancelled: u64,
    sum_secs: f64,
    durations: Histogram,
}

impl Telemetry {
    pub(crate) fn count(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(any(test, target_family = "wasm"))]
    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self, kind: &'static str) {
        self.change(kind, |stats| stats.running += 1);
    }

    /// It waits for a worker.
    pub(crate) fn queued(&self, kind: &'static str) {
        self.change(kind, |stats| stats.queued += 1);
    }

    /// What waited is at work.
    pub(crate) fn begun(&self, kind: &'static str) {
        self.change(kind, |stats| {
            stats.queued = stats.queued.saturating_sub(1);
            stats.running += 1;
        });
    }

    /// What was at work waits again.
    pub(crate) fn queued_again(&self, kind: &'static str) {
        self.end(kind, |stats| stats.queued += 1);
    }

    /// It was known already.
    pub(crate) fn remembered(&self, kind: &'static str) {
        self.change(kind, |stats| stats.cache_hits += 1);
    }

    pub(crate) fn done(&self, kind: &'static str, took: Duration) {
        self.end(kind, |stats| {
            stats.done += 1;
            stats.sum_secs += took.as_secs_f64();
            stats.durations.add(took);
        });
    }

    pub(crate) fn failed(&self, kind: &'static str) {
        self.end(kind, |stats| stats.failed += 1);
    }

    pub(crate) fn cancelled(&self, kind: &'static str) {
        self.end(kind, |stats| stats.cancelled += 1);
    }

    /// What waited for a worker failed.
    pub(crate) fn failed_in_queue(&self, kind: &'static str) {
        self.change(kind, |stats| {
            stats.queued = stats.queued.saturating_sub(1);
            stats.failed += 1;
        });
    }

    /// What waited for a worker is no longer wanted.
    pub(crate) fn cancelled_in_queue(&self, kind: &'static str) {
        self.change(kind, |stats| {
            stats.queued = stats.queued.saturating_sub(1);
            stats.cancelled += 1;
        });
    }

    fn end(&self, kind: &'static str, count: impl FnOnce(&mut Kind)) {
        self.change(kind, |stats| {
            stats.running = stats.running.saturating_sub(1);
            count(stats);
        });
    }

    fn change(&self, kind: &'static str, count: impl FnOnce(&mut Kind)) {
        count(self.kinds().entry(kind).or_default());
    }

    pub(crate) fn stats(&self) -> Vec<KindStats> {
        let kinds = self.kinds();
        let stats = kinds.iter().map(|(kind, stats)| KindStats {
            kind,
            queued: stats.queued,
            running: stats.running,
            done: stats.done,
            failed: stats.failed,
            cancelled: stats.cancelled,
            cache_hits: stats.cache_hits,
            mean_secs: stats.sum_secs / (stats.done.max(1) as f64),
            p99_secs: stats.durations.quantile(0.99),
        });
        stats.collect()
    }

    fn kinds(&self) -> MutexGuard<'_, BTreeMap<&'static str, Kind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Durations from a microsecond to an hour in logarithmic steps of 10 %.
#[derive(Debug)]
struct Histogram {
    counts: [u32; Self::BINS],
    total: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; Self::BINS],
            total: 0,
        }
    }
}

impl Histogram {
    const BINS: usize = 232;
    const STEP: f64 = 1.1;
    const FIRST_SECS: f64 = 1e-6;

    fn add(&mut self, took: Duration) {
        let steps = (took.as_secs_f64() / Self::FIRST_SECS).max(1.0).ln() / Self::STEP.ln();
        let bin = (steps as usize).min(Self::BINS - 1);
        self.counts[bin] = self.counts[bin].saturating_add(1);
        self.total = self.total.saturating_add(1);
    }

    /// The upper edge of the bin that holds the quantile, seconds; zero without durations.
    fn quantile(&self, quantile: f64) -> f64 {
        let wanted = (f64::from(self.total) * quantile).ceil();
        let mut seen = 0.0;
        for (bin, count) in self.counts.iter().enumerate() {
            seen += f64::from(*count);
            if *count > 0 && seen >= wanted {
                return Self::FIRST_SECS * Self::STEP.powi(bin as i32 + 1);
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_by_kind() {
        let telemetry = Telemetry::default();
        for millis in 1..=100 {
            telemetry.asked("a");
            telemetry.done("a", Duration::from_millis(millis));
        }
        telemetry.asked("b");
        telemetry.asked("b");
        telemetry.failed("b");
        let stats = telemetry.stats();
        let [a, b] = &stats[..] else {
            panic!("{stats:?}");
        };
        assert_eq!((a.kind, a.done, a.running), ("a", 100, 0));
        assert!((a.mean_secs - 0.0505).abs() < 1e-9, "{}", a.mean_secs);
        assert!((0.099..0.109).contains(&a.p99_secs), "{}", a.p99_secs);
        assert_eq!((b.kind, b.failed, b.running, b.p99_secs), ("b", 1, 1, 0.0));
    }

    #[test]
    fn extremes_stay_in_range() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), 0.0);
        histogram.add(Duration::ZERO);
        assert!(histogram.quantile(0.99) < 2e-6);
        histogram.add(Duration::MAX);
        assert!(histogram.quantile(0.99) > 3600.0);
    }
}
