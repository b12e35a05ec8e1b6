//! The state machine that every host drives: start, messages, ticks, end. It owns the service and
//! keeps a panic of the service inside.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use forearm_protocol::lifecycle::Fault;
use forearm_protocol::{Message, ServiceError};

use crate::answer::{Answer, ReplySink};
use crate::clock::Clock;
use crate::context::Context;
use crate::link::{Feed, Feeds};
use crate::outlet::Outlet;
use crate::panics;
use crate::service::{Service, Wake};
use crate::status::{Shared, State};

/// A message on its way to a service.
pub(crate) enum Inbound<S: Service> {
    /// Gets one answer.
    Request(u64, S::Request),
    /// Gets none.
    Command(S::Command),
    /// From another service.
    Input(S::Input),
    /// What the service feeds also goes there.
    Link(u64, Feed<S::Output>),
    /// Fails on purpose.
    Fault(Fault),
    /// Wakes the host, so that it sees that it was told to stop.
    #[cfg(not(target_family = "wasm"))]
    Nudge,
}

impl<S: Service> Inbound<S> {
    /// Its name for people who look on.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Request(_, request) => request.name(),
            Self::Command(command) => command.name(),
            Self::Input(input) => input.name(),
            Self::Link(..) => "worker/link",
            Self::Fault(_) => "worker/fault",
            #[cfg(not(target_family = "wasm"))]
            Self::Nudge => "worker/nudge",
        }
    }
}

/// A service, its life and its way out.
pub(crate) struct Core<S: Service> {
    stage: Stage<S>,
    clock: Clock,
    shared: Arc<Shared>,
    sink: Arc<dyn ReplySink<S::Reply>>,
    outlet: Outlet<S::Event>,
    feeds: Feeds<S::Output>,
    slice: Duration,
    wake: Wake,
}

enum Stage<S: Service> {
    Waiting(S::Setup),
    Running(S),
    Ended,
}

/// Tells, when it is dropped, that a service's thread has ended although the service had not.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct LastWill<R> {
    service: &'static str,
    shared: Arc<Shared>,
    sink: Arc<dyn ReplySink<R>>,
}

#[cfg(not(target_family = "wasm"))]
impl<R> Drop for LastWill<R> {
    fn drop(&mut self) {
        let error = ServiceError::Crashed {
            service: self.service.to_owned(),
            why: "its thread ended without a word".to_owned(),
            stack: None,
        };
        if self.shared.end(State::Failed, error.clone()) {
            self.sink.end(&error);
        }
    }
}

/// All that a core is made of, ready to be taken to where it will run.
pub(crate) struct Parts<S: Service> {
    pub(crate) setup: S::Setup,
    pub(crate) shared: Arc<Shared>,
    pub(crate) sink: Arc<dyn ReplySink<S::Reply>>,
    pub(crate) outlet: Outlet<S::Event>,
}

impl<S: Service> Core<S> {
    /// `slice` is how long one call should take at most: see [`Context::slice`].
    pub(crate) fn new(parts: Parts<S>, clock: Clock, slice: Duration) -> Self {
        Self {
            stage: Stage::Waiting(parts.setup),
            clock,
            shared: parts.shared,
            sink: parts.sink,
            outlet: parts.outlet,
            feeds: Feeds::default(),
            slice,
            wake: Wake::At(0.0),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where the service's life is seen from outside.
    #[cfg(any(test, target_family = "wasm"))]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Watches over the thread that runs this core.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn last_will(&self) -> LastWill<S::Reply> {
        LastWill {
            service: S::NAME,
            shared: Arc::clone(&self.shared),
            sink: Arc::clone(&self.sink),
        }
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
        let setup = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Waiting(setup) => setup,
            other => {
                self.stage = other;
                return;
            }
        };
        self.shared.enter();
        match panics::caught(|| S::new(setup)) {
            Ok(service) => self.stage = Stage::Running(service),
            Err((why, place)) => return self.fail(panicked_start::<S>(&why, place.as_deref())),
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
            Inbound::Request(id, request) => {
                self.shared.received.fetch_add(1, Ordering::Relaxed);
                // One that was given up while it waited is not begun.
                if self.sink.is_wanted(id) {
                    let answer = Answer::new(S::NAME, id, Arc::clone(&self.sink));
                    self.guarded(|service, cx| service.request(request, answer, cx));
                }
            }
            Inbound::Command(command) => {
                self.shared.received.fetch_add(1, Ordering::Relaxed);
                self.guarded(|service, cx| service.command(command, cx));
            }
            Inbound::Input(input) => {
                self.shared.received.fetch_add(1, Ordering::Relaxed);
                self.guarded(|service, cx| service.input(input, cx));
            }
            Inbound::Link(number, feed) => return self.feeds.set(number, feed),
            Inbound::Fault(fault) => {
                self.guarded(|_, _| crate::fault::commit(fault));
            }
            #[cfg(not(target_family = "wasm"))]
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
        self.end(State::Stopped, stopped_error::<S>());
    }

    /// Calls the service and catches its panic, which ends it.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut S, &mut Context<'_, S>) -> T) -> Option<T> {
        let Stage::Running(service) = &mut self.stage else {
            return None;
        };
        self.shared.enter();
        let mut cx = Context::new(
            &self.clock,
            &mut self.outlet,
            &mut self.feeds,
            &self.shared,
            self.slice,
        );
        let called = panics::caught(|| call(service, &mut cx));
        self.shared.leave();
        match called {
            Ok(value) => Some(value),
            Err((why, stack)) => {
                self.fail(match self.shared.state() {
                    State::Starting => panicked_start::<S>(&why, stack.as_deref()),
                    _ => ServiceError::Crashed {
                        service: S::NAME.to_owned(),
                        why: format!("it panicked: {why}"),
                        stack,
                    },
                });
                None
            }
        }
    }

    fn fail(&mut self, error: ServiceError) {
        // Whoever holds the handle is told, and tells.
        tracing::debug!("{error}");
        self.end(State::Failed, error);
    }

    fn end(&mut self, state: State, error: ServiceError) {
        if self.shared.end(state, error.clone()) {
            self.sink.end(&error);
        }
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

/// What a service that shows no life is said to have died of.
pub(crate) fn hung_error<S: Service>() -> ServiceError {
    ServiceError::Crashed {
        service: S::NAME.to_owned(),
        why: format!("it showed no sign of life for {:?}", S::HANG_AFTER),
        stack: None,
    }
}

pub(crate) fn start_error<S: Service>(why: String) -> ServiceError {
    ServiceError::Start {
        service: S::NAME.to_owned(),
        why,
    }
}

/// What a service that does not become ready is said to have failed by.
pub(crate) fn late_error<S: Service>() -> ServiceError {
    start_error::<S>(format!("it was not ready within {:?}", S::START_TIMEOUT))
}

/// A panic before the service was ready: it would panic again.
fn panicked_start<S: Service>(why: &str, place: Option<&str>) -> ServiceError {
    tracing::debug!("{} panicked at {}", S::NAME, place.unwrap_or("?"));
    start_error::<S>(format!("it panicked: {why}"))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a text".to_owned())
}
