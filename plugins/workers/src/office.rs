//! What stands behind a handle: the present start of the service, and what watches over it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use forearm_protocol::lifecycle::Fault;
use forearm_protocol::{Message, ServiceError};
use web_time::{Duration, Instant};

use crate::QUEUE_CAPACITY;
use crate::answer::ReplySink;
use crate::clock::Clock;
use crate::core::{Inbound, Parts, stopped_error};
#[cfg(not(target_family = "wasm"))]
use crate::core::{hung_error, late_error};
use crate::handle::Host;
use crate::inline::Inline;
use crate::link::Feed;
#[cfg(not(target_family = "wasm"))]
use crate::native::Native;
use crate::outlet::{self, Inlet};
use crate::requests::{self, Requests};
use crate::service::Service;
use crate::status::{HostKind, Shared, State, Status};
use crate::supervisor::{Decision, RestartPolicy, Supervisor};
use crate::telemetry::Telemetry;
#[cfg(target_family = "wasm")]
use crate::web::Owner;

/// What happened to a service itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Lifecycle {
    /// It has no thread or worker, and runs on the main thread instead.
    Fallback {
        /// Why.
        why: String,
    },
    /// It crashed and will be started again.
    Crashed {
        /// How.
        error: ServiceError,
        /// How many requests failed with it.
        in_flight: usize,
    },
    /// It takes messages again after a crash.
    Recovered {
        /// How long after the crash.
        after: Duration,
    },
    /// It could not start, or crashed too often: nobody starts it again but a person.
    GivenUp {
        /// How it ended.
        error: ServiceError,
    },
}

/// The owner's side of a service.
pub(crate) struct Office<S: Service> {
    telemetry: Arc<Telemetry>,
    born: Instant,
    inner: Mutex<Inner<S>>,
}

struct Inner<S: Service> {
    /// What the next start is made from.
    setup: S::Setup,
    host: Host,
    supervisor: Supervisor,
    seat: Seat<S>,
    fallback: Option<String>,
    restarts: u32,
    /// How often it was given a place to run; links to the place before lead nowhere.
    #[cfg(target_family = "wasm")]
    launches: u64,
    /// Since when it is on its way back from a crash.
    crashed_at: Option<Instant>,
    /// Whether the end of the present start was seen to.
    end_seen: bool,
    /// Events that earlier starts told.
    leftover: VecDeque<S::Event>,
    lifecycle: VecDeque<Lifecycle>,
    links: Vec<Link<S>>,
}

/// What the service feeds, and where it goes.
struct Link<S: Service> {
    feed: Feed<S::Output>,
    #[cfg(target_family = "wasm")]
    port: crate::web::LinkPort,
}

/// One start of the service.
struct Seat<S: Service> {
    run: Run<S>,
    requests: Arc<Requests<S::Reply>>,
    shared: Arc<Shared>,
    inlet: Inlet<S::Event>,
}

enum Run<S: Service> {
    #[cfg(not(target_family = "wasm"))]
    Thread {
        native: Native,
        outbox: Sender<Inbound<S>>,
    },
    #[cfg(target_family = "wasm")]
    Worker(Owner<S>),
    Inline {
        inline: Arc<Inline<S>>,
        outbox: Sender<Inbound<S>>,
    },
    /// It is about to be started; what is sent waits.
    Delayed {
        at: Instant,
        parts: Option<Box<(Parts<S>, Receiver<Inbound<S>>)>>,
        outbox: Sender<Inbound<S>>,
    },
}

impl<S: Service> Office<S> {
    /// Starts the service.
    pub(crate) fn open(setup: S::Setup, host: Host, policy: Option<RestartPolicy>) -> Arc<Self> {
        let telemetry = Arc::new(Telemetry::default());
        let seat = Seat::delayed(setup.clone(), &telemetry, Instant::now());
        let office = Arc::new(Self {
            telemetry,
            born: Instant::now(),
            inner: Mutex::new(Inner {
                setup,
                host,
                supervisor: Supervisor::new(policy),
                seat,
                fallback: None,
                restarts: 0,
                #[cfg(target_family = "wasm")]
                launches: 0,
                crashed_at: None,
                end_seen: false,
                leftover: VecDeque::new(),
                lifecycle: VecDeque::new(),
                links: Vec::new(),
            }),
        });
        office.launch(&mut office.inner());
        office
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        // No code of a service runs under this lock: nothing is left half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what waits for its start.
    fn launch(self: &Arc<Self>, inner: &mut Inner<S>) {
        let Run::Delayed { parts, outbox, .. } = &mut inner.seat.run else {
            return;
        };
        let Some(parts) = parts.take() else { return };
        let outbox = outbox.clone();
        let (run, fallback) = match inner.host {
            Host::Inline => (Run::inline(*parts, Clock::wall(), outbox), None),
            Host::Stepped => (Run::inline(*parts, Clock::stepped(), outbox), None),
            Host::Thread => self.launch_thread(inner, *parts, outbox),
        };
        inner.seat.run = run;
        if let Some(why) = fallback {
            inner.fall_back(why);
        }
        #[cfg(target_family = "wasm")]
        {
            inner.launches += 1;
            inner.connect();
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn launch_thread(
        self: &Arc<Self>,
        _: &mut Inner<S>,
        parts: (Parts<S>, Receiver<Inbound<S>>),
        outbox: Sender<Inbound<S>>,
    ) -> (Run<S>, Option<String>) {
        // A thread that cannot be made drops what it was to run: hand the parts over afterwards.
        let (hand, taken) = bounded(1);
        match Native::start(move || taken.recv().ok()) {
            Ok(native) => {
                drop(hand.send(parts));
                (Run::Thread { native, outbox }, None)
            }
            Err(error) => (
                Run::inline(parts, Clock::wall(), outbox),
                Some(error.to_string()),
            ),
        }
    }

    #[cfg(target_family = "wasm")]
    fn launch_thread(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        (parts, inbox): (Parts<S>, Receiver<Inbound<S>>),
        outbox: Sender<Inbound<S>>,
    ) -> (Run<S>, Option<String>) {
        let remote = crate::remote::RemoteParts {
            requests: Arc::clone(&inner.seat.requests),
            shared: parts.shared,
            telemetry: Arc::clone(&self.telemetry),
            outlet: parts.outlet,
        };
        match Owner::start(&parts.setup, remote, &inbox, Arc::downgrade(self)) {
            Ok(owner) => (Run::Worker(owner), None),
            Err(unborn) => {
                let (remote, why) = *unborn;
                let parts = Parts {
                    setup: parts.setup,
                    shared: remote.shared,
                    sink: parts.sink,
                    outlet: remote.outlet,
                };
                (
                    Run::inline((parts, inbox), Clock::wall(), outbox),
                    Some(why),
                )
            }
        }
    }

    /// Asks: the request's number, where its answer will come, and the list it stands on.
    ///
    /// # Errors
    /// How the service ended, or that its queue is full.
    pub(crate) fn ask(self: &Arc<Self>, request: S::Request) -> Result<Asked<S>, ServiceError> {
        let mut inner = self.watched();
        let requests = Arc::clone(&inner.seat.requests);
        let asked = requests.open(request.name(), S::patience(&request))?;
        let sent = inner.seat.post(Inbound::Request(asked.0, request));
        drop(inner);
        if let Err(error) = sent {
            requests.fail(asked.0);
            return Err(error);
        }
        self.telemetry.count();
        Ok((asked, requests))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// How the service ended, or that its queue is full.
    pub(crate) fn post(self: &Arc<Self>, message: Inbound<S>) -> Result<(), ServiceError> {
        let mut inner = self.watched();
        if let Inbound::Command(command) = &message {
            S::remember_command(&mut inner.setup, command);
        }
        inner.seat.post(message)?;
        drop(inner);
        self.telemetry.count();
        Ok(())
    }

    /// Fails on purpose.
    ///
    /// # Errors
    /// As [`Office::post`], and for a fault that would take the owner's thread with it.
    pub(crate) fn inject(self: &Arc<Self>, fault: Fault) -> Result<(), ServiceError> {
        let returns = matches!(fault, Fault::Throw | Fault::Trap);
        let survives = returns && cfg!(not(target_family = "wasm"));
        if self.inner().seat.inline().is_some() && !survives {
            return Err(ServiceError::Refused {
                what: format!("making `{}` fail", S::NAME),
                why: "it has no thread or worker of its own, and would take the app along"
                    .to_owned(),
                next: "try it where it has one".to_owned(),
            });
        }
        #[cfg(target_family = "wasm")]
        if let (Fault::Kill, Run::Worker(owner)) = (fault, &self.inner().seat.run) {
            owner.kill();
            return Ok(());
        }
        self.post(Inbound::Fault(fault))
    }

    /// Gives a request up at the service too.
    pub(crate) fn cancel(&self, id: u64, requests: &Arc<Requests<S::Reply>>) {
        #[cfg(target_family = "wasm")]
        if let inner = self.inner()
            && Arc::ptr_eq(requests, &inner.seat.requests)
            && let Run::Worker(owner) = &inner.seat.run
        {
            owner.cancel(id);
        }
        // Elsewhere the service looks at the list itself.
        #[cfg(not(target_family = "wasm"))]
        let _: (u64, &Arc<Requests<S::Reply>>) = (id, requests);
    }

    /// What this service feeds goes to `other`.
    pub(crate) fn feed_into<B: Service<Input = S::Output>>(
        self: &Arc<Self>,
        other: &Arc<Office<B>>,
    ) {
        let target: Weak<Office<B>> = Arc::downgrade(other);
        let feed: Feed<S::Output> = Arc::new(move |output| match target.upgrade() {
            Some(office) => office.post(Inbound::Input(output)),
            None => Err(stopped_error::<B>()),
        });
        let mut inner = self.inner();
        inner.links.push(Link {
            feed,
            #[cfg(target_family = "wasm")]
            port: crate::web::LinkPort::to(other),
        });
        #[cfg(target_family = "wasm")]
        if let Run::Worker(_) = &inner.seat.run {
            return inner.connect();
        }
        inner.post_links();
    }

    /// The next event; what it says is remembered for a later start.
    pub(crate) fn next_event(&self) -> Option<S::Event> {
        let mut inner = self.inner();
        let event = match inner.leftover.pop_front() {
            Some(event) => event,
            None => {
                let event = inner.seat.inlet.next()?;
                S::remember(&mut inner.setup, &event);
                event
            }
        };
        drop(inner);
        self.telemetry.count();
        if crate::diagnostics() {
            tracing::info!("{} <- {}", S::NAME, event.name());
        }
        Some(event)
    }

    pub(crate) fn next_lifecycle(&self) -> Option<Lifecycle> {
        self.inner().lifecycle.pop_front()
    }

    /// The state, after whatever had to be seen to.
    fn watched(self: &Arc<Self>) -> MutexGuard<'_, Inner<S>> {
        let mut inner = self.inner();
        if inner.seat.shared.ended().is_some() {
            self.supervise(&mut inner);
        }
        inner
    }

    /// Runs a service that has no thread, and watches over one that has.
    pub(crate) fn pump(self: &Arc<Self>, budget: Duration) {
        let inline = {
            let mut inner = self.inner();
            self.supervise(&mut inner);
            inner.seat.inline()
        };
        if let Some(inline) = inline {
            inline.pump(budget);
        }
    }

    /// Watches over the service, when nobody pumps.
    #[cfg(target_family = "wasm")]
    pub(crate) fn watch(self: &Arc<Self>) {
        self.supervise(&mut self.inner());
        // Where there turned out to be no worker, what waited for it is served here.
        self.serve();
    }

    /// Hands waiting messages to a service that has no thread.
    pub(crate) fn serve(&self) {
        let inline = self.inner().seat.inline();
        if let Some(inline) = inline {
            inline.serve();
        }
    }

    pub(crate) fn advance_to(&self, secs: f64) {
        let inline = self.inner().seat.inline();
        if let Some(inline) = inline
            && inline.clock().is_stepped()
        {
            inline.advance_to(secs);
        }
    }

    /// Sees to hung, crashed and returning starts.
    fn supervise(self: &Arc<Self>, inner: &mut Inner<S>) {
        #[cfg(target_family = "wasm")]
        self.take_back_unborn(inner);
        inner.find_hung();
        inner.see_to_the_end(self);
        if let Run::Delayed { at, .. } = inner.seat.run
            && Instant::now() >= at
        {
            self.launch(inner);
        }
        if let Some(crashed_at) = inner.crashed_at
            && inner.seat.shared.state() == State::Ready
        {
            inner.crashed_at = None;
            inner.lifecycle.push_back(Lifecycle::Recovered {
                after: crashed_at.elapsed(),
            });
        }
        #[cfg(target_family = "wasm")]
        if let Run::Worker(owner) = &inner.seat.run {
            for link in &mut inner.links {
                link.port.reconnect(owner);
            }
        }
    }

    /// A worker that never came up leaves its service to the main thread.
    #[cfg(target_family = "wasm")]
    fn take_back_unborn(self: &Arc<Self>, inner: &mut Inner<S>) {
        let Run::Worker(owner) = &mut inner.seat.run else {
            return;
        };
        if inner.seat.shared.ended().is_some() {
            return;
        }
        let Some((why, parts, queue)) = owner.take_back_unborn(&inner.setup) else {
            return;
        };
        // What waited for the worker, and before it the links.
        let (outbox, inbox) = bounded(QUEUE_CAPACITY + inner.links.len());
        inner.seat.run = Run::inline((parts, inbox), Clock::wall(), outbox.clone());
        inner.launches += 1;
        inner.fall_back(why);
        inner.post_links();
        for message in queue {
            drop(outbox.try_send(message));
        }
    }

    pub(crate) fn status(&self) -> Status {
        let inner = self.inner();
        let seat = &inner.seat;
        let shared = &seat.shared;
        let host = seat.host(inner.host);
        let state = match shared.state() {
            State::Starting if inner.crashed_at.is_some() => State::Restarting,
            state => state,
        };
        let load = Ordering::Relaxed;
        Status {
            service: shared.service,
            host,
            fallback: inner.fallback.clone(),
            state,
            failure: shared.ended(),
            restarts: inner.restarts,
            silence: match seat.run {
                Run::Delayed { .. } => Duration::ZERO,
                _ => shared.silence(host),
            },
            in_flight: seat.requests.in_flight(),
            received: shared.received.load(load),
            answered: seat.requests.answered(),
            ticks: shared.ticks.load(load),
            events: shared.events.load(load),
            events_dropped: shared.events_dropped.load(load),
            messages: self.telemetry.messages.load(load),
            bytes: self.telemetry.bytes.load(load),
            kinds: self.telemetry.stats(),
            progress: shared.progress(),
        }
    }

    /// Starts the service anew, also one that was given up.
    pub(crate) fn restart(self: &Arc<Self>) {
        let mut inner = self.end_present();
        inner.supervisor.forgive();
        inner.crashed_at = Some(Instant::now());
        inner.start_again(self, Duration::ZERO);
        self.supervise(&mut inner);
    }

    /// Ends the service in order.
    pub(crate) fn stop(&self) {
        drop(self.end_present());
    }

    /// Ends the present start in order. Others get at the office while a thread is waited for: one
    /// that feeds this service must not be held up.
    fn end_present(&self) -> MutexGuard<'_, Inner<S>> {
        let mut inner = self.inner();
        inner.end_seen = true;
        #[cfg(not(target_family = "wasm"))]
        if let Some(leaving) = inner.seat.leave() {
            let patience = inner.seat.requests.patience().max(S::HANG_AFTER);
            drop(inner);
            leaving.wait(patience);
            inner = self.inner();
        }
        inner.seat.end(stopped_error::<S>());
        inner
    }
}

/// A request's number and where its answer comes, and the list it stands on.
pub(crate) type Asked<S> = (
    (u64, requests::Receiver<<S as Service>::Reply>),
    Arc<Requests<<S as Service>::Reply>>,
);

impl<S: Service> Inner<S> {
    fn fall_back(&mut self, why: String) {
        tracing::warn!("the service `{}` runs on the main thread: {why}", S::NAME);
        if self.fallback.is_none() {
            self.lifecycle
                .push_back(Lifecycle::Fallback { why: why.clone() });
        }
        self.fallback = Some(why);
    }

    /// A thread that has been in one call for too long counts as crashed. (A worker's own end
    /// finds out by its silence.)
    fn find_hung(&mut self) {
        #[cfg(not(target_family = "wasm"))]
        if let Run::Thread { native, .. } = &mut self.seat.run
            && let Some(busy) = self.seat.shared.busy()
        {
            let shared = &self.seat.shared;
            let patience = self.seat.requests.patience().max(S::HANG_AFTER);
            let error = match shared.state() {
                State::Starting if busy > S::START_TIMEOUT => late_error::<S>(),
                // Where nothing would start it again it may take its time.
                State::Ready if self.supervisor.restarts() && busy > patience => hung_error::<S>(),
                _ => return,
            };
            if shared.end(State::Failed, error.clone()) {
                native.abandon();
                self.seat.requests.end(&error);
            }
        }
    }

    /// Tells the present start where to feed what it feeds. One that has ended needs none.
    fn post_links(&mut self) {
        for (number, link) in (0..).zip(&self.links) {
            let message = Inbound::Link(number, Arc::clone(&link.feed));
            self.seat.post(message).ok();
        }
    }

    /// As [`Inner::post_links`], by ports, for a worker.
    #[cfg(target_family = "wasm")]
    fn connect(&mut self) {
        if let Run::Worker(owner) = &self.seat.run {
            for link in &mut self.links {
                link.port.connect(owner);
            }
        }
    }

    /// Decides what follows a crash.
    fn see_to_the_end(&mut self, office: &Arc<Office<S>>) {
        if self.end_seen || self.seat.shared.state() != State::Failed {
            return;
        }
        let Some(error) = self.seat.shared.ended() else {
            return;
        };
        // The thread may just have said so, and not yet have failed its requests.
        self.seat.requests.end(&error);
        self.seat.discard();
        let crashed = matches!(error, ServiceError::Crashed { .. });
        let decision = match crashed {
            true => self.supervisor.crashed(office.born.elapsed()),
            false => Decision::GiveUp,
        };
        match decision {
            Decision::Again(wait) => {
                let in_flight = self.seat.requests.failed_at_the_end();
                self.lifecycle
                    .push_back(Lifecycle::Crashed { error, in_flight });
                self.crashed_at.get_or_insert_with(Instant::now);
                self.start_again(office, wait);
            }
            Decision::GiveUp => {
                self.end_seen = true;
                self.crashed_at = None;
                self.lifecycle.push_back(Lifecycle::GivenUp { error });
            }
        }
    }

    /// Puts a new start in the place of the present one, which has ended.
    fn start_again(&mut self, office: &Arc<Office<S>>, wait: Duration) {
        while let Some(event) = self.seat.inlet.next() {
            S::remember(&mut self.setup, &event);
            self.leftover.push_back(event);
        }
        self.seat = Seat::delayed(self.setup.clone(), &office.telemetry, Instant::now() + wait);
        // Nobody pumps in a hidden tab.
        #[cfg(target_family = "wasm")]
        crate::web::after(wait.as_secs_f64() * 1e3, {
            let office = Arc::downgrade(office);
            move || {
                if let Some(office) = office.upgrade() {
                    office.watch();
                }
            }
        });
        // Before anything that waits for the start and may want to feed.
        self.post_links();
        self.restarts += 1;
        self.end_seen = false;
    }
}

impl<S: Service> Seat<S> {
    /// A start that waits until `at`.
    fn delayed(setup: S::Setup, telemetry: &Arc<Telemetry>, at: Instant) -> Self {
        let shared = Arc::new(Shared::new(S::NAME));
        let requests = Arc::new(Requests::new(Arc::clone(telemetry)));
        let (outbox, inbox) = bounded(QUEUE_CAPACITY);
        let (outlet, inlet) = outlet::channel(Arc::clone(&shared));
        let parts = Parts {
            setup,
            shared: Arc::clone(&shared),
            sink: Arc::clone(&requests) as Arc<dyn ReplySink<S::Reply>>,
            outlet,
        };
        Self {
            run: Run::Delayed {
                at,
                parts: Some(Box::new((parts, inbox))),
                outbox,
            },
            requests,
            shared,
            inlet,
        }
    }

    fn host(&self, wanted: Host) -> HostKind {
        match (&self.run, wanted) {
            #[cfg(not(target_family = "wasm"))]
            (Run::Thread { .. }, _) | (Run::Delayed { .. }, Host::Thread) => HostKind::Thread,
            #[cfg(target_family = "wasm")]
            (Run::Worker(_), _) | (Run::Delayed { .. }, Host::Thread) => HostKind::Worker,
            (Run::Inline { inline, .. }, _) if inline.clock().is_stepped() => HostKind::Stepped,
            (Run::Delayed { .. }, Host::Stepped) => HostKind::Stepped,
            (Run::Inline { .. } | Run::Delayed { .. }, _) => HostKind::Inline,
        }
    }

    fn inline(&self) -> Option<Arc<Inline<S>>> {
        match &self.run {
            Run::Inline { inline, .. } => Some(Arc::clone(inline)),
            _ => None,
        }
    }

    fn post(&mut self, message: Inbound<S>) -> Result<(), ServiceError> {
        if let Some(error) = self.shared.ended() {
            return Err(error);
        }
        let outbox = match &self.run {
            #[cfg(not(target_family = "wasm"))]
            Run::Thread { outbox, .. } => outbox,
            #[cfg(target_family = "wasm")]
            Run::Worker(owner) => return owner.send(message),
            Run::Inline { outbox, .. } | Run::Delayed { outbox, .. } => outbox,
        };
        if crate::diagnostics() {
            tracing::info!("{} -> {}", S::NAME, message.name());
        }
        match outbox.try_send(message) {
            // It may have ended meanwhile, with nobody left to look into the queue.
            Ok(()) => self.shared.ended().map_or(Ok(()), Err),
            Err(TrySendError::Full(_)) => Err(ServiceError::Busy {
                service: S::NAME.to_owned(),
                queued: outbox.len(),
            }),
            Err(TrySendError::Disconnected(_)) => {
                Err(self.shared.ended().unwrap_or_else(stopped_error::<S>))
            }
        }
    }

    /// Tells a thread to end; what to wait for, if there is one.
    #[cfg(not(target_family = "wasm"))]
    fn leave(&mut self) -> Option<crate::native::Leaving> {
        match &mut self.run {
            // With a full queue nothing needs waking.
            Run::Thread { native, outbox } => native.stop(|| drop(outbox.try_send(Inbound::Nudge))),
            _ => None,
        }
    }

    /// Ends this start in order, as far as it lives.
    fn end(&mut self, error: ServiceError) {
        match &mut self.run {
            // Its thread was waited for.
            #[cfg(not(target_family = "wasm"))]
            Run::Thread { .. } => {}
            #[cfg(target_family = "wasm")]
            Run::Worker(owner) => owner.stop(),
            Run::Inline { inline, .. } => inline.stop(),
            Run::Delayed { parts, .. } => *parts = None,
        }
        if self.shared.end(State::Stopped, error.clone()) {
            self.requests.end(&error);
        }
    }

    /// Lets go of a start that has crashed.
    fn discard(&mut self) {
        #[cfg(target_family = "wasm")]
        if let Run::Worker(owner) = &self.run {
            owner.kill();
        }
    }
}

impl<S: Service> Run<S> {
    fn inline(
        (parts, inbox): (Parts<S>, Receiver<Inbound<S>>),
        clock: Clock,
        outbox: Sender<Inbound<S>>,
    ) -> Self {
        let inline = Arc::new(Inline::new(parts, inbox, clock));
        Self::Inline { inline, outbox }
    }
}

#[cfg(target_family = "wasm")]
impl<S: Service> crate::web::PortTarget for Office<S> {
    fn seat_number(&self) -> u64 {
        self.inner().launches
    }

    fn open_port(self: Arc<Self>) -> Option<web_sys::MessagePort> {
        let channel = web_sys::MessageChannel::new().ok()?;
        match &self.inner().seat.run {
            Run::Worker(owner) => owner.link_in(&channel.port2()),
            Run::Inline { .. } => {
                crate::web::feed_from_port(&channel.port2(), Arc::downgrade(&self));
            }
            // It has no place to run yet.
            Run::Delayed { .. } => return None,
        }
        Some(channel.port1())
    }
}
