//! How a request, or a whole service, fails.

use serde::{Deserialize, Serialize};

/// How a request, or a whole service, fails. Every message says what happened and what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ServiceError {
    /// The service refused the request; it goes on.
    #[error("{what} was refused: {why}; {next}")]
    Refused {
        /// What was asked.
        what: String,
        /// Why it can't be done.
        why: String,
        /// What to try.
        next: String,
    },
    /// No answer came in time.
    #[error(
        "`{request}` got no answer from the service `{service}` within {timeout_ms} ms; \
         try again, or restart the service if it happens twice"
    )]
    Timeout {
        /// The service's name.
        service: String,
        /// The request's name.
        request: String,
        /// How long was waited, milliseconds.
        timeout_ms: u64,
    },
    /// The service is gone: it was stopped, or it crashed too often.
    #[error("the service `{service}` is gone ({why}); start it again")]
    Gone {
        /// The service's name.
        service: String,
        /// How it ended.
        why: String,
    },
    /// The service crashed: a panic, a trap, or no sign of life. It is started again unless it
    /// crashes too often.
    #[error(
        "the service `{service}` crashed ({why}); \
         if it does not come back by itself, start it again"
    )]
    Crashed {
        /// The service's name.
        service: String,
        /// What happened.
        why: String,
        /// Where it happened, call by call, where that is known.
        stack: Option<String>,
    },
    /// Whoever asked gave it up, or a newer request took its place.
    #[error("`{request}` was cancelled: {why}")]
    Cancelled {
        /// The request's name.
        request: String,
        /// Why.
        why: String,
    },
    /// The service could not start.
    #[error("the service `{service}` did not start: {why}")]
    Start {
        /// The service's name.
        service: String,
        /// What failed.
        why: String,
    },
    /// Its queue is full: it is not keeping up.
    #[error("the service `{service}` is not keeping up: {queued} messages wait; try again shortly")]
    Busy {
        /// The service's name.
        service: String,
        /// How many messages wait.
        queued: usize,
    },
    /// The other side speaks another version of the protocol.
    #[error(
        "protocol version {got} is not spoken here (expected {expected}); \
         reload, so that app and workers are of one build"
    )]
    Version {
        /// The version received.
        got: u16,
        /// The version spoken here.
        expected: u16,
    },
}

impl ServiceError {
    /// Where it happened, call by call, where that is known.
    #[must_use]
    pub fn stack(&self) -> Option<&str> {
        match self {
            Self::Crashed { stack, .. } => stack.as_deref(),
            _ => None,
        }
    }
}
