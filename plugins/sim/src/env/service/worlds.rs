//! Forearm's own environments, for the service: one world after another, on the service's thread.
//!
//! Worlds go through the same episodes as a [`Batch`](crate::env::Batch)'s: bit for bit, and also where
//! the next one begins by itself. Natively a batch uses all cores, this does not.

use std::ops::Range;
use std::sync::Arc;

use forearm_protocol::env::EnvSpec;
use forearm_protocol::env::messages::{Init, Ready, Stage};
use forearm_protocol::record::TickLayout;

use super::gym::{Built, Gym, Info, Results};
use crate::env::batch::Slot;
use crate::env::draw::Painter;
use crate::env::plan::Plan;
use crate::env::random::derived;
use crate::env::{EnvError, Snapshot};

/// Steps that are made for nothing before the first: a browser compiles what is called often.
const WARM_UP_STEPS: u32 = 30;

/// Forearm's own environments.
pub struct Worlds {
    plan: Arc<Plan>,
    slots: Vec<Slot>,
    painter: Painter,
}

/// Worlds that are being built.
pub struct Building {
    init: Init,
    plan: Option<Arc<Plan>>,
    slots: Vec<Slot>,
    painter: Option<Painter>,
    warmed: u32,
    /// Room for a step's actions, and for a picture.
    actions: Vec<f32>,
    picture: Vec<u8>,
}

impl Building {
    /// What is done: models and pictures count as a world each, and so does warming up.
    fn fraction(&self) -> f64 {
        let all = f64::from(self.init.worlds) + 3.0;
        let ready = f64::from(u8::from(self.plan.is_some()) + u8::from(self.painter.is_some()));
        let warmed = f64::from(self.warmed) / f64::from(WARM_UP_STEPS);
        (ready + self.slots.len() as f64 + warmed) / all
    }

    fn more<G>(&self, stage: Stage) -> Built<G> {
        Built::More {
            stage,
            fraction: self.fraction(),
        }
    }

    /// One step of the first world, and its pictures at the end.
    fn warm_up(&mut self) -> Result<(), EnvError> {
        let (Some(slot), Some(painter)) = (self.slots.first_mut(), &mut self.painter) else {
            return Ok(());
        };
        self.warmed += 1;
        // There and back, so that all of a step is run through.
        let action = if self.warmed.is_multiple_of(2) {
            1.0
        } else {
            -1.0
        };
        self.actions.clear();
        self.actions.resize(slot.core.spec().action_len(), action);
        slot.core.step(&self.actions)?;
        if self.warmed == WARM_UP_STEPS {
            self.picture.resize(slot.core.spec().images_len(), 0);
            painter.draw_all(&slot.core, &mut self.picture);
            slot.begin(0);
        }
        Ok(())
    }
}

impl Gym for Worlds {
    const NAME: &'static str = "env";
    type Building = Building;
    type Snapshot = Snapshot;

    fn begin(init: &Init) -> Result<Building, String> {
        init.config.check().map_err(|problem| problem.to_string())?;
        Ok(Building {
            init: init.clone(),
            plan: None,
            slots: Vec::new(),
            painter: None,
            warmed: 0,
            actions: Vec::new(),
            picture: Vec::new(),
        })
    }

    fn build(building: &mut Building) -> Result<Built<Self>, String> {
        build(building).map_err(|error| error.to_string())
    }

    fn ready(&self) -> Ready {
        Ready {
            spec: (*self.plan.spec).clone(),
            worlds: u32::try_from(self.slots.len()).unwrap_or(u32::MAX),
            layout: self.layout(),
            bundle: Arc::new(self.plan.bundle.clone()),
        }
    }

    fn layout(&self) -> TickLayout {
        self.plan.layout()
    }

    fn spec(&self) -> &EnvSpec {
        &self.plan.spec
    }

    fn worlds(&self) -> usize {
        self.slots.len()
    }

    fn seed_of(seed: u64, world: usize, worlds: usize) -> u64 {
        match worlds {
            1 => seed,
            _ => derived(seed, world as u64),
        }
    }

    fn reset(&mut self, world: usize, seed: u64) {
        self.slots[world].begin(seed);
    }

    fn step(
        &mut self,
        worlds: Range<usize>,
        actions: &[f32],
        out: Results<'_>,
    ) -> Result<(), String> {
        let spec = &self.plan.spec;
        let rows = actions
            .chunks_exact(spec.action_len())
            .zip(out.observations.chunks_exact_mut(spec.observation_len()))
            .zip(out.rewards.chunks_exact_mut(spec.agents.len()));
        for (row, (slot, ((actions, observations), rewards))) in
            self.slots[worlds].iter_mut().zip(rows).enumerate()
        {
            slot.step(actions).map_err(|error| error.to_string())?;
            slot.core.observe(observations);
            slot.core.rewards(rewards);
            out.terminateds[row] = slot.outcome.terminated;
            out.truncateds[row] = slot.outcome.truncated;
            out.successes[row] = slot.core.info().success;
        }
        Ok(())
    }

    fn observe(&self, world: usize, out: &mut [f32]) {
        self.slots[world].core.observe(out);
    }

    fn info(&self, world: usize) -> Info {
        let info = self.slots[world].core.info();
        Info {
            distance_m: info.distance_m,
            steps: info.steps,
            seed: info.seed,
            success: info.success,
        }
    }

    fn returns(&self, world: usize, out: &mut Vec<f64>) {
        let returns = self.slots[world].core.info().episode_returns;
        out.extend(returns.iter().take(self.plan.spec.agents.len()));
    }

    fn snapshot(&self, world: usize, into: &mut Snapshot) {
        self.slots[world].core.snapshot(into);
    }

    fn restore(&mut self, world: usize, from: &Snapshot) -> Result<(), String> {
        self.slots[world]
            .restore(from)
            .map_err(|error| error.to_string())
    }

    fn tick(&self, world: usize, out: &mut [f64]) {
        self.slots[world].core.tick(out);
    }

    fn render(&mut self, world: usize, camera: usize, out: &mut [u8]) {
        self.painter.draw(&self.slots[world].core, camera, out);
    }
}

/// A bit of building: the models, then the cameras, then a world at a time, then a step at a time.
fn build(building: &mut Building) -> Result<Built<Worlds>, EnvError> {
    let plan = match &building.plan {
        Some(plan) => Arc::clone(plan),
        None => {
            building.plan = Some(Arc::new(Plan::new(&building.init.config)?));
            return Ok(building.more(Stage::LoadingModels));
        }
    };
    if building.painter.is_none() {
        building.painter = Some(Painter::new(&plan)?);
        return Ok(building.more(Stage::LoadingModels));
    }
    if building.slots.len() < building.init.worlds as usize {
        let mut slot = Slot::new(&plan)?;
        slot.begin(Worlds::seed_of(
            0,
            building.slots.len(),
            building.init.worlds as usize,
        ));
        building.slots.push(slot);
        return Ok(building.more(Stage::BuildingWorlds));
    }
    if building.warmed < WARM_UP_STEPS {
        building.warm_up()?;
        return Ok(building.more(Stage::WarmingUp));
    }
    // The last but one call has made it: there is one.
    match building.painter.take() {
        Some(painter) => Ok(Built::Done(Worlds {
            plan,
            slots: std::mem::take(&mut building.slots),
            painter,
        })),
        None => Ok(building.more(Stage::WarmingUp)),
    }
}
