//! Many worlds at once, each in its own episode, stepped together.

use std::sync::Arc;

use forearm_protocol::env::{EnvConfig, EnvSpec};
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::SceneBundle;

use super::core::{Core, Snapshot};
use super::crew::Crew;
use super::draw::Painter;
use super::plan::Plan;
use super::random::derived;
use super::{EnvError, Info, Outcome};

/// The most worlds of a batch.
pub(super) const MOST_WORLDS: usize = 1 << 16;
/// Pieces of work for each thread: more than one, as worlds in contact take longer.
const CHUNKS_A_THREAD: usize = 4;

/// Where a batch's results go: the rows of all worlds, one after another.
#[derive(Debug)]
pub struct Buffers<'a> {
    /// [`EnvSpec::observation_len`] numbers a world.
    pub observations: &'a mut [f32],
    /// One number an agent, a world.
    pub rewards: &'a mut [f32],
    /// One a world: the task was done in this step.
    pub terminateds: &'a mut [bool],
    /// One a world: the episode was cut off with this step.
    pub truncateds: &'a mut [bool],
    /// One a world: whether the task is done.
    pub successes: &'a mut [bool],
    /// [`EnvSpec::images_len`] bytes a world, or nothing: then nothing is drawn.
    pub images: &'a mut [u8],
}

/// Many worlds of one configuration.
///
/// Episodes follow one another ("next step" auto-reset): the step after an episode's end takes no
/// action, and has the next episode's first observation, with reward 0. A world's episodes follow
/// from the seed it was reset with.
pub struct Batch {
    plan: Arc<Plan>,
    worlds: usize,
    /// Worlds in pieces of equal size, the last one smaller.
    chunks: Vec<Chunk>,
    chunk_size: usize,
    crew: Crew,
    painter: Painter,
}

/// A world and its row of episodes.
pub(super) struct Slot {
    pub(super) core: Core,
    seed: u64,
    episode: u64,
    pub(super) outcome: Outcome,
}

/// What is to be done with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Step,
    /// Only say how things are.
    Look,
}

/// Some of a batch's worlds, and room for what goes in and out: it travels between threads whole.
pub(super) struct Chunk {
    /// The first world's number.
    first: usize,
    slots: Vec<Slot>,
    order: Order,
    draws: bool,
    actions: Vec<f32>,
    observations: Vec<f32>,
    rewards: Vec<f32>,
    images: Vec<u8>,
    problem: Option<EnvError>,
}

impl Batch {
    /// Builds `worlds` worlds that `threads` threads share; 0 takes one thread a core. World i
    /// begins as after [`Batch::reset`] with seed 0.
    ///
    /// # Errors
    /// [`EnvError::Config`], [`EnvError::Worlds`], or [`EnvError::Thread`] if a thread can't be had.
    pub fn new(config: &EnvConfig, worlds: usize, threads: usize) -> Result<Self, EnvError> {
        if !(1..=MOST_WORLDS).contains(&worlds) {
            return Err(EnvError::Worlds {
                got: worlds,
                most: MOST_WORLDS,
            });
        }
        let plan = Arc::new(Plan::new(config)?);
        let crew = Crew::new(&plan, threads, worlds)?;
        let pieces = match crew.threads() {
            1 => 1,
            threads => CHUNKS_A_THREAD * threads,
        };
        let chunk_size = worlds.div_ceil(pieces);
        let mut chunks = Vec::with_capacity(worlds.div_ceil(chunk_size));
        for first in (0..worlds).step_by(chunk_size) {
            let count = chunk_size.min(worlds - first);
            chunks.push(Chunk::new(&plan, first, count)?);
        }
        Ok(Self {
            painter: Painter::new(&plan)?,
            plan,
            worlds,
            chunks,
            chunk_size,
            crew,
        })
    }

    /// What each world observes and takes.
    #[must_use]
    pub fn spec(&self) -> &EnvSpec {
        &self.plan.spec
    }

    /// The number of worlds.
    #[must_use]
    pub fn worlds(&self) -> usize {
        self.worlds
    }

    /// The number of threads that step them.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.crew.threads()
    }

    /// Begins new episodes in all worlds, each from a seed made of `seed` and its number.
    ///
    /// # Errors
    /// [`EnvError::Length`] if a buffer has another length than it must; nothing happens then.
    pub fn reset(&mut self, seed: u64, out: &mut Buffers<'_>) -> Result<(), EnvError> {
        self.reset_some(|world| Some(derived(seed, world as u64)), out)
    }

    /// Begins new episodes in the worlds that have a seed here, and leaves the others alone.
    ///
    /// # Errors
    /// As [`Batch::reset`]; `seeds` must have one entry a world.
    pub fn reset_worlds(
        &mut self,
        seeds: &[Option<u64>],
        out: &mut Buffers<'_>,
    ) -> Result<(), EnvError> {
        check_length("the row of seeds", seeds.len(), self.worlds)?;
        self.reset_some(|world| seeds[world], out)
    }

    fn reset_some(
        &mut self,
        seed: impl Fn(usize) -> Option<u64>,
        out: &mut Buffers<'_>,
    ) -> Result<(), EnvError> {
        self.check(out)?;
        for chunk in &mut self.chunks {
            for (offset, slot) in chunk.slots.iter_mut().enumerate() {
                if let Some(seed) = seed(chunk.first + offset) {
                    slot.begin(seed);
                }
            }
        }
        self.run(Order::Look, out)
    }

    /// Goes one step on in all worlds: all agents' actions of all worlds in, results out.
    ///
    /// # Errors
    /// [`EnvError::Length`] if a slice has another length than it must (nothing happens then), or
    /// [`EnvError::Thread`] if a thread is gone.
    pub fn step(&mut self, actions: &[f32], out: &mut Buffers<'_>) -> Result<(), EnvError> {
        let a_world = self.plan.joints.len();
        check_length("the rows of actions", actions.len(), a_world * self.worlds)?;
        self.check(out)?;
        for chunk in &mut self.chunks {
            let first = chunk.first * a_world;
            let len = chunk.actions.len();
            chunk.actions.copy_from_slice(&actions[first..first + len]);
        }
        self.run(Order::Step, out)
    }

    fn check(&self, out: &Buffers<'_>) -> Result<(), EnvError> {
        let (spec, worlds) = (&self.plan.spec, self.worlds);
        let observations = spec.observation_len() * worlds;
        check_length("observations", out.observations.len(), observations)?;
        check_length("rewards", out.rewards.len(), spec.agents.len() * worlds)?;
        check_length("terminateds", out.terminateds.len(), worlds)?;
        check_length("truncateds", out.truncateds.len(), worlds)?;
        check_length("successes", out.successes.len(), worlds)?;
        if out.images.is_empty() {
            return Ok(());
        }
        check_length("images", out.images.len(), spec.images_len() * worlds)
    }

    fn run(&mut self, order: Order, out: &mut Buffers<'_>) -> Result<(), EnvError> {
        for chunk in &mut self.chunks {
            chunk.order = order;
            chunk.draws = !out.images.is_empty();
        }
        self.crew.run(&mut self.chunks, &mut self.painter)?;
        for chunk in &mut self.chunks {
            if let Some(problem) = chunk.problem.take() {
                return Err(problem);
            }
            chunk.hand_out(out);
        }
        Ok(())
    }

    fn slot(&self, world: usize) -> Result<&Slot, EnvError> {
        let chunk = self.chunks.get(world / self.chunk_size);
        let slot = chunk.and_then(|chunk| chunk.slots.get(world % self.chunk_size));
        slot.ok_or(EnvError::NoWorld {
            got: world,
            worlds: self.worlds,
        })
    }

    /// How a world's episode stands.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn info(&self, world: usize) -> Result<Info, EnvError> {
        Ok(self.slot(world)?.core.info())
    }

    /// Keeps a world's moment in `into`; an [`Env`](super::Env) of the same configuration takes it.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn snapshot(&self, world: usize, into: &mut Snapshot) -> Result<(), EnvError> {
        self.slot(world)?.core.snapshot(into);
        Ok(())
    }

    /// Puts a world into a moment that any world of the same configuration kept. Its next step goes
    /// on from there; the episodes after this one stay its own.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`]; [`EnvError::Snapshot`] if it is another configuration's.
    pub fn restore(&mut self, world: usize, from: &Snapshot) -> Result<(), EnvError> {
        self.slot(world)?;
        let chunk = &mut self.chunks[world / self.chunk_size];
        let slot = &mut chunk.slots[world % self.chunk_size];
        slot.restore(from)
    }

    /// Writes a world's observations; what does not fit is left out.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn observe(&self, world: usize, out: &mut [f32]) -> Result<(), EnvError> {
        self.slot(world)?.core.observe(out);
        Ok(())
    }

    /// Draws what a camera sees of a world, as [`Env::render`](super::Env::render) does.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn render(&mut self, world: usize, camera: usize, out: &mut [u8]) -> Result<(), EnvError> {
        self.slot(world)?;
        let slot = &self.chunks[world / self.chunk_size].slots[world % self.chunk_size];
        self.painter.draw(&slot.core, camera, out);
        Ok(())
    }

    /// What is where in a tick.
    #[must_use]
    pub fn layout(&self) -> TickLayout {
        self.plan.layout()
    }

    /// Writes what is needed to draw a world.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn tick(&self, world: usize, out: &mut [f64]) -> Result<(), EnvError> {
        self.slot(world)?.core.tick(out);
        Ok(())
    }

    /// The scene as a world is drawn, with its episode's lights and cameras.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn bundle(&self, world: usize) -> Result<&SceneBundle, EnvError> {
        Ok(self.slot(world)?.core.bundle())
    }

    /// A digest of a world's state.
    ///
    /// # Errors
    /// [`EnvError::NoWorld`].
    pub fn state_hash(&self, world: usize) -> Result<[u8; 32], EnvError> {
        Ok(self.slot(world)?.core.state_hash())
    }
}

impl Slot {
    /// A world at the start of the episode of seed 0.
    pub(super) fn new(plan: &Arc<Plan>) -> Result<Self, EnvError> {
        Ok(Self {
            core: Core::new(plan)?,
            seed: 0,
            episode: 0,
            outcome: Outcome::default(),
        })
    }

    /// Goes back to a moment; the episodes after this one stay its own.
    pub(super) fn restore(&mut self, from: &Snapshot) -> Result<(), EnvError> {
        self.core.restore(from)?;
        self.outcome = Outcome::default();
        Ok(())
    }

    /// Begins its row of episodes.
    pub(super) fn begin(&mut self, seed: u64) {
        self.seed = seed;
        self.episode = 0;
        self.outcome = Outcome::default();
        self.core.reset(seed);
    }

    /// A step, or the start of the next episode.
    pub(super) fn step(&mut self, actions: &[f32]) -> Result<(), EnvError> {
        if self.outcome.terminated || self.outcome.truncated {
            self.episode += 1;
            self.core.reset(derived(self.seed, self.episode));
            self.outcome = Outcome::default();
            return Ok(());
        }
        self.outcome = self.core.step(actions)?;
        Ok(())
    }
}

impl Chunk {
    fn new(plan: &Arc<Plan>, first: usize, count: usize) -> Result<Self, EnvError> {
        let spec = &plan.spec;
        let mut slots = Vec::with_capacity(count);
        for world in first..first + count {
            let mut slot = Slot::new(plan)?;
            slot.begin(derived(0, world as u64));
            slots.push(slot);
        }
        Ok(Self {
            first,
            slots,
            order: Order::Look,
            draws: false,
            actions: vec![0.0; spec.action_len() * count],
            observations: vec![0.0; spec.observation_len() * count],
            rewards: vec![0.0; spec.agents.len() * count],
            images: Vec::new(),
            problem: None,
        })
    }

    /// Does what it was ordered to.
    pub(super) fn work(&mut self, painter: &mut Painter) {
        let count = self.slots.len();
        let [actions, observations, rewards] = [
            self.actions.len(),
            self.observations.len(),
            self.rewards.len(),
        ]
        .map(|len| len / count);
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if self.order == Order::Step {
                let own = &self.actions[index * actions..(index + 1) * actions];
                if let Err(problem) = slot.step(own) {
                    self.problem = Some(problem);
                }
            }
            let row = index * observations..(index + 1) * observations;
            slot.core.observe(&mut self.observations[row]);
            let row = index * rewards..(index + 1) * rewards;
            slot.core.rewards(&mut self.rewards[row]);
        }
        if self.draws {
            let len = self.slots[0].core.spec().images_len();
            self.images.resize(len * count, 0);
            for (index, slot) in self.slots.iter().enumerate() {
                painter.draw_all(&slot.core, &mut self.images[index * len..(index + 1) * len]);
            }
        }
    }

    /// Copies its results to where they go.
    fn hand_out(&self, out: &mut Buffers<'_>) {
        let count = self.slots.len();
        let start = |len: usize| self.first * (len / count);
        let place = start(self.observations.len());
        out.observations[place..place + self.observations.len()]
            .copy_from_slice(&self.observations);
        let place = start(self.rewards.len());
        out.rewards[place..place + self.rewards.len()].copy_from_slice(&self.rewards);
        for (offset, slot) in self.slots.iter().enumerate() {
            let world = self.first + offset;
            out.terminateds[world] = slot.outcome.terminated;
            out.truncateds[world] = slot.outcome.truncated;
            out.successes[world] = slot.core.info().success;
        }
        if self.draws {
            let place = start(self.images.len());
            out.images[place..place + self.images.len()].copy_from_slice(&self.images);
        }
    }

    /// The first world's number, by which chunks that come back from threads are ordered.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn first(&self) -> usize {
        self.first
    }
}

fn check_length(what: &'static str, got: usize, expected: usize) -> Result<(), EnvError> {
    if got == expected {
        return Ok(());
    }
    Err(EnvError::Length {
        what,
        got,
        expected,
    })
}
