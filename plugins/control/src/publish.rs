//! When states are published: the UI gets 20 a second, whatever the control rate.

/// States a second.
pub(crate) const STATE_HZ: f64 = 20.0;

/// Chooses the ticks whose state is published: evenly, the first among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Publisher {
    period_secs: f64,
    since_secs: f64,
}

impl Publisher {
    /// For a loop with this period.
    pub(crate) fn new(period_secs: f64) -> Self {
        Self {
            period_secs,
            since_secs: f64::INFINITY,
        }
    }

    /// Whether this tick's state is to be published.
    pub(crate) fn is_due(&mut self) -> bool {
        self.since_secs += self.period_secs;
        // The margin absorbs rounding where ticks and states coincide.
        let due = self.since_secs + 1e-9 >= 1.0 / STATE_HZ;
        if due {
            let late = self.since_secs - 1.0 / STATE_HZ;
            self.since_secs = if late < self.period_secs {
                late.max(0.0)
            } else {
                0.0
            };
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_states_a_second_at_any_rate() {
        for (rate_hz, expected) in [(120.0, 20), (60.0, 20), (500.0, 20), (37.0, 20), (5.0, 5)] {
            let mut publisher = Publisher::new(1.0 / rate_hz);
            let ticks = (rate_hz * 10.0) as usize;
            let states = (0..ticks).filter(|_| publisher.is_due()).count();
            assert!(
                states.abs_diff(expected * 10) <= 1,
                "{states} states at {rate_hz} Hz"
            );
        }
    }
}
