//! One number for very many episodes: equal on every target, or something is not deterministic.

use std::sync::Arc;

use forearm_arm::{JointKind, so101};
use forearm_protocol::env::{EnvConfig, Randomization, Task};

use super::random::Random;
use super::{Batch, Buffers, EnvError, scene};
use crate::World;

/// Steps of an episode at most.
const STEPS: u32 = 100;
/// Actions are drawn anew after so many steps: arms swing far, and into things.
const HELD: u32 = 12;

/// Of a sliding joint: how far it goes either way, metres, and its servo's numbers in N and m.
const SLIDE: f64 = 0.12;
const SLIDE_EFFORT: f64 = 40.0;
const SLIDE_GAINS: [f64; 4] = [4000.0, 60.0, 10.0, 1.0];
/// Physics steps between two targets of the arm that slides, and how many targets there are for
/// each episode.
const SLIDE_STEPS: u32 = 100;
const SLIDE_TARGETS: usize = 4;

/// A digest of all observations, rewards and last states of `episodes` episodes, a fifth a task,
/// everything varied, actions random; and of an arm with a sliding joint among things, for as many
/// times. `threads` as for [`Batch::new`]; the digest is the same.
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
    hasher.update(&sliding(each * SLIDE_TARGETS)?);
    Ok(*hasher.finalize().as_bytes())
}

/// A digest of an arm that slides instead of turning about its pan joint, among the cubes of the
/// stack, driven to random targets.
fn sliding(targets: usize) -> Result<[u8; 32], EnvError> {
    let mut model = so101::so101();
    let [kp, kv, damping, armature] = SLIDE_GAINS;
    let joint = &mut model.joints[0];
    joint.kind = JointKind::Prismatic;
    // Its own Z is the pan's axis: across it, along the table's edge.
    joint.axis = nalgebra::Vector3::y_axis();
    (joint.limits.lower, joint.limits.upper) = (-SLIDE, SLIDE);
    joint.limits.effort = SLIDE_EFFORT;
    joint.servo.kp = kp;
    joint.servo.kv = kv;
    joint.servo.damping = damping;
    joint.servo.armature = armature;
    let model = Arc::new(model);
    let mut world = World::new(&scene::scene(Task::Stack, &[]), &[Arc::clone(&model)])?;
    let mut random = Random::new(0, "sliding");
    let mut hasher = blake3::Hasher::new();
    let mut goal = vec![0.0; model.dof()];
    for _ in 0..targets {
        for (goal, joint) in goal.iter_mut().zip(&model.joints) {
            *goal = random.between(joint.limits.lower, joint.limits.upper);
        }
        world.set_targets(0, &goal);
        for _ in 0..SLIDE_STEPS {
            world.step();
        }
        hasher.update(&world.state_hash());
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
