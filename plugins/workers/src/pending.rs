//! A request on its way: a future that ends with its answer, an error, or its timeout.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use forearm_protocol::ServiceError;
use futures_channel::oneshot;
use web_time::{Duration, Instant};

use crate::inline::Inline;
use crate::service::Service;
use crate::status::Shared;
use crate::timer;

/// The service's end of a request. Dropped unanswered, it fails the request.
pub(crate) struct Answer<R> {
    sender: Option<oneshot::Sender<Result<R, ServiceError>>>,
    shared: Arc<Shared>,
}

impl<R> Answer<R> {
    pub(crate) fn send(mut self, result: Result<R, ServiceError>) {
        if let Some(sender) = self.sender.take() {
            self.shared.in_flight.fetch_sub(1, Ordering::SeqCst);
            // Whoever asked may have given up: its timeout has told it already.
            drop(sender.send(result));
        }
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        if self.sender.is_some() {
            self.shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The answer to a request, to be awaited or polled with [`Pending::try_take`].
///
/// Dropping it gives the answer up; the request itself is still carried out.
#[must_use = "a request's error is only seen by whoever takes its answer"]
pub struct Pending<S: Service> {
    stage: Stage<S::Reply>,
    shared: Arc<Shared>,
    request: &'static str,
    timeout: Duration,
    deadline: Option<Instant>,
    /// Who is woken at the deadline.
    timer: Option<Waker>,
    /// Polling runs the service where it has no thread of its own.
    inline: Option<Arc<Inline<S>>>,
}

enum Stage<R> {
    Waiting(oneshot::Receiver<Result<R, ServiceError>>),
    Failed(ServiceError),
    Taken,
}

impl<S: Service> Pending<S> {
    /// A request that has gone out, and the service's end of it.
    pub(crate) fn open(
        shared: Arc<Shared>,
        request: &'static str,
        timeout: Duration,
        inline: Option<Arc<Inline<S>>>,
    ) -> (Self, Answer<S::Reply>) {
        let (sender, receiver) = oneshot::channel();
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        let answer = Answer {
            sender: Some(sender),
            shared: Arc::clone(&shared),
        };
        let pending = Self {
            stage: Stage::Waiting(receiver),
            shared,
            request,
            timeout,
            deadline: Instant::now().checked_add(timeout),
            timer: None,
            inline,
        };
        (pending, answer)
    }

    /// Makes it fail with this error.
    pub(crate) fn fail(&mut self, error: ServiceError) {
        self.stage = Stage::Failed(error);
    }

    /// The answer if there is one by now, without waiting; `None` also after it was taken.
    pub fn try_take(&mut self) -> Option<Result<S::Reply, ServiceError>> {
        match self.poll_once(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    fn poll_once(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Reply, ServiceError>> {
        if let (Stage::Waiting(_), Some(inline)) = (&self.stage, &self.inline) {
            inline.serve();
        }
        let result = match &mut self.stage {
            Stage::Waiting(receiver) => match Pin::new(receiver).poll(cx) {
                Poll::Ready(Ok(result)) => result,
                Poll::Ready(Err(oneshot::Canceled)) => Err(self.shared.end_or_gone()),
                Poll::Pending if self.deadline.is_some_and(|end| Instant::now() >= end) => {
                    Err(self.timeout_error())
                }
                Poll::Pending => return Poll::Pending,
            },
            Stage::Failed(error) => Err(error.clone()),
            Stage::Taken => return Poll::Pending,
        };
        self.stage = Stage::Taken;
        Poll::Ready(result)
    }

    fn timeout_error(&self) -> ServiceError {
        ServiceError::Timeout {
            service: S::NAME.to_owned(),
            request: self.request.to_owned(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

// Nothing in it is pinned: the receiver is polled through `&mut`.
impl<S: Service> Unpin for Pending<S> {}

impl<S: Service> Future for Pending<S> {
    type Output = Result<S::Reply, ServiceError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.poll_once(cx);
        if polled.is_pending()
            && let Some(deadline) = this.deadline
            && !this
                .timer
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            this.timer = Some(cx.waker().clone());
            timer::wake_at(deadline, cx.waker().clone());
        }
        polled
    }
}
