//! What people see of a bus. Only here is anything allocated, twenty times a second.

use forearm_hardware::bus::{Counters, Timing};
use forearm_protocol::servo::{BusErrors, BusState, Connection, MotorState, Spread};

use super::Motors;
use super::connection::Stage;
use crate::line::BusLine;

/// Amperes a unit of `Present_Current`.
const AMPERES: f64 = 0.0065;
/// Over how long cycles are counted, seconds.
const RATE_SECS: f64 = 1.0;

/// Cycles and writes of goals a second.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rate {
    since_secs: f64,
    since_cycles: u64,
    since_writes: u64,
    hz: f64,
    goals_hz: f64,
}

impl Rate {
    pub(super) fn note(&mut self, now_secs: f64, line: &dyn BusLine) {
        let secs = now_secs - self.since_secs;
        if secs >= RATE_SECS {
            let Counters { cycles, writes, .. } = line.counters();
            self.hz = cycles.saturating_sub(self.since_cycles) as f64 / secs;
            self.goals_hz = writes.saturating_sub(self.since_writes) as f64 / secs;
            (self.since_secs, self.since_cycles, self.since_writes) = (now_secs, cycles, writes);
        }
    }
}

impl Motors {
    /// How the bus does.
    pub(crate) fn bus_state(&self) -> BusState {
        let counters = self.line.counters();
        BusState {
            port: self.spec.serial.port.clone(),
            connection: match (&self.stage, &self.trouble) {
                (Stage::Ready | Stage::Lent, _) => Connection::Connected,
                (_, Some(why)) => Connection::Lost(why.clone()),
                (_, None) => Connection::Connecting,
            },
            calibration: self.status.clone(),
            rate_hz: self.rate.hz,
            goals_hz: self.rate.goals_hz,
            read: spread(counters.read_time),
            write: spread(counters.write_time),
            cycle: spread(counters.cycle_time),
            errors: errors(&counters),
            motors: self.motor_states(),
        }
    }

    fn motor_states(&self) -> Vec<MotorState> {
        let sample = self.sample.unwrap_or_default();
        let slow = &sample.slow;
        let motors = self.motors.iter().enumerate();
        motors
            .map(|(index, motor)| MotorState {
                name: motor.name.clone(),
                id: motor.id,
                ticks: sample.positions[index],
                temperature: slow.temperature[index],
                voltage: f64::from(slow.voltage_decivolts[index]) / 10.0,
                current: f64::from(slow.current[index]) * AMPERES,
                load: f64::from(slow.load[index]) / 1000.0,
                faults: sample.status[index]
                    .iter()
                    .map(|fault| fault.to_string())
                    .collect(),
                stale: !self.is_fresh() || sample.fresh & (1 << index) == 0,
            })
            .collect()
    }
}

fn spread(timing: Timing) -> Spread {
    Spread {
        mean_secs: timing.mean_secs,
        p99_secs: timing.p99_secs,
        max_secs: timing.max_secs,
    }
}

fn errors(counters: &Counters) -> BusErrors {
    BusErrors {
        timeouts: counters.timeouts,
        corrupt: counters.corrupt_replies,
        checksum: counters.checksum_errors,
        skipped_bytes: counters.skipped_bytes,
        wrong_id: counters.wrong_id,
        retries: counters.retries,
        lost_samples: counters.lost_samples,
        reconnects: counters.reconnects,
    }
}
