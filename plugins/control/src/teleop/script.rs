//! Plays motions: smooth moves of joints, or of the tool through inverse kinematics.
//!
//! What a step depends on (the arm's pose, an object's) is looked up when the step begins. A step
//! ends when its time is over and the safety chain has let the arm's command arrive; a target out
//! of reach ends the motion with a reason.

use std::sync::Arc;

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::units::JointUnit;
use forearm_arm::{ArmModel, kinematics};
use forearm_protocol::control::{ScriptState, TrackError};
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use super::pose::{Headings, Pointing, isometry};
use super::track::Track;
use super::{Outcome, Situation, Teleoperator};
use crate::motion::{Approach, Frame, Motion, Path, Step};

/// A target that the tool misses by more than this is out of reach, metres.
const MAX_MISS_METRES: f64 = 0.008;
/// The command has arrived when no joint is farther off than this, radians (metres).
const ARRIVED: f64 = 2e-3;
/// How long the command may take to arrive after the step's time, seconds.
const MAX_SETTLE_SECS: f64 = 5.0;
/// Below this slope the jaws can't be squared to an object by rolling.
const STEEP: f64 = 0.5;

/// The script teleoperator of one arm.
#[derive(Debug, Clone)]
pub struct Script {
    motion: Option<Arc<Motion>>,
    stage: Stage,
    step: usize,
    /// Time since the step began, or since its time was over, seconds.
    elapsed_secs: f64,
    start: Vec<f64>,
    goal: Vec<f64>,
    /// The straight way of the tool's point, in the base's frame, if this step has one.
    line: Option<[Isometry3<f64>; 2]>,
    /// The recorded positions that are followed, or were last.
    track: Track,
    /// Where a relative step leads, once it has begun, in the base's frame.
    moved_to: Option<Isometry3<f64>>,
    solver: IkSolver,
    headings: Headings,
    links: Vec<Isometry3<f64>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Idle,
    Begin,
    Move,
    Settle,
    Done,
    Failed(String),
}

impl Script {
    /// For this arm, without a motion.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        let config = IkConfig {
            max_iterations: 80,
            restarts: 8,
            ..IkConfig::default()
        };
        Self {
            motion: None,
            stage: Stage::Idle,
            step: 0,
            elapsed_secs: 0.0,
            start: model.home.clone(),
            goal: model.home.clone(),
            line: None,
            track: Track::default(),
            moved_to: None,
            solver: IkSolver::new(model, config),
            headings: Headings::of(model),
            links: Vec::with_capacity(model.links.len()),
        }
    }

    /// Plays this motion from its beginning.
    pub fn play(&mut self, motion: Arc<Motion>) {
        self.motion = Some(motion);
        self.stage = Stage::Begin;
        self.step = 0;
        self.moved_to = None;
        self.track = Track::default();
    }

    /// Gives the motion up, if one plays.
    pub fn give_up(&mut self, why: &str) {
        if self.is_playing() {
            self.stage = Stage::Failed(why.to_owned());
        }
    }

    /// How the motion stands.
    #[must_use]
    pub fn state(&self) -> ScriptState {
        match &self.stage {
            Stage::Idle => ScriptState::Idle,
            Stage::Begin | Stage::Move | Stage::Settle => ScriptState::Playing {
                step: self.step,
                steps: self.motion.as_ref().map_or(0, |motion| motion.steps.len()),
            },
            Stage::Done => ScriptState::Done,
            Stage::Failed(why) => ScriptState::Failed(why.clone()),
        }
    }

    /// How far the arm was from where it was when what it follows was recorded.
    #[must_use]
    pub fn track_errors(&self) -> Vec<TrackError> {
        self.track.errors()
    }

    /// Whether a motion plays, or waits to be driven.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        matches!(self.stage, Stage::Begin | Stage::Move | Stage::Settle)
    }

    /// The motion can't go on.
    fn fail(&mut self, motion: &Motion, problem: &str) -> Outcome {
        let why = format!("step {} of `{}`: {problem}", self.step + 1, motion.name);
        self.stage = Stage::Failed(why.clone());
        Outcome::Failed(why)
    }

    /// Looks up where the step leads.
    fn begin(
        &mut self,
        motion: &Motion,
        situation: &Situation<'_>,
        targets: &[f64],
    ) -> Result<(), String> {
        let model = situation.model;
        self.start.copy_from_slice(targets);
        self.goal.copy_from_slice(targets);
        self.line = None;
        self.elapsed_secs = 0.0;
        match &motion.steps[self.step] {
            Step::Wait { .. } => {}
            Step::Track {
                hz,
                joints,
                degrees,
                measured,
            } => self.track = Track::new(model, *hz, joints, degrees, measured),
            Step::Joints { degrees, .. } => {
                for (name, position) in degrees {
                    if let Some(joint) = model.joint_index(name) {
                        self.goal[joint] = JointUnit::Degrees.from_unit(model, joint, *position);
                    }
                }
            }
            Step::Home { .. } => {
                for (joint, goal) in self.goal.iter_mut().enumerate() {
                    if model.gripper != Some(joint) {
                        *goal = model.home[joint];
                    }
                }
            }
            Step::Gripper { percent, .. } => {
                if let Some(gripper) = model.gripper {
                    let limits = model.joints[gripper].limits;
                    let opening = percent / 100.0;
                    self.goal[gripper] = limits.lower + opening * (limits.upper - limits.lower);
                }
            }
            Step::Tool {
                position,
                frame,
                approach,
                path,
                ..
            } => {
                let position = Vector3::from(*position);
                let point = match frame {
                    Frame::Base => position,
                    Frame::World => to_base(situation, &position),
                };
                let pose = self.pointed(point, approach.unwrap_or(motion.approach), None);
                self.aim(motion, situation, pose, path.unwrap_or(Path::Joints))?;
            }
            Step::Above {
                object,
                height,
                approach,
                path,
                ..
            } => {
                let offset = Vector3::new(0.0, 0.0, *height);
                let approach = approach.unwrap_or(motion.approach);
                let pose = self.at_object(situation, object, offset, approach)?;
                self.aim(motion, situation, pose, path.unwrap_or(Path::Joints))?;
            }
            Step::At {
                object,
                offset,
                approach,
                path,
                ..
            } => {
                let offset = Vector3::from(*offset);
                let approach = approach.unwrap_or(motion.approach);
                let pose = self.at_object(situation, object, offset, approach)?;
                self.aim(motion, situation, pose, path.unwrap_or(Path::Line))?;
            }
            Step::Move { by, .. } => {
                // Taken up again after a stop, it leads where it led before.
                let pose = self.moved_to.unwrap_or_else(|| {
                    let mut pose = self.tool_point(motion, situation);
                    let by = situation.world_from_base.rotation.inverse() * Vector3::from(*by);
                    pose.translation.vector += by;
                    pose
                });
                self.moved_to = Some(pose);
                self.aim(motion, situation, pose, Path::Line)?;
            }
        }
        Ok(())
    }

    /// Sets out to bring the tool's point to a pose of the base's frame.
    fn aim(
        &mut self,
        motion: &Motion,
        situation: &Situation<'_>,
        base_from_point: Isometry3<f64>,
        path: Path,
    ) -> Result<(), String> {
        let target = base_from_point * tool_from_point(motion).inverse();
        let solution = self.solver.solve(&self.start, &target);
        if solution.position_error_m > MAX_MISS_METRES {
            let point = base_from_point.translation.vector;
            return Err(out_of_reach(&point, solution.position_error_m));
        }
        self.goal.copy_from_slice(solution.joints);
        if path == Path::Line {
            self.line = Some([self.tool_point(motion, situation), base_from_point]);
        }
        Ok(())
    }

    /// The pose of the tool's point at the step's start, in the base's frame.
    fn tool_point(&mut self, motion: &Motion, situation: &Situation<'_>) -> Isometry3<f64> {
        kinematics::tool_pose(situation.model, &self.start, &mut self.links)
            * tool_from_point(motion)
    }

    /// A pose at a point of the base's frame; `yaw` is an object's whose sides the jaws should be
    /// square to.
    fn pointed(&self, point: Vector3<f64>, approach: Approach, yaw: Option<f64>) -> Isometry3<f64> {
        let mut pointing = Pointing {
            pitch: approach.pitch_degrees.to_radians(),
            roll: approach.roll_degrees.to_radians(),
        };
        if let Some(yaw) = yaw.filter(|_| approach.align) {
            let rotation = self.headings.rotation(&point, pointing);
            let (jaws, down) = (rotation * Vector3::x(), rotation * Vector3::z());
            if down.z.abs() > STEEP {
                let turn = nearest_quarter(yaw - libm::atan2(jaws.y, jaws.x));
                pointing.roll += if down.z < 0.0 { -turn } else { turn };
            }
        }
        let rotation = self.headings.rotation(&point, pointing);
        Isometry3::from_parts(Translation3::from(point), rotation)
    }

    /// A pose at an object, `offset` (world axes) from its centre.
    fn at_object(
        &self,
        situation: &Situation<'_>,
        object: &str,
        offset: Vector3<f64>,
        approach: Approach,
    ) -> Result<Isometry3<f64>, String> {
        let pose = situation
            .plant
            .object_pose(object)
            .as_ref()
            .and_then(isometry);
        let Some(pose) = pose else {
            return Err(format!("it is not known where the object `{object}` is"));
        };
        let point = to_base(situation, &(pose.translation.vector + offset));
        let yaw = situation.plant.has_flat_sides(object).then(|| {
            let side =
                situation.world_from_base.rotation.inverse() * (pose.rotation * Vector3::x());
            libm::atan2(side.y, side.x)
        });
        Ok(self.pointed(point, approach, yaw))
    }

    /// Moves along the step's way; answers whether its end is reached.
    ///
    /// # Errors
    /// The way leads where the tool can't go.
    fn go_on(
        &mut self,
        motion: &Motion,
        situation: &Situation<'_>,
        targets: &mut [f64],
    ) -> Result<bool, String> {
        let secs = motion.steps[self.step].secs();
        if matches!(motion.steps[self.step], Step::Track { .. }) {
            self.track.compare(self.elapsed_secs, situation.positions);
            self.track.targets_at(self.elapsed_secs, targets);
            self.elapsed_secs += situation.dt_secs;
            return Ok(self.elapsed_secs >= secs);
        }
        self.elapsed_secs += situation.dt_secs;
        let part = if self.elapsed_secs < secs {
            self.elapsed_secs / secs
        } else {
            1.0
        };
        let way = minimum_jerk(part);
        match self.line {
            Some([from, to]) => {
                let position = from.translation.vector.lerp(&to.translation.vector, way);
                let rotation = slerp(&from.rotation, &to.rotation, way);
                let pose = Isometry3::from_parts(Translation3::from(position), rotation);
                let target = pose * tool_from_point(motion).inverse();
                let solution = self.solver.solve(targets, &target);
                if solution.position_error_m > MAX_MISS_METRES {
                    return Err(out_of_reach(&position, solution.position_error_m));
                }
                targets.copy_from_slice(solution.joints);
            }
            None => {
                for ((target, start), goal) in targets.iter_mut().zip(&self.start).zip(&self.goal) {
                    *target = start + (goal - start) * way;
                }
            }
        }
        Ok(part >= 1.0)
    }
}

/// What to say when the tool can't come to a point of the base's frame.
fn out_of_reach(point: &Vector3<f64>, miss_metres: f64) -> String {
    format!(
        "the tool can't reach ({:.3}, {:.3}, {:.3}) m from the arm's base, it stays {:.0} mm \
         short; bring the target nearer or change the approach",
        point.x,
        point.y,
        point.z,
        miss_metres * 1000.0
    )
}

impl Teleoperator for Script {
    fn engage(&mut self, _: &Situation<'_>) {
        if self.is_playing() {
            self.stage = Stage::Begin;
        }
    }

    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        let Some(motion) = self.motion.clone() else {
            return Outcome::Driving;
        };
        if self.stage == Stage::Begin {
            if let Err(problem) = self.begin(&motion, situation, targets) {
                return self.fail(&motion, &problem);
            }
            self.stage = Stage::Move;
        }
        match self.stage {
            Stage::Move => match self.go_on(&motion, situation, targets) {
                Ok(false) => {}
                Ok(true) => {
                    self.stage = Stage::Settle;
                    self.elapsed_secs = 0.0;
                }
                Err(problem) => return self.fail(&motion, &problem),
            },
            Stage::Settle => {
                self.elapsed_secs += situation.dt_secs;
                let mut pairs = targets.iter().zip(situation.command);
                let arrived = pairs.all(|(target, command)| (target - command).abs() < ARRIVED);
                if arrived || self.elapsed_secs > MAX_SETTLE_SECS {
                    self.step += 1;
                    self.moved_to = None;
                    if self.step == motion.steps.len() {
                        self.stage = Stage::Done;
                        return Outcome::Done;
                    }
                    self.stage = Stage::Begin;
                }
            }
            Stage::Idle | Stage::Begin | Stage::Done | Stage::Failed(_) => {}
        }
        Outcome::Driving
    }
}

fn to_base(situation: &Situation<'_>, point: &Vector3<f64>) -> Vector3<f64> {
    (situation.world_from_base.inverse() * nalgebra::Point3::from(*point)).coords
}

fn tool_from_point(motion: &Motion) -> Translation3<f64> {
    Translation3::from(Vector3::from(motion.tool_point))
}

/// The way gone after this part of the time, with no jerk at either end.
fn minimum_jerk(part: f64) -> f64 {
    part * part * part * (10.0 + part * (6.0 * part - 15.0))
}

/// An angle less the nearest whole number of quarter turns: −π/4 to π/4.
fn nearest_quarter(angle: f64) -> f64 {
    let quarter = std::f64::consts::FRAC_PI_2;
    angle - libm::round(angle / quarter) * quarter
}

fn slerp(from: &UnitQuaternion<f64>, to: &UnitQuaternion<f64>, part: f64) -> UnitQuaternion<f64> {
    from.try_slerp(to, part, 1e-9)
        .unwrap_or(if part < 0.5 { *from } else { *to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_smooth_and_ends_are_exact() {
        assert_eq!((minimum_jerk(0.0), minimum_jerk(1.0)), (0.0, 1.0));
        assert!((minimum_jerk(0.5) - 0.5).abs() < 1e-12);
        assert!(minimum_jerk(0.01) < 1e-5 && minimum_jerk(0.99) > 1.0 - 1e-5);
    }

    #[test]
    fn quarters_are_taken_off() {
        for (angle, rest) in [
            (0.1, 0.1),
            (1.5, 1.5 - std::f64::consts::FRAC_PI_2),
            (-3.2, -0.058),
        ] {
            assert!((nearest_quarter(angle) - rest).abs() < 1e-3);
        }
    }
}
