//! What the service hosts: worlds that are built bit by bit, and stepped some at a time.

use std::ops::Range;

use forearm_protocol::env::EnvSpec;
use forearm_protocol::env::messages::{Init, Ready, Stage};
use forearm_protocol::record::TickLayout;

/// Worlds that step together. Worlds are counted from 0; whoever calls has checked numbers and lengths.
pub trait Gym: Sized + Send + 'static {
    /// The service's name: of its thread, and in messages to people. At most 15 letters.
    const NAME: &'static str;
    /// Worlds that are being built.
    type Building: Send + 'static;
    /// The state of a world.
    type Snapshot: Default + Send + 'static;

    /// Begins to build.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn begin(init: &Init) -> Result<Self::Building, String>;

    /// Does a bit of the building, some milliseconds at most if that can be.
    ///
    /// # Errors
    /// Why there will be no worlds.
    fn build(building: &mut Self::Building) -> Result<Built<Self>, String>;

    /// What the worlds are like, and the scene that they are drawn from.
    fn ready(&self) -> Ready;

    /// Where what is in a tick.
    fn layout(&self) -> TickLayout;

    /// What the worlds are like.
    fn spec(&self) -> &EnvSpec;

    /// How many worlds there are.
    fn worlds(&self) -> usize;

    /// The seed of a world when all begin new episodes with `seed`.
    fn seed_of(seed: u64, world: usize, worlds: usize) -> u64;

    /// Begins a new episode in a world.
    fn reset(&mut self, world: usize, seed: u64);

    /// Steps some worlds. `actions` and `out` are these worlds' alone.
    ///
    /// # Errors
    /// Why they were not stepped.
    fn step(
        &mut self,
        worlds: Range<usize>,
        actions: &[f32],
        out: Results<'_>,
    ) -> Result<(), String>;

    /// Writes what a world's agents observe, without a step.
    fn observe(&self, world: usize, out: &mut [f32]);

    /// What else is known of a world.
    fn info(&self, world: usize) -> Info;

    /// Appends what a world's agents were rewarded with in this episode, one number an agent.
    fn returns(&self, world: usize, out: &mut Vec<f64>);

    /// Keeps the state of a world.
    fn snapshot(&self, world: usize, into: &mut Self::Snapshot);

    /// A world goes on from a kept state.
    ///
    /// # Errors
    /// The state is of another environment.
    fn restore(&mut self, world: usize, from: &Self::Snapshot) -> Result<(), String>;

    /// Writes a world's tick, as wide as [`Ready::layout`] says.
    fn tick(&self, world: usize, out: &mut [f64]);

    /// Takes the picture of a world's camera: RGB, 8 bits each, rows from the top.
    fn render(&mut self, world: usize, camera: usize, out: &mut [u8]);
}

/// What came of a bit of building.
pub enum Built<G> {
    /// There is more to do.
    More {
        /// What was done.
        stage: Stage,
        /// How much of all is done, 0 to 1.
        fraction: f64,
    },
    /// Nothing can be done before something from outside has come; it is looked at again soon.
    Waiting {
        /// For what.
        stage: Stage,
        /// How much of all is done, 0 to 1.
        fraction: f64,
    },
    /// All is there.
    Done(G),
}

/// Where a step's results go, worlds one after another.
pub struct Results<'a> {
    /// `[worlds][observations of all agents]`.
    pub observations: &'a mut [f32],
    /// `[worlds][agents]`.
    pub rewards: &'a mut [f32],
    /// `[worlds]`: episodes that ended by success.
    pub terminateds: &'a mut [bool],
    /// `[worlds]`: episodes that were cut off.
    pub truncateds: &'a mut [bool],
    /// `[worlds]`: whether the task is done.
    pub successes: &'a mut [bool],
}

/// What is known of a world beside what its agents observe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Info {
    /// How far the task is from being done, metres.
    pub distance_m: f64,
    /// Steps of the episode.
    pub steps: u32,
    /// The episode's seed.
    pub seed: u64,
    /// Whether the task is done.
    pub success: bool,
}
