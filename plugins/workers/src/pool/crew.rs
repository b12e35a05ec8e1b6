//! The pool's workers: each a service, with what it was last asked.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use forearm_protocol::ServiceError;

use crate::handle::{Handle, Host, supervise};
use crate::office::Lifecycle;
use crate::pending::Pending;
use crate::pool::schedule::TaskId;
use crate::pool::{JobReply, JobRequest, JobService, Jobs};
use crate::status::{HostKind, Progress, State, Status};
use crate::supervisor::RestartPolicy;

/// How long a worker may take to let go of what was called off. One that takes longer has been
/// replaced by then.
const LEAVE_WITHIN: Duration = Duration::from_secs(3600);

/// What happened to a pool's workers, for people.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolEvent {
    /// No worker can be had: one job at a time is done on the main thread.
    Fallback {
        /// Why.
        why: String,
    },
    /// A worker crashed and is being replaced.
    Crashed {
        /// How.
        error: ServiceError,
        /// What it was doing.
        affected: Option<Affected>,
    },
    /// The crashed worker's place is taken.
    Recovered {
        /// How long after the crash.
        after: Duration,
    },
    /// A worker could not start, or crashed too often. When all are gone the pool fails its tasks.
    GivenUp {
        /// How it ended.
        error: ServiceError,
    },
}

/// What a crash interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The task's number.
    pub task_id: u64,
    /// Its kind.
    pub kind: &'static str,
    /// The control that it was for.
    pub control_id: Option<String>,
    /// Whether it is tried once more.
    pub retried: bool,
}

/// A worker.
pub(super) struct Worker<J: Jobs> {
    handle: Arc<Handle<JobService<J>>>,
    asked: Option<Asked<J>>,
    /// What a crash interrupted that was not told of yet.
    pub(super) lost: Option<Affected>,
}

struct Asked<J: Jobs> {
    /// The task, or nothing when it is to let go of one.
    task: Option<TaskId>,
    pending: Pending<JobService<J>>,
}

/// What came back from a worker.
pub(super) enum Outcome<R> {
    /// The task's result.
    Ended(TaskId, Result<R, ServiceError>),
    /// The task took too long; the worker is still at it.
    Overdue(TaskId, ServiceError),
    /// It has let go of what was called off.
    Left,
    /// It crashed, with this task if it had one.
    Lost(Option<TaskId>, ServiceError),
}

impl<J: Jobs> Worker<J> {
    pub(super) fn start(host: Host, restart: RestartPolicy) -> Self {
        Self {
            handle: Arc::new(supervise((), host, restart)),
            asked: None,
            lost: None,
        }
    }

    /// Gives it a task.
    pub(super) fn give(&mut self, task: TaskId, trace_id: u64, payload: J::Task) {
        let within = J::timeout(&payload);
        let request = JobRequest::Do {
            task_id: task,
            trace_id,
            payload,
        };
        self.asked = Some(Asked {
            task: Some(task),
            pending: self.handle.request_within(request, within),
        });
    }

    /// Has it let go of its task.
    pub(super) fn call_off(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.pending.cancel();
        }
        self.asked = Some(Asked {
            task: None,
            pending: self.handle.request_within(JobRequest::Join, LEAVE_WITHIN),
        });
    }

    /// What came back, if anything has. `cx` is woken when something comes.
    pub(super) fn look(&mut self, cx: &mut Context<'_>) -> Option<Outcome<J::Output>> {
        let asked = self.asked.as_mut()?;
        let Poll::Ready(answer) = asked.pending.poll_answer(cx) else {
            return None;
        };
        let task = asked.task;
        self.asked = None;
        Some(match (task, answer) {
            (Some(task), Ok(JobReply::Ended(result))) => Outcome::Ended(task, result),
            (Some(task), Err(error @ ServiceError::Timeout { .. })) => {
                Outcome::Overdue(task, error)
            }
            (task, Err(error)) => Outcome::Lost(task, error),
            // A worker that speaks of nothing has nothing.
            (_, Ok(_)) => Outcome::Left,
        })
    }

    /// Watches over it. One without a thread does what takes no time.
    pub(super) fn watch(&self) {
        self.handle.pump(Duration::ZERO);
    }

    /// Its handle, to give it time when nothing else is held.
    pub(super) fn handle(&self) -> Arc<Handle<JobService<J>>> {
        Arc::clone(&self.handle)
    }

    pub(super) fn is_inline(&self) -> bool {
        matches!(self.status().host, HostKind::Inline | HostKind::Stepped)
    }

    /// Whether it has something to do.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.status().state, State::Starting | State::Ready)
    }

    pub(super) fn status(&self) -> Status {
        self.handle.status()
    }

    pub(super) fn lifecycle(&self) -> impl Iterator<Item = Lifecycle> + '_ {
        self.handle.lifecycle()
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        self.asked.as_ref()?.pending.progress()
    }

    /// Makes it fail.
    ///
    /// # Errors
    /// How it ended, if it has.
    pub(super) fn inject(
        &self,
        fault: forearm_protocol::lifecycle::Fault,
    ) -> Result<(), ServiceError> {
        self.handle.inject(fault)
    }
}
