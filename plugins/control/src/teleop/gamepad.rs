//! Sticks drive the tool in Cartesian space, or joints.
//!
//! Both: triggers close (left) and open (right) the gripper.
//!
//! Cartesian: the left stick moves the tool ahead, back and sideways, the right stick up and down
//! and (sideways) around the base; the directional pad pitches and rolls it, the shoulder buttons
//! roll it.
//!
//! Joints: left stick pan and lift, right stick wrist roll and elbow, the pad wrist flex and roll,
//! the shoulder buttons wrist roll.

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::{ArmModel, JointKind, kinematics};
use forearm_protocol::control::GamepadState;
use nalgebra::{Isometry3, Translation3, Vector3};

use super::pose::{Headings, Pointing};
use super::{Input, Outcome, Situation, Teleoperator};

/// Sticks count as centred within this.
const DEAD_ZONE: f64 = 0.12;
/// The tool's speed at full deflection, m/s.
const TOOL_SPEED: f64 = 0.18;
/// How fast the tool turns at full deflection, rad/s.
const TURN_SPEED: f64 = 1.2;
/// How fast a joint turns at full deflection, rad/s; a sliding one, m/s.
const JOINT_SPEED: f64 = 1.2;
const SLIDE_SPEED: f64 = 0.1;
/// How fast the gripper opens, its range a second.
const GRIPPER_SPEED: f64 = 1.2;
/// Where a target would leave the tool farther behind than this, it stays, metres.
const MAX_MISS_METRES: f64 = 0.004;
/// Sticks that turn the tool further off than this turn it no further, radians.
const MAX_TWIST_RADIANS: f64 = 0.1;

/// A gamepad's state with dead zones applied and buttons summed up; −1 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sticks {
    left: [f64; 2],
    right: [f64; 2],
    pitch: f64,
    roll: f64,
    /// Positive opens.
    gripper: f64,
}

impl Sticks {
    fn new(state: &GamepadState) -> Self {
        let pair = |[x, y]: [f32; 2]| [centred(x), centred(y)];
        let [left_shoulder, right_shoulder] = state.shoulders.map(|held| f64::from(u8::from(held)));
        let [pad_x, pad_y] = pair(state.dpad);
        let [close, open] = pair(state.triggers);
        Self {
            left: pair(state.left),
            right: pair(state.right),
            pitch: pad_y,
            roll: (pad_x + right_shoulder - left_shoulder).clamp(-1.0, 1.0),
            gripper: open.max(0.0) - close.max(0.0),
        }
    }

    fn move_gripper(&self, situation: &Situation<'_>, targets: &mut [f64]) {
        if let Some(gripper) = situation.model.gripper
            && self.gripper != 0.0
        {
            let limits = situation.model.joints[gripper].limits;
            let speed = GRIPPER_SPEED * (limits.upper - limits.lower);
            let target = targets[gripper] + self.gripper * speed * situation.dt_secs;
            targets[gripper] = target.min(limits.upper).max(limits.lower);
        }
    }
}

/// A stick's deflection beyond the dead zone, finer near the centre; what is no number is none.
fn centred(deflection: f32) -> f64 {
    let size = f64::from(deflection.abs()).min(1.0);
    if deflection.is_nan() || size <= DEAD_ZONE {
        return 0.0;
    }
    let beyond = (size - DEAD_ZONE) / (1.0 - DEAD_ZONE);
    f64::from(deflection.signum()) * beyond * beyond
}

/// Sticks move the tool.
#[derive(Debug, Clone)]
pub struct GamepadCartesian {
    sticks: Sticks,
    solver: IkSolver,
    headings: Headings,
    point: Vector3<f64>,
    pointing: Pointing,
    /// How far the tool is turned from where it was told to point, radians.
    twist_radians: f64,
    links: Vec<Isometry3<f64>>,
}

impl GamepadCartesian {
    /// For this arm.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        Self {
            sticks: Sticks::default(),
            solver: IkSolver::new(model, IkConfig::default()),
            headings: Headings::of(model),
            point: Vector3::zeros(),
            twist_radians: 0.0,
            pointing: Pointing {
                pitch: 0.0,
                roll: 0.0,
            },
            links: Vec::with_capacity(model.links.len()),
        }
    }

    fn pose(&self, point: Vector3<f64>, pointing: Pointing) -> Isometry3<f64> {
        let rotation = self.headings.rotation(&point, pointing);
        Isometry3::from_parts(Translation3::from(point), rotation)
    }
}

impl Teleoperator for GamepadCartesian {
    fn engage(&mut self, situation: &Situation<'_>) {
        self.release();
        let tool = kinematics::tool_pose(situation.model, situation.command, &mut self.links);
        self.twist_radians = 0.0;
        self.point = tool.translation.vector;
        self.pointing = self.headings.pointing(&tool);
    }

    fn input(&mut self, input: &Input<'_>, _: &Situation<'_>) {
        if let Input::Gamepad(state) = input {
            self.sticks = Sticks::new(state);
        }
    }

    fn release(&mut self) {
        self.sticks = Sticks::default();
    }

    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        let Sticks {
            left,
            right,
            pitch,
            roll,
            ..
        } = self.sticks;
        if left != [0.0; 2] || right != [0.0; 2] || pitch != 0.0 || roll != 0.0 {
            let (reach, turn) = (
                TOOL_SPEED * situation.dt_secs,
                TURN_SPEED * situation.dt_secs,
            );
            let moved = self.point + Vector3::new(left[1], -left[0], right[1]) * reach;
            let around = nalgebra::Rotation3::from_axis_angle(&Vector3::z_axis(), -right[0] * turn);
            let point = around * moved;
            let pointing = Pointing {
                pitch: self.pointing.pitch - pitch * turn,
                roll: self.pointing.roll + roll * turn,
            };
            let pose = self.pose(point, pointing);
            let solution = self.solver.solve(targets, &pose);
            // Beyond reach the target stays where it is: it must not run away from the arm. The
            // same for a turn beyond a joint's limit, which would end on the other way round.
            let twist = solution.orientation_error_rad;
            let turns = pitch != 0.0 || roll != 0.0;
            let twisted = turns && twist > MAX_TWIST_RADIANS && twist > self.twist_radians;
            if solution.position_error_m <= MAX_MISS_METRES && !twisted {
                self.twist_radians = twist;
                (self.point, self.pointing) = (point, pointing);
                targets.copy_from_slice(solution.joints);
            }
        }
        self.sticks.move_gripper(situation, targets);
        Outcome::Driving
    }
}

/// Sticks turn joints.
#[derive(Debug, Clone)]
pub struct GamepadJoint {
    sticks: Sticks,
    /// The joints that left x, left y, right y, pitch and roll move, where the arm has them.
    joints: [Option<usize>; 5],
}

impl GamepadJoint {
    /// For this arm: joints are found by the SO-101's names, or else by their order.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        let names = [
            "shoulder_pan",
            "shoulder_lift",
            "elbow_flex",
            "wrist_flex",
            "wrist_roll",
        ];
        let named = names.map(|name| model.joint_index(name));
        let mut body = (0..model.dof()).filter(|joint| Some(*joint) != model.gripper);
        let ordered = names.map(|_| body.next());
        let joints = if named.iter().all(Option::is_some) {
            named
        } else {
            ordered
        };
        Self {
            sticks: Sticks::default(),
            joints,
        }
    }
}

impl Teleoperator for GamepadJoint {
    fn engage(&mut self, _: &Situation<'_>) {
        self.release();
    }

    fn input(&mut self, input: &Input<'_>, _: &Situation<'_>) {
        if let Input::Gamepad(state) = input {
            self.sticks = Sticks::new(state);
        }
    }

    fn release(&mut self) {
        self.sticks = Sticks::default();
    }

    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        let Sticks {
            left,
            right,
            pitch,
            roll,
            ..
        } = self.sticks;
        let roll = (roll + right[0]).clamp(-1.0, 1.0);
        let deflections = [left[0], left[1], right[1], pitch, roll];
        for (joint, deflection) in self.joints.iter().zip(deflections) {
            let Some(joint) = *joint else { continue };
            let limits = situation.model.joints[joint].limits;
            let speed = match situation.model.joints[joint].kind {
                JointKind::Revolute => JOINT_SPEED,
                JointKind::Prismatic => SLIDE_SPEED,
            };
            let target = targets[joint] + deflection * speed * situation.dt_secs;
            // A joint that is not moved is left alone, also beyond its limits.
            if deflection != 0.0 {
                targets[joint] = target.min(limits.upper).max(limits.lower);
            }
        }
        self.sticks.move_gripper(situation, targets);
        Outcome::Driving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_zone_swallows_drift_and_nonsense() {
        for still in [0.0, 0.12, -0.12, f32::NAN] {
            assert_eq!(centred(still), 0.0);
        }
        assert_eq!(
            (centred(1.0), centred(-1.0), centred(7.0)),
            (1.0, -1.0, 1.0)
        );
        assert!(centred(0.5) > 0.0 && centred(0.5) < 0.5);
    }

    #[test]
    fn buttons_sum_up() {
        let state = GamepadState {
            dpad: [1.0, -1.0],
            shoulders: [true, true],
            triggers: [1.0, 0.0],
            ..GamepadState::default()
        };
        let sticks = Sticks::new(&state);
        assert_eq!(
            (sticks.pitch, sticks.roll, sticks.gripper),
            (-1.0, 1.0, -1.0)
        );
    }
}
