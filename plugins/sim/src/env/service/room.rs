//! An environment that is there, and what is done with it: one request at a time, renderings in between.

use std::collections::{BTreeMap, VecDeque};

use forearm_protocol::env::messages::{Phase, Ready, RenderState, Reply, Request, Show, Worlds};
use forearm_protocol::{Message, ServiceError};
use forearm_workers::{Answer, Clock};

use super::checks::{read_actions, size_of_reply, slot_of, worlds_of};
use super::gym::Gym;
use super::job::{Job, Kind, Pace};
use super::queue::{Asked, Queue};
use super::refusals::{cancelled, no_episode, refused};
use super::sheet::Sheet;
use super::show::{Canvas, Showing};

/// An environment that is there.
pub(super) struct Room<G: Gym> {
    gym: G,
    snapshots: BTreeMap<u32, G::Snapshot>,
    /// Which worlds have an episode.
    begun: Vec<bool>,
    /// What became of the episodes before, if they were lost.
    lost: Option<String>,
    /// The last seed of all worlds.
    pub(super) seed: Option<u64>,
    /// Steps of worlds by requests that have ended.
    steps: u64,
    job: Option<Job>,
    /// What is to be rendered of the worlds as they are.
    views: VecDeque<(Answer<Reply>, Showing)>,
    sheet: Sheet,
    canvas: Canvas,
    view_canvas: Canvas,
    pace: Pace,
}

impl<G: Gym> Room<G> {
    /// One without episodes.
    pub(super) fn new(gym: G, lost: Option<String>) -> Self {
        Self {
            begun: vec![false; gym.worlds()],
            gym,
            snapshots: BTreeMap::new(),
            lost,
            seed: None,
            steps: 0,
            job: None,
            views: VecDeque::new(),
            sheet: Sheet::default(),
            canvas: Canvas::default(),
            view_canvas: Canvas::default(),
            pace: Pace::default(),
        }
    }

    pub(super) fn ready(&self) -> Ready {
        self.gym.ready()
    }

    pub(super) fn worlds(&self) -> usize {
        self.gym.worlds()
    }

    /// Requests at work.
    pub(super) fn at_work(&self) -> usize {
        usize::from(self.job.is_some()) + self.views.len()
    }

    /// Steps of worlds so far.
    pub(super) fn steps(&self) -> u64 {
        let present = self.job.as_ref().map(|job| job.steps_done(self.worlds()));
        self.steps + present.unwrap_or(0) as u64
    }

    pub(super) fn phase(&self) -> Phase {
        match self.begun.iter().all(|begun| *begun) {
            true => Phase::Running,
            false => Phase::NeedsReset,
        }
    }

    /// Takes a rendering in: it is done before anything else goes on.
    pub(super) fn render(&mut self, show: Show, answer: Answer<Reply>) {
        match self.showing("env/render", 0, &show) {
            Ok(showing) => self.views.push_back((answer, showing)),
            Err(error) => answer.send(Err(error)),
        }
    }

    /// Does a portion of what is to be done; answers the seed of episodes that began in all worlds, or
    /// that there is nothing to do.
    pub(super) fn advance(&mut self, queue: &mut Queue, clock: &Clock) -> Turn {
        if let Some((answer, showing)) = self.views.front_mut() {
            if answer.is_cancelled() || showing.advance(&mut self.gym, &mut self.view_canvas) {
                self.finish_view();
            }
            return Turn::Worked;
        }
        if let Some(job) = self.job.take() {
            return self.go_on(job, clock);
        }
        let Some(asked) = queue.pop() else {
            return Turn::Idle;
        };
        let Asked { request, answer } = asked;
        let name = request.name();
        match self.begin(name, request) {
            Ok(Begun::Job(kind, show)) => self.job = Some(Job::new(kind, answer, show)),
            Ok(Begun::View(show)) => self.render(show, answer),
            Ok(Begun::Answered(reply)) => answer.send(Ok(reply)),
            Err(error) => answer.send(Err(error)),
        }
        Turn::Worked
    }

    fn finish_view(&mut self) {
        if let Some((answer, showing)) = self.views.pop_front() {
            let state: RenderState = showing.finish(&self.gym, &self.view_canvas);
            answer.send(Ok(Reply::Render(Box::new(state))));
        }
    }

    /// Goes on with what is at work.
    fn go_on(&mut self, mut job: Job, clock: &Clock) -> Turn {
        let (gym, sheet) = (&mut self.gym, &mut self.sheet);
        if job.changes_worlds() {
            if job.may_end() && job.answer.is_cancelled() {
                self.steps += job.steps_done(gym.worlds()) as u64;
                return Turn::Worked;
            }
            match job.advance(gym, &self.snapshots, sheet, &mut self.pace, clock) {
                Err(why) => {
                    let next = "reset the environment, or make it again by `env/init`";
                    let error = refused(job.name(), why, next);
                    job.answer.send(Err(error));
                    return Turn::Worked;
                }
                Ok(false) => {}
                Ok(true) => return self.worlds_changed(job),
            }
        } else if job.show(gym, &mut self.canvas) {
            self.steps += job.steps_done(gym.worlds()) as u64;
            job.finish(gym, sheet, &self.canvas);
            return Turn::Worked;
        }
        self.job = Some(job);
        Turn::Worked
    }

    /// Takes note of what a job has done to the worlds; what is left is to show them.
    fn worlds_changed(&mut self, mut job: Job) -> Turn {
        job.worlds_are_done();
        let mut turn = Turn::Worked;
        match &job.kind {
            Kind::Reset {
                worlds,
                of_all,
                seed,
            } => {
                self.begun[worlds.clone()].fill(true);
                self.sheet.observe(&self.gym);
                if *of_all {
                    (self.seed, self.lost) = (Some(*seed), None);
                    turn = Turn::Began(*seed);
                }
            }
            Kind::Restore { worlds, .. } => {
                self.begun[worlds.clone()].fill(true);
                self.sheet.observe(&self.gym);
            }
            Kind::Steps { .. } => {}
        }
        self.job = Some(job);
        turn
    }

    /// Checks a request; says what it comes to.
    fn begin(&mut self, name: &'static str, request: Request) -> Result<Begun, ServiceError> {
        let worlds = self.gym.worlds();
        match request {
            Request::Reset {
                seed,
                worlds: which,
                show,
            } => {
                let worlds = worlds_of(name, which, worlds)?;
                let of_all = which == Worlds::All;
                self.begin_changing(name, 1, show, || Kind::Reset {
                    worlds,
                    of_all,
                    seed,
                })
            }
            Request::Step {
                agents,
                actions,
                show,
            } => {
                self.check_begun(name)?;
                let (spec, sheet) = (self.gym.spec(), &mut self.sheet.actions);
                read_actions(name, spec, (1, worlds), &agents, &actions, sheet)?;
                self.begin_changing(name, 1, show, || Kind::Steps {
                    count: 1,
                    single: true,
                })
            }
            Request::Rollout {
                steps,
                agents,
                actions,
                show,
            } => {
                self.check_begun(name)?;
                let count = steps as usize;
                if count == 0 {
                    return Err(refused(name, "it has no steps", "ask for one or more"));
                }
                size_of_reply(name, self.gym.spec(), count, worlds, show.as_ref())?;
                let (spec, sheet) = (self.gym.spec(), &mut self.sheet.actions);
                read_actions(name, spec, (count, worlds), &agents, &actions, sheet)?;
                self.begin_changing(name, count, show, || Kind::Steps {
                    count,
                    single: false,
                })
            }
            Request::Snapshot { world, slot } => {
                let slot = slot_of(name, slot)?;
                let world = worlds_of(name, Worlds::One(world), worlds)?.start;
                if !self.begun[world] {
                    return Err(no_episode(name, world, self.lost.as_deref()));
                }
                let kept = self.snapshots.entry(slot).or_default();
                self.gym.snapshot(world, kept);
                Ok(Begun::Answered(Reply::Snapshot))
            }
            Request::Restore {
                slot,
                worlds: which,
                show,
            } => {
                let slot = slot_of(name, slot)?;
                let worlds = worlds_of(name, which, worlds)?;
                if !self.snapshots.contains_key(&slot) {
                    return Err(refused(
                        name,
                        format!("nothing is kept in slot {slot}"),
                        "keep a state there by `env/snapshot` first",
                    ));
                }
                self.begin_changing(name, 1, show, || Kind::Restore { worlds, slot })
            }
            Request::Render(show) => Ok(Begun::View(show)),
            // These never wait.
            Request::Init(_) | Request::Ping | Request::Destroy => {
                Err(cancelled(name, "it was kept waiting by mistake"))
            }
        }
    }

    /// What a request comes to that changes worlds and shows them.
    fn begin_changing(
        &mut self,
        name: &'static str,
        steps: usize,
        show: Option<Show>,
        kind: impl FnOnce() -> Kind,
    ) -> Result<Begun, ServiceError> {
        let showing = match &show {
            Some(show) => Some(self.showing(name, steps, show)?),
            None => None,
        };
        self.sheet.clear(&self.gym, steps);
        Ok(Begun::Job(kind(), showing))
    }

    /// A render state that is wanted along with the results of so many steps.
    fn showing(&self, name: &str, steps: usize, show: &Show) -> Result<Showing, ServiceError> {
        let worlds = worlds_of(name, show.worlds, self.gym.worlds())?;
        let spec = self.gym.spec();
        size_of_reply(name, spec, steps, self.gym.worlds(), Some(show))?;
        if show.pictures && spec.cameras.is_empty() {
            return Err(refused(
                name,
                "the environment has no cameras",
                "name them in the configuration of `env/init`",
            ));
        }
        Ok(Showing::new(worlds, show.pictures))
    }

    fn check_begun(&self, name: &str) -> Result<(), ServiceError> {
        match self.begun.iter().position(|begun| !begun) {
            None => Ok(()),
            Some(world) => Err(no_episode(name, world, self.lost.as_deref())),
        }
    }

    /// Fails what is at work.
    pub(super) fn cancel(self, why: &str) {
        if let Some(job) = self.job {
            let name = job.name();
            job.answer.send(Err(cancelled(name, why)));
        }
        for (answer, _) in self.views {
            answer.send(Err(cancelled("env/render", why)));
        }
    }
}

/// What a request comes to.
enum Begun {
    Job(Kind, Option<Showing>),
    View(Show),
    Answered(Reply),
}

/// What came of a portion of work.
pub(super) enum Turn {
    /// There was nothing to do.
    Idle,
    /// There may be more.
    Worked,
    /// New episodes began in all worlds, with this seed.
    Began(u64),
}
