//! Environments: episodes, rewards, batches, snapshots, and that every task can be done.

mod digest;
mod operator;
mod pictures;
mod restore;
mod solved;
mod step;
mod vary;

use forearm_sim::env::{Batch, Buffers, EnvSpec};

/// Room for a batch's results.
pub(crate) struct Results {
    pub(crate) observations: Vec<f32>,
    pub(crate) rewards: Vec<f32>,
    pub(crate) terminateds: Vec<bool>,
    pub(crate) truncateds: Vec<bool>,
    pub(crate) successes: Vec<bool>,
    pub(crate) images: Vec<u8>,
}

impl Results {
    pub(crate) fn new(batch: &Batch) -> Self {
        let (spec, worlds) = (batch.spec(), batch.worlds());
        Self {
            observations: vec![0.0; spec.observation_len() * worlds],
            rewards: vec![0.0; spec.agents.len() * worlds],
            terminateds: vec![false; worlds],
            truncateds: vec![false; worlds],
            successes: vec![false; worlds],
            images: vec![0; spec.images_len() * worlds],
        }
    }

    pub(crate) fn buffers(&mut self) -> Buffers<'_> {
        Buffers {
            observations: &mut self.observations,
            rewards: &mut self.rewards,
            terminateds: &mut self.terminateds,
            truncateds: &mut self.truncateds,
            successes: &mut self.successes,
            images: &mut self.images,
        }
    }
}

/// Where a part is in an agent's observation.
pub(crate) fn part(spec: &EnvSpec, name: &str) -> std::ops::Range<usize> {
    let mut first = 0;
    for part in &spec.agents[0].observation {
        let len = part.len as usize;
        if part.name == name {
            return first..first + len;
        }
        first += len;
    }
    panic!("no part is called {name}")
}
