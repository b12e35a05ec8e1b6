//! Short episodes that have to be the same, bit for bit, wherever they are stepped: a digest of what is
//! observed, earned and seen.

use forearm_protocol::env::{EnvCamera, EnvConfig, Randomization, Task};

/// Steps of an episode.
pub(crate) const STEPS: u32 = 40;
/// What all randomness comes from.
pub(crate) const SEED: u64 = 20;
/// The tasks.
pub(crate) const TASKS: [Task; 3] = [Task::Reach, Task::PickPlace, Task::BimanualHandover];

/// Everything varied, and a picture.
pub(crate) fn config(task: Task) -> EnvConfig {
    EnvConfig {
        randomize: Randomization::full(),
        cameras: vec![EnvCamera {
            name: "front".to_owned(),
            resolution: [96, 72],
        }],
        ..EnvConfig::new(task)
    }
}

/// The actions of a step: far swings, held for some steps.
pub(crate) fn actions(step: u32, out: &mut [f32]) {
    let mut word = (step / 10 + 1).wrapping_mul(0x9e37_79b9);
    for action in out {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        // 16 bits, which a float holds exactly.
        *action = (word >> 16) as f32 / 32768.0 - 1.0;
    }
}

/// What is known so far.
#[derive(Default)]
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    pub(crate) fn numbers(&mut self, numbers: &[f32]) {
        for number in numbers {
            self.0.update(&number.to_bits().to_le_bytes());
        }
    }

    /// A picture, RGB or RGBA: how see-through it is does not count.
    pub(crate) fn picture(&mut self, bytes: &[u8], channels: usize) {
        for pixel in bytes.chunks_exact(channels) {
            self.0.update(&pixel[..3]);
        }
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The digest of the worlds themselves, without a service.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn direct() -> Result<String, forearm_sim::env::EnvError> {
    let mut digest = Digest::default();
    for task in TASKS {
        let mut env = forearm_sim::env::Env::new(&config(task))?;
        let spec = env.spec().clone();
        let mut row = vec![0.0; spec.action_len()];
        let mut observations = vec![0.0; spec.observation_len()];
        let mut rewards = vec![0.0; spec.agents.len()];
        let mut picture = vec![0; spec.images_len()];
        env.reset(SEED);
        env.observe(&mut observations);
        digest.numbers(&observations);
        for step in 0..STEPS {
            actions(step, &mut row);
            env.step(&row)?;
            env.observe(&mut observations);
            env.rewards(&mut rewards);
            digest.numbers(&observations);
            digest.numbers(&rewards);
        }
        env.render(0, &mut picture);
        digest.picture(&picture, 3);
    }
    Ok(digest.finish())
}
