//! What a service is handed at every call.

use std::time::Duration;

use forearm_protocol::ServiceError;

use crate::clock::Clock;
use crate::link::Feeds;
use crate::outlet::Outlet;
use crate::service::Service;
use crate::status::{Progress, Shared};

/// A service's way to the outside: the time of this call, and where to tell events.
pub struct Context<'a, S: Service> {
    now_secs: f64,
    clock: &'a Clock,
    outlet: &'a mut Outlet<S::Event>,
    feeds: &'a mut Feeds<S::Output>,
    shared: &'a Shared,
    slice: Duration,
}

impl<'a, S: Service> Context<'a, S> {
    pub(crate) fn new(
        clock: &'a Clock,
        outlet: &'a mut Outlet<S::Event>,
        feeds: &'a mut Feeds<S::Output>,
        shared: &'a Shared,
        slice: Duration,
    ) -> Self {
        Self {
            now_secs: clock.now_secs(),
            clock,
            outlet,
            feeds,
            shared,
            slice,
        }
    }

    /// The time of this call, seconds since the service was spawned; the same throughout a call.
    #[must_use]
    pub fn now_secs(&self) -> f64 {
        self.now_secs
    }

    /// The clock itself, to measure how long work takes. Never decide by it: decide by
    /// [`Context::now_secs`].
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.clock
    }

    /// How long a call may work before it should return and ask to be ticked again, so that
    /// messages (a cancellation among them) get in: shorter where the thread also draws.
    #[must_use]
    pub fn slice(&self) -> Duration {
        self.slice
    }

    /// Tells an event. Never blocks: what nobody reads is dropped and counted.
    pub fn emit(&mut self, event: S::Event) {
        let may_drop = S::may_drop(&event);
        self.outlet.emit(event, may_drop);
    }

    /// Whether any service was linked to this one: whether feeding makes sense.
    #[must_use]
    pub fn feeds_any(&self) -> bool {
        !self.feeds.is_empty()
    }

    /// Feeds the services that this one was linked to, past the app. Never blocks.
    ///
    /// # Errors
    /// The first that could not take it, and why; the others have it.
    pub fn feed(&mut self, output: &S::Output) -> Result<(), ServiceError> {
        self.feeds.feed(output)
    }

    /// Reports how far a long piece of work is, `fraction` from 0 to 1. It is also a sign of life:
    /// a call that reports is not hung.
    pub fn progress(&mut self, stage: &str, fraction: f64) {
        self.shared.set_progress(Progress {
            stage: stage.to_owned(),
            fraction,
        });
    }
}
