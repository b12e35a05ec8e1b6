//! How many environment steps a second: fixed actions, measured with the caller's clock.

use super::plan::Plan;
use super::{Batch, Buffers, Env, EnvConfig, EnvError, Randomization, Task};
use crate::mjcf::{self, Actuators, Contacts};

/// Episodes are cut off after so many steps: resets are part of what is measured.
const EPISODE: u32 = 200;
/// Actions repeat after so many steps.
const PERIOD: usize = 256;

/// What a round of steps came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Steps of all worlds together.
    pub steps: u64,
    /// The time they took, seconds.
    pub secs: f64,
}

impl Rate {
    /// Steps a second of all worlds together.
    #[must_use]
    pub fn per_sec(&self) -> f64 {
        self.steps as f64 / self.secs
    }
}

fn config(task: Task) -> EnvConfig {
    EnvConfig {
        max_steps: Some(EPISODE),
        randomize: Randomization::default(),
        ..EnvConfig::new(task)
    }
}

/// A task's scene as MJCF, for the rival: the very same model.
///
/// # Errors
/// None in practice: the scenes are fixed.
pub fn mjcf(task: Task) -> Result<String, EnvError> {
    let plan = Plan::new(&config(task))?;
    let mut scene = plan.bundle.scene.clone();
    scene.objects.truncate(plan.solid_objects);
    let (contacts, actuators) = (Contacts::Default, Actuators::Position);
    Ok(mjcf::write(&scene, &plan.models, contacts, actuators)?)
}

/// A swing of each joint, never the same for two: `PERIOD` rows of actions. The rival's are equal.
fn actions(joints: usize) -> Vec<f32> {
    let of = |index: usize| {
        let (step, joint) = (index / joints, index % joints);
        let turn = std::f64::consts::TAU * (step as f64 / PERIOD as f64);
        libm::sin(turn * (joint % 6 + 3) as f64) as f32
    };
    (0..PERIOD * joints).map(of).collect()
}

/// Steps one environment, with its observation, its reward and, where an episode ends, a reset.
///
/// # Errors
/// None in practice: the configurations are fixed.
pub fn single(task: Task, steps: u64, now_secs: impl Fn() -> f64) -> Result<Rate, EnvError> {
    let mut env = Env::new(&config(task))?;
    let joints = env.spec().action_len();
    let rows = actions(joints);
    let mut observation = vec![0.0; env.spec().observation_len()];
    let mut rewards = vec![0.0; env.spec().agents.len()];
    let start = now_secs();
    let mut seed = 0;
    for row in rows.chunks_exact(joints).cycle().take(steps as usize) {
        let outcome = env.step(row)?;
        if outcome.terminated || outcome.truncated {
            seed += 1;
            env.reset(seed);
        }
        env.observe(&mut observation);
        env.rewards(&mut rewards);
    }
    let secs = now_secs() - start;
    Ok(Rate { steps, secs })
}

/// Steps a batch until its worlds have had `steps` steps together.
///
/// # Errors
/// [`EnvError::Thread`] if a thread can't be had.
pub fn batch(
    task: Task,
    worlds: usize,
    threads: usize,
    steps: u64,
    now_secs: impl Fn() -> f64,
) -> Result<Rate, EnvError> {
    let mut batch = Batch::new(&config(task), worlds, threads)?;
    let spec = batch.spec();
    let (seen, agents, joints) = (
        spec.observation_len() * worlds,
        spec.agents.len() * worlds,
        spec.action_len(),
    );
    let rows = actions(joints);
    let mut all = vec![0.0; joints * worlds];
    let (mut observations, mut rewards) = (vec![0.0; seen], vec![0.0; agents]);
    let [mut terminateds, mut truncateds, mut successes] = [0; 3].map(|_: u8| vec![false; worlds]);
    let mut out = Buffers {
        observations: &mut observations,
        rewards: &mut rewards,
        terminateds: &mut terminateds,
        truncateds: &mut truncateds,
        successes: &mut successes,
        images: &mut [],
    };
    batch.reset(0, &mut out)?;
    let rounds = steps.div_ceil(worlds as u64);
    let start = now_secs();
    for round in 0..rounds as usize {
        for (world, own) in all.chunks_exact_mut(joints).enumerate() {
            let row = (round + 7 * world) % PERIOD;
            own.copy_from_slice(&rows[row * joints..(row + 1) * joints]);
        }
        batch.step(&all, &mut out)?;
    }
    let secs = now_secs() - start;
    Ok(Rate {
        steps: rounds * worlds as u64,
        secs,
    })
}

/// The time of a reset and of keeping and going back to a moment, seconds each, the mean of
/// `rounds`.
///
/// # Errors
/// None in practice: the configurations are fixed.
pub fn reset_and_restore(
    task: Task,
    rounds: u64,
    now_secs: impl Fn() -> f64,
) -> Result<[f64; 3], EnvError> {
    let mut env = Env::new(&config(task))?;
    let mut kept = super::Snapshot::default();
    env.snapshot(&mut kept);
    let mut times = [0.0; 3];
    let mean = |start: f64| (now_secs() - start) / rounds.max(1) as f64;
    let start = now_secs();
    for seed in 0..rounds {
        env.reset(seed);
    }
    times[0] = mean(start);
    let still = vec![0.0; env.spec().action_len()];
    env.step(&still)?;
    let start = now_secs();
    for _ in 0..rounds {
        env.snapshot(&mut kept);
    }
    times[1] = mean(start);
    let start = now_secs();
    for _ in 0..rounds {
        env.restore(&kept)?;
    }
    times[2] = mean(start);
    Ok(times)
}
