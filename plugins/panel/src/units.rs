//! Joint positions as people read them. Inside, everything stays in radians and metres.

use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use serde::{Deserialize, Serialize};

/// The unit in which joint positions are shown and typed: [`JointUnit`], as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Units {
    /// [`JointUnit::Degrees`].
    Degrees,
    /// [`JointUnit::Radians`].
    Radians,
    /// [`JointUnit::Lerobot`]: degrees, and 0 to 100 for the gripper.
    #[default]
    LeRobot,
}

impl Units {
    /// All of them, with their short names.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Degrees, "deg"),
        (Self::Radians, "rad"),
        (Self::LeRobot, "LeRobot"),
    ];
}

impl From<Units> for JointUnit {
    fn from(units: Units) -> Self {
        match units {
            Units::Degrees => Self::Degrees,
            Units::Radians => Self::Radians,
            Units::LeRobot => Self::Lerobot,
        }
    }
}

/// How one joint's positions are shown.
#[derive(Debug, Clone, Copy)]
pub struct Scale<'a> {
    model: &'a ArmModel,
    joint: usize,
    unit: JointUnit,
}

impl<'a> Scale<'a> {
    /// How a joint (an index of the model's joints) is shown.
    #[must_use]
    pub fn new(model: &'a ArmModel, joint: usize, units: Units) -> Self {
        Self {
            model,
            joint,
            unit: units.into(),
        }
    }

    /// Written after the number.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.unit.suffix(self.model, self.joint)
    }

    /// Digits after the point.
    #[must_use]
    pub fn decimals(self) -> usize {
        self.unit.decimals(self.model, self.joint)
    }

    /// A position (radians or metres) as the shown number.
    #[must_use]
    pub fn to_shown(self, position: f64) -> f64 {
        self.unit.to_unit(self.model, self.joint, position)
    }

    /// The position (radians or metres) that a shown number means.
    #[must_use]
    pub fn to_position(self, shown: f64) -> f64 {
        self.unit.from_unit(self.model, self.joint, shown)
    }

    /// A position as text with its unit.
    #[must_use]
    pub fn text(self, position: f64) -> String {
        self.with_suffix(self.to_shown(position))
    }

    /// A shown number as text with its unit.
    #[must_use]
    pub fn with_suffix(self, shown: f64) -> String {
        format!("{}{}", number(shown, self.decimals()), self.suffix())
    }
}

/// A number with a true minus sign, and no minus before zeros only.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// What a person typed as a number: a comma or a true minus are as good as a point and a hyphen,
/// and a unit behind it is skipped.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim().replace('−', "-").replace(',', ".");
    let number = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '°' || c == '%');
    number
        .trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(-12.34, 1), "−12.3");
        assert_eq!(number(-0.04, 1), "0.0");
        assert_eq!(number(7.0, 3), "7.000");
    }

    #[test]
    fn typed_numbers_are_understood() {
        assert_eq!(parse(" −12,5° "), Some(-12.5));
        assert_eq!(parse("1.57 rad"), Some(1.57));
        assert_eq!(parse("50%"), Some(50.0));
        assert_eq!(parse("inf"), None);
        assert_eq!(parse("abc"), None);
        assert_eq!(parse(""), None);
    }
}
