//! What went well and what went wrong on a bus, and how long it took.
//!
//! A reply that was expected and did not arrive counts once: in `timeouts` if nothing came in its
//! place, in `corrupt_replies` if broken bytes or a packet of a wrong sender did. What was seen of
//! those is counted too, by kind: `checksum_errors`, `skipped_bytes`, `wrong_id`. So
//! `timeouts` is the number of dropped replies and `corrupt_replies` that of damaged ones. A request
//! that the motors did not understand counts as a timeout of each motor that it asked.

/// Everything counted since the bus was made, and times of the last cycles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counters {
    /// Cycles that ended.
    pub cycles: u64,
    /// Reads of positions, without those asked again.
    pub reads: u64,
    /// Writes of goals.
    pub writes: u64,
    /// Goals that were not taken, since they were for the time before the port was away.
    pub stale_goals: u64,
    /// Questions asked again.
    pub retries: u64,
    /// Replies that did not come in time.
    pub timeouts: u64,
    /// Replies that came damaged.
    pub corrupt_replies: u64,
    /// Packets with a wrong checksum.
    pub checksum_errors: u64,
    /// Bytes that belonged to no good packet, those with a wrong checksum or length among them.
    pub skipped_bytes: u64,
    /// Packets of a motor that was not asked, or out of turn.
    pub wrong_id: u64,
    /// Packets that came when nothing was expected.
    pub late_replies: u64,
    /// Replies with status bits.
    pub status_errors: u64,
    /// Motors' positions that were missing in a cycle after all retries.
    pub lost_samples: u64,
    /// Requests that came back as an echo.
    pub echoes: u64,
    /// Times that the port came back after it was gone.
    pub reconnects: u64,
    /// Jobs that were answered.
    pub jobs: u64,
    /// From the end of the write to the last position, retries with it.
    pub read_time: Timing,
    /// Handing a cycle's bytes to the system.
    pub write_time: Timing,
    /// From the start of a cycle to that of the next.
    pub cycle_time: Timing,
}

/// How long something took, of the last [`WINDOW`] times, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timing {
    /// Mean.
    pub mean_secs: f64,
    /// 99th percentile.
    pub p99_secs: f64,
    /// Greatest.
    pub max_secs: f64,
    /// Of how many.
    pub count: u32,
}

/// How many times [`Timing`] looks back.
pub const WINDOW: usize = 512;

/// The last durations of something.
#[derive(Debug, Clone)]
pub(super) struct Window {
    secs: [f32; WINDOW],
    next: usize,
    filled: usize,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self {
            secs: [0.0; WINDOW],
            next: 0,
            filled: 0,
        }
    }

    pub(super) fn add(&mut self, secs: f64) {
        self.secs[self.next] = secs as f32;
        self.next = (self.next + 1) % WINDOW;
        self.filled = (self.filled + 1).min(WINDOW);
    }

    pub(super) fn timing(&self) -> Timing {
        let mut values = self.secs;
        let values = &mut values[..self.filled];
        if values.is_empty() {
            return Timing::default();
        }
        let mean_secs =
            values.iter().map(|secs| f64::from(*secs)).sum::<f64>() / values.len() as f64;
        let place = (values.len() * 99 / 100).min(values.len() - 1);
        let (_, p99, above) = values.select_nth_unstable_by(place, f32::total_cmp);
        let p99 = *p99;
        Timing {
            mean_secs,
            p99_secs: p99.into(),
            max_secs: above.iter().copied().fold(p99, f32::max).into(),
            // At most 512.
            count: self.filled as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_what_is_old() {
        let mut window = Window::new();
        assert_eq!(window.timing(), Timing::default());
        window.add(1000.0);
        for value in 1..=WINDOW {
            window.add(value as f64);
        }
        let timing = window.timing();
        assert_eq!(timing.max_secs, 512.0);
        assert_eq!(timing.p99_secs, 507.0);
        assert_eq!(timing.mean_secs, 256.5);
        assert_eq!(timing.count, 512);
    }
}
