//! What a pool's jobs are, and the messages that carry them.

use std::time::Duration;

use forearm_protocol::{Message, ServiceError};
use serde::{Deserialize, Serialize};

use crate::pool::{JobContext, Priority};

/// Names a result: equal keys mean equal results. A hash of all that the result depends on.
pub type CacheKey = [u8; 32];

/// A family of jobs that one pool does.
pub trait Jobs: Send + 'static {
    /// What is to be done. Its name is the kind of work, for people and counters.
    type Task: Message + Clone + Sync;
    /// What comes of it.
    type Output: Message + Clone;

    /// The name of the pool's workers, in messages to people too. At most 15 letters.
    const NAME: &'static str;

    /// How long a job may go without a [checkpoint](JobContext::checkpoint) before its worker counts
    /// as hung and is replaced; tasks may ask for more by [`Jobs::patience`].
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Does the work. It runs until the first checkpoint at which its slice is used up, and goes on
    /// from there. What it awaits besides is looked at every few milliseconds.
    ///
    /// # Errors
    /// Why there is no result.
    fn run(
        task: Self::Task,
        cx: JobContext,
    ) -> impl Future<Output = Result<Self::Output, ServiceError>> + Send + 'static;

    /// Names the result, if it may be remembered and given again.
    fn cache_key(_task: &Self::Task) -> Option<CacheKey> {
        None
    }

    /// How many bytes a remembered result takes, about.
    fn weight(_output: &Self::Output) -> usize {
        size_of::<Self::Output>()
    }

    /// Whether a task whose worker crashed is tried once more, on another.
    fn may_retry(_task: &Self::Task) -> bool {
        false
    }

    /// [`Jobs::PATIENCE`] with this task.
    fn patience(_task: &Self::Task) -> Duration {
        Self::PATIENCE
    }

    /// How long a task may be at work.
    fn timeout(_task: &Self::Task) -> Duration {
        Duration::from_secs(3600)
    }
}

/// A task on its way to a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task<T> {
    /// What is to be done.
    pub payload: T,
    /// How urgent it is.
    pub priority: Priority,
    /// The control (a slider, a button) that it is for: a newer task for the same one takes its
    /// place.
    pub control_id: Option<String>,
    /// Ties together all that one action of a person caused.
    pub trace_id: u64,
}

impl<T> Task<T> {
    /// A task of normal urgency, for no control.
    #[must_use]
    pub fn new(payload: T) -> Self {
        Self {
            payload,
            priority: Priority::default(),
            control_id: None,
            trace_id: 0,
        }
    }

    /// With this urgency.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// For this control.
    #[must_use]
    pub fn for_control(mut self, control_id: impl Into<String>) -> Self {
        self.control_id = Some(control_id.into());
        self
    }

    /// As part of this trace.
    #[must_use]
    pub fn with_trace(mut self, trace_id: u64) -> Self {
        self.trace_id = trace_id;
        self
    }
}

/// What a pool asks of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum JobRequest<T> {
    /// Do this.
    Do {
        /// The task's number.
        task_id: u64,
        /// The trace that it is part of.
        trace_id: u64,
        /// What is to be done.
        payload: T,
    },
    /// Answer when everything before this has ended.
    Join,
}

/// What a worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum JobReply<R> {
    /// The job has ended, so or so.
    Ended(Result<R, ServiceError>),
    /// Everything has ended.
    Free,
}

impl<T: Message> Message for JobRequest<T> {
    fn name(&self) -> &'static str {
        match self {
            Self::Do { payload, .. } => payload.name(),
            Self::Join => "pool/join",
        }
    }

    fn buffers(&mut self) -> Vec<&mut forearm_protocol::Buffer> {
        match self {
            Self::Do { payload, .. } => payload.buffers(),
            Self::Join => Vec::new(),
        }
    }
}

impl<R: Message> Message for JobReply<R> {
    fn name(&self) -> &'static str {
        match self {
            Self::Ended(_) => "pool/ended",
            Self::Free => "pool/free",
        }
    }

    fn buffers(&mut self) -> Vec<&mut forearm_protocol::Buffer> {
        match self {
            Self::Ended(Ok(output)) => output.buffers(),
            Self::Ended(Err(_)) | Self::Free => Vec::new(),
        }
    }
}
