//! Units at the edges: what people, LeRobot and servos call a joint position.
//!
//! Inside Forearm a position is radians (metres for a sliding joint). [`JointUnit::to_unit`] and
//! [`JointUnit::from_unit`] are the one pair that turns it into what is shown and back; they are
//! plain lines, so values outside a joint's range convert too. LeRobot's numbers are degrees for
//! the body (same sign and zero as the current SO-101 model) and 0 (closed) to 100 (open) over the
//! gripper's range.

use crate::model::{ArmModel, JointKind};

/// Steps of a servo's encoder in a whole turn.
pub const TICKS_PER_TURN: f64 = 4096.0;

/// A unit that joint positions can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JointUnit {
    /// Degrees; millimetres for sliding joints.
    #[default]
    Degrees,
    /// Radians; metres for sliding joints.
    Radians,
    /// LeRobot's: degrees, the gripper 0 to 100; millimetres for sliding joints.
    Lerobot,
}

impl JointUnit {
    /// All units, in the order in which a person should be offered them.
    pub const ALL: [Self; 3] = [Self::Degrees, Self::Radians, Self::Lerobot];

    /// The unit's name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Degrees => "degrees",
            Self::Radians => "radians",
            Self::Lerobot => "LeRobot",
        }
    }

    /// Converts a joint's position (radians or metres) to this unit.
    ///
    /// `joint` is an index of [`ArmModel::joints`]; for one that does not exist the value is
    /// returned as it is.
    #[must_use]
    pub fn to_unit(self, model: &ArmModel, joint: usize, position: f64) -> f64 {
        let (scale, zero) = self.scale_and_zero(model, joint);
        (position - zero) * scale
    }

    /// Converts a value in this unit to the joint's position (radians or metres).
    #[must_use]
    pub fn from_unit(self, model: &ArmModel, joint: usize, value: f64) -> f64 {
        let (scale, zero) = self.scale_and_zero(model, joint);
        value / scale + zero
    }

    /// What to write behind a value of this joint, with its leading space where one belongs.
    #[must_use]
    pub fn suffix(self, model: &ArmModel, joint: usize) -> &'static str {
        let kind = model.joints.get(joint).map(|joint| joint.kind);
        match (self, kind) {
            (Self::Lerobot, _) if model.gripper == Some(joint) => "",
            (Self::Radians, Some(JointKind::Prismatic)) => " m",
            (_, Some(JointKind::Prismatic)) => " mm",
            (Self::Radians, _) => " rad",
            _ => "°",
        }
    }

    /// Digits behind the decimal point that make sense for this joint.
    #[must_use]
    pub fn decimals(self, model: &ArmModel, joint: usize) -> usize {
        let sliding = model
            .joints
            .get(joint)
            .is_some_and(|joint| joint.kind == JointKind::Prismatic);
        match (self, sliding) {
            (Self::Radians, true) => 4,
            (Self::Radians, false) => 3,
            _ => 1,
        }
    }

    /// The line of a joint, scale first: `shown = (position − zero) · scale`.
    ///
    /// `index` is one of [`ArmModel::joints`]; one that does not exist has the line that changes
    /// nothing.
    #[must_use]
    pub fn scale_and_zero(self, model: &ArmModel, index: usize) -> (f64, f64) {
        let Some(joint) = model.joints.get(index) else {
            return (1.0, 0.0);
        };
        let range = joint.limits.upper - joint.limits.lower;
        match (self, joint.kind) {
            (Self::Lerobot, _) if model.gripper == Some(index) && range > 0.0 => {
                (100.0 / range, joint.limits.lower)
            }
            (Self::Radians, _) => (1.0, 0.0),
            (_, JointKind::Revolute) => (180.0 / std::f64::consts::PI, 0.0),
            (_, JointKind::Prismatic) => (1000.0, 0.0),
        }
    }
}

/// The angle of an encoder reading, radians from the reading that counts as zero.
#[must_use]
pub fn radians_from_ticks(ticks: f64, zero_ticks: f64) -> f64 {
    (ticks - zero_ticks) * (2.0 * std::f64::consts::PI / TICKS_PER_TURN)
}

/// The encoder reading of an angle; `zero_ticks` is the reading at angle zero. Not rounded.
#[must_use]
pub fn ticks_from_radians(radians: f64, zero_ticks: f64) -> f64 {
    radians * (TICKS_PER_TURN / (2.0 * std::f64::consts::PI)) + zero_ticks
}
