//! What the environment service is asked ([`Request`] → [`Reply`]) and tells by itself ([`Event`]).
//!
//! Numbers travel in [`Buffer`]s, little-endian: worlds one after another, in a world agents one after
//! another, as [`EnvSpec`] lists them. Positions are metres, angles radians.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{EnvConfig, EnvSpec};
use crate::Buffer;
use crate::envelope::Message;
use crate::error::ServiceError;
use crate::record::TickLayout;
use crate::scene::SceneBundle;

/// The most worlds of one environment service.
pub const MAX_WORLDS: u32 = 4096;
/// The most snapshots that are kept at a time.
pub const MAX_SNAPSHOTS: u32 = 4096;
/// The most bytes that the answer to one request may have.
pub const MAX_REPLY_BYTES: u64 = 256 << 20;

/// Which environment, and how many of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Init {
    /// The environment.
    pub config: EnvConfig,
    /// How many worlds are stepped together, 1 to [`MAX_WORLDS`].
    pub worlds: u32,
}

/// Which worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worlds {
    /// All of them.
    All,
    /// The one of this number.
    One(u32),
}

/// What is shown along with an answer: the render state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    /// Of which worlds.
    pub worlds: Worlds,
    /// Whether the environment's cameras take their pictures, too.
    pub pictures: bool,
}

/// What the environment service is asked.
///
/// `Init` and `Destroy` act at once: whatever was asked before and has no answer yet is cancelled. `Ping`
/// is answered at once, and `Render` as soon as there is an environment, also in the middle of a long
/// call. Everything else is done one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Make an environment, in the place of the present one.
    Init(Box<Init>),
    /// Begin new episodes.
    Reset {
        /// What all randomness comes from. With more than one world each has its own, made of this and the
        /// world's number.
        seed: u64,
        /// Of which worlds.
        worlds: Worlds,
        /// What is shown.
        show: Option<Show>,
    },
    /// One step of all worlds.
    Step {
        /// Whose actions these are, in their order: every agent once; empty for the environment's order.
        agents: Vec<String>,
        /// `f32[worlds][actions of all agents]`, −1 to 1.
        actions: Buffer,
        /// What is shown.
        show: Option<Show>,
    },
    /// Many steps of all worlds.
    Rollout {
        /// How many.
        steps: u32,
        /// As in [`Request::Step`].
        agents: Vec<String>,
        /// `f32[steps][worlds][actions of all agents]`, −1 to 1.
        actions: Buffer,
        /// What is shown of its end.
        show: Option<Show>,
    },
    /// Show what is there.
    Render(Show),
    /// Keep the present state of a world.
    Snapshot {
        /// Of which world.
        world: u32,
        /// Under this number, below [`MAX_SNAPSHOTS`]; what was kept under it is gone.
        slot: u32,
    },
    /// Go on from a kept state, bit for bit.
    Restore {
        /// The state's number.
        slot: u32,
        /// Which worlds go on from it.
        worlds: Worlds,
        /// What is shown.
        show: Option<Show>,
    },
    /// How is it doing?
    Ping,
    /// Let go of the environment; the service stays.
    Destroy,
}

/// What the environment service answers, by the request's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// There is an environment; it wants a reset.
    Init(Box<Ready>),
    /// The first observations of new episodes.
    Reset(Box<Transition>),
    /// What came of a step.
    Step(Box<Transition>),
    /// What came of many steps.
    Rollout(Box<Transition>),
    /// What is there.
    Render(Box<RenderState>),
    /// The state is kept.
    Snapshot,
    /// The worlds are in the kept state.
    Restore(Box<Transition>),
    /// How it is doing.
    Ping(Box<EnvStatus>),
    /// There is no environment any more.
    Destroy,
}

/// An environment that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// What it is like.
    pub spec: EnvSpec,
    /// How many worlds there are.
    pub worlds: u32,
    /// Where what is in a tick of the render state.
    pub layout: TickLayout,
    /// The scene that it is drawn from, without an episode's own lights and cameras.
    pub bundle: Arc<SceneBundle>,
}

/// What came of steps, or of a reset: observations, rewards, ends, and what else is known.
///
/// The step after an episode's end ignores the world's action, begins a new episode and returns its first
/// observation with a reward of 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transition {
    /// How many steps; 1 for a reset, too.
    pub steps: u32,
    /// How many worlds.
    pub worlds: u32,
    /// `f32[steps][worlds][observations of all agents]`.
    pub observations: Buffer,
    /// `f32[steps][worlds][agents]`.
    pub rewards: Buffer,
    /// `u8[steps][worlds]`: 1 where an episode ended by success.
    pub terminateds: Buffer,
    /// `u8[steps][worlds]`: 1 where an episode was cut off.
    pub truncateds: Buffer,
    /// `u8[steps][worlds]`: 1 where the task is done.
    pub successes: Buffer,
    /// What else is known of the worlds after the last step.
    pub infos: Infos,
    /// What was to be shown of the worlds after the last step.
    pub render_state: RenderState,
}

/// What is known of worlds beside what agents observe. One number a world.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Infos {
    /// How far the task is from being done, metres.
    pub distances_m: Vec<f64>,
    /// Steps of the episode.
    pub steps: Vec<u32>,
    /// Seeds of the episode.
    pub seeds: Vec<u64>,
    /// Sums of the episode's rewards, `[worlds][agents]`.
    pub episode_returns: Vec<f64>,
}

/// What worlds look like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RenderState {
    /// Which worlds are shown.
    pub worlds: Vec<u32>,
    /// `f64[worlds][width of the layout]`: time (seconds), measured joints and their targets (radians,
    /// metres), objects' positions (metres) and rotations (quaternions `[x, y, z, w]`).
    pub ticks: Buffer,
    /// Widths and heights of one world's pictures, pixels, one a camera; empty without pictures.
    pub sizes: Vec<[u32; 2]>,
    /// RGBA, sRGB, 8 bits each, rows from the top: world after world, in a world camera after camera.
    pub rgba: Buffer,
}

/// How an environment service is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvStatus {
    /// What it does.
    pub phase: Phase,
    /// Requests that wait for their turn, the one at work included.
    pub waiting: u32,
    /// How many worlds there are.
    pub worlds: u32,
    /// The last seed of all worlds.
    pub seed: Option<u64>,
    /// Steps of worlds since the environment was made.
    pub steps: u64,
}

/// What an environment service does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// There is no environment.
    Empty,
    /// One is being made.
    Initialising {
        /// What is being done.
        stage: Stage,
        /// How much of all is done, 0 to 1.
        fraction: f64,
    },
    /// There is one, and no episode: it wants a reset.
    NeedsReset,
    /// Episodes run.
    Running,
}

/// The stages of an initialisation, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Models are read.
    LoadingModels,
    /// The worlds are built.
    BuildingWorlds,
    /// A few steps and pictures are made for nothing, so that the first ones are not slow.
    WarmingUp,
    /// All is there.
    Ready,
}

impl Stage {
    /// The stage in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoadingModels => "loading models",
            Self::BuildingWorlds => "building worlds",
            Self::WarmingUp => "warming up",
            Self::Ready => "ready",
        }
    }
}

/// What the environment service tells by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// How far an initialisation is.
    Progress {
        /// What is being done.
        stage: Stage,
        /// How much of all is done, 0 to 1.
        fraction: f64,
    },
    /// An environment is there, made from this: after a crash it is made again.
    Initialised(Box<Init>),
    /// New episodes began in all worlds.
    Episode {
        /// Their seed.
        seed: u64,
    },
    /// The service crashed and came back: the episodes that ran are lost, and snapshots with them. The
    /// environment itself is there again, or about to be, unless `error` says why not.
    Lost {
        /// The seed of the lost episodes.
        seed: Option<u64>,
        /// Why there is no environment.
        error: Option<String>,
    },
    /// There is no environment any more.
    Destroyed,
}

impl Message for Request {
    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "env/init",
            Self::Reset { .. } => "env/reset",
            Self::Step { .. } => "env/step",
            Self::Rollout { .. } => "env/rollout",
            Self::Render(_) => "env/render",
            Self::Snapshot { .. } => "env/snapshot",
            Self::Restore { .. } => "env/restore",
            Self::Ping => "env/ping",
            Self::Destroy => "env/destroy",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Step { actions, .. } | Self::Rollout { actions, .. } => vec![actions],
            _ => Vec::new(),
        }
    }
}

impl Message for Reply {
    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "env/init",
            Self::Reset(_) => "env/reset",
            Self::Step(_) => "env/step",
            Self::Rollout(_) => "env/rollout",
            Self::Render(_) => "env/render",
            Self::Snapshot => "env/snapshot",
            Self::Restore(_) => "env/restore",
            Self::Ping(_) => "env/ping",
            Self::Destroy => "env/destroy",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Reset(came) | Self::Step(came) | Self::Rollout(came) | Self::Restore(came) => {
                let Transition {
                    observations,
                    rewards,
                    terminateds,
                    truncateds,
                    successes,
                    render_state: RenderState { ticks, rgba, .. },
                    ..
                } = &mut **came;
                vec![
                    observations,
                    rewards,
                    terminateds,
                    truncateds,
                    successes,
                    ticks,
                    rgba,
                ]
            }
            Self::Render(state) => {
                let RenderState { ticks, rgba, .. } = &mut **state;
                vec![ticks, rgba]
            }
            Self::Init(_) | Self::Snapshot | Self::Ping(_) | Self::Destroy => Vec::new(),
        }
    }
}

impl Message for Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Progress { .. } => "env/progress",
            Self::Initialised(_) => "env/initialised",
            Self::Episode { .. } => "env/episode",
            Self::Lost { .. } => "env/lost",
            Self::Destroyed => "env/destroyed",
        }
    }
}

/// What one agent got of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentResult {
    /// What it observes.
    pub observation: Vec<f32>,
    /// Its reward.
    pub reward: f32,
    /// Whether its episode ended by success.
    pub terminated: bool,
    /// Whether its episode was cut off.
    pub truncated: bool,
}

/// A picture among a render state's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PicturePlace {
    /// Its first byte in [`RenderState::rgba`].
    pub offset: usize,
    /// Its width and height, pixels.
    pub size: [u32; 2],
}

impl Transition {
    /// What the agent of this name got in a world after a step, both counted from 0.
    ///
    /// # Errors
    /// There is no such step, world or agent; or the answer is of another environment.
    pub fn of_agent(
        &self,
        spec: &EnvSpec,
        step: u32,
        world: u32,
        agent: &str,
    ) -> Result<AgentResult, ServiceError> {
        let what = || format!("looking up agent `{agent}`");
        for (name, got, count) in [("step", step, self.steps), ("world", world, self.worlds)] {
            if got >= count {
                return Err(unknown(
                    what(),
                    format!("there is no {name} {got}"),
                    name,
                    count,
                ));
            }
        }
        let index = agent_index(spec, agent).map_err(|known| ServiceError::Refused {
            what: what(),
            why: "the environment has no such agent".to_owned(),
            next: format!("name one of: {known}"),
        })?;
        let row = step as usize * self.worlds as usize + world as usize;
        let before: u32 = spec.agents[..index].iter().map(|a| a.observation_len).sum();
        let first = row * spec.observation_len() + before as usize;
        let len = spec.agents[index].observation_len as usize;
        let other = || ServiceError::Refused {
            what: what(),
            why: "the answer is of another environment".to_owned(),
            next: "use the `spec` that `env/init` answered with".to_owned(),
        };
        let part = |buffer: &Buffer, first: usize, len: usize| {
            buffer.to_f32().get(first..first + len).map(<[f32]>::to_vec)
        };
        let flag = |buffer: &Buffer| buffer.to_vec().get(row).map(|byte| *byte != 0);
        let rewards = part(&self.rewards, row * spec.agents.len() + index, 1);
        Ok(AgentResult {
            observation: part(&self.observations, first, len).ok_or_else(other)?,
            reward: rewards.and_then(|r| r.first().copied()).ok_or_else(other)?,
            terminated: flag(&self.terminateds).ok_or_else(other)?,
            truncated: flag(&self.truncateds).ok_or_else(other)?,
        })
    }
}

impl RenderState {
    /// Where the picture of a world's camera is, both counted from 0 as they are listed here.
    #[must_use]
    pub fn picture(&self, world: usize, camera: usize) -> Option<PicturePlace> {
        let bytes = |[width, height]: [u32; 2]| 4 * width as usize * height as usize;
        let size = *self.sizes.get(camera)?;
        let of_world: usize = self.sizes.iter().copied().map(bytes).sum();
        let before: usize = self.sizes[..camera].iter().copied().map(bytes).sum();
        let offset = world * of_world + before;
        (offset + bytes(size) <= self.rgba.len()).then_some(PicturePlace { offset, size })
    }
}

/// Which agent has this name.
///
/// # Errors
/// None has; the names that there are.
pub fn agent_index(spec: &EnvSpec, name: &str) -> Result<usize, String> {
    let found = spec.agents.iter().position(|agent| agent.name == name);
    found.ok_or_else(|| {
        let names = spec.agents.iter().map(|agent| format!("`{}`", agent.name));
        names.collect::<Vec<_>>().join(", ")
    })
}

fn unknown(what: String, why: String, name: &str, count: u32) -> ServiceError {
    let next = match count {
        0 => format!("there is no {name} at all"),
        count => format!("name one of 0 to {}", count - 1),
    };
    ServiceError::Refused { what, why, next }
}
