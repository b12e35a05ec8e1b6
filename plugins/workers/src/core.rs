//! The state machine that every host drives: start, messages, ticks, end. It owns the service and
//! keeps a panic of the service inside.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use forearm_protocol::ServiceError;

use crate::clock::Clock;
use crate::context::Context;
use crate::outlet::Outlet;
use crate::pending::Answer;
use crate::service::{Service, Wake};
use crate::status::{Shared, State};

/// A message on its way to a service.
pub(crate) enum Inbound<S: Service> {
    /// Gets one answer.
    Request(S::Request, Answer<S::Reply>),
    /// Gets none.
    Command(S::Command),
    /// Wakes the host, so that it sees that it was told to stop.
    Nudge,
}

/// Makes a service where it will live.
pub(crate) type Factory<S> = Box<dyn FnOnce() -> S + Send>;

/// A service, its life and its way out.
pub(crate) struct Core<S: Service> {
    stage: Stage<S>,
    clock: Clock,
    shared: Arc<Shared>,
    outlet: Outlet<S::Event>,
    wake: Wake,
}

enum Stage<S> {
    Waiting(Factory<S>),
    Running(S),
    Ended,
}

impl<S: Service> Core<S> {
    pub(crate) fn new(
        factory: Factory<S>,
        clock: Clock,
        shared: Arc<Shared>,
        outlet: Outlet<S::Event>,
    ) -> Self {
        Self {
            stage: Stage::Waiting(factory),
            clock,
            shared,
            outlet,
            wake: Wake::At(0.0),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// When the service wants to be ticked.
    pub(crate) fn wake(&self) -> Wake {
        self.wake
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// Makes the service and lets it prepare; does nothing when that was done before.
    pub(crate) fn start(&mut self) {
        let factory = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Waiting(factory) => factory,
            other => {
                self.stage = other;
                return;
            }
        };
        match catch_unwind(AssertUnwindSafe(factory)) {
            Ok(service) => self.stage = Stage::Running(service),
            Err(panic) => return self.fail(start_error::<S>(panic_text(&*panic))),
        }
        match self.guarded(Service::ready) {
            Some(Ok(())) => {
                self.wake = Wake::At(self.clock.now_secs());
                self.shared.set_ready();
            }
            Some(Err(error @ ServiceError::Start { .. })) => self.fail(error),
            Some(Err(error)) => self.fail(start_error::<S>(error.to_string())),
            None => {}
        }
    }

    /// Hands a message to the service.
    pub(crate) fn take(&mut self, message: Inbound<S>) {
        match message {
            Inbound::Request(request, answer) => {
                self.shared.received.fetch_add(1, Ordering::Relaxed);
                // An unanswered `Answer` tells its request that the service is gone.
                if let Some(result) = self.guarded(|service, cx| service.request(request, cx)) {
                    self.shared.answered.fetch_add(1, Ordering::Relaxed);
                    answer.send(result);
                }
            }
            Inbound::Command(command) => {
                self.shared.received.fetch_add(1, Ordering::Relaxed);
                self.guarded(|service, cx| service.command(command, cx));
            }
            Inbound::Nudge => return,
        }
        if self.wake == Wake::OnMessage {
            self.wake = Wake::At(self.clock.now_secs());
        }
    }

    /// Ticks the service.
    pub(crate) fn tick(&mut self) {
        self.shared.ticks.fetch_add(1, Ordering::Relaxed);
        if let Some(wake) = self.guarded(Service::tick) {
            self.wake = wake;
        }
    }

    /// Ends the service in order.
    pub(crate) fn stop(&mut self) {
        self.guarded(|service, cx| service.stopping(cx));
        self.shared.end(State::Stopped, stopped_error::<S>());
        self.drop_service();
    }

    /// Calls the service and catches its panic, which ends it.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut S, &mut Context<'_, S>) -> T) -> Option<T> {
        let Stage::Running(service) = &mut self.stage else {
            return None;
        };
        let mut cx = Context::new(&self.clock, &mut self.outlet, &self.shared);
        match catch_unwind(AssertUnwindSafe(|| call(service, &mut cx))) {
            Ok(value) => Some(value),
            Err(panic) => {
                let why = format!("it panicked: {}", panic_text(&*panic));
                self.fail(ServiceError::Gone {
                    service: S::NAME.to_owned(),
                    why,
                });
                None
            }
        }
    }

    fn fail(&mut self, error: ServiceError) {
        // Whoever holds the handle is told, and tells.
        tracing::debug!("{error}");
        // The reason goes first: whoever sees a request dropped looks it up.
        self.shared.end(State::Failed, error);
        self.drop_service();
    }

    fn drop_service(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(stage))) {
            tracing::error!(
                "the service `{}` panicked while dropped: {}",
                S::NAME,
                panic_text(&*panic)
            );
        }
    }
}

pub(crate) fn stopped_error<S: Service>() -> ServiceError {
    ServiceError::Gone {
        service: S::NAME.to_owned(),
        why: "it was stopped".to_owned(),
    }
}

fn start_error<S: Service>(why: String) -> ServiceError {
    ServiceError::Start {
        service: S::NAME.to_owned(),
        why,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a text".to_owned())
}
