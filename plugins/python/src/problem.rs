//! Errors as Python raises them.

use std::fmt::Display;

use forearm_dataset::DatasetError;
use forearm_dataset::repair::RepairError;
use forearm_dataset::store::StoreError;
use forearm_sim::env::EnvError;
use forearm_vision::codec::CodecError;
use pyo3::PyErr;
use pyo3::exceptions::{PyFileExistsError, PyIndexError, PyOSError, PyRuntimeError, PyValueError};

/// Whatever goes wrong in this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// An argument that can't be used: what it is, what was expected.
    #[error("{0}")]
    Argument(String),
    /// Called at the wrong time.
    #[error("{0}")]
    State(String),
    /// A dataset is where a new one was to be made.
    #[error("{0}")]
    Exists(String),
    /// An environment that can't be built, or refused what it was given.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A dataset that can't be changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An episode that can't be saved.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// The folder fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A picture can't be encoded.
    #[error("camera {camera:?}: {error}")]
    Codec {
        /// The camera.
        camera: String,
        /// Why.
        error: CodecError,
    },
}

impl Problem {
    /// An argument that can't be used.
    pub(crate) fn argument(what: impl Display) -> Self {
        Self::Argument(what.to_string())
    }
}

impl From<Problem> for PyErr {
    fn from(problem: Problem) -> Self {
        let said = problem.to_string();
        match problem {
            Problem::Exists(_) => PyFileExistsError::new_err(said),
            Problem::Env(EnvError::NoWorld { .. }) => PyIndexError::new_err(said),
            Problem::Env(EnvError::Thread(_)) => PyRuntimeError::new_err(said),
            Problem::Argument(_)
            | Problem::Env(_)
            | Problem::Dataset(_)
            | Problem::Repair(RepairError::Dataset(_))
            | Problem::Codec {
                error: CodecError::Size { .. } | CodecError::FrameSize { .. },
                ..
            } => PyValueError::new_err(said),
            Problem::Store(_) | Problem::Repair(RepairError::Store(_)) => PyOSError::new_err(said),
            Problem::State(_) | Problem::Repair(_) | Problem::Codec { .. } => {
                PyRuntimeError::new_err(said)
            }
        }
    }
}
