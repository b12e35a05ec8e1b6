//! A task's ticket: its result, some time later.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use forearm_protocol::ServiceError;
use futures_channel::oneshot;
use web_time::Instant;

use crate::pool::Jobs;
use crate::pool::owner::Shared;
use crate::pool::schedule::TaskId;
use crate::status::Progress;
use crate::timer;

/// A task that was handed in: its result is to be awaited, or polled with [`Ticket::try_take`].
///
/// Dropping it gives the result up; the task itself is still carried out, unless it is
/// [cancelled](Ticket::cancel).
#[must_use = "a task's error is only seen by whoever takes its result"]
pub struct Ticket<J: Jobs> {
    id: TaskId,
    result: Option<oneshot::Receiver<Result<J::Output, ServiceError>>>,
    shared: Arc<Shared<J>>,
}

impl<J: Jobs> Ticket<J> {
    pub(super) fn new(
        id: TaskId,
        result: oneshot::Receiver<Result<J::Output, ServiceError>>,
        shared: Arc<Shared<J>>,
    ) -> Self {
        let result = Some(result);
        Self { id, result, shared }
    }

    /// The task's number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The result if there is one by now, without waiting; `None` also after it was taken.
    pub fn try_take(&mut self) -> Option<Result<J::Output, ServiceError>> {
        match self.poll_result(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// How far the task is, if it is at work and has told.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.result.as_ref()?;
        self.shared.with(|state| state.progress(self.id))
    }

    /// Calls the task off: it is not begun if it still waits, and ends at its next checkpoint if it
    /// is at work. The result is then [`ServiceError::Cancelled`].
    pub fn cancel(&mut self) {
        if self.result.is_some() {
            self.shared.cancel(self.id);
        }
    }

    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Result<J::Output, ServiceError>> {
        let Some(result) = &mut self.result else {
            return Poll::Pending;
        };
        let polled = Pin::new(result).poll(cx).map(|result| {
            // A pool that goes tells all its tasks; this is for whatever else could befall it.
            result.unwrap_or_else(|oneshot::Canceled| Err(crate::pool::state::gone::<J>()))
        });
        if polled.is_ready() {
            self.result = None;
        }
        polled
    }
}

// Nothing in it is pinned: the receiver is polled through `&mut`.
impl<J: Jobs> Unpin for Ticket<J> {}

impl<J: Jobs> Future for Ticket<J> {
    type Output = Result<J::Output, ServiceError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.result.is_some() && this.shared.serve() {
            // Without workers, whoever waits does the work; in between others have their turn.
            let soon = Instant::now() + std::time::Duration::from_millis(1);
            timer::wake_at(soon, cx.waker().clone());
        }
        this.poll_result(cx)
    }
}

impl<J: Jobs> fmt::Debug for Ticket<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
