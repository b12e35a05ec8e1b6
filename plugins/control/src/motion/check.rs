//! Whether a motion fits the arm and the scene it is to be played in.

use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;

use super::{Motion, Step};

/// What a motion needs to know of where it is played.
pub trait Surroundings {
    /// The names of the objects whose poses are known.
    fn object_names(&self) -> Vec<&str>;
}

/// Why a motion can't be played here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {} of the motion `{motion}`: {problem}", step + 1)]
pub struct MotionMisfit {
    /// The motion's name.
    pub motion: String,
    /// The step, from 0.
    pub step: usize,
    /// What is missing, and what there is instead.
    pub problem: String,
}

impl Motion {
    /// Checks that every joint and object that the motion names is there.
    ///
    /// # Errors
    /// Names the first step that does not fit.
    pub fn check_for(
        &self,
        model: &ArmModel,
        surroundings: &dyn Surroundings,
    ) -> Result<(), MotionMisfit> {
        for (step, what) in self.steps.iter().enumerate() {
            if let Some(problem) = problem_of(what, model, surroundings) {
                return Err(MotionMisfit {
                    motion: self.name.clone(),
                    step,
                    problem,
                });
            }
        }
        Ok(())
    }
}

fn problem_of(step: &Step, model: &ArmModel, surroundings: &dyn Surroundings) -> Option<String> {
    match step {
        Step::Joints { degrees, .. } => degrees
            .iter()
            .find_map(|(name, position)| joint_problem(model, name, *position)),
        Step::Track {
            joints,
            degrees,
            measured,
            ..
        } => track_problem(model, joints, degrees, measured),
        Step::Gripper { .. } if model.gripper.is_none() => {
            Some(format!("the arm `{}` has no gripper", model.name))
        }
        _ => {
            let wanted = step.object()?;
            let names = surroundings.object_names();
            (!names.contains(&wanted)).then(|| {
                let there = list(names.into_iter());
                format!("there is no object `{wanted}`; there is {there}")
            })
        }
    }
}

/// Positions that were recorded may lie a little outside the limits: the safety chain keeps to them.
fn track_problem(
    model: &ArmModel,
    joints: &[String],
    degrees: &[Vec<f64>],
    measured: &[Vec<f64>],
) -> Option<String> {
    if let Some(name) = joints.iter().find(|name| model.joint_index(name).is_none()) {
        return Some(unknown_joint(model, name));
    }
    let width = joints.len();
    let mut rows = degrees.iter().chain(measured);
    if let Some(row) = rows.find(|row| row.len() != width) {
        let found = row.len();
        return Some(format!(
            "a row has {found} positions; expected {width}, one for each of `joints`"
        ));
    }
    let (asked, were) = (degrees.len(), measured.len());
    (were != 0 && were != asked).then(|| {
        format!("`measured` has {were} rows; expected as many as `degrees`, {asked}, or none")
    })
}

fn unknown_joint(model: &ArmModel, name: &str) -> String {
    let there = list(model.joints.iter().map(|joint| joint.name.as_str()));
    format!(
        "the arm `{}` has no joint `{name}`; it has {there}",
        model.name
    )
}

fn joint_problem(model: &ArmModel, name: &str, position: f64) -> Option<String> {
    let Some(joint) = model.joint_index(name) else {
        return Some(unknown_joint(model, name));
    };
    let limits = model.joints[joint].limits;
    let [low, high] =
        [limits.lower, limits.upper].map(|limit| JointUnit::Degrees.to_unit(model, joint, limit));
    // Limits are seldom whole degrees: a tenth more is meant to be the limit.
    (!(low - 0.1..=high + 0.1).contains(&position)).then(|| {
        let unit = JointUnit::Degrees.suffix(model, joint);
        format!("joint `{name}` can't go to {position}{unit}; it goes from {low:.1} to {high:.1}")
    })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
