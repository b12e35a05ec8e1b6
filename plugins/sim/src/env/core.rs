//! One world of an environment: episodes, steps, observations, without pictures.

use std::sync::Arc;

use forearm_protocol::env::{ActionMode, EnvSpec, Reward, Task};
use forearm_protocol::scene::SceneBundle;
use nalgebra::Isometry3;

use super::plan::Plan;
use super::random::Random;
use super::tasks::{self, MOST_AGENTS, Row};
use super::vary;
use super::{EnvError, Info, Outcome};
use crate::World;
use crate::snapshot::{Sink, Source, State, state};

/// What success is worth beside the score.
const BONUS: f64 = 10.0;
/// How far joints begin from the arm's home, radians (metres) at most; grippers begin at home.
const START_NOISE: f64 = 0.05;

/// All of an environment at one moment: to go back to, or to try things from. Grown once, it takes
/// another without asking for memory.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    spec: Option<Arc<EnvSpec>>,
    words: Vec<u64>,
}

impl Snapshot {
    /// Its size, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        8 * self.words.len()
    }
}

/// What changes in an episode beside the world.
#[derive(Debug, Clone)]
struct Episode {
    seed: u64,
    steps: u32,
    /// Commands arrive so many physics steps late.
    delay: u32,
    goal: [f64; 3],
    /// All arms' joint targets as they were commanded last.
    targets: Vec<f64>,
    /// The last commands, for those that arrive late: the command of step n is entry n of these,
    /// going round.
    history: Vec<f64>,
    success: bool,
    distance_m: f64,
    rewards: [f64; MOST_AGENTS],
    returns: [f64; MOST_AGENTS],
}

state!(Episode {
    seed, steps, delay, goal, targets, history, success, distance_m, rewards, returns,
} but {});

/// One world.
pub(super) struct Core {
    pub(super) plan: Arc<Plan>,
    world: World,
    episode: Episode,
    /// The scene with this episode's lights and cameras; the plan's own where nothing varies.
    look: Option<Box<SceneBundle>>,
    /// Room for one arm's numbers.
    joints: Vec<f64>,
    links: Vec<Isometry3<f64>>,
}

impl Core {
    /// A world at the start of the episode of seed 0.
    pub(super) fn new(plan: &Arc<Plan>) -> Result<Self, EnvError> {
        let count = plan.joints.len();
        let config = &plan.spec.config;
        let kept = config.randomize.latency_steps as usize + 2;
        let mut core = Self {
            world: plan.world()?,
            episode: Episode {
                seed: 0,
                steps: 0,
                delay: 0,
                goal: [0.0; 3],
                targets: vec![0.0; count],
                history: vec![0.0; count * kept],
                success: false,
                distance_m: 0.0,
                rewards: [0.0; MOST_AGENTS],
                returns: [0.0; MOST_AGENTS],
            },
            look: vary::changes_look(&config.randomize).then(|| Box::new(plan.bundle.clone())),
            joints: vec![0.0; count],
            links: Vec::new(),
            plan: Arc::clone(plan),
        };
        core.reset(0);
        Ok(core)
    }

    pub(super) fn spec(&self) -> &EnvSpec {
        &self.plan.spec
    }

    fn task(&self) -> Task {
        self.plan.spec.config.task
    }

    /// Begins the episode of a seed.
    pub(super) fn reset(&mut self, seed: u64) {
        self.vary(seed);
        self.world.reset();
        let mut random = Random::new(seed, "places");
        let mut first = 0;
        for (arm, model) in self.plan.models.iter().enumerate() {
            let start = &mut self.joints[..model.dof()];
            for (joint, position) in start.iter_mut().enumerate() {
                let range = &self.plan.joints[first + joint];
                let noise = random.about_zero(START_NOISE);
                let moved = if model.gripper == Some(joint) {
                    0.0
                } else {
                    noise
                };
                *position = (model.home[joint] + moved).clamp(range.lower, range.upper);
            }
            self.world.place_arm(arm, start);
            self.episode.targets[first..first + model.dof()].copy_from_slice(start);
            first += model.dof();
        }
        let episode = &mut self.episode;
        for command in episode.history.chunks_exact_mut(episode.targets.len()) {
            command.copy_from_slice(&episode.targets);
        }
        episode.goal = tasks::start(&self.plan, &mut random, &mut self.world, &mut self.links);
        episode.seed = seed;
        episode.steps = 0;
        episode.rewards = [0.0; MOST_AGENTS];
        episode.returns = [0.0; MOST_AGENTS];
        let judgement = tasks::judge(self.task(), &self.world, &self.episode.goal);
        self.episode.success = false;
        self.episode.distance_m = judgement.distance_m;
    }

    /// Draws what varies from episode to episode, places aside.
    fn vary(&mut self, seed: u64) {
        let config = &self.plan.spec.config;
        self.episode.delay = vary::delay(config, seed);
        vary::parameters(&self.plan, seed, &mut self.world);
        if let Some(look) = &mut self.look {
            vary::look(
                &config.randomize,
                seed,
                &self.plan.bundle.scene,
                &mut look.scene,
            );
        }
    }

    /// A step. `actions` has all agents' actions, one after another.
    pub(super) fn step(&mut self, actions: &[f32]) -> Result<Outcome, EnvError> {
        let expected = self.plan.joints.len();
        if actions.len() != expected {
            return Err(EnvError::Length {
                what: "the row of actions",
                got: actions.len(),
                expected,
            });
        }
        self.command(actions);
        let config = &self.plan.spec.config;
        let kept = self.episode.history.len() / expected.max(1);
        let step = self.episode.steps as usize;
        let (late, rest) = (
            (self.episode.delay / config.substeps) as usize,
            self.episode.delay % config.substeps,
        );
        // Entries that no step has written yet hold where the episode began.
        let command = |age: usize| (step + kept - age % kept) % kept;
        for substep in 0..config.substeps {
            if substep == 0 || substep == rest {
                let age = if substep < rest { late + 1 } else { late };
                self.send(command(age));
            }
            self.world.step();
        }
        Ok(self.judge())
    }

    /// Turns actions into targets and keeps them as this step's command.
    fn command(&mut self, actions: &[f32]) {
        let Self { plan, episode, .. } = self;
        let mode = plan.spec.config.actions;
        let rows = actions.iter().zip(&plan.joints).zip(&mut episode.targets);
        for ((&action, range), target) in rows {
            let action = f64::from(action);
            let action = if action.is_nan() {
                0.0
            } else {
                action.clamp(-1.0, 1.0)
            };
            let wanted = match mode {
                ActionMode::Deltas => *target + action * range.delta,
                ActionMode::Targets => {
                    range.lower + (range.upper - range.lower) * (0.5 + 0.5 * action)
                }
            };
            *target = wanted.clamp(range.lower, range.upper);
        }
        let count = episode.targets.len();
        let kept = episode.history.len() / count.max(1);
        let slot = episode.steps as usize % kept.max(1);
        episode.history[slot * count..(slot + 1) * count].copy_from_slice(&episode.targets);
    }

    /// Gives a command of the history to the arms.
    fn send(&mut self, slot: usize) {
        let count = self.episode.targets.len();
        let mut command = &self.episode.history[slot * count..(slot + 1) * count];
        for (arm, model) in self.plan.models.iter().enumerate() {
            let (own, rest) = command.split_at(model.dof());
            self.world.set_targets(arm, own);
            command = rest;
        }
    }

    /// Ends a step: what it was worth, and whether the episode is over.
    fn judge(&mut self) -> Outcome {
        let judgement = tasks::judge(self.task(), &self.world, &self.episode.goal);
        let episode = &mut self.episode;
        episode.steps = episode.steps.saturating_add(1);
        episode.success = judgement.success;
        episode.distance_m = judgement.distance_m;
        for agent in 0..self.plan.models.len().min(MOST_AGENTS) {
            let reward = match self.plan.spec.config.reward {
                Reward::Sparse => f64::from(u8::from(judgement.success)),
                Reward::Dense if judgement.success => BONUS,
                Reward::Dense => judgement.scores[agent] - 1.0,
            };
            episode.rewards[agent] = reward;
            episode.returns[agent] += reward;
        }
        Outcome {
            terminated: judgement.success,
            truncated: !judgement.success && episode.steps >= self.plan.spec.max_steps,
        }
    }

    /// Writes all agents' observations; what does not fit is left out.
    pub(super) fn observe(&self, out: &mut [f32]) {
        let Self {
            plan,
            world,
            episode,
            ..
        } = self;
        let mut row = Row::new(out);
        let mut first = 0;
        for (arm, model) in plan.models.iter().enumerate() {
            let dof = model.dof();
            world.each_joint(arm, |position, _| row.number(position));
            world.each_joint(arm, |_, velocity| row.number(velocity));
            let targets = &episode.targets[first..first + dof];
            targets.iter().for_each(|target| row.number(*target));
            row.pose(&world.tool_pose(arm));
            tasks::observe(self.task(), arm, world, &episode.goal, &mut row);
            first += dof;
        }
    }

    /// Writes the last step's rewards, one an agent.
    pub(super) fn rewards(&self, out: &mut [f32]) {
        let agents = self.plan.models.len();
        for (out, reward) in out
            .iter_mut()
            .zip(&self.episode.rewards[..agents.min(MOST_AGENTS)])
        {
            *out = *reward as f32;
        }
    }

    pub(super) fn info(&self) -> Info {
        let episode = &self.episode;
        Info {
            success: episode.success,
            distance_m: episode.distance_m,
            steps: episode.steps,
            episode_returns: episode.returns,
            seed: episode.seed,
        }
    }

    pub(super) fn snapshot(&self, into: &mut Snapshot) {
        into.words.clear();
        self.save(&mut into.words);
        into.spec = Some(Arc::clone(&self.plan.spec));
    }

    pub(super) fn restore(&mut self, from: &Snapshot) -> Result<(), EnvError> {
        let same = from
            .spec
            .as_ref()
            .is_some_and(|spec| Arc::ptr_eq(spec, &self.plan.spec) || **spec == *self.plan.spec);
        if !same {
            return Err(EnvError::Snapshot);
        }
        let mut source = Source::new(&from.words);
        self.episode.load(&mut source);
        self.vary(self.episode.seed);
        self.world.load_from(&mut source);
        if source.is_done() {
            return Ok(());
        }
        self.reset(0);
        Err(EnvError::Snapshot)
    }

    fn save(&self, to: &mut impl Sink) {
        self.episode.save(to);
        State::save(&self.world, to);
    }

    /// A digest of all that the future depends on.
    pub(super) fn state_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        self.save(&mut hasher);
        *hasher.finalize().as_bytes()
    }

    /// Writes what is needed to draw it; nothing if `out` has another length than the layout's.
    pub(super) fn tick(&self, out: &mut [f64]) {
        let layout = self.plan.layout();
        if out.len() != layout.width() {
            return;
        }
        out[0] = self.world.time_secs();
        let mut positions = &mut out[layout.positions()];
        for (arm, model) in self.plan.models.iter().enumerate() {
            let (own, rest) = positions.split_at_mut(model.dof());
            self.world.joint_positions(arm, own);
            positions = rest;
        }
        out[layout.targets()].copy_from_slice(&self.episode.targets);
        for object in 0..layout.objects {
            let numbers = &mut out[layout.object(object)];
            if object < self.plan.solid_objects {
                let pose = self.world.object_pose(object);
                numbers[..3].copy_from_slice(&pose.position);
                numbers[3..].copy_from_slice(&pose.rotation);
            } else {
                numbers[..3].copy_from_slice(&self.episode.goal);
                numbers[3..].copy_from_slice(&[0.0, 0.0, 0.0, 1.0]);
            }
        }
    }

    /// The scene with this episode's lights and cameras.
    pub(super) fn bundle(&self) -> &SceneBundle {
        self.look.as_deref().unwrap_or(&self.plan.bundle)
    }
}
