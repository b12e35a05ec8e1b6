//! Joints for servos without a world: each is moved by its servo alone and stops at its ends.

use super::{MAX_SERVOS, PlantCommand, PlantSample};

/// How fast a joint comes closer to its target, a second.
const RATE: f64 = 40.0;

/// The fastest that an unloaded motor turns, in radians a second.
const MAX_SPEED: f64 = 5.2;

/// The longest step, in seconds: well below what `RATE` allows.
const MAX_STEP: f64 = 2e-3;

/// A longer gap counts as this long, in seconds.
const MAX_GAP: f64 = 0.25;

/// Joints that follow their servos with a lag of 25 ms, and stay where they are when they are let
/// go. A joint that is held back shows it in its effort.
#[derive(Debug, Clone)]
pub struct SimplePlant {
    sample: PlantSample,
    /// Angles between which each joint can move, in radians.
    ends: [(f64, f64); MAX_SERVOS],
    stall_torque: f64,
}

impl Default for SimplePlant {
    /// Joints at 0 rad that can move half a turn either way.
    fn default() -> Self {
        Self::new(2.94)
    }
}

impl SimplePlant {
    /// Joints at 0 rad that can move half a turn either way, behind motors that do this much at
    /// best, in newton metres.
    #[must_use]
    pub fn new(stall_torque: f64) -> Self {
        Self {
            sample: PlantSample::default(),
            ends: [(-std::f64::consts::PI, std::f64::consts::PI); MAX_SERVOS],
            stall_torque,
        }
    }

    /// Where the joints are.
    #[must_use]
    pub const fn sample(&self) -> &PlantSample {
        &self.sample
    }

    /// Puts a joint (counted from 0) to an angle, in radians: somebody moves it by hand.
    pub fn place(&mut self, joint: usize, radians: f64) {
        if let (Some(position), Some((low, high))) =
            (self.sample.positions.get_mut(joint), self.ends.get(joint))
            && radians.is_finite()
        {
            *position = radians.clamp(*low, *high);
        }
    }

    /// Sets the ends of a joint (counted from 0), in radians. Ends that are not in order are
    /// ignored.
    pub fn set_ends(&mut self, joint: usize, low: f64, high: f64) {
        if let Some(ends) = self.ends.get_mut(joint)
            && low <= high
        {
            *ends = (low, high);
            self.place(joint, self.sample.positions[joint]);
        }
    }

    /// Lets `secs` pass.
    pub fn step(&mut self, command: &PlantCommand, secs: f64) {
        let mut left = if secs.is_finite() {
            secs.min(MAX_GAP)
        } else {
            0.0
        };
        while left > 0.0 {
            let step = left.min(MAX_STEP);
            left -= MAX_STEP;
            for joint in 0..MAX_SERVOS {
                self.step_joint(joint, command, step);
            }
        }
    }

    fn step_joint(&mut self, joint: usize, command: &PlantCommand, secs: f64) {
        let position = &mut self.sample.positions[joint];
        let (low, high) = self.ends[joint];
        if !command.drives(joint) {
            self.sample.velocities[joint] = 0.0;
            self.sample.efforts[joint] = 0.0;
            return;
        }
        let fraction = command.fractions[joint].clamp(0.0, 1.0);
        let wanted = (command.targets[joint] - *position) * RATE / MAX_SPEED;
        let push = wanted.clamp(-fraction, fraction);
        let before = *position;
        *position = (*position + push * MAX_SPEED * secs).clamp(low, high);
        let velocity = (*position - before) / secs;
        self.sample.velocities[joint] = velocity;
        // What does not become speed presses against the end.
        self.sample.efforts[joint] = (push - velocity / MAX_SPEED) * self.stall_torque;
    }
}
