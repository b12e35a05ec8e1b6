//! One number for very many episodes: equal on every target, or something is not deterministic.

use forearm_protocol::env::{EnvConfig, Randomization, Task};

use super::random::Random;
use super::{Batch, Buffers, EnvError};

/// Steps of an episode at most.
const STEPS: u32 = 100;
/// Actions are drawn anew after so many steps: arms swing far, and into things.
const HELD: u32 = 12;

/// A digest of all observations, rewards and last states of `episodes` episodes, a fifth a task,
/// everything varied, actions random. `threads` as for [`Batch::new`]; the digest is the same.
///
/// # Errors
/// None in practice: the configurations are fixed.
pub fn digest(episodes: usize, threads: usize) -> Result<[u8; 32], EnvError> {
    let mut hasher = blake3::Hasher::new();
    let each = episodes.div_ceil(Task::ALL.len()).max(1);
    for task in Task::ALL {
        for hash in task_digests(task, each, threads)? {
            hasher.update(&hash);
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

/// One digest an episode of a task.
fn task_digests(task: Task, worlds: usize, threads: usize) -> Result<Vec<[u8; 32]>, EnvError> {
    let config = EnvConfig {
        max_steps: Some(STEPS),
        randomize: Randomization::full(),
        ..EnvConfig::new(task)
    };
    let mut batch = Batch::new(&config, worlds, threads)?;
    let spec = batch.spec();
    let (seen, agents, acts) = (spec.observation_len(), spec.agents.len(), spec.action_len());
    let mut observations = vec![0.0; seen * worlds];
    let mut rewards = vec![0.0; agents * worlds];
    let mut terminateds = vec![false; worlds];
    let mut truncateds = vec![false; worlds];
    let mut successes = vec![false; worlds];
    let mut out = Buffers {
        observations: &mut observations,
        rewards: &mut rewards,
        terminateds: &mut terminateds,
        truncateds: &mut truncateds,
        successes: &mut successes,
        images: &mut [],
    };
    let seeds: Vec<Option<u64>> = (0..worlds as u64).map(Some).collect();
    batch.reset_worlds(&seeds, &mut out)?;
    let mut actions = vec![0.0; acts * worlds];
    let mut randoms: Vec<Random> = seeds
        .iter()
        .flatten()
        .map(|seed| Random::new(*seed, "actions"))
        .collect();
    let mut hashers = vec![blake3::Hasher::new(); worlds];
    let mut over = vec![false; worlds];
    for step in 0..STEPS {
        if step % HELD == 0 {
            for (row, random) in actions.chunks_exact_mut(acts).zip(&mut randoms) {
                row.fill_with(|| random.about_zero(1.0) as f32);
            }
        }
        batch.step(&actions, &mut out)?;
        for world in (0..worlds).filter(|world| !over[*world]) {
            let hasher = &mut hashers[world];
            let numbers = &out.observations[world * seen..(world + 1) * seen];
            let rewards = &out.rewards[world * agents..(world + 1) * agents];
            for number in numbers.iter().chain(rewards) {
                hasher.update(&number.to_bits().to_le_bytes());
            }
        }
        for world in 0..worlds {
            if !over[world] && (out.terminateds[world] || out.truncateds[world]) {
                over[world] = true;
                hashers[world].update(&batch.state_hash(world)?);
            }
        }
    }
    Ok(hashers
        .iter()
        .map(|hasher| *hasher.finalize().as_bytes())
        .collect())
}
