//! Environments to learn in: tasks with observations, rewards and success, for one world or many.
//!
//! [`Env`] is one world, [`Batch`] many, over threads natively and one after another in a browser;
//! results are the same for any number of threads, on every target, bit for bit. An episode
//! follows from its seed: where things are and, if asked for, masses, friction, gains, delays,
//! lights and cameras. A step allocates nothing once buffers have grown.
//!
//! Numbers go in and out as flat rows of `f32`: all agents' one after another, all worlds' one
//! after another; [`EnvSpec`] says what is where. Metres, radians, seconds; world frame, Z up.
//!
//! `core` is a world without pictures, `plan` what is constant, `tasks` the five tasks, `vary`
//! what differs between episodes, `draw` the pictures, `crew` the threads. [`service`] puts worlds on a
//! thread of time of their own, or into a browser's worker.

mod batch;
pub mod bench;
mod core;
mod crew;
mod digest;
mod draw;
mod error;
mod plan;
mod random;
mod scene;
pub mod service;
mod tasks;
mod vary;

use std::sync::Arc;

use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::SceneBundle;

pub use batch::{Batch, Buffers};
pub use core::Snapshot;
pub use digest::digest;
pub use error::EnvError;
pub use forearm_protocol::env::{
    ActionMode, AgentSpec, ConfigProblem, EnvCamera, EnvConfig, EnvSpec, Part, Randomization,
    Reward, Task,
};

use core::Core;
use draw::Painter;
use plan::Plan;

/// The most agents that any task has.
pub const MOST_AGENTS: usize = tasks::MOST_AGENTS;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The task is done.
    pub terminated: bool,
    /// The episode was cut off, as it has had its steps.
    pub truncated: bool,
}

/// How an episode stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Info {
    /// Whether the task was done in the last step.
    pub success: bool,
    /// The task's own error, metres: what is still to go.
    pub distance_m: f64,
    /// Steps since the episode began.
    pub steps: u32,
    /// Sum of rewards since then, one an agent; 0 beyond the task's agents.
    pub episode_returns: [f64; MOST_AGENTS],
    /// What the episode follows from.
    pub seed: u64,
}

/// One world to learn in. It begins with the episode of seed 0.
pub struct Env {
    core: Core,
    painter: Painter,
}

impl Env {
    /// Builds the task's world and its cameras.
    ///
    /// # Errors
    /// [`EnvError::Config`] names the field that is wrong.
    pub fn new(config: &EnvConfig) -> Result<Self, EnvError> {
        let plan = Arc::new(Plan::new(config)?);
        Ok(Self {
            core: Core::new(&plan)?,
            painter: Painter::new(&plan)?,
        })
    }

    /// What it observes and takes.
    #[must_use]
    pub fn spec(&self) -> &EnvSpec {
        self.core.spec()
    }

    /// Begins the episode of a seed, whatever the present one is up to.
    pub fn reset(&mut self, seed: u64) {
        self.core.reset(seed);
    }

    /// Goes one step on. Actions are all agents', each −1 to 1: what is beyond counts as the
    /// nearest, what is not a number as 0. An episode that is over goes on if asked to.
    ///
    /// # Errors
    /// [`EnvError::Length`] unless there is one action for each of the spec's; nothing happens then.
    pub fn step(&mut self, actions: &[f32]) -> Result<Outcome, EnvError> {
        self.core.step(actions)
    }

    /// Writes all agents' observations; what does not fit is left out.
    pub fn observe(&self, out: &mut [f32]) {
        self.core.observe(out);
    }

    /// Writes the last step's rewards, one an agent; 0 after a reset.
    pub fn rewards(&self, out: &mut [f32]) {
        self.core.rewards(out);
    }

    /// How the episode stands.
    #[must_use]
    pub fn info(&self) -> Info {
        self.core.info()
    }

    /// Keeps this moment in `into`, in place of what is there.
    pub fn snapshot(&self, into: &mut Snapshot) {
        self.core.snapshot(into);
    }

    /// Goes back to a moment that this or an equally configured environment kept: from there on
    /// everything happens as it did, bit for bit.
    ///
    /// # Errors
    /// [`EnvError::Snapshot`] if it is another environment's; nothing happens then.
    pub fn restore(&mut self, from: &Snapshot) -> Result<(), EnvError> {
        self.core.restore(from)
    }

    /// What is where in a tick.
    #[must_use]
    pub fn layout(&self) -> TickLayout {
        self.core.plan.layout()
    }

    /// Writes what is needed to draw this moment: a tick of [`Env::layout`], for
    /// [`Env::bundle`]'s scene. Nothing if `out` has another length.
    pub fn tick(&self, out: &mut [f64]) {
        self.core.tick(out);
    }

    /// The scene as it is drawn, with this episode's lights and cameras. The goal's mark, if the
    /// task has one, is its last object; nothing can touch it.
    #[must_use]
    pub fn bundle(&self) -> &SceneBundle {
        self.core.bundle()
    }

    /// Draws what the spec's camera `camera` sees into `out`: RGB, 8 bits each, sRGB, rows from the
    /// top. Nothing if there is no such camera, or `out` is too short.
    pub fn render(&mut self, camera: usize, out: &mut [u8]) {
        self.painter.draw(&self.core, camera, out);
    }

    /// A digest of all that the future depends on: equal ones have equal futures.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        self.core.state_hash()
    }
}
