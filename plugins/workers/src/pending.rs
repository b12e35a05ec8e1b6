//! A request on its way: a future that ends with its answer, an error, or its timeout.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use forearm_protocol::ServiceError;
use futures_channel::oneshot;
use web_time::{Duration, Instant};

use crate::office::Office;
use crate::requests::{Receiver, Requests};
use crate::service::Service;
use crate::status::Progress;
use crate::timer;

/// The answer to a request, to be awaited or polled with [`Pending::try_take`].
///
/// Dropping it gives the answer up; the request itself is still carried out, unless it is
/// cancelled with [`Pending::cancel`] or its time is over.
#[must_use = "a request's error is only seen by whoever takes its answer"]
pub struct Pending<S: Service> {
    stage: Stage<S::Reply>,
    office: Arc<Office<S>>,
    request: &'static str,
    timeout: Duration,
    deadline: Option<Instant>,
    /// Who is woken at the deadline.
    timer: Option<Waker>,
}

enum Stage<R> {
    Waiting {
        id: u64,
        receiver: Receiver<R>,
        /// The list that it stands on: that of the start that it was sent to.
        requests: Arc<Requests<R>>,
    },
    Failed(ServiceError),
    Taken,
}

impl<S: Service> Pending<S> {
    /// A request that has gone out.
    pub(crate) fn new(
        office: Arc<Office<S>>,
        request: &'static str,
        timeout: Duration,
        (id, receiver): (u64, Receiver<S::Reply>),
        requests: Arc<Requests<S::Reply>>,
    ) -> Self {
        Self {
            stage: Stage::Waiting {
                id,
                receiver,
                requests,
            },
            office,
            request,
            timeout,
            deadline: Instant::now().checked_add(timeout),
            timer: None,
        }
    }

    /// A request that could not go out.
    pub(crate) fn failed(
        office: Arc<Office<S>>,
        request: &'static str,
        error: ServiceError,
    ) -> Self {
        Self {
            stage: Stage::Failed(error),
            office,
            request,
            timeout: Duration::ZERO,
            deadline: None,
            timer: None,
        }
    }

    /// The answer if there is one by now, without waiting; `None` also after it was taken.
    pub fn try_take(&mut self) -> Option<Result<S::Reply, ServiceError>> {
        match self.poll_answer(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// How far the request is, if it has told.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        match &self.stage {
            Stage::Waiting { id, requests, .. } => requests.progress_of(*id),
            Stage::Failed(_) | Stage::Taken => None,
        }
    }

    /// Gives the request up: it is not begun if it still waits, and long work ends at its next
    /// look. The answer is then [`ServiceError::Cancelled`].
    pub fn cancel(&mut self) {
        if let Stage::Waiting { id, requests, .. } = &self.stage {
            requests.give_up(*id);
            self.office.cancel(*id, requests);
            self.stage = Stage::Failed(ServiceError::Cancelled {
                request: self.request.to_owned(),
                why: "whoever asked gave it up".to_owned(),
            });
        }
    }

    /// Polls it without a timer: whoever does so looks at its deadline often enough.
    pub(crate) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Reply, ServiceError>> {
        if matches!(self.stage, Stage::Waiting { .. }) {
            // Where the service has no thread of its own, whoever waits for it runs it.
            self.office.serve();
        }
        let result = match &mut self.stage {
            Stage::Waiting {
                id,
                receiver,
                requests,
            } => match Pin::new(receiver).poll(cx) {
                Poll::Ready(Ok(result)) => result,
                Poll::Ready(Err(oneshot::Canceled)) => Err(ServiceError::Gone {
                    service: S::NAME.to_owned(),
                    why: "it ended before it answered".to_owned(),
                }),
                Poll::Pending if self.deadline.is_some_and(|end| Instant::now() >= end) => {
                    requests.fail(*id);
                    self.office.cancel(*id, requests);
                    Err(ServiceError::Timeout {
                        service: S::NAME.to_owned(),
                        request: self.request.to_owned(),
                        timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
                    })
                }
                Poll::Pending => return Poll::Pending,
            },
            Stage::Failed(error) => Err(error.clone()),
            Stage::Taken => return Poll::Pending,
        };
        self.stage = Stage::Taken;
        Poll::Ready(result)
    }
}

// Nothing in it is pinned: the receiver is polled through `&mut`.
impl<S: Service> Unpin for Pending<S> {}

impl<S: Service> Future for Pending<S> {
    type Output = Result<S::Reply, ServiceError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.poll_answer(cx);
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
