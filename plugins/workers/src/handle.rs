//! The owner's side of a service: ask, tell, listen, stop.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use forearm_protocol::{Message, ServiceError};

use crate::QUEUE_CAPACITY;
use crate::clock::Clock;
use crate::core::{Core, Factory, Inbound};
use crate::inline::Inline;
use crate::native::Native;
use crate::outlet::{self, Inlet, Outlet};
use crate::pending::Pending;
use crate::service::Service;
use crate::status::{HostKind, Shared, Status};

/// Where a service should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// On a named thread of its own; inline where the system gives none.
    Thread,
    /// In slices of the owner's thread: see [`Handle::pump`].
    Inline,
    /// Inline, and time moves only by [`Handle::advance_to`].
    Stepped,
}

/// The owner's side of a running service. Dropping it stops the service.
pub struct Handle<S: Service> {
    host: Running<S>,
    outbox: Sender<Inbound<S>>,
    inlet: Mutex<Inlet<S::Event>>,
    shared: Arc<Shared>,
    fallback: Option<String>,
}

enum Running<S: Service> {
    Thread(Native),
    Inline(Arc<Inline<S>>),
}

/// Starts the service that `factory` makes; it is made where it will run.
///
/// It never fails here: a service that cannot start tells by [`Handle::status`] and by the error of
/// every request.
pub fn spawn<S: Service>(factory: impl FnOnce() -> S + Send + 'static, host: Host) -> Handle<S> {
    let shared = Arc::new(Shared::new(S::NAME));
    let (outbox, inbox) = bounded(QUEUE_CAPACITY);
    let (outlet, inlet) = outlet::channel(Arc::clone(&shared));
    let parts = Parts {
        factory: Box::new(factory),
        shared: Arc::clone(&shared),
        inbox,
        outlet,
    };
    let (host, fallback) = match host {
        Host::Inline => (parts.inline(Clock::wall()), None),
        Host::Stepped => (parts.inline(Clock::stepped()), None),
        Host::Thread => match parts.thread() {
            Ok(native) => (Running::Thread(native), None),
            Err(returned) => {
                let (parts, error) = *returned;
                tracing::warn!("the service `{}` gets no thread ({error}): inline", S::NAME);
                (parts.inline(Clock::wall()), Some(error))
            }
        },
    };
    Handle {
        host,
        outbox,
        inlet: Mutex::new(inlet),
        shared,
        fallback,
    }
}

/// All that a host needs to run a service.
struct Parts<S: Service> {
    factory: Factory<S>,
    shared: Arc<Shared>,
    inbox: Receiver<Inbound<S>>,
    outlet: Outlet<S::Event>,
}

impl<S: Service> Parts<S> {
    fn core(self, clock: Clock) -> (Core<S>, Receiver<Inbound<S>>) {
        (
            Core::new(self.factory, clock, self.shared, self.outlet),
            self.inbox,
        )
    }

    fn inline(self, clock: Clock) -> Running<S> {
        let (core, inbox) = self.core(clock);
        Running::Inline(Arc::new(Inline::new(core, inbox)))
    }

    /// A thread that runs these parts; without a thread the parts come back, and why.
    fn thread(self) -> Result<Native, Box<(Self, String)>> {
        // A thread that cannot be made drops what it was to run: hand the parts over afterwards.
        let (hand, taken) = bounded::<Self>(1);
        let clock = Clock::wall();
        let started = Native::start(move || taken.recv().ok().map(|parts| parts.core(clock)));
        match started {
            Ok(native) => {
                drop(hand.send(self));
                Ok(native)
            }
            Err(error) => Err(Box::new((self, error.to_string()))),
        }
    }
}

impl<S: Service> Handle<S> {
    /// Asks; the answer is to be awaited, or polled. It fails after [`Service::REQUEST_TIMEOUT`].
    pub fn request(&self, request: S::Request) -> Pending<S> {
        self.request_within(request, S::REQUEST_TIMEOUT)
    }

    /// Asks; the answer fails after `timeout`.
    pub fn request_within(&self, request: S::Request, timeout: Duration) -> Pending<S> {
        let inline = match &self.host {
            Running::Thread(_) => None,
            Running::Inline(inline) => Some(Arc::clone(inline)),
        };
        let shared = Arc::clone(&self.shared);
        let (mut pending, answer) = Pending::open(shared, request.name(), timeout, inline);
        if let Err(error) = self.post(Inbound::Request(request, answer)) {
            pending.fail(error);
        }
        pending
    }

    /// Asks and waits for the answer. Not for a thread that draws.
    ///
    /// # Errors
    /// The service's refusal, its end, a full queue, or a timeout.
    pub fn request_blocking(&self, request: S::Request) -> Result<S::Reply, ServiceError> {
        pollster::block_on(self.request(request))
    }

    /// Tells; there is no answer.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when [`QUEUE_CAPACITY`] messages wait already, and how the service
    /// ended if it has.
    pub fn send(&self, command: S::Command) -> Result<(), ServiceError> {
        self.post(Inbound::Command(command))
    }

    /// The next event, if there is one.
    pub fn try_event(&self) -> Option<S::Event> {
        self.inlet
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    }

    /// The events that wait, in the order in which they were told.
    pub fn events(&self) -> impl Iterator<Item = S::Event> + '_ {
        std::iter::from_fn(|| self.try_event())
    }

    /// Runs a service that has no thread: messages and due ticks until nothing is due or `budget`
    /// is spent. Does nothing for one that has a thread, so call it anyway, once a frame.
    pub fn pump(&self, budget: Duration) {
        if let Running::Inline(inline) = &self.host {
            inline.pump(budget);
        }
    }

    /// Moves the time of a service under [`Host::Stepped`] on to `secs`, never back: messages that
    /// wait, then every tick due on the way at exactly its time. Does nothing on other hosts.
    pub fn advance_to(&self, secs: f64) {
        if let Running::Inline(inline) = &self.host
            && inline.clock().is_stepped()
        {
            inline.advance_to(secs);
        }
    }

    /// The service's state, which path runs it, and its counters.
    #[must_use]
    pub fn status(&self) -> Status {
        let host = match &self.host {
            Running::Thread(_) => HostKind::Thread,
            Running::Inline(inline) if inline.clock().is_stepped() => HostKind::Stepped,
            Running::Inline(_) => HostKind::Inline,
        };
        self.shared.status(host, self.fallback.clone())
    }

    /// Ends the service in order and waits until it has ended: its last call is
    /// [`Service::stopping`], what waits fails. Later calls do nothing.
    pub fn stop(&mut self) {
        match &mut self.host {
            Running::Thread(native) => {
                let outbox = &self.outbox;
                // With a full queue nothing needs waking.
                native.stop(|| drop(outbox.try_send(Inbound::Nudge)));
            }
            Running::Inline(inline) => inline.stop(),
        }
    }

    fn post(&self, message: Inbound<S>) -> Result<(), ServiceError> {
        if let Some(error) = self.shared.ended() {
            return Err(error);
        }
        match self.outbox.try_send(message) {
            // It may have ended meanwhile, with nobody left to look into the queue.
            Ok(()) => self.shared.ended().map_or(Ok(()), Err),
            Err(TrySendError::Full(_)) => Err(ServiceError::Busy {
                service: S::NAME.to_owned(),
                queued: self.outbox.len(),
            }),
            Err(TrySendError::Disconnected(_)) => Err(self.shared.end_or_gone()),
        }
    }
}

impl<S: Service> Drop for Handle<S> {
    fn drop(&mut self) {
        self.stop();
    }
}
