//! What a service is handed at every call.

use std::marker::PhantomData;

use crate::clock::Clock;
use crate::outlet::Outlet;
use crate::service::Service;
use crate::status::{Progress, Shared};

/// A service's way to the outside: the time of this call, and where to tell events.
pub struct Context<'a, S: Service> {
    now_secs: f64,
    clock: &'a Clock,
    outlet: &'a mut Outlet<S::Event>,
    shared: &'a Shared,
    service: PhantomData<fn() -> S>,
}

impl<'a, S: Service> Context<'a, S> {
    pub(crate) fn new(
        clock: &'a Clock,
        outlet: &'a mut Outlet<S::Event>,
        shared: &'a Shared,
    ) -> Self {
        let now_secs = clock.now_secs();
        Self {
            now_secs,
            clock,
            outlet,
            shared,
            service: PhantomData,
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

    /// Tells an event. Never blocks: what nobody reads is dropped and counted.
    pub fn emit(&mut self, event: S::Event) {
        let may_drop = S::may_drop(&event);
        self.outlet.emit(event, may_drop);
    }

    /// Reports how far a long piece of work is, `fraction` from 0 to 1.
    pub fn progress(&mut self, stage: &str, fraction: f64) {
        self.shared.set_progress(Progress {
            stage: stage.to_owned(),
            fraction,
        });
    }
}
