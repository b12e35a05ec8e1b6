//! What a service's owner can see of it without asking it.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use forearm_protocol::ServiceError;
use forearm_protocol::telemetry::KindStats;
use web_time::{Duration, Instant};

/// Which path runs a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// A thread of its own.
    Thread,
    /// A Web Worker of its own.
    Worker,
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
    /// It crashed and is about to be started again; messages wait.
    Restarting,
    /// It could not start, or it crashed for good: [`Status::failure`] says why.
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

/// A service's state and counters. Counters begin anew with each start, totals do not.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The service's name.
    pub service: &'static str,
    /// Which path runs it.
    pub host: HostKind,
    /// Why it has no thread or worker although one was asked for.
    pub fallback: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// How it ended, after [`State::Failed`] and [`State::Stopped`]; why, at [`State::Restarting`].
    pub failure: Option<ServiceError>,
    /// How often it was started again.
    pub restarts: u32,
    /// How long ago it gave its last sign of life.
    pub silence: Duration,
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
    /// Messages that went either way, in total; those of the runtime itself are left out.
    pub messages: u64,
    /// Bytes that were copied or transferred, in total; none where values move.
    pub bytes: u64,
    /// Its requests by kind, in total.
    pub kinds: Vec<KindStats>,
    /// The last report of progress.
    pub progress: Option<Progress>,
}

impl fmt::Display for Status {
    /// One line for people: the service, its state, which path runs it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Starting => "starting",
            State::Ready => "running",
            State::Restarting => "restarting",
            State::Failed => "failed",
            State::Stopped => "stopped",
        };
        let path = match self.host {
            HostKind::Thread => "on its own thread",
            HostKind::Worker => "in its own Web Worker",
            HostKind::Inline => "on the main thread",
            HostKind::Stepped => "in stepped time",
        };
        write!(f, "{}: {state} {path}", self.service)
    }
}

/// Told of progress as it happens.
type Listener = Box<dyn Fn(&Progress) + Send>;

/// One start of a service, as its host and its owner see it.
pub(crate) struct Shared {
    pub(crate) service: &'static str,
    born: Instant,
    state: AtomicU8,
    /// Since when the service is in a call, microseconds after `born`, plus one; 0 between calls.
    busy_since: AtomicU64,
    /// When it last gave a sign of life, microseconds after `born`.
    beat: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) ticks: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) events_dropped: AtomicU64,
    texts: Mutex<Texts>,
}

#[derive(Default)]
struct Texts {
    failure: Option<ServiceError>,
    progress: Option<Progress>,
    listener: Option<Listener>,
}

impl Shared {
    pub(crate) fn new(service: &'static str) -> Self {
        Self {
            service,
            born: Instant::now(),
            state: AtomicU8::new(State::Starting as u8),
            busy_since: AtomicU64::new(0),
            beat: AtomicU64::new(0),
            received: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            events: AtomicU64::new(0),
            events_dropped: AtomicU64::new(0),
            texts: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        const STARTING: u8 = State::Starting as u8;
        const READY: u8 = State::Ready as u8;
        const FAILED: u8 = State::Failed as u8;
        match self.state.load(Ordering::SeqCst) {
            STARTING => State::Starting,
            READY => State::Ready,
            FAILED => State::Failed,
            _ => State::Stopped,
        }
    }

    /// Says that the service takes messages, unless it has ended meanwhile.
    pub(crate) fn set_ready(&self) {
        let (from, to) = (State::Starting as u8, State::Ready as u8);
        // One that has ended stays ended.
        self.state
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
            .ok();
    }

    /// Ends the service's life; the first end counts. Answers whether this was the first.
    pub(crate) fn end(&self, state: State, why: ServiceError) -> bool {
        let mut texts = self.texts();
        let first = texts.failure.is_none();
        if first {
            texts.failure = Some(why);
            self.state.store(state as u8, Ordering::SeqCst);
        }
        first
    }

    /// How the service ended, if it has.
    pub(crate) fn ended(&self) -> Option<ServiceError> {
        match self.state() {
            State::Failed | State::Stopped => self.texts().failure.clone(),
            State::Starting | State::Ready | State::Restarting => None,
        }
    }

    /// A call of the service begins.
    pub(crate) fn enter(&self) {
        self.busy_since.store(self.micros() + 1, Ordering::Relaxed);
    }

    /// The call has ended.
    pub(crate) fn leave(&self) {
        self.busy_since.store(0, Ordering::Relaxed);
        self.alive();
    }

    /// Takes note of a sign of life.
    pub(crate) fn alive(&self) {
        self.beat.store(self.micros(), Ordering::Relaxed);
    }

    /// How long the service has been in its present call; nothing between calls.
    pub(crate) fn busy(&self) -> Option<Duration> {
        let since = self.busy_since.load(Ordering::Relaxed).checked_sub(1)?;
        // A long call that reports progress is alive.
        let since = since.max(self.beat.load(Ordering::Relaxed));
        Some(Duration::from_micros(self.micros().saturating_sub(since)))
    }

    /// How long ago the last sign of life was. A service that waits for messages is alive.
    pub(crate) fn silence(&self, host: HostKind) -> Duration {
        match host {
            HostKind::Worker => {
                let beat = self.beat.load(Ordering::Relaxed);
                Duration::from_micros(self.micros().saturating_sub(beat))
            }
            _ => self.busy().unwrap_or_default(),
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.alive();
        let mut texts = self.texts();
        if let Some(listener) = &texts.listener {
            listener(&progress);
        }
        texts.progress = Some(progress);
    }

    #[cfg(any(test, target_family = "wasm"))]
    pub(crate) fn on_progress(&self, listener: Listener) {
        self.texts().listener = Some(listener);
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        self.texts().progress.clone()
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // Nothing is ever half written under this lock: a poisoned one is as good as new.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
