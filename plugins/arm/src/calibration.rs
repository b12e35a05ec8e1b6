//! LeRobot's calibration files, and what a servo's ticks mean by them.
//!
//! A calibration says for each motor of an arm which bus id it has, how its zero was moved (the
//! servo adds this up itself) and between which ticks its joint moves. [`Calibration::from_json`]
//! and [`Calibration::to_json`] read and write LeRobot's file; [`JointTicks`] converts one joint.
//!
//! What LeRobot makes of ticks (`lerobot/motors/motors_bus.py`, 0.4 and later): a body joint is
//! degrees from the middle of its range, `(ticks − (min + max)/2) · 360/4095`; a gripper is 0 at its
//! range's lower end (closed) to 100, clamped, the other way round with a drive mode. On the way back
//! fractions of a tick are cut off. Degrees are the model's own; 0 and 100 are the ends of the
//! gripper joint's range.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::ArmModel;
use crate::units::JointUnit;

/// The last tick of a turn: a turn's 360 degrees are this many ticks for LeRobot.
pub const LAST_TICK: i32 = 4095;
/// The tick that is made the middle of a joint's range: LeRobot's half a turn, `int(4095 / 2)`.
pub const HALF_TURN: i32 = 2047;
/// The greatest homing offset that a servo stores, ticks either way.
pub const MAX_HOMING_OFFSET: i32 = 2047;
/// The greatest id a motor may have.
const MAX_MOTOR_ID: u8 = 252;
/// Files larger than this are no calibrations.
const MAX_FILE_BYTES: usize = 1 << 16;

/// How one motor was calibrated; the fields of LeRobot's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotorCalibration {
    /// The motor's id on the bus.
    pub id: u8,
    /// 1 if a gripper's 0 and 100 are exchanged; 0 for all arms that LeRobot calibrates.
    pub drive_mode: u8,
    /// Ticks that the servo takes off its encoder's reading.
    pub homing_offset: i32,
    /// The lowest tick of the joint's range.
    pub range_min: i32,
    /// The highest tick of the joint's range.
    pub range_max: i32,
}

/// How an arm was calibrated: motors by their names, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Names and calibrations.
    pub motors: Vec<(String, MotorCalibration)>,
}

/// What is wrong with a calibration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// The file is not what LeRobot writes.
    #[error(
        "{file}: {problem}; expected LeRobot's calibration, \
         {{\"shoulder_pan\": {{\"id\": 1, \"drive_mode\": 0, \"homing_offset\": 14, \
         \"range_min\": 1015, \"range_max\": 3128}}, …}}"
    )]
    File {
        /// The file's name.
        file: String,
        /// Line, column, and what was found.
        problem: String,
    },
    /// A motor's numbers can't be.
    #[error("{file}: motor `{motor}`: {problem}; calibrate the arm again")]
    Motor {
        /// The file's name.
        file: String,
        /// The motor.
        motor: String,
        /// What was found and what is allowed.
        problem: String,
    },
    /// A motor that the arm has is not in the calibration.
    #[error(
        "the calibration has no motor `{motor}` (it has {known}); it is another arm's: choose \
         this arm's, or calibrate it"
    )]
    Missing {
        /// The motor.
        motor: String,
        /// The motors that are there.
        known: String,
    },
}

impl Calibration {
    /// Reads LeRobot's JSON; `file` is its name in errors.
    ///
    /// # Errors
    /// Says where the text is not a calibration, or which motor's numbers can't be.
    pub fn from_json(file: &str, text: &str) -> Result<Self, CalibrationError> {
        let wrong = |problem| CalibrationError::File {
            file: file.to_owned(),
            problem,
        };
        if text.len() > MAX_FILE_BYTES {
            return Err(wrong(format!("it is {} bytes long", text.len())));
        }
        let Motors(motors) =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if motors.is_empty() {
            return Err(wrong("there is no motor in it".to_owned()));
        }
        for (index, (motor, it)) in motors.iter().enumerate() {
            let others = &motors[..index];
            if let Some(problem) = it.problem(motor, others) {
                return Err(CalibrationError::Motor {
                    file: file.to_owned(),
                    motor: motor.clone(),
                    problem,
                });
            }
        }
        Ok(Self { motors })
    }

    /// The JSON that LeRobot writes, byte for byte: four spaces, no line end at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let motors: Vec<_> = self
            .motors
            .iter()
            .map(|(name, it)| {
                format!(
                    "    {}: {{\n        \"id\": {},\n        \"drive_mode\": {},\n        \
                     \"homing_offset\": {},\n        \"range_min\": {},\n        \
                     \"range_max\": {}\n    }}",
                    serde_json::Value::from(name.as_str()),
                    it.id,
                    it.drive_mode,
                    it.homing_offset,
                    it.range_min,
                    it.range_max
                )
            })
            .collect();
        format!("{{\n{}\n}}", motors.join(",\n"))
    }

    /// The calibration of the motor with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn motor(&self, name: &str) -> Result<&MotorCalibration, CalibrationError> {
        let found = self.motors.iter().find(|(motor, _)| motor == name);
        found.map(|(_, it)| it).ok_or_else(|| {
            let known: Vec<_> = self.motors.iter().map(|(it, _)| it.as_str()).collect();
            CalibrationError::Missing {
                motor: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    /// Conversions for each joint of a model, in its order.
    ///
    /// # Errors
    /// A joint's motor is not in the calibration.
    pub fn joints(&self, model: &ArmModel) -> Result<Vec<JointTicks>, CalibrationError> {
        let joints = model.joints.iter().enumerate();
        joints
            .map(|(joint, it)| Ok(JointTicks::new(self.motor(&it.name)?, model, joint)))
            .collect()
    }

    /// What the motors store otherwise than this says, a sentence a difference: what LeRobot
    /// compares before it accepts a calibration.
    #[must_use]
    pub fn differences(&self, stored: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, file) in &self.motors {
            let Some((_, motor)) = stored.motors.iter().find(|(it, _)| it == name) else {
                differences.push(format!("{name}: no such motor on the bus"));
                continue;
            };
            for (what, file, motor) in [
                ("id", i32::from(file.id), i32::from(motor.id)),
                ("homing offset", file.homing_offset, motor.homing_offset),
                ("range from", file.range_min, motor.range_min),
                ("range to", file.range_max, motor.range_max),
            ] {
                if file != motor {
                    let text = format!("{name}: {what} {file} in the file, {motor} in the motor");
                    differences.push(text);
                }
            }
        }
        differences
    }
}

impl MotorCalibration {
    /// What can't be.
    fn problem(&self, name: &str, others: &[(String, Self)]) -> Option<String> {
        if others.iter().any(|(other, _)| other == name) {
            return Some("it is there twice".to_owned());
        }
        if let Some((other, _)) = others.iter().find(|(_, other)| other.id == self.id) {
            return Some(format!("its id {} is also `{other}`'s", self.id));
        }
        if self.id > MAX_MOTOR_ID {
            return Some(format!("id {}; at most {MAX_MOTOR_ID}", self.id));
        }
        if self.drive_mode > 1 {
            return Some(format!("drive mode {}; expected 0 or 1", self.drive_mode));
        }
        if self.homing_offset.abs() > MAX_HOMING_OFFSET {
            return Some(format!(
                "homing offset {}; a servo stores at most {MAX_HOMING_OFFSET} either way",
                self.homing_offset
            ));
        }
        let ticks = 0..=LAST_TICK;
        if !ticks.contains(&self.range_min) || !ticks.contains(&self.range_max) {
            return Some(format!(
                "a range from {} to {}; ticks are 0 to {LAST_TICK}",
                self.range_min, self.range_max
            ));
        }
        (self.range_min >= self.range_max).then(|| {
            format!(
                "a range from {} to {}, which is no range",
                self.range_min, self.range_max
            )
        })
    }
}

/// The file's object, its order kept.
struct Motors(Vec<(String, MotorCalibration)>);

impl<'de> Deserialize<'de> for Motors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Motors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a motor's name before each calibration")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Motors, M::Error> {
                let mut motors = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    motors.push(entry);
                }
                Ok(Motors(motors))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// What one joint's ticks mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointTicks {
    min: i32,
    max: i32,
    /// Whether values are percent of the range, as a gripper's.
    percent: bool,
    reversed: bool,
    /// `position = value · scale + zero`: from LeRobot's value to radians (metres).
    scale: f64,
    zero: f64,
}

impl JointTicks {
    /// The joint's ticks by this calibration; `joint` is an index of the model's joints.
    #[must_use]
    pub fn new(motor: &MotorCalibration, model: &ArmModel, joint: usize) -> Self {
        let zero = JointUnit::Lerobot.from_unit(model, joint, 0.0);
        let one = JointUnit::Lerobot.from_unit(model, joint, 1.0);
        Self {
            min: motor.range_min,
            max: motor.range_max,
            percent: model.gripper == Some(joint),
            reversed: motor.drive_mode == 1,
            scale: one - zero,
            zero,
        }
    }

    /// The lowest and the highest tick of the joint's range.
    #[must_use]
    pub fn range(&self) -> (i32, i32) {
        (self.min, self.max)
    }

    /// LeRobot's value of a reading: degrees, the gripper 0 to 100.
    #[must_use]
    pub fn lerobot(&self, ticks: i32) -> f64 {
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        if self.percent {
            let within = f64::from(ticks.clamp(self.min, self.max));
            let percent = (within - min) / (max - min) * 100.0;
            if self.reversed {
                100.0 - percent
            } else {
                percent
            }
        } else {
            (f64::from(ticks) - (min + max) / 2.0) * 360.0 / f64::from(LAST_TICK)
        }
    }

    /// The ticks to command for one of LeRobot's values; a gripper's is clamped to its range, a
    /// body joint's to what a servo can be told.
    #[must_use]
    pub fn ticks_from_lerobot(&self, value: f64) -> i32 {
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        let ticks = if self.percent {
            let percent = value.clamp(0.0, 100.0);
            let percent = if self.reversed {
                100.0 - percent
            } else {
                percent
            };
            percent / 100.0 * (max - min) + min
        } else {
            value * f64::from(LAST_TICK) / 360.0 + (min + max) / 2.0
        };
        // A cast cuts off, as LeRobot's `int()`, and takes what is not a number to zero.
        (ticks as i32).clamp(0, LAST_TICK)
    }

    /// The joint's position, radians (metres), at a reading.
    #[must_use]
    pub fn position(&self, ticks: i32) -> f64 {
        self.lerobot(ticks) * self.scale + self.zero
    }

    /// The ticks to command for a position, radians (metres), within the calibrated range.
    #[must_use]
    pub fn ticks(&self, position: f64) -> i32 {
        let value = (position - self.zero) / self.scale;
        self.ticks_from_lerobot(value).clamp(self.min, self.max)
    }
}
