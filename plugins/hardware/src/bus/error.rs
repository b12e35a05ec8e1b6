//! Why something asked of a bus did not work: which port, which motor, what was expected, what to do.

use crate::codec::{PacketError, RegisterError};

/// Why a job failed, or a bus can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nothing came back.
    #[error(
        "{motor} did not answer on {port}: asked {times} times to {asked}; check its power, and the \
         cable between it and the motor before it"
    )]
    NoAnswer {
        /// Who, by id and name.
        motor: String,
        /// Where.
        port: String,
        /// What it was asked to do.
        asked: String,
        /// How often.
        times: u8,
    },
    /// Something came back, but no whole answer.
    #[error(
        "{motor} answers on {port}, but not in one piece: {times} times it was asked to {asked} and \
         only broken packets came; check the cables, and that no two motors have the same id"
    )]
    Garbled {
        /// Who, by id and name.
        motor: String,
        /// Where.
        port: String,
        /// What it was asked to do.
        asked: String,
        /// How often.
        times: u8,
    },
    /// The motor does not keep what it was told.
    #[error(
        "{motor} on {port} was told {register} = {written} and answers {read}: switch its torque \
         off and try again; if it stays so, the value is outside of what the motor allows"
    )]
    NotKept {
        /// Who, by id and name.
        motor: String,
        /// Where.
        port: String,
        /// The register's name.
        register: &'static str,
        /// What was written.
        written: i32,
        /// What was read back.
        read: i32,
    },
    /// A value does not fit its register.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// What is asked for does not fit into a packet.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The register can only be read.
    #[error("the register {register} can only be read: it is what the motor measures or is")]
    ReadOnly {
        /// The register's name.
        register: &'static str,
    },
    /// No motor can have this id.
    #[error(
        "{id} is no id of one motor: ids go from 0 to {}",
        crate::codec::MAX_ID
    )]
    NotAnId {
        /// What was asked for.
        id: u8,
    },
    /// A bus of more motors than fit, or with an id twice, or none that it can be.
    #[error("the bus on {port} can't have these motors: {why}")]
    Motors {
        /// Where.
        port: String,
        /// What is wrong.
        why: String,
    },
    /// More waits already than may.
    #[error(
        "the bus on {port} is busy: {waiting} jobs wait already; wait for their answers before \
         asking for more"
    )]
    Busy {
        /// Where.
        port: String,
        /// How many wait.
        waiting: usize,
    },
    /// The port is gone.
    #[error("{port} is not connected: {why}")]
    Disconnected {
        /// Where.
        port: String,
        /// What happened, and what to do.
        why: String,
    },
    /// The bus was closed before the job's turn came.
    #[error("the bus on {port} is closed: open it again")]
    Closed {
        /// Where.
        port: String,
    },
    /// Nothing was heard in the time that was given.
    #[error("no answer from the bus on {port} within {secs} s: it is still at work; wait longer")]
    TooLate {
        /// Where.
        port: String,
        /// How long was waited, seconds.
        secs: u64,
    },
}
