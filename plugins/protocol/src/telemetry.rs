//! What the worker runtime counts of a service, for whoever shows it. It stays with the service's
//! owner and is never sent.

/// What is known of one kind of request or task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KindStats {
    /// Its name on the wire.
    pub kind: &'static str,
    /// Waiting for a worker.
    pub queued: usize,
    /// At work.
    pub running: usize,
    /// Answered well, since the service first started.
    pub done: u64,
    /// Failed, since then.
    pub failed: u64,
    /// Given up since then, by whoever asked or for a newer one.
    pub cancelled: u64,
    /// Answered from the cache since then.
    pub cache_hits: u64,
    /// Mean time from question to answer, seconds; 0 before the first.
    pub mean_secs: f64,
    /// 99th percentile of that, seconds, within 10 %; 0 before the first.
    pub p99_secs: f64,
}
