//! What a service is: the trait that every host drives.

use std::time::Duration;

use forearm_protocol::{Message, ServiceError};

use crate::Context;

/// When a service wants to be ticked next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wake {
    /// At this absolute time, seconds since the service was spawned; at once if it has passed.
    At(f64),
    /// Only when a message has come in.
    OnMessage,
}

/// A piece of work with its own thread of time.
///
/// All methods run on one thread, one after another. None may wait for anything but the work it
/// does; a service that waits keeps no deadline.
pub trait Service: Sized + 'static {
    /// What it is asked; each request gets one [`Service::Reply`] or error.
    type Request: Message;
    /// What it answers.
    type Reply: Message;
    /// What it is told, without an answer.
    type Command: Message;
    /// What it tells on its own.
    type Event: Message;

    /// The service's name: of its thread, and in messages to people. At most 15 letters.
    const NAME: &'static str;

    /// How long a request may take unless its sender says otherwise.
    const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

    /// Prepares the service. Nothing else is called before it has returned.
    ///
    /// # Errors
    /// What failed; the service then counts as failed and every request gets this error.
    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError>;

    /// Answers a request.
    ///
    /// # Errors
    /// Why it can't be done and what to try; the service goes on.
    fn request(
        &mut self,
        request: Self::Request,
        cx: &mut Context<'_, Self>,
    ) -> Result<Self::Reply, ServiceError>;

    /// Takes a command.
    fn command(&mut self, command: Self::Command, cx: &mut Context<'_, Self>);

    /// Does the work that is due, and says when to be called again. It is also called once after
    /// [`Service::ready`], and after messages when the last answer was [`Wake::OnMessage`].
    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake;

    /// Leaves everything safe: the last call before the service is dropped. It is not made after
    /// a panic.
    fn stopping(&mut self, cx: &mut Context<'_, Self>);

    /// Whether an event may be dropped, oldest first, when nobody reads: true for samples that a
    /// newer one replaces.
    fn may_drop(_event: &Self::Event) -> bool {
        false
    }
}
