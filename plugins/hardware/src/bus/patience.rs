//! How long to wait for replies, learnt from how long they took.
//!
//! A USB adapter holds bytes back: 1 ms on most, 16 ms on some without a latency flag, and a loaded
//! machine adds its own. So the configured limit is where waiting starts, and what was seen makes it
//! shorter.

/// No shorter than this between the replies to one request, seconds.
const LEAST_GAP: f64 = 3e-3;
/// No shorter than this before the first reply, seconds.
const LEAST_FIRST: f64 = 5e-3;
/// How fast a long delay is forgotten, for each request.
const FORGET: f64 = 0.995;

/// Waiting times, beside what the bytes take on the wire; seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The longest time that a reply may take at all.
    limit: f64,
    /// The longest time that a first reply took lately.
    first: f64,
    /// The longest time between two replies to one request lately.
    gap: f64,
}

impl Patience {
    pub(super) fn new(limit: f64) -> Self {
        Self {
            limit,
            first: limit / 3.0,
            gap: limit / 2.0,
        }
    }

    /// Takes in a request's times.
    pub(super) fn observe(&mut self, first: f64, gap: Option<f64>) {
        self.first = first.max(self.first * FORGET);
        if let Some(gap) = gap {
            self.gap = gap.max(self.gap * FORGET);
        }
    }

    /// After this nothing comes any more.
    pub(super) const fn limit(&self) -> f64 {
        self.limit
    }

    /// Until the first reply, when a wrong guess does no harm.
    pub(super) fn first(&self) -> f64 {
        within(3.0 * self.first + 2e-3, LEAST_FIRST, self.limit)
    }

    /// From one reply to the next.
    pub(super) fn gap(&self) -> f64 {
        within(2.0 * self.gap + 1e-3, LEAST_GAP, self.limit)
    }

    /// Silence after which replies to earlier requests are over.
    pub(super) fn silence(&self) -> f64 {
        within(1.5 * self.first + 1e-3, self.gap(), self.limit)
    }
}

/// The upper bound wins.
fn within(secs: f64, least: f64, most: f64) -> f64 {
    secs.max(least).min(most)
}
