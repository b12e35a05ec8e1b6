//! Rates from counters: how many messages and bytes a second a service exchanges.

use std::collections::BTreeMap;

/// Over how long a rate is measured, seconds: long enough to be read, short enough to follow.
const SPAN_SECS: f64 = 1.0;

/// Turns services' totals into rates, for [`ServiceRow`](crate::ServiceRow).
#[derive(Debug, Default)]
pub struct Meter {
    services: BTreeMap<String, Measured>,
}

#[derive(Debug)]
struct Measured {
    since_secs: f64,
    messages: u64,
    bytes: u64,
    rates: (f64, f64),
}

impl Meter {
    /// A service's messages and bytes a second, from its totals so far at `now_secs`; zero until
    /// it was measured for a second, and after a restart that began to count anew.
    pub fn rates(&mut self, service: &str, messages: u64, bytes: u64, now_secs: f64) -> (f64, f64) {
        let start = |rates| Measured {
            since_secs: now_secs,
            messages,
            bytes,
            rates,
        };
        let Some(measured) = self.services.get_mut(service) else {
            self.services.insert(service.to_owned(), start((0.0, 0.0)));
            return (0.0, 0.0);
        };
        let span_secs = now_secs - measured.since_secs;
        if messages < measured.messages || bytes < measured.bytes || span_secs < 0.0 {
            *measured = start((0.0, 0.0));
        } else if span_secs >= SPAN_SECS {
            let rate = |now: u64, then: u64| (now - then) as f64 / span_secs;
            *measured = start((
                rate(messages, measured.messages),
                rate(bytes, measured.bytes),
            ));
        }
        measured.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_become_rates() {
        let mut meter = Meter::default();
        assert_eq!(meter.rates("control", 100, 4000, 10.0), (0.0, 0.0));
        assert_eq!(meter.rates("control", 160, 5000, 10.5), (0.0, 0.0));
        assert_eq!(meter.rates("control", 240, 8000, 11.0), (140.0, 4000.0));
        assert_eq!(meter.rates("control", 250, 8000, 11.5), (140.0, 4000.0));
        assert_eq!(meter.rates("pool", 7, 0, 11.5), (0.0, 0.0));
        assert_eq!(meter.rates("control", 250, 8000, 13.0), (5.0, 0.0));
    }

    #[test]
    fn a_service_that_counts_anew_is_measured_anew() {
        let mut meter = Meter::default();
        meter.rates("control", 100, 4000, 0.0);
        meter.rates("control", 300, 6000, 1.0);
        assert_eq!(meter.rates("control", 4, 90, 1.25), (0.0, 0.0));
        assert_eq!(meter.rates("control", 24, 190, 2.25), (20.0, 100.0));
    }
}
