//! How environments fail.

use forearm_protocol::env::ConfigProblem;
use forearm_vision::CameraError;

use crate::SimError;

/// Why an environment could not be built, or refused what it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnvError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigProblem),
    /// The task's scene could not be built.
    #[error("environment: {0}")]
    Scene(#[from] SimError),
    /// A camera can't be drawn.
    #[error("environment: {0}")]
    Camera(String),
    /// A slice of another length than the environment's.
    #[error("environment: {what} has {got} numbers; expected {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A batch of no worlds, or of too many.
    #[error("environment: a batch of {got} worlds was asked for; expected 1 to {most}")]
    Worlds {
        /// How many were asked for.
        got: usize,
        /// The most there can be.
        most: usize,
    },
    /// A world that the batch does not have.
    #[error("environment: there is no world {got}; the batch has {worlds}, counted from 0")]
    NoWorld {
        /// The number asked for.
        got: usize,
        /// How many there are.
        worlds: usize,
    },
    /// A snapshot of another environment.
    #[error(
        "environment: this snapshot is of another environment; restore it in one of the same configuration"
    )]
    Snapshot,
    /// A thread could not be started, or is gone.
    #[error("environment: a thread of the batch {0}; build the batch anew")]
    Thread(String),
}

impl From<CameraError> for EnvError {
    fn from(error: CameraError) -> Self {
        Self::Camera(error.to_string())
    }
}
