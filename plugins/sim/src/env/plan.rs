//! What is constant in an environment: its scene, its joints, what it observes.

use std::sync::Arc;

use forearm_arm::{ArmModel, JointKind};
use forearm_protocol::env::{AgentSpec, EnvConfig, EnvSpec, Part};
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::{Scene, SceneBundle};

use super::{EnvError, scene, tasks};
use crate::World;

/// By how much an action of 1 moves a joint's target in a step, radians: 2.4 rad/s.
const DELTA_RADIANS: f64 = 0.08;
/// The same for sliding joints, metres.
const DELTA_METRES: f64 = 0.008;

/// A joint as actions see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct JointRange {
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// The most that its target moves in a step.
    pub(super) delta: f64,
}

/// The constant part, shared by all worlds of a batch.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) spec: Arc<EnvSpec>,
    /// As it is drawn: with the goal's mark.
    pub(super) bundle: SceneBundle,
    pub(super) models: Vec<Arc<ArmModel>>,
    /// All arms' joints, one arm after another.
    pub(super) joints: Vec<JointRange>,
    /// Objects that move and touch, without the mark.
    pub(super) solid_objects: usize,
}

impl Plan {
    pub(super) fn new(config: &EnvConfig) -> Result<Self, EnvError> {
        config.check()?;
        let drawn = scene::scene(config.task, &config.cameras);
        let step_secs = f64::from(config.substeps) / drawn.physics.hz;
        let solid_objects = drawn.objects.len() - usize::from(scene::has_mark(config.task));
        let arm_names: Vec<String> = drawn.arms.iter().map(|arm| arm.name.clone()).collect();
        let bundle = SceneBundle::from(drawn);
        let models = bundle.arm_models().map_err(|problem| {
            EnvError::Scene(crate::SimError::Model {
                arm: problem.arm.clone(),
                model: String::new(),
                problem: problem.problem,
            })
        })?;
        let joints = models.iter().flat_map(|model| &model.joints);
        let joints = joints.map(|joint| JointRange {
            lower: joint.limits.lower,
            upper: joint.limits.upper,
            delta: match joint.kind {
                JointKind::Revolute => DELTA_RADIANS,
                JointKind::Prismatic => DELTA_METRES,
            },
        });
        let agents = arm_names.into_iter().zip(&models);
        let agents = agents.map(|(name, model)| agent(name, model, config));
        Ok(Self {
            spec: Arc::new(EnvSpec {
                agents: agents.collect(),
                cameras: config.cameras.clone(),
                step_secs,
                max_steps: config.steps(),
                config: config.clone(),
            }),
            joints: joints.collect(),
            bundle,
            models,
            solid_objects,
        })
    }

    /// A world of the scene, without what is only drawn.
    pub(super) fn world(&self) -> Result<World, EnvError> {
        let mut objects = self.bundle.scene.objects.clone();
        objects.truncate(self.solid_objects);
        let solid = Scene {
            objects,
            ..self.bundle.scene.clone()
        };
        Ok(World::new(&solid, &self.models)?)
    }

    /// What is where in a tick.
    pub(super) fn layout(&self) -> TickLayout {
        TickLayout {
            joints: self.joints.len(),
            objects: self.bundle.scene.objects.len(),
        }
    }
}

fn agent(name: String, model: &ArmModel, config: &EnvConfig) -> AgentSpec {
    let dof = model.dof() as u32;
    let own = [
        ("joint_positions", dof),
        ("joint_velocities", dof),
        ("joint_targets", dof),
        ("tool_position", 3),
        ("tool_rotation", 4),
    ];
    let parts = own.iter().chain(tasks::parts(config.task));
    let observation: Vec<Part> = parts
        .map(|&(name, len)| Part {
            name: name.to_owned(),
            len,
        })
        .collect();
    AgentSpec {
        name,
        observation_len: observation.iter().map(|part| part.len).sum(),
        observation,
        action_len: dof,
        joints: model
            .joints
            .iter()
            .map(|joint| joint.name.clone())
            .collect(),
    }
}
