//! What is done one after another: resets, steps, rollouts, restores, each in portions that fit into a
//! slice.

use std::collections::BTreeMap;
use std::ops::Range;

use forearm_protocol::env::messages::Reply;
use forearm_workers::{Answer, Clock};

use super::gym::Gym;
use super::sheet::Sheet;
use super::show::{Canvas, Showing};

/// How long a portion should take, seconds: half a slice where slices are shortest.
const PORTION_SECS: f64 = 0.001;

/// How many worlds are stepped between two looks at the clock. It never changes what comes out.
pub(super) struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(1)
    }
}

impl Pace {
    fn took(&mut self, worlds: usize, secs: f64) {
        if secs > PORTION_SECS {
            self.0 = (self.0 / 2).max(1);
        } else if secs < PORTION_SECS / 2.0 && worlds == self.0 {
            self.0 = self.0.saturating_mul(2);
        }
    }
}

/// What is to be done.
pub(super) enum Kind {
    /// New episodes in some worlds.
    Reset {
        worlds: Range<usize>,
        /// Of all worlds together; otherwise the world's own.
        of_all: bool,
        seed: u64,
    },
    /// Steps of all worlds: one, or many in one call.
    Steps { count: usize, single: bool },
    /// Some worlds go on from a kept state.
    Restore { worlds: Range<usize>, slot: u32 },
}

/// A request at work.
pub(super) struct Job {
    pub(super) answer: Answer<Reply>,
    pub(super) kind: Kind,
    /// The next step.
    step: usize,
    /// The next world of that step; of the worlds that are meant.
    world: usize,
    /// Whether what is left is to show them.
    worlds_are_done: bool,
    showing: Option<Showing>,
}

impl Job {
    pub(super) fn new(kind: Kind, answer: Answer<Reply>, showing: Option<Showing>) -> Self {
        Self {
            answer,
            kind,
            step: 0,
            world: 0,
            worlds_are_done: false,
            showing,
        }
    }

    /// Whether worlds are still to be changed.
    pub(super) fn changes_worlds(&self) -> bool {
        !self.worlds_are_done
    }

    /// Takes note that all was done to the worlds.
    pub(super) fn worlds_are_done(&mut self) {
        self.worlds_are_done = true;
    }

    /// The request's name.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Reset { .. } => "env/reset",
            Kind::Steps { single: true, .. } => "env/step",
            Kind::Steps { single: false, .. } => "env/rollout",
            Kind::Restore { .. } => "env/restore",
        }
    }

    /// Whether worlds are between two steps, so that the job can end here.
    pub(super) fn may_end(&self) -> bool {
        match self.kind {
            Kind::Steps { .. } => self.world == 0,
            Kind::Reset { .. } | Kind::Restore { .. } => false,
        }
    }

    /// Steps of worlds that this job has done.
    pub(super) fn steps_done(&self, worlds: usize) -> usize {
        match self.kind {
            Kind::Steps { .. } => self.step * worlds + self.world,
            Kind::Reset { .. } | Kind::Restore { .. } => 0,
        }
    }

    /// Does a portion of what changes worlds; answers whether all of that is done.
    ///
    /// # Errors
    /// Why it can't go on.
    pub(super) fn advance<G: Gym>(
        &mut self,
        gym: &mut G,
        snapshots: &BTreeMap<u32, G::Snapshot>,
        sheet: &mut Sheet,
        pace: &mut Pace,
        clock: &Clock,
    ) -> Result<bool, String> {
        match &self.kind {
            Kind::Reset {
                worlds,
                of_all,
                seed,
            } => {
                let world = worlds.start + self.world;
                let seed = match of_all {
                    true => G::seed_of(*seed, world, worlds.len()),
                    false => *seed,
                };
                gym.reset(world, seed);
                self.world += 1;
                Ok(self.world == worlds.len())
            }
            Kind::Restore { worlds, slot } => {
                let kept = snapshots
                    .get(slot)
                    .ok_or("the state is not kept any more")?;
                gym.restore(worlds.start + self.world, kept)?;
                self.world += 1;
                Ok(self.world == worlds.len())
            }
            Kind::Steps { count, .. } => {
                let (begun_secs, worlds) = (clock.now_secs(), gym.worlds());
                let end = self.world.saturating_add(pace.0).min(worlds);
                sheet.step(gym, self.step, self.world..end)?;
                pace.took(end - self.world, clock.now_secs() - begun_secs);
                self.world = end;
                if self.world == worlds {
                    (self.step, self.world) = (self.step + 1, 0);
                }
                Ok(self.step == *count)
            }
        }
    }

    /// Shows a portion of what is to be shown; answers whether all is there.
    pub(super) fn show<G: Gym>(&mut self, gym: &mut G, canvas: &mut Canvas) -> bool {
        match &mut self.showing {
            Some(showing) => showing.advance(gym, canvas),
            None => true,
        }
    }

    /// Answers.
    pub(super) fn finish<G: Gym>(self, gym: &G, sheet: &mut Sheet, canvas: &Canvas) {
        let shown = self.showing.map(|showing| showing.finish(gym, canvas));
        let came = Box::new(sheet.finish(gym, shown.unwrap_or_default()));
        self.answer.send(Ok(match self.kind {
            Kind::Reset { .. } => Reply::Reset(came),
            Kind::Steps { single: true, .. } => Reply::Step(came),
            Kind::Steps { single: false, .. } => Reply::Rollout(came),
            Kind::Restore { .. } => Reply::Restore(came),
        }));
    }
}
