//! Actions and results on their way; kept, so that the next step needs no new memory.

use std::ops::Range;

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::{Infos, RenderState, Transition};

use super::gym::{Gym, Results};

/// The numbers of one request.
#[derive(Default)]
pub(super) struct Sheet {
    /// `[steps][worlds][actions of all agents]`.
    pub(super) actions: Vec<f32>,
    steps: usize,
    worlds: usize,
    observations: Vec<f32>,
    rewards: Vec<f32>,
    terminateds: Vec<bool>,
    truncateds: Vec<bool>,
    successes: Vec<bool>,
    /// The flags as they travel.
    bytes: Vec<u8>,
}

impl Sheet {
    /// Makes room for the results of so many steps.
    pub(super) fn clear<G: Gym>(&mut self, gym: &G, steps: usize) {
        (self.steps, self.worlds) = (steps, gym.worlds());
        let rows = steps * self.worlds;
        let spec = gym.spec();
        for (numbers, len) in [
            (&mut self.observations, rows * spec.observation_len()),
            (&mut self.rewards, rows * spec.agents.len()),
        ] {
            numbers.clear();
            numbers.resize(len, 0.0);
        }
        for flags in [
            &mut self.terminateds,
            &mut self.truncateds,
            &mut self.successes,
        ] {
            flags.clear();
            flags.resize(rows, false);
        }
    }

    /// Steps some worlds, the `step`th step of the request.
    pub(super) fn step<G: Gym>(
        &mut self,
        gym: &mut G,
        step: usize,
        worlds: Range<usize>,
    ) -> Result<(), String> {
        let rows = step * self.worlds + worlds.start..step * self.worlds + worlds.end;
        let of = |len: usize| rows.start * len..rows.end * len;
        let spec = gym.spec();
        let (actions, observations, agents) =
            (spec.action_len(), spec.observation_len(), spec.agents.len());
        gym.step(
            worlds,
            &self.actions[of(actions)],
            Results {
                observations: &mut self.observations[of(observations)],
                rewards: &mut self.rewards[of(agents)],
                terminateds: &mut self.terminateds[rows.clone()],
                truncateds: &mut self.truncateds[rows.clone()],
                successes: &mut self.successes[rows.clone()],
            },
        )
    }

    /// Writes down what all worlds look like to their agents, without a step.
    pub(super) fn observe<G: Gym>(&mut self, gym: &G) {
        let len = gym.spec().observation_len();
        for (world, out) in self.observations.chunks_exact_mut(len.max(1)).enumerate() {
            gym.observe(world, out);
        }
        for (world, success) in self.successes.iter_mut().enumerate() {
            *success = gym.info(world).success;
        }
    }

    /// The results.
    pub(super) fn finish<G: Gym>(&mut self, gym: &G, render_state: RenderState) -> Transition {
        let mut infos = Infos::default();
        for world in 0..self.worlds {
            let info = gym.info(world);
            gym.returns(world, &mut infos.episode_returns);
            infos.distances_m.push(info.distance_m);
            infos.steps.push(info.steps);
            infos.seeds.push(info.seed);
        }
        let bytes = &mut self.bytes;
        let mut flags = |flags: &[bool]| {
            bytes.clear();
            bytes.extend(flags.iter().map(|flag| u8::from(*flag)));
            Buffer::from(bytes.as_slice())
        };
        Transition {
            steps: u32::try_from(self.steps).unwrap_or(u32::MAX),
            worlds: u32::try_from(self.worlds).unwrap_or(u32::MAX),
            observations: Buffer::from(self.observations.as_slice()),
            rewards: Buffer::from(self.rewards.as_slice()),
            terminateds: flags(&self.terminateds),
            truncateds: flags(&self.truncateds),
            successes: flags(&self.successes),
            infos,
            render_state,
        }
    }
}
