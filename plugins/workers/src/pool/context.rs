//! What a job is handed: where it learns that it should pause or end, and tells how far it is.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use forearm_protocol::ServiceError;
use web_time::{Duration, Instant};

use crate::answer::Answer;

/// Progress is told at most this often: every report is a message.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// A job's way to the outside.
#[derive(Clone)]
pub struct JobContext {
    slip: Arc<Slip>,
    line: Arc<dyn Line>,
}

/// What job and worker both know of a job.
pub(super) struct Slip {
    kind: &'static str,
    task_id: u64,
    trace_id: u64,
    begun: Instant,
    /// When the present slice is used up, microseconds after `begun`.
    slice_end: AtomicU64,
    /// Whether the job paused of its own accord.
    paused: AtomicBool,
    reported: Mutex<Option<(String, Instant)>>,
}

/// The way back to whoever asked, whatever the answer is.
pub(super) trait Line: Send + Sync {
    fn is_cancelled(&self) -> bool;
    fn progress(&self, stage: &str, fraction: f64);
}

/// An answer that is given once, although the job's contexts can speak of it.
pub(super) struct Reply<R>(Mutex<Option<Answer<R>>>);

impl<R: Send> Reply<R> {
    pub(super) fn new(answer: Answer<R>) -> Self {
        Self(Mutex::new(Some(answer)))
    }

    pub(super) fn send(&self, reply: R) {
        let answer = self.answer().take();
        if let Some(answer) = answer {
            answer.send(Ok(reply));
        }
    }

    fn answer(&self) -> MutexGuard<'_, Option<Answer<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send> Line for Reply<R> {
    fn is_cancelled(&self) -> bool {
        self.answer().as_ref().is_none_or(Answer::is_cancelled)
    }

    fn progress(&self, stage: &str, fraction: f64) {
        if let Some(answer) = self.answer().as_ref() {
            answer.progress(stage, fraction);
        }
    }
}

impl Slip {
    pub(super) fn new(kind: &'static str, task_id: u64, trace_id: u64) -> Self {
        Self {
            kind,
            task_id,
            trace_id,
            begun: Instant::now(),
            slice_end: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            reported: Mutex::new(None),
        }
    }

    /// Gives the job time until `end`.
    pub(super) fn begin_slice(&self, end: Instant) {
        let left = end.saturating_duration_since(self.begun);
        let micros = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
        self.slice_end.store(micros, Ordering::Relaxed);
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Whether the job paused because its slice was used up, rather than to wait for something.
    pub(super) fn paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }
}

impl JobContext {
    pub(super) fn new(slip: Arc<Slip>, line: Arc<dyn Line>) -> Self {
        Self { slip, line }
    }

    /// Pauses here when the slice is used up, and ends the job when nobody wants its result any
    /// more. To be called often: every millisecond of work or so, at the latest after
    /// [`Jobs::patience`](crate::pool::Jobs::patience). It costs less than a microsecond.
    ///
    /// # Errors
    /// [`ServiceError::Cancelled`], to be handed on with `?`.
    pub async fn checkpoint(&self) -> Result<(), ServiceError> {
        self.check()?;
        let used = u64::try_from(self.slip.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if used < self.slip.slice_end.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut again = false;
        poll_fn(|_| {
            if std::mem::replace(&mut again, true) {
                return Poll::Ready(());
            }
            self.slip.paused.store(true, Ordering::Relaxed);
            Poll::Pending
        })
        .await;
        self.check()
    }

    fn check(&self) -> Result<(), ServiceError> {
        if self.is_cancelled() {
            return Err(ServiceError::Cancelled {
                request: self.slip.kind.to_owned(),
                why: "nobody waits for it any more".to_owned(),
            });
        }
        Ok(())
    }

    /// Whether nobody wants the result any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.line.is_cancelled()
    }

    /// Tells how far the job is, `fraction` from 0 to 1. It may be called often: what comes too
    /// soon after the last report of this stage is not told.
    pub fn progress(&self, stage: &str, fraction: f64) {
        let now = Instant::now();
        let lock = self.slip.reported.lock();
        let mut reported = lock.unwrap_or_else(PoisonError::into_inner);
        let too_soon = reported.as_ref().is_some_and(|(told, at)| {
            told == stage && now.duration_since(*at) < REPORT_EVERY && fraction < 1.0
        });
        if !too_soon {
            *reported = Some((stage.to_owned(), now));
            self.line.progress(stage, fraction);
        }
    }

    /// How long ago the job was begun, pauses included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.slip.begun.elapsed()
    }

    /// The task's number in its pool.
    #[must_use]
    pub fn task_id(&self) -> u64 {
        self.slip.task_id
    }

    /// The trace that the task is part of.
    #[must_use]
    pub fn trace_id(&self) -> u64 {
        self.slip.trace_id
    }
}
