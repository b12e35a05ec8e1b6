//! Motion files: what a script teleoperator plays. RON; `scenes/motions/README.md` documents them
//! for people.
//!
//! A motion is a list of steps, played one after another, each with smooth (minimum-jerk) speed.
//! Files speak to people: degrees, percent, metres, seconds.

mod check;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use forearm_protocol::ron_file::{self, FileError};
use serde::Deserialize;

pub use check::{MotionMisfit, Surroundings};

/// Most steps of a motion.
pub const MAX_STEPS: usize = 1000;

/// A motion.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    /// A short name.
    pub name: String,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// The point of the tool that is brought to a target, metres in the tool's frame.
    #[serde(default, deserialize_with = "values::point")]
    pub tool_point: [f64; 3],
    /// How the tool comes to targets, unless a step says otherwise.
    #[serde(default)]
    pub approach: Approach,
    /// What is done, in order; at least one step.
    #[serde(deserialize_with = "values::steps")]
    pub steps: Vec<Step>,
}

/// How the tool comes to a target.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approach {
    /// Where the tool points: 0 straight ahead, 90 straight down, degrees.
    #[serde(deserialize_with = "values::degrees")]
    pub pitch_degrees: f64,
    /// How it is turned about the direction it points in, degrees.
    #[serde(deserialize_with = "values::degrees")]
    pub roll_degrees: f64,
    /// Whether it turns on, by up to 45°, until the jaws stand square to the object's sides.
    pub align: bool,
}

impl Default for Approach {
    fn default() -> Self {
        Self {
            pitch_degrees: 90.0,
            roll_degrees: 0.0,
            align: true,
        }
    }
}

/// Whose axes a position is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Frame {
    /// The arm's base: X ahead, Y to its left, Z up.
    #[default]
    Base,
    /// The world.
    World,
}

/// The way to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Path {
    /// Every joint goes its way evenly: fast, and never stuck on the way.
    Joints,
    /// The tool's point goes straight.
    Line,
}

/// A step of a motion. Objects are looked up when the step begins.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Step {
    /// Joints go to positions; joints that are not named stay.
    Joints {
        /// Positions by the joints' names, degrees (millimetres for sliding joints).
        #[serde(deserialize_with = "values::joints")]
        degrees: BTreeMap<String, f64>,
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// All joints but the gripper go to where the model is at home.
    Home {
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// The gripper opens or closes.
    Gripper {
        /// 0 closed, 100 open.
        #[serde(deserialize_with = "values::percent")]
        percent: f64,
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// The tool's point goes to a position.
    Tool {
        /// Where to, metres.
        #[serde(deserialize_with = "values::point")]
        position: [f64; 3],
        /// Whose axes `position` is in.
        #[serde(default)]
        frame: Frame,
        /// How the tool comes there; the motion's when left out.
        #[serde(default)]
        approach: Option<Approach>,
        /// The way there: [`Path::Joints`] when left out.
        #[serde(default)]
        path: Option<Path>,
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// The tool's point goes above an object's centre.
    Above {
        /// The object's name.
        object: String,
        /// How far above the centre, metres.
        #[serde(deserialize_with = "values::length")]
        height: f64,
        /// How the tool comes there; the motion's when left out.
        #[serde(default)]
        approach: Option<Approach>,
        /// The way there: [`Path::Joints`] when left out.
        #[serde(default)]
        path: Option<Path>,
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// The tool's point goes to an object's centre.
    At {
        /// The object's name.
        object: String,
        /// Added to the centre, metres, along the world's axes.
        #[serde(default, deserialize_with = "values::point")]
        offset: [f64; 3],
        /// How the tool comes there; the motion's when left out.
        #[serde(default)]
        approach: Option<Approach>,
        /// The way there: [`Path::Line`] when left out.
        #[serde(default)]
        path: Option<Path>,
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// The tool's point moves on from where it is, straight, without turning.
    Move {
        /// How far, metres, along the world's axes.
        #[serde(deserialize_with = "values::point")]
        by: [f64; 3],
        /// How long it takes, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
    /// Joints follow positions at a steady rate, as they were recorded. It begins where the first ones
    /// are: a [`Step::Joints`] should lead there.
    Track {
        /// Positions a second.
        #[serde(deserialize_with = "values::hz")]
        hz: f64,
        /// Names of the joints; joints that are not named stay.
        joints: Vec<String>,
        /// One row a moment, one position a joint, degrees (millimetres for sliding joints).
        #[serde(deserialize_with = "values::rows")]
        degrees: Vec<Vec<f64>>,
        /// Where the joints were then: what the arm does is compared with it. Rows as in `degrees`.
        #[serde(default, deserialize_with = "values::some_rows")]
        measured: Vec<Vec<f64>>,
    },
    /// Nothing moves.
    Wait {
        /// How long, seconds.
        #[serde(deserialize_with = "values::secs")]
        secs: f64,
    },
}

impl Motion {
    /// Reads a motion from the text of a file called `file`.
    ///
    /// # Errors
    /// Says line, field, what was found and what was expected.
    pub fn from_ron(file: &str, text: &str) -> Result<Self, FileError> {
        ron_file::parse(file, text)
    }

    /// How long it takes if nothing has to be waited for, seconds.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        self.steps.iter().map(Step::secs).sum()
    }
}

impl Step {
    /// How long it takes, seconds.
    #[must_use]
    pub fn secs(&self) -> f64 {
        match self {
            Self::Joints { secs, .. }
            | Self::Home { secs }
            | Self::Gripper { secs, .. }
            | Self::Tool { secs, .. }
            | Self::Above { secs, .. }
            | Self::At { secs, .. }
            | Self::Move { secs, .. }
            | Self::Wait { secs } => *secs,
            Self::Track { hz, degrees, .. } => degrees.len().saturating_sub(1) as f64 / hz,
        }
    }

    /// The object it looks for.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Above { object, .. } | Self::At { object, .. } => Some(object),
            _ => None,
        }
    }
}
