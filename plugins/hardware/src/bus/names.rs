//! Who is on a bus, and what to call them in messages.

use std::ops::RangeInclusive;

use super::{BusError, MAX_SERVOS};
use crate::codec::MAX_ID;

/// A motor of a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motor {
    /// Its id on the bus.
    pub id: u8,
    /// Its name: the joint that it moves.
    pub name: String,
}

/// The motors of a bus and the port that it is on.
#[derive(Debug, Clone)]
pub(super) struct Names {
    port: String,
    motors: Vec<Motor>,
    ids: [u8; MAX_SERVOS],
}

impl Names {
    /// # Errors
    /// Too many motors, or ids that can't be.
    pub(super) fn new(port: &str, motors: &[Motor]) -> Result<Self, BusError> {
        const ALLOWED: RangeInclusive<u8> = 0..=MAX_ID;
        let refuse = |why: String| BusError::Motors {
            port: port.to_owned(),
            why,
        };
        if motors.len() > MAX_SERVOS {
            let count = motors.len();
            return Err(refuse(format!("{count} are too many, {MAX_SERVOS} fit")));
        }
        let mut ids = [0; MAX_SERVOS];
        for (place, motor) in motors.iter().enumerate() {
            let Motor { id, name } = motor;
            if !ALLOWED.contains(id) {
                return Err(refuse(format!(
                    "{name} has the id {id}, {MAX_ID} is the last"
                )));
            }
            if ids[..place].contains(id) {
                return Err(refuse(format!(
                    "the id {id} is there twice, again for {name}"
                )));
            }
            ids[place] = *id;
        }
        Ok(Self {
            port: port.to_owned(),
            motors: motors.to_vec(),
            ids,
        })
    }

    pub(super) fn port(&self) -> &str {
        &self.port
    }

    /// How many motors there are.
    pub(super) const fn count(&self) -> usize {
        self.motors.len()
    }

    /// All motors: bit a motor.
    pub(super) const fn all(&self) -> u16 {
        ((1_u32 << self.motors.len()) - 1) as u16
    }

    pub(super) const fn id(&self, place: usize) -> u8 {
        self.ids[place]
    }

    pub(super) fn place(&self, id: u8) -> Option<usize> {
        self.ids[..self.count()]
            .iter()
            .position(|known| *known == id)
    }

    /// `motor 3 (elbow_flex)`.
    pub(super) fn describe(&self, id: u8) -> String {
        match self.place(id).and_then(|place| self.motors.get(place)) {
            Some(motor) if !motor.name.is_empty() => format!("motor {id} ({})", motor.name),
            _ => format!("motor {id}"),
        }
    }
}
