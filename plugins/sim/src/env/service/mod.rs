//! The environment service: environments on a thread of time of their own, natively a thread, in the
//! browser a Web Worker, or in slices where there is none.
//!
//! One service is kept and used again: `env/init` puts an environment in the place of the one before.
//! What it is asked and answers is in [`forearm_protocol::env::messages`].
//!
//! - An initialisation goes in slices and tells its stages; it may take [`INIT_TIMEOUT_SECS`]. What is
//!   asked meanwhile waits and is answered in order afterwards, or fails with it. Nothing is ever done
//!   with an environment that is half there.
//! - Requests that change worlds are done one after another, in slices. `env/ping` is answered at once,
//!   `env/render` between two slices: those come out of order. Worlds of a batch are then perhaps not all
//!   at the same step; each is whole.
//! - `env/init` and `env/destroy` act at once and cancel what was asked before.
//! - After a crash the environment is made again, from its configuration. Its episodes and snapshots are
//!   lost, and [`Event::Lost`] says so; steps are refused until `env/reset`. One whose making crashes the
//!   service is not made again.
//!
//! What it hosts is a [`Gym`]: [`Worlds`] are Forearm's own environments.
//! Time decides nothing but when an initialisation is given up, and how much is done between two looks at
//! the clock: the same requests get the same bits on every host.
//!
//! Here: life and doors. `making`: initialisations; `room`: an environment that is there; `job`: what
//! changes worlds; `show`: render states; `sheet`: numbers on their way; `checks`: what is refused.

mod checks;
mod gym;
mod job;
mod making;
mod queue;
mod refusals;
mod room;
mod setup;
mod sheet;
mod show;
mod worlds;

use std::time::Duration;

use forearm_protocol::env::messages::{
    EnvStatus, Event, Init, MAX_WORLDS, Phase, Ready, Reply, Request,
};
use forearm_protocol::{Message, ServiceError};
use forearm_workers::{Answer, Context, Nothing, Service, Wake};

pub use gym::{Built, Gym, Info, Results};
pub use making::INIT_TIMEOUT_SECS;
pub use setup::EnvSetup;
pub use worlds::Worlds;

use making::{Made, Making};
use queue::{Asked, Queue};
use refusals::{cancelled, empty, refused};
use room::{Room, Turn};

/// How often what an initialisation waits for is looked at, seconds.
const LOOK_EVERY_SECS: f64 = 0.005;
/// Why requests end whose environment is replaced.
const REPLACED: &str = "a newer `env/init` took its place";
/// Why requests end whose environment is let go.
const DESTROYED: &str = "`env/destroy` let go of the environment";

type Cx<'a, G> = Context<'a, EnvService<G>>;

/// Hosts environments; see the module's documentation.
pub struct EnvService<G: Gym> {
    stage: Life<G>,
    queue: Queue,
    /// The answer to an initialisation that is done, until it goes out.
    made: Option<(Box<Ready>, Answer<Reply>)>,
    /// What is made again after a crash, until it is begun.
    again: Option<Box<Init>>,
    /// The seed of episodes that a crash ended.
    lost_seed: Option<u64>,
    /// What became of episodes that a crash ended.
    lost: Option<String>,
    /// Why there is no environment, where one was wanted.
    failed: Option<String>,
}

/// When to go on.
enum Next {
    /// When something is asked.
    Idle,
    /// When what is waited for may have come.
    Later,
    /// In the next call: in a browser events go out between calls, and who crashes after an answer has to
    /// have told what the answer is about.
    AfterEvents,
    /// If there is time.
    Now,
}

/// Where the environment is in its life.
enum Life<G: Gym> {
    Empty,
    Making(Box<Making<G>>),
    Here(Box<Room<G>>),
}

impl<G: Gym> EnvService<G> {
    /// Begins an initialisation; whatever was asked before is cancelled.
    fn init(&mut self, init: Box<Init>, answer: Answer<Reply>, cx: &mut Cx<'_, G>) {
        self.let_go(REPLACED);
        (self.lost, self.failed) = (None, None);
        self.make(init, Some(answer), cx);
    }

    fn make(&mut self, init: Box<Init>, answer: Option<Answer<Reply>>, cx: &mut Cx<'_, G>) {
        if !(1..=MAX_WORLDS).contains(&init.worlds) {
            let why = format!("it asks for {} worlds", init.worlds);
            let next = format!("ask for 1 to {MAX_WORLDS}");
            return self.fail(refused("env/init", why, next), answer, cx);
        }
        match Making::begin(init, answer, cx) {
            Ok(making) => self.stage = Life::Making(Box::new(making)),
            Err((why, answer)) => {
                let error = refused("env/init", why, "change the configuration");
                self.fail(error, answer, cx);
            }
        }
    }

    /// There will be no environment: whoever waits for one is told why.
    fn fail(&mut self, error: ServiceError, answer: Option<Answer<Reply>>, cx: &mut Cx<'_, G>) {
        self.stage = Life::Empty;
        let why = format!("its initialisation failed ({error})");
        match answer {
            Some(answer) => answer.send(Err(error)),
            None => cx.emit(Event::Lost {
                seed: self.lost_seed,
                error: Some(error.to_string()),
            }),
        }
        self.queue.fail(|name| empty(name, Some(&why)));
        self.failed = Some(why);
    }

    /// Ends whatever is there; what was asked of it is cancelled.
    fn let_go(&mut self, why: &str) {
        if let Some((_, answer)) = self.made.take() {
            answer.send(Err(cancelled("env/init", why)));
        }
        match std::mem::replace(&mut self.stage, Life::Empty) {
            Life::Empty => {}
            Life::Making(making) => {
                if let Some(answer) = making.answer {
                    answer.send(Err(cancelled("env/init", why)));
                }
            }
            Life::Here(room) => room.cancel(why),
        }
        self.queue.fail(|name| cancelled(name, why));
    }

    fn status(&self) -> EnvStatus {
        let waiting = self.queue.len();
        let (phase, at_work, worlds, seed, steps) = match &self.stage {
            Life::Empty => (Phase::Empty, 0, 0, None, 0),
            Life::Making(making) => (making.phase(), 1, 0, None, 0),
            Life::Here(room) => (
                room.phase(),
                room.at_work(),
                room.worlds(),
                room.seed,
                room.steps(),
            ),
        };
        EnvStatus {
            phase,
            waiting: u32::try_from(waiting + at_work).unwrap_or(u32::MAX),
            worlds: u32::try_from(worlds).unwrap_or(u32::MAX),
            seed,
            steps,
        }
    }

    /// Does a bit of what is to be done.
    fn advance(&mut self, cx: &mut Cx<'_, G>) -> Next {
        if let Some((ready, answer)) = self.made.take() {
            answer.send(Ok(Reply::Init(ready)));
            return Next::Now;
        }
        match &mut self.stage {
            Life::Empty => return Next::Idle,
            Life::Making(making) => match making.advance(cx) {
                Made::More => {}
                Made::Later => return Next::Later,
                Made::Done(gym) => {
                    self.made(gym, cx);
                    return Next::AfterEvents;
                }
                Made::GivenUp => {
                    self.stage = Life::Empty;
                    let why = "`env/init` was given up before it was done";
                    self.queue.fail(|name| cancelled(name, why));
                }
                Made::Failed(error) => {
                    let answer = making.answer.take();
                    self.fail(error, answer, cx);
                }
            },
            Life::Here(room) => match room.advance(&mut self.queue, cx.clock()) {
                Turn::Idle => return Next::Idle,
                Turn::Worked => {}
                Turn::Began(seed) => {
                    cx.emit(Event::Episode { seed });
                    return Next::AfterEvents;
                }
            },
        }
        Next::Now
    }

    /// The environment is there.
    fn made(&mut self, gym: G, cx: &mut Cx<'_, G>) {
        let room = Room::new(gym, self.lost.take());
        let stage = std::mem::replace(&mut self.stage, Life::Empty);
        if let Life::Making(making) = stage {
            self.made = making.answer.map(|answer| (Box::new(room.ready()), answer));
            cx.emit(Event::Initialised(making.init));
        }
        self.stage = Life::Here(Box::new(room));
    }
}

impl<G: Gym> Service for EnvService<G> {
    type Setup = EnvSetup;
    type Request = Request;
    type Reply = Reply;
    type Command = Nothing;
    type Event = Event;
    type Input = Nothing;
    type Output = Nothing;

    const NAME: &'static str = G::NAME;
    const REQUEST_TIMEOUT: Duration = Duration::from_secs(INIT_TIMEOUT_SECS as u64);
    /// A world may be large, and its machine slow.
    const HANG_AFTER: Duration = Duration::from_secs(5);
    const KEEPS_TIME: bool = false;
    const YIELDS: bool = false;

    fn new(setup: EnvSetup) -> Self {
        let (again, lost_seed) = setup.into_parts();
        Self {
            stage: Life::Empty,
            queue: Queue::default(),
            made: None,
            again,
            lost_seed,
            lost: None,
            failed: None,
        }
    }

    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        if let Some(init) = self.again.take() {
            let seed = self.lost_seed;
            cx.emit(Event::Lost { seed, error: None });
            self.lost = Some(match seed {
                Some(seed) => format!("the episodes of seed {seed} were lost in a crash"),
                None => "the environment was made again after a crash".to_owned(),
            });
            self.make(init, None, cx);
        }
        Ok(())
    }

    fn request(&mut self, request: Request, answer: Answer<Reply>, cx: &mut Context<'_, Self>) {
        match (request, &mut self.stage) {
            (Request::Ping, _) => answer.send(Ok(Reply::Ping(Box::new(self.status())))),
            (Request::Init(init), _) => self.init(init, answer, cx),
            (Request::Destroy, _) => {
                self.let_go(DESTROYED);
                (self.lost, self.failed) = (None, None);
                cx.emit(Event::Destroyed);
                answer.send(Ok(Reply::Destroy));
            }
            (request, Life::Empty) => {
                answer.send(Err(empty(request.name(), self.failed.as_deref())));
            }
            (Request::Render(show), Life::Here(room)) => room.render(show, answer),
            (request, _) => self.queue.push(G::NAME, Asked { request, answer }),
        }
    }

    fn command(&mut self, command: Nothing, _: &mut Context<'_, Self>) {
        match command {}
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        let end_secs = cx.clock().now_secs() + cx.slice().as_secs_f64();
        loop {
            match self.advance(cx) {
                Next::Idle => return Wake::OnMessage,
                Next::Later => return Wake::At(cx.now_secs() + LOOK_EVERY_SECS),
                Next::AfterEvents => return Wake::At(cx.now_secs()),
                Next::Now if cx.clock().now_secs() >= end_secs => return Wake::At(cx.now_secs()),
                Next::Now => {}
            }
        }
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {
        self.let_go("the service was stopped");
    }

    fn may_drop(event: &Event) -> bool {
        // Only the newest matters.
        matches!(event, Event::Episode { .. })
    }

    fn remember(setup: &mut EnvSetup, event: &Event) {
        setup.remember(event);
    }
}
