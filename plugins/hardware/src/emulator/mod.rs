//! Servos that aren't there: STS3215 with their registers, their firmware's behaviour, their bus and
//! its time, for programs that can't tell them from real ones.
//!
//! Not here: how a joint moves. A [`ServoChain`] is told where the joints are ([`PlantSample`]) and
//! says where the servos drive them ([`PlantCommand`]); the joints are those of a simulated world, or
//! of [`SimplePlant`].
//!
//! Everything but `pty` is free of IO and clocks: time is an argument, in seconds from any origin,
//! and the same calls with the same seed give the same bytes.

mod chain;
mod faults;
mod memory;
mod motion;
mod plant;
mod protection;
#[cfg(not(target_family = "wasm"))]
pub mod pty;
mod reply;
mod servo;
mod wire;

pub use chain::{ChainConfig, Knob, ServoChain};
pub use faults::{Faults, Injected};
pub use plant::SimplePlant;
pub use servo::ServoConfig;
pub use wire::Wire;

pub use crate::bus::MAX_SERVOS;

/// Where the joints are, by the servo's place in its chain. What is beyond the chain's end is not
/// looked at; what is not finite counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PlantSample {
    /// Angles, in radians.
    pub positions: [f64; MAX_SERVOS],
    /// Velocities, in radians a second.
    pub velocities: [f64; MAX_SERVOS],
    /// What the servos' motors do, in newton metres.
    pub efforts: [f64; MAX_SERVOS],
}

/// Where the servos drive the joints, by the servo's place in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PlantCommand {
    /// A bit for each servo that drives its joint. The others let it go.
    pub torque: u16,
    /// Angles, in radians; the present ones where there is no torque.
    pub targets: [f64; MAX_SERVOS],
    /// The most that the motor may do, as a part of what it can do at best: 0 to 1.
    pub fractions: [f64; MAX_SERVOS],
}

impl PlantCommand {
    /// Whether this servo drives its joint.
    #[must_use]
    pub const fn drives(&self, servo: usize) -> bool {
        servo < MAX_SERVOS && self.torque & (1 << servo) != 0
    }
}
