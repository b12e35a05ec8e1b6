//! Environments: tasks to learn, how they are configured, and what they observe and take.
//!
//! Plain data for whoever steps environments: the simulation itself, a service, a Python package.
//! Lengths are metres, angles radians but where a name says degrees.

pub mod messages;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::scene::MAX_CAMERA_PIXELS;

/// Physics steps an environment's step has unless told otherwise: 34 ms at 500 steps a second.
pub const DEFAULT_SUBSTEPS: u32 = 17;
/// The most physics steps of one environment step.
pub const MAX_SUBSTEPS: u32 = 1000;
/// The most control steps by which commands may be late.
pub const MAX_LATENCY_STEPS: u32 = 30;
/// The most pictures of one environment.
pub const MAX_ENV_CAMERAS: usize = 8;

/// What is to be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The tool goes to a place above the table.
    #[default]
    Reach,
    /// A cube goes to a place on the table.
    Push,
    /// A cube goes into a tray, and is let go.
    PickPlace,
    /// One cube goes on top of another, and is let go.
    Stack,
    /// One arm picks a bar up that the other can't reach, and hands it over.
    BimanualHandover,
}

impl Task {
    /// All tasks.
    pub const ALL: [Self; 5] = [
        Self::Reach,
        Self::Push,
        Self::PickPlace,
        Self::Stack,
        Self::BimanualHandover,
    ];

    /// The task's name, for instance `pick-place`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Push => "push",
            Self::PickPlace => "pick-place",
            Self::Stack => "stack",
            Self::BimanualHandover => "bimanual-handover",
        }
    }

    /// Names of the cameras that the task's scene has.
    #[must_use]
    pub const fn cameras(self) -> &'static [&'static str] {
        match self {
            Self::BimanualHandover => &["front", "left_wrist", "right_wrist"],
            _ => &["front", "wrist"],
        }
    }

    /// Steps after which an episode is cut off unless told otherwise.
    #[must_use]
    pub const fn max_steps(self) -> u32 {
        match self {
            Self::Reach => 80,
            Self::Push => 200,
            Self::PickPlace => 250,
            Self::Stack => 300,
            Self::BimanualHandover => 500,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Task {
    type Err = ConfigProblem;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|task| task.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            ConfigProblem::new(
                "task",
                format!("no task is called `{name}`; expected one of: {known}"),
            )
        })
    }
}

/// What a step is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reward {
    /// Says at every step how near success is: at most 0 on the way, and a bonus for success.
    #[default]
    Dense,
    /// 1 for success, 0 otherwise.
    Sparse,
}

/// What an action means. Actions are −1 to 1, one a joint in the model's order, the gripper last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionMode {
    /// Where the joint's target is between its limits: −1 is the lower, 1 the upper.
    Targets,
    /// By how much the joint's target moves in this step: 1 is the largest allowed.
    #[default]
    Deltas,
}

/// A picture of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvCamera {
    /// One of [`Task::cameras`].
    pub name: String,
    /// Width and height, pixels.
    pub resolution: [u32; 2],
}

/// By how much episodes differ from the scene as it is written. What a field allows is drawn evenly
/// for each episode from its seed; 0 leaves the scene's value.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Randomization {
    /// Objects' masses: by this part, up or down, each object on its own. Below 1.
    pub mass: f64,
    /// Friction of objects, table and jaws: by this part, up or down. Below 1.
    pub friction: f64,
    /// The servos' position gains: by this part, up or down, each on its own. Below 1.
    pub gains: f64,
    /// Commands arrive late by at most so many control steps, to a physics step.
    pub latency_steps: u32,
    /// The lights' brightness by this part, up or down, and their direction by as many radians.
    /// Below 1.
    pub light: f64,
    /// Cameras' places along each axis, metres.
    pub camera_m: f64,
    /// Cameras' directions about each axis, degrees.
    pub camera_degrees: f64,
}

impl Randomization {
    /// As much as is sensible for a policy that has to work on a real arm.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            mass: 0.4,
            friction: 0.3,
            gains: 0.2,
            latency_steps: 2,
            light: 0.4,
            camera_m: 0.015,
            camera_degrees: 3.0,
        }
    }
}

/// Which environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvConfig {
    /// What is to be learnt.
    pub task: Task,
    /// What a step is worth.
    pub reward: Reward,
    /// What an action means.
    pub actions: ActionMode,
    /// Physics steps of one step.
    pub substeps: u32,
    /// Steps after which an episode is cut off; the task's own number if none is given.
    pub max_steps: Option<u32>,
    /// Pictures, in the order in which they are asked for.
    pub cameras: Vec<EnvCamera>,
    /// By how much episodes differ.
    pub randomize: Randomization,
}

impl Default for EnvConfig {
    fn default() -> Self {
        Self {
            task: Task::default(),
            reward: Reward::default(),
            actions: ActionMode::default(),
            substeps: DEFAULT_SUBSTEPS,
            max_steps: None,
            cameras: Vec::new(),
            randomize: Randomization::default(),
        }
    }
}

impl EnvConfig {
    /// A task with everything else as it usually is.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self {
            task,
            ..Self::default()
        }
    }

    /// Steps after which an episode is cut off.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.max_steps.unwrap_or(self.task.max_steps())
    }

    /// Checks every number and name.
    ///
    /// # Errors
    /// The first field at fault, what was found and what is allowed.
    pub fn check(&self) -> Result<(), ConfigProblem> {
        check_count("substeps", self.substeps, 1, MAX_SUBSTEPS)?;
        check_count("max_steps", self.steps(), 1, u32::MAX)?;
        let cameras = self.cameras.len();
        if cameras > MAX_ENV_CAMERAS {
            return Err(ConfigProblem::new(
                "cameras",
                format!("{cameras} were asked for; expected at most {MAX_ENV_CAMERAS}"),
            ));
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            let known = self.task.cameras();
            if !known.contains(&camera.name.as_str()) {
                return Err(ConfigProblem::new(
                    format!("cameras[{index}].name"),
                    format!(
                        "`{}` is no camera of `{}`; expected one of: {}",
                        camera.name,
                        self.task,
                        known.join(", ")
                    ),
                ));
            }
            let [width, height] = camera.resolution;
            let pixels = u64::from(width) * u64::from(height);
            if pixels == 0 || pixels > u64::from(MAX_CAMERA_PIXELS) {
                return Err(ConfigProblem::new(
                    format!("cameras[{index}].resolution"),
                    format!("is {width}x{height}; expected 1 to {MAX_CAMERA_PIXELS} pixels in all"),
                ));
            }
        }
        let random = &self.randomize;
        check_range("randomize.mass", random.mass, 0.9)?;
        check_range("randomize.friction", random.friction, 0.9)?;
        check_range("randomize.gains", random.gains, 0.9)?;
        check_count(
            "randomize.latency_steps",
            random.latency_steps,
            0,
            MAX_LATENCY_STEPS,
        )?;
        check_range("randomize.light", random.light, 0.9)?;
        check_range("randomize.camera_m", random.camera_m, 1.0)?;
        check_range("randomize.camera_degrees", random.camera_degrees, 45.0)
    }
}

fn check_count(field: &str, value: u32, lowest: u32, highest: u32) -> Result<(), ConfigProblem> {
    if (lowest..=highest).contains(&value) {
        return Ok(());
    }
    Err(ConfigProblem::new(
        field,
        format!("is {value}; expected {lowest} to {highest}"),
    ))
}

fn check_range(field: &str, value: f64, highest: f64) -> Result<(), ConfigProblem> {
    if (0.0..=highest).contains(&value) {
        return Ok(());
    }
    Err(ConfigProblem::new(
        field,
        format!("is {value}; expected 0 to {highest}"),
    ))
}

/// A configuration that no environment can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("environment: `{field}` {problem}")]
pub struct ConfigProblem {
    /// The field at fault.
    pub field: String,
    /// What was found and what is allowed.
    pub problem: String,
}

impl ConfigProblem {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// Numbers of an observation that belong together, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What they are, for instance `joint_positions`.
    pub name: String,
    /// How many.
    pub len: u32,
}

/// What one agent sees and does. Each arm is an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSpec {
    /// The arm's name: `arm`, or `left` and `right`.
    pub name: String,
    /// What its observation is made of, in order. Positions are metres in the world's frame,
    /// rotations quaternions `[x, y, z, w]`, joints radians.
    pub observation: Vec<Part>,
    /// Numbers of an observation: the sum of its parts'.
    pub observation_len: u32,
    /// Numbers of an action: one a joint.
    pub action_len: u32,
    /// The joints' names, in the order of actions.
    pub joints: Vec<String>,
}

/// What an environment is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvSpec {
    /// What it was made from.
    pub config: EnvConfig,
    /// Its agents; observations, actions and rewards are in their order.
    pub agents: Vec<AgentSpec>,
    /// Its pictures.
    pub cameras: Vec<EnvCamera>,
    /// Simulated time of a step, seconds.
    pub step_secs: f64,
    /// Steps after which an episode is cut off.
    pub max_steps: u32,
}

impl EnvSpec {
    /// Numbers of all agents' observations together.
    #[must_use]
    pub fn observation_len(&self) -> usize {
        let lens = self.agents.iter().map(|agent| agent.observation_len);
        lens.map(|len| len as usize).sum()
    }

    /// Numbers of all agents' actions together.
    #[must_use]
    pub fn action_len(&self) -> usize {
        let lens = self.agents.iter().map(|agent| agent.action_len);
        lens.map(|len| len as usize).sum()
    }

    /// Bytes of a camera's picture, RGB; 0 for a camera that there is not.
    #[must_use]
    pub fn image_len(&self, camera: usize) -> usize {
        self.cameras.get(camera).map_or(0, |camera| {
            let [width, height] = camera.resolution.map(|side| side as usize);
            3 * width * height
        })
    }

    /// Bytes of all cameras' pictures together, one after another.
    #[must_use]
    pub fn images_len(&self) -> usize {
        (0..self.cameras.len())
            .map(|camera| self.image_len(camera))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_known_by_their_names() {
        for task in Task::ALL {
            assert_eq!(task.name().parse(), Ok(task));
            assert_eq!(
                serde_json::to_string(&task).unwrap(),
                format!("\"{}\"", task.name())
            );
        }
        let error = "pick".parse::<Task>().unwrap_err().to_string();
        assert!(
            error.contains("`pick`") && error.contains("reach, push, pick-place"),
            "{error}"
        );
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let config: EnvConfig = serde_json::from_str(r#"{"task": "stack"}"#).unwrap();
        assert_eq!(config, EnvConfig::new(Task::Stack));
        assert_eq!(config.check(), Ok(()));
        assert!(serde_json::from_str::<EnvConfig>(r#"{"tusk": "stack"}"#).is_err());
    }

    #[test]
    fn wrong_numbers_are_named() {
        let wrong = |change: fn(&mut EnvConfig)| {
            let mut config = EnvConfig::new(Task::PickPlace);
            change(&mut config);
            config.check().unwrap_err().field
        };
        assert_eq!(wrong(|c| c.substeps = 0), "substeps");
        assert_eq!(wrong(|c| c.max_steps = Some(0)), "max_steps");
        assert_eq!(wrong(|c| c.randomize.mass = 1.5), "randomize.mass");
        assert_eq!(
            wrong(|c| c.randomize.friction = f64::NAN),
            "randomize.friction"
        );
        assert_eq!(
            wrong(|c| c.randomize.latency_steps = 99),
            "randomize.latency_steps"
        );
        let camera = |name: &str, resolution| EnvCamera {
            name: name.to_owned(),
            resolution,
        };
        let mut config = EnvConfig::new(Task::Reach);
        config.cameras = vec![camera("front", [64, 64]), camera("back", [64, 64])];
        let error = config.check().unwrap_err();
        assert_eq!(error.field, "cameras[1].name");
        assert!(error.problem.contains("front, wrist"), "{error}");
        config.cameras = vec![camera("front", [0, 64])];
        assert_eq!(config.check().unwrap_err().field, "cameras[0].resolution");
    }
}
