//! Worlds that count: cheap, and as wrong as a case wants them.
//!
//! A configuration's `substeps` says what is wrong with it. A world observes its agents' counts: each
//! step adds the rounded sum of an agent's actions, in tenths, to a count of its own.

use std::ops::Range;
use std::sync::Arc;

use forearm_protocol::env::messages::{Init, Ready, Stage};
use forearm_protocol::env::{AgentSpec, EnvSpec, Part};
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_sim::env::service::{Built, EnvService, Gym, Info, Results};

/// What is wrong with it.
pub(crate) const FINE: u32 = 17;
/// It is never there.
pub(crate) const NEVER: u32 = 901;
/// Its making panics.
pub(crate) const PANICS: u32 = 902;
/// Its making fails in the middle.
pub(crate) const FAILS: u32 = 903;
/// It waits for something three times while it is made.
pub(crate) const LATE: u32 = 904;
/// Its steps panic when an action is 1.
pub(crate) const FRAGILE: u32 = 905;

/// A service of toys.
pub(crate) type ToyService = EnvService<Toys>;

/// Worlds that count.
pub(crate) struct Toys {
    spec: EnvSpec,
    worlds: Vec<Toy>,
}

/// A world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toy {
    seed: u64,
    steps: u32,
    counts: [i64; 2],
    returns: [f64; 2],
    over: bool,
}

/// Toys in the making.
pub(crate) struct Making {
    init: Init,
    looks: u32,
    built: u32,
}

impl Gym for Toys {
    const NAME: &'static str = "toys";
    type Building = Making;
    type Snapshot = Toy;

    fn begin(init: &Init) -> Result<Making, String> {
        init.config.check().map_err(|problem| problem.to_string())?;
        Ok(Making {
            init: init.clone(),
            looks: 0,
            built: 0,
        })
    }

    fn build(making: &mut Making) -> Result<Built<Self>, String> {
        let fraction = f64::from(making.built) / f64::from(making.init.worlds);
        let stage = Stage::BuildingWorlds;
        making.looks += 1;
        match making.init.config.substeps {
            NEVER => return Ok(Built::Waiting { stage, fraction }),
            LATE if making.looks <= 3 => return Ok(Built::Waiting { stage, fraction }),
            PANICS => panic!("the toy broke while it was made"),
            FAILS if making.built > 0 => return Err("a part is missing".to_owned()),
            _ => {}
        }
        if making.built < making.init.worlds {
            making.built += 1;
            return Ok(Built::More { stage, fraction });
        }
        let agent = |name: &str, action_len: u32| AgentSpec {
            name: name.to_owned(),
            observation: vec![Part {
                name: "count".to_owned(),
                len: 1,
            }],
            observation_len: 1,
            action_len,
            joints: (0..action_len)
                .map(|joint| format!("{name}_{joint}"))
                .collect(),
        };
        let config = making.init.config.clone();
        Ok(Built::Done(Self {
            spec: EnvSpec {
                agents: vec![agent("left", 1), agent("right", 2)],
                cameras: config.cameras.clone(),
                step_secs: 0.034,
                max_steps: config.steps(),
                config,
            },
            worlds: vec![Toy::default(); making.init.worlds as usize],
        }))
    }

    fn ready(&self) -> Ready {
        let scene = Scene::from_ron("toys", "(name: \"toys\", arms: [(name: \"arm\")])")
            .expect("it is a scene");
        Ready {
            spec: self.spec.clone(),
            worlds: self.worlds.len() as u32,
            layout: self.layout(),
            bundle: Arc::new(SceneBundle::from(scene)),
        }
    }

    fn layout(&self) -> TickLayout {
        TickLayout {
            joints: 1,
            objects: 0,
        }
    }

    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn worlds(&self) -> usize {
        self.worlds.len()
    }

    fn seed_of(seed: u64, world: usize, _worlds: usize) -> u64 {
        seed + 1000 * world as u64
    }

    fn reset(&mut self, world: usize, seed: u64) {
        self.worlds[world] = Toy {
            seed,
            counts: [seed as i64; 2],
            ..Toy::default()
        };
    }

    fn step(
        &mut self,
        worlds: Range<usize>,
        actions: &[f32],
        out: Results<'_>,
    ) -> Result<(), String> {
        let fragile = self.spec.config.substeps == FRAGILE;
        assert!(!fragile || !actions.contains(&1.0), "the toy broke");
        for (row, world) in worlds.enumerate() {
            let toy = &mut self.worlds[world];
            let actions = &actions[3 * row..][..3];
            let mut rewards = [0.0; 2];
            if toy.over {
                *toy = Toy {
                    seed: toy.seed + 1,
                    counts: [toy.seed as i64 + 1; 2],
                    ..Toy::default()
                };
            } else {
                toy.steps += 1;
                rewards = [actions[0], actions[1] + actions[2]];
                let agents = toy.counts.iter_mut().zip(&mut toy.returns);
                for ((count, earned), reward) in agents.zip(rewards) {
                    *count += (10.0 * reward).round() as i64;
                    *earned += f64::from(reward);
                }
                toy.over = toy.steps == self.spec.max_steps;
            }
            out.observations[2 * row..][..2].copy_from_slice(&toy.counts.map(|count| count as f32));
            out.rewards[2 * row..][..2].copy_from_slice(&rewards);
            out.truncateds[row] = toy.over;
            (out.terminateds[row], out.successes[row]) = (false, toy.counts[0] > 1_000_000);
        }
        Ok(())
    }

    fn observe(&self, world: usize, out: &mut [f32]) {
        for (out, count) in out.iter_mut().zip(self.worlds[world].counts) {
            *out = count as f32;
        }
    }

    fn info(&self, world: usize) -> Info {
        let toy = &self.worlds[world];
        Info {
            distance_m: toy.counts[0] as f64,
            steps: toy.steps,
            seed: toy.seed,
            success: false,
        }
    }

    fn returns(&self, world: usize, out: &mut Vec<f64>) {
        out.extend(self.worlds[world].returns);
    }

    fn snapshot(&self, world: usize, into: &mut Toy) {
        into.clone_from(&self.worlds[world]);
    }

    fn restore(&mut self, world: usize, from: &Toy) -> Result<(), String> {
        self.worlds[world].clone_from(from);
        Ok(())
    }

    fn tick(&self, world: usize, out: &mut [f64]) {
        let toy = &self.worlds[world];
        out.copy_from_slice(&[
            f64::from(toy.steps),
            toy.counts[0] as f64,
            toy.counts[1] as f64,
        ]);
    }

    fn render(&mut self, world: usize, camera: usize, out: &mut [u8]) {
        for (pixel, rgb) in out.chunks_exact_mut(3).enumerate() {
            rgb.copy_from_slice(&[pixel as u8, world as u8, camera as u8]);
        }
    }
}
