//! What a bus is told once.

use super::Motor;
use crate::codec::model;

/// How to drive a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct BusConfig {
    /// The motors of cycles, at most [`super::MAX_SERVOS`]; their order is that of all arrays. Jobs
    /// may ask others too.
    pub motors: Vec<Motor>,
    /// Bits a second.
    pub baud: u32,
    /// Whether positions are read and goals written over and over. Otherwise only jobs are done.
    pub cycle: bool,
    /// At most so many cycles a second; `None` for as many as the motors answer.
    pub max_hz: Option<f64>,
    /// How often a question is asked again that was not answered.
    pub retries: u8,
    /// How long an answer may take beside its time on the wire, seconds.
    pub reply_timeout_secs: f64,
    /// For how long goals are repeated after the last sign of life, seconds.
    pub silence_secs: f64,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            motors: Vec::new(),
            baud: model::DEFAULT_BAUD,
            cycle: true,
            max_hz: None,
            retries: 2,
            reply_timeout_secs: 0.02,
            silence_secs: 0.5,
        }
    }
}

impl BusConfig {
    /// A bus of these motors, which have the ids from 1 on.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let motors = (1..).zip(names).map(|(id, name)| Motor {
            id,
            name: name.to_owned(),
        });
        Self {
            motors: motors.collect(),
            ..Self::default()
        }
    }

    /// Time that a byte takes on the wire: eight bits, start and stop.
    pub(super) fn byte_secs(&self) -> f64 {
        10.0 / f64::from(self.baud.max(1))
    }

    /// Numbers that can be worked with, whatever was given.
    pub(super) fn reply_secs(&self) -> f64 {
        if self.reply_timeout_secs.is_finite() {
            self.reply_timeout_secs.clamp(1e-3, 1.0)
        } else {
            1.0
        }
    }

    /// The shortest time from one cycle to the next.
    pub(super) fn period_secs(&self) -> f64 {
        match self.max_hz {
            Some(hz) if hz > 0.0 => (1.0 / hz).min(1.0),
            _ => 0.0,
        }
    }
}
