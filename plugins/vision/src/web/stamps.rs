//! When a frame was captured, from what its camera's own clock says.
//!
//! A frame comes some time after it was captured, and how long that takes varies with what the thread
//! does. Its timestamp does not, but counts from nobody knows when. The quickest frame tells how the
//! two clocks lie; what came later than it was captured as much earlier.

/// How far two clocks may drift apart, seconds a second.
const DRIFT: f64 = 1e-4;

/// Turns timestamps of one camera into shared time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamps {
    /// Shared time minus the camera's, of the quickest frame, and when that was.
    best: Option<(f64, f64)>,
}

impl Stamps {
    /// When a frame with this timestamp was captured that came at `now`, both in seconds. It is never
    /// later than `now`.
    pub(super) fn captured(&mut self, stamp: f64, now: f64) -> f64 {
        let offset = now - stamp;
        if !offset.is_finite() {
            return now;
        }
        let best = match self.best {
            Some((best, at)) if best + DRIFT * (now - at).max(0.0) < offset => {
                best + DRIFT * (now - at).max(0.0)
            }
            _ => offset,
        };
        self.best = Some((best, now));
        (stamp + best).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::Stamps;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn frames_that_come_late_were_captured_in_time() {
        let mut stamps = Stamps::default();
        assert!(close(stamps.captured(7.0, 100.0), 100.0));
        let late = stamps.captured(7.1, 100.15);
        assert!((late - 100.1).abs() < 1e-4, "{late}");
        let quick = stamps.captured(7.2, 100.19);
        assert!(close(quick, 100.19), "{quick}");
        let next = stamps.captured(7.3, 100.35);
        assert!((next - 100.29).abs() < 1e-4, "{next}");
    }

    #[test]
    fn clocks_that_drift_are_followed() {
        let mut stamps = Stamps::default();
        let mut worst = 0.0_f64;
        for frame in 0..36_000 {
            let now = f64::from(frame) / 30.0;
            // A camera whose clock is slow by 50 millionths: what it counts falls behind.
            let captured = stamps.captured(now * (1.0 - 5e-5), now);
            worst = worst.max((captured - now).abs());
        }
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn nonsense_counts_as_now() {
        let mut stamps = Stamps::default();
        assert!(close(stamps.captured(f64::NAN, 3.0), 3.0));
        assert!(close(stamps.captured(f64::INFINITY, 4.0), 4.0));
        assert!(close(stamps.captured(1.0, 5.0), 5.0));
    }
}
