//! What a service is: the trait that every host drives.

use std::time::Duration;

use forearm_protocol::Message;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::answer::Answer;
use crate::context::Context;

/// When a service wants to be ticked next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wake {
    /// At this absolute time, seconds since the service was spawned; at once if it has passed.
    At(f64),
    /// Only when a message has come in.
    OnMessage,
}

/// A message that is never sent: for services that feed nothing, or are fed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nothing {}

impl Message for Nothing {
    fn name(&self) -> &'static str {
        match *self {}
    }
}

/// A piece of work with its own thread of time.
///
/// All methods run on one thread, one after another. None may wait for anything but the work it
/// does; a service that waits keeps no deadline.
pub trait Service: Sized + Send + 'static {
    /// What it is made from, where it will run; and made from again after a crash.
    type Setup: Serialize + DeserializeOwned + Clone + Send + 'static;
    /// What it is asked; each request gets one [`Service::Reply`] or error.
    type Request: Message;
    /// What it answers.
    type Reply: Message;
    /// What it is told, without an answer.
    type Command: Message;
    /// What it tells on its own.
    type Event: Message;
    /// What other services feed it, past the app: see [`Handle::feed_into`](crate::Handle).
    type Input: Message;
    /// What it feeds to other services, past the app.
    type Output: Message + Clone;

    /// The service's name: of its thread, and in messages to people. At most 15 letters.
    const NAME: &'static str;

    /// How long a request may take unless its sender says otherwise.
    const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

    /// How long the start may take.
    const START_TIMEOUT: Duration = Duration::from_secs(30);

    /// How long a call may take before the service counts as hung; requests may ask for more by
    /// [`Service::patience`].
    const HANG_AFTER: Duration = Duration::from_secs(1);

    /// Whether it has deadlines to keep: its thread then goes before others.
    const KEEPS_TIME: bool = true;

    /// Whether its thread lets others go first: one that only computes. Without deadlines and without
    /// this it goes like any other.
    const YIELDS: bool = !Self::KEEPS_TIME;

    /// Makes the service, on the thread that it will run on.
    fn new(setup: Self::Setup) -> Self;

    /// Prepares the service. Nothing else is called before it has returned.
    ///
    /// # Errors
    /// What failed; the service then counts as failed and every request gets this error.
    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), forearm_protocol::ServiceError>;

    /// Takes a request. `answer` may be used at once, or kept and used at a later call; answers
    /// may come in any order. One that is dropped fails its request.
    fn request(
        &mut self,
        request: Self::Request,
        answer: Answer<Self::Reply>,
        cx: &mut Context<'_, Self>,
    );

    /// Takes a command.
    fn command(&mut self, command: Self::Command, cx: &mut Context<'_, Self>);

    /// Takes what another service feeds.
    fn input(&mut self, _input: Self::Input, _cx: &mut Context<'_, Self>) {}

    /// Does the work that is due, and says when to be called again. It is also called once after
    /// [`Service::ready`], and after messages when the last answer was [`Wake::OnMessage`].
    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake;

    /// Leaves everything safe: the last call before the service is dropped. It is not made after
    /// a crash.
    fn stopping(&mut self, cx: &mut Context<'_, Self>);

    /// Whether an event may be dropped, oldest first, when nobody reads: true for samples that a
    /// newer one replaces.
    fn may_drop(_event: &Self::Event) -> bool {
        false
    }

    /// Writes into the setup what a service that takes this one's place after a crash should know.
    /// Called on the owner's side for each event that the owner takes.
    fn remember(_setup: &mut Self::Setup, _event: &Self::Event) {}

    /// The same for a command, when it is sent: a service that crashes may never have taken it.
    fn remember_command(_setup: &mut Self::Setup, _command: &Self::Command) {}

    /// How long this request may keep the service from everything else before it counts as hung.
    fn patience(_request: &Self::Request) -> Duration {
        Self::HANG_AFTER
    }
}
