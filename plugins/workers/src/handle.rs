//! The owner's side of a service: ask, tell, listen, stop.

use std::sync::Arc;
use std::time::Duration;

use forearm_protocol::lifecycle::Fault;
use forearm_protocol::{Message, ServiceError};

use crate::core::Inbound;
use crate::office::{Lifecycle, Office};
use crate::pending::Pending;
use crate::service::Service;
use crate::status::Status;
use crate::supervisor::RestartPolicy;

/// Where a service should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// With a thread of time of its own: natively a named thread, in the browser a Web Worker;
    /// inline where there is none to be had.
    Thread,
    /// In slices of the owner's thread: see [`Handle::pump`].
    Inline,
    /// Inline, and time moves only by [`Handle::advance_to`].
    Stepped,
}

/// The owner's side of a running service. Dropping it stops the service.
pub struct Handle<S: Service> {
    office: Arc<Office<S>>,
}

/// Starts the service that `setup` describes; it is made where it will run. A crash ends it.
///
/// It never fails here: a service that cannot start tells by [`Handle::status`] and by the error of
/// every request.
pub fn spawn<S: Service>(setup: S::Setup, host: Host) -> Handle<S> {
    Handle {
        office: Office::open(setup, host, None),
    }
}

/// As [`spawn`], and starts the service again after a crash, as `policy` says. Whoever holds the
/// handle calls [`Handle::pump`] often: natively nobody else watches.
pub fn supervise<S: Service>(setup: S::Setup, host: Host, policy: RestartPolicy) -> Handle<S> {
    Handle {
        office: Office::open(setup, host, Some(policy)),
    }
}

impl<S: Service> Handle<S> {
    /// Asks; the answer is to be awaited, or polled. It fails after [`Service::REQUEST_TIMEOUT`].
    pub fn request(&self, request: S::Request) -> Pending<S> {
        self.request_within(request, S::REQUEST_TIMEOUT)
    }

    /// Asks; the answer fails after `timeout`.
    pub fn request_within(&self, request: S::Request, timeout: Duration) -> Pending<S> {
        ask(&self.office, request, timeout)
    }

    /// Asks and waits for the answer. Not for a thread that draws, and not in the browser, where
    /// waiting keeps the answer from coming.
    ///
    /// # Errors
    /// The service's refusal, its end, a full queue, or a timeout.
    #[cfg(not(target_family = "wasm"))]
    pub fn request_blocking(&self, request: S::Request) -> Result<S::Reply, ServiceError> {
        pollster::block_on(self.request(request))
    }

    /// Tells; there is no answer.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when [`QUEUE_CAPACITY`](crate::QUEUE_CAPACITY) messages wait
    /// already, and how the service ended if it has.
    pub fn send(&self, command: S::Command) -> Result<(), ServiceError> {
        self.office.post(Inbound::Command(command))
    }

    /// Another way to the service, for whoever asks and tells without its owner.
    #[must_use]
    pub fn line(&self) -> Line<S> {
        Line {
            office: Arc::clone(&self.office),
        }
    }

    /// What this service feeds goes to `other`, past the owner of both. It outlives restarts of
    /// either.
    pub fn feed_into<B: Service<Input = S::Output>>(&self, other: &Handle<B>) {
        self.office.feed_into(&other.office);
    }

    /// The next event, if there is one.
    pub fn try_event(&self) -> Option<S::Event> {
        self.office.next_event()
    }

    /// The events that wait, in the order in which they were told.
    pub fn events(&self) -> impl Iterator<Item = S::Event> + '_ {
        std::iter::from_fn(|| self.try_event())
    }

    /// What happened to the service itself since the last call: crashes, restarts, a fallback.
    pub fn lifecycle(&self) -> impl Iterator<Item = Lifecycle> + '_ {
        std::iter::from_fn(|| self.office.next_lifecycle())
    }

    /// To be called once a frame. Runs a service that has no thread: messages and due ticks until
    /// nothing is due or `budget` is spent. Watches over one that has: restarts it when it is due.
    pub fn pump(&self, budget: Duration) {
        self.office.pump(budget);
    }

    /// Moves the time of a service under [`Host::Stepped`] on to `secs`, never back: messages that
    /// wait, then every tick due on the way at exactly its time. Does nothing on other hosts.
    pub fn advance_to(&self, secs: f64) {
        self.office.advance_to(secs);
    }

    /// The service's state, which path runs it, and its counters.
    #[must_use]
    pub fn status(&self) -> Status {
        self.office.status()
    }

    /// Ends the present start of the service and starts it again, also one that was given up.
    pub fn restart(&self) {
        self.office.restart();
    }

    /// Makes the service fail, to see that the rest survives it.
    ///
    /// # Errors
    /// As [`Handle::send`], and for a fault that would take the owner's thread with it.
    pub fn inject(&self, fault: Fault) -> Result<(), ServiceError> {
        self.office.inject(fault)
    }

    /// Ends the service in order: its last call is [`Service::stopping`], what waits fails. Later
    /// calls do nothing. Natively it waits until the service has ended, or hangs.
    pub fn stop(&mut self) {
        self.office.stop();
    }
}

/// Asks and tells a service beside its [`Handle`], at once, wherever the owner is: in a hidden browser
/// tab, say, where the owner sleeps. It does not keep the service running.
pub struct Line<S: Service> {
    office: Arc<Office<S>>,
}

impl<S: Service> Line<S> {
    /// As [`Handle::request`].
    pub fn request(&self, request: S::Request) -> Pending<S> {
        ask(&self.office, request, S::REQUEST_TIMEOUT)
    }

    /// As [`Handle::request_within`].
    pub fn request_within(&self, request: S::Request, timeout: Duration) -> Pending<S> {
        ask(&self.office, request, timeout)
    }

    /// As [`Handle::send`].
    ///
    /// # Errors
    /// As [`Handle::send`].
    pub fn send(&self, command: S::Command) -> Result<(), ServiceError> {
        self.office.post(Inbound::Command(command))
    }

    /// As [`Handle::inject`].
    ///
    /// # Errors
    /// As [`Handle::inject`].
    pub fn inject(&self, fault: Fault) -> Result<(), ServiceError> {
        self.office.inject(fault)
    }
}

fn ask<S: Service>(office: &Arc<Office<S>>, request: S::Request, timeout: Duration) -> Pending<S> {
    let name = request.name();
    match office.ask(request) {
        Ok((asked, requests)) => Pending::new(Arc::clone(office), name, timeout, asked, requests),
        Err(error) => Pending::failed(Arc::clone(office), name, error),
    }
}

impl<S: Service> Drop for Handle<S> {
    fn drop(&mut self) {
        self.stop();
    }
}
