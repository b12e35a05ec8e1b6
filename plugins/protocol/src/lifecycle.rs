//! What the worker runtime itself says between a service's owner and its worker (`worker/…`).
//! Native hosts need no such words.

use serde::{Deserialize, Serialize};

use crate::envelope::Message;
use crate::error::ServiceError;

/// A failure made on purpose, to see that the rest survives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The service throws (in the browser a JavaScript exception; natively a panic).
    Throw,
    /// The service traps (in the browser a WASM trap; natively a panic).
    Trap,
    /// The service never returns from a call.
    Hang,
    /// The worker, or the thread, is gone without a word.
    Kill,
}

/// Said to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Become this service. The first message.
    Init {
        /// The service's name.
        service: String,
        /// What it is set up with, in postcard's format.
        setup: Vec<u8>,
        /// What to log, as in `RUST_LOG`.
        log: String,
    },
    /// The answer to this packet's id is no longer wanted.
    Cancel,
    /// What the service feeds goes into the port that travels beside this.
    LinkOut,
    /// What comes out of the port that travels beside this is fed to the service.
    LinkIn,
    /// Fail on purpose.
    Fault(Fault),
    /// Leave everything safe, and end.
    Teardown,
}

/// Said by a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The service takes messages.
    Ready,
    /// How far the start, or the request with this packet's id, is.
    Progress {
        /// What is being done.
        stage: String,
        /// How much of it is done, 0 to 1.
        fraction: f64,
    },
    /// A sign of life.
    Heartbeat(Vitals),
    /// With an id: how the request failed. Without: how the service ended.
    Error(ServiceError),
    /// A line of the log.
    Log {
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: String,
        /// The line, with where it comes from.
        text: String,
    },
    /// It has ended as it was told to.
    Stopped,
}

/// A worker's counters since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Vitals {
    /// Ticks.
    pub ticks: u64,
    /// Events dropped because more were told at once than may wait.
    pub events_dropped: u64,
}

impl Message for ToWorker {
    fn name(&self) -> &'static str {
        match self {
            Self::Init { .. } => "worker/init",
            Self::Cancel => "worker/cancel",
            Self::LinkOut => "worker/link_out",
            Self::LinkIn => "worker/link_in",
            Self::Fault(_) => "worker/fault",
            Self::Teardown => "worker/teardown",
        }
    }
}

impl Message for FromWorker {
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "worker/ready",
            Self::Progress { .. } => "worker/progress",
            Self::Heartbeat(_) => "worker/heartbeat",
            Self::Error(_) => "worker/error",
            Self::Log { .. } => "worker/log",
            Self::Stopped => "worker/stopped",
        }
    }
}
