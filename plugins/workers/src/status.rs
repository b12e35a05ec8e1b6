//! What a service's owner can see of it without asking it.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use forearm_protocol::ServiceError;

/// Which path runs a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// A thread of its own.
    Thread,
    /// Slices of its owner's thread.
    Inline,
    /// Slices of its owner's thread, in stepped time.
    Stepped,
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// [`Service::ready`](crate::Service::ready) has not returned yet; messages wait.
    Starting,
    /// It works.
    Ready,
    /// It could not start, or it panicked: [`Status::failure`] says why.
    Failed,
    /// It was stopped.
    Stopped,
}

/// How far a long piece of work is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: String,
    /// How much of it is done, 0 to 1.
    pub fraction: f64,
}

/// A service's state and counters.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The service's name.
    pub service: &'static str,
    /// Which path runs it.
    pub host: HostKind,
    /// Why it has no thread although one was asked for.
    pub fallback: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// How it ended, after [`State::Failed`] and [`State::Stopped`].
    pub failure: Option<ServiceError>,
    /// Requests that have no answer yet.
    pub in_flight: usize,
    /// Requests and commands taken so far.
    pub received: u64,
    /// Requests answered so far, errors included.
    pub answered: u64,
    /// Ticks so far.
    pub ticks: u64,
    /// Events told so far, those dropped included.
    pub events: u64,
    /// Events dropped because nobody read them.
    pub events_dropped: u64,
    /// The last report of progress.
    pub progress: Option<Progress>,
}

impl fmt::Display for Status {
    /// One line for people: the service, its state, which path runs it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Starting => "starting",
            State::Ready => "running",
            State::Failed => "failed",
            State::Stopped => "stopped",
        };
        let path = match self.host {
            HostKind::Thread => "on its own thread",
            HostKind::Inline => "on the main thread",
            HostKind::Stepped => "in stepped time",
        };
        write!(f, "{}: {state} {path}", self.service)
    }
}

/// The live form of [`Status`], shared between a service's host and its handle.
#[derive(Debug)]
pub(crate) struct Shared {
    service: &'static str,
    state: AtomicU8,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) received: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) ticks: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) events_dropped: AtomicU64,
    texts: Mutex<Texts>,
}

#[derive(Debug, Default)]
struct Texts {
    failure: Option<ServiceError>,
    progress: Option<Progress>,
}

impl Shared {
    pub(crate) fn new(service: &'static str) -> Self {
        Self {
            service,
            state: AtomicU8::new(State::Starting as u8),
            in_flight: AtomicUsize::new(0),
            received: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            events: AtomicU64::new(0),
            events_dropped: AtomicU64::new(0),
            texts: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::SeqCst) {
            0 => State::Starting,
            1 => State::Ready,
            2 => State::Failed,
            _ => State::Stopped,
        }
    }

    pub(crate) fn set_ready(&self) {
        self.state.store(State::Ready as u8, Ordering::SeqCst);
    }

    /// Ends the service's life; the first end counts.
    pub(crate) fn end(&self, state: State, why: ServiceError) {
        let mut texts = self.texts();
        if texts.failure.is_none() {
            texts.failure = Some(why);
            self.state.store(state as u8, Ordering::SeqCst);
        }
    }

    /// How the service ended, if it has.
    pub(crate) fn ended(&self) -> Option<ServiceError> {
        match self.state() {
            State::Starting | State::Ready => None,
            State::Failed | State::Stopped => self.texts().failure.clone(),
        }
    }

    /// How the service ended, for a request whose answer can no longer come.
    pub(crate) fn end_or_gone(&self) -> ServiceError {
        self.ended().unwrap_or_else(|| ServiceError::Gone {
            service: self.service.to_owned(),
            why: "it ended before it answered".to_owned(),
        })
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.texts().progress = Some(progress);
    }

    pub(crate) fn status(&self, host: HostKind, fallback: Option<String>) -> Status {
        let (failure, progress) = {
            let texts = self.texts();
            (texts.failure.clone(), texts.progress.clone())
        };
        Status {
            service: self.service,
            host,
            fallback,
            state: self.state(),
            failure,
            in_flight: self.in_flight.load(Ordering::SeqCst),
            received: self.received.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            ticks: self.ticks.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            events_dropped: self.events_dropped.load(Ordering::Relaxed),
            progress,
        }
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // Nothing is ever half written under this lock: a poisoned one is as good as new.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
