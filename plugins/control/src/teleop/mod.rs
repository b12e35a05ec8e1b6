//! Teleoperators: what a person (or a file) wants an arm to do, as joint targets.
//!
//! Each is a file with one type; [`Teleoperators`] is the list of them. They know no backend, no
//! limits but the joints' range, and no clock: time comes with the [`Situation`].

mod gamepad;
mod gizmo;
mod keyboard;
mod leader;
mod pose;
mod script;
mod sliders;
mod track;

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use forearm_protocol::control::{GamepadState, TeleopMode};
use forearm_protocol::keys::Key;
use nalgebra::Isometry3;

pub use gamepad::{GamepadCartesian, GamepadJoint};
pub use gizmo::Gizmo;
pub use keyboard::Keyboard;
pub use leader::Leader;
pub use script::Script;
pub use sliders::Sliders;

use crate::backend::Plant;

/// What a teleoperator sees when it is called.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The arm.
    pub model: &'a ArmModel,
    /// Where its base stands.
    pub world_from_base: &'a Isometry3<f64>,
    /// The service's time, seconds.
    pub now_secs: f64,
    /// The time since the last tick that targets are for, seconds.
    pub dt_secs: f64,
    /// Where the joints are, radians (metres).
    pub positions: &'a [f64],
    /// The last command, as it left the safety chain.
    pub command: &'a [f64],
    /// The simulated world, where objects are looked up.
    pub plant: &'a Plant,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input<'a> {
    /// A key went down or up.
    Key(Key, bool),
    /// Sliders' positions, one a joint, radians (metres).
    JointTargets(&'a [f64]),
    /// Where the tool should be.
    ToolTarget {
        /// In the base's frame.
        base_from_tool: Pose,
        /// Whether orientation matters.
        orientation: bool,
    },
    /// Sticks and triggers.
    Gamepad(GamepadState),
}

/// What came of a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Driving,
    /// What was to be done is done.
    Done,
    /// What was to be done can't be: why, and what to do.
    Failed(String),
}

/// A source of joint targets.
pub trait Teleoperator: Send {
    /// Takes over: targets begin at the present command.
    fn engage(&mut self, situation: &Situation<'_>);

    /// Goes on at another place, as another arm moves from now on: targets begin at the present
    /// command, and what a person holds stays held.
    fn rebase(&mut self, situation: &Situation<'_>) {
        self.engage(situation);
    }

    /// Takes what a person did; inputs for other teleoperators are ignored.
    fn input(&mut self, _input: &Input<'_>, _situation: &Situation<'_>) {}

    /// All keys and sticks count as released.
    fn release(&mut self) {}

    /// Changes `targets`, which hold what it wanted at the last tick (one a joint, within the
    /// joints' limits or not), to what it wants now. Allocates nothing while it drives.
    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome;
}

/// One of each teleoperator, for one arm.
pub struct Teleoperators {
    keyboard: Keyboard,
    sliders: Sliders,
    gamepad_cartesian: GamepadCartesian,
    gamepad_joint: GamepadJoint,
    gizmo: Gizmo,
    /// The one that plays motions.
    pub script: Script,
    /// The one that follows a leader arm.
    pub leader: Leader,
}

impl Teleoperators {
    /// Teleoperators for this arm.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        Self {
            keyboard: Keyboard::new(model),
            sliders: Sliders::new(model),
            gamepad_cartesian: GamepadCartesian::new(model),
            gamepad_joint: GamepadJoint::new(model),
            gizmo: Gizmo::new(model),
            script: Script::new(model),
            leader: Leader::new(model.dof()),
        }
    }

    /// The teleoperator of a mode.
    pub fn get(&mut self, mode: TeleopMode) -> &mut dyn Teleoperator {
        match mode {
            TeleopMode::Keyboard => &mut self.keyboard,
            TeleopMode::Sliders => &mut self.sliders,
            TeleopMode::GamepadCartesian => &mut self.gamepad_cartesian,
            TeleopMode::GamepadJoint => &mut self.gamepad_joint,
            TeleopMode::Gizmo => &mut self.gizmo,
            TeleopMode::Script => &mut self.script,
            TeleopMode::Leader => &mut self.leader,
        }
    }
}

impl Input<'_> {
    /// The mode that an arm must be in for this input to mean something, given the one it is in;
    /// nothing for inputs that should not change it, such as a key that goes up.
    #[must_use]
    pub fn wanted_mode(&self, mode: TeleopMode) -> Option<TeleopMode> {
        match self {
            Self::Key(Key::Escape, _) | Self::Key(_, false) => None,
            Self::Key(_, true) => Some(TeleopMode::Keyboard),
            Self::JointTargets(_) => Some(TeleopMode::Sliders),
            Self::ToolTarget { .. } => Some(TeleopMode::Gizmo),
            Self::Gamepad(state) if *state == GamepadState::default() => None,
            Self::Gamepad(_) if mode == TeleopMode::GamepadJoint => Some(mode),
            Self::Gamepad(_) => Some(TeleopMode::GamepadCartesian),
        }
    }
}
