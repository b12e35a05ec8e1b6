//! What is said on a servo bus: packets, the parser that finds them in a stream of bytes, the
//! registers of an STS3215, and the faults that a servo reports.
//!
//! Not here: when something is said (`bus`), how bytes travel (`port`), what a servo does
//! (`emulator`).
//!
//! Nothing here does IO, reads a clock, allocates or panics, whatever the bytes are.
//!
//! The format is Feetech's protocol version 0, as the package `feetech-servo-sdk` 1.0.0 and LeRobot
//! speak it: `FF FF id length code parameters… checksum`, with length = parameters + 2 and checksum
//! = the inverted low byte of the sum from the id on. Numbers of 16 bits have their low byte first.

mod faults;
pub mod model;
mod packet;
mod parser;
pub mod registers;

pub use faults::{ServoFault, StatusBits};
pub use packet::{PacketBuf, PacketError};
pub use parser::{Direction, Frame, ParseErrors, Parser};
pub use registers::{Register, RegisterBytes, RegisterError};

/// The id that every servo listens to. Nobody answers it, except to a ping and a sync read.
pub const BROADCAST_ID: u8 = 0xFE;

/// The highest id that a servo may have.
pub const MAX_ID: u8 = 0xFC;

/// The longest packet that may be sent, in bytes, with header and checksum.
pub const MAX_PACKET: usize = 250;

/// The largest length byte that is accepted from the wire.
const MAX_LENGTH: u8 = 250;

const HEADER: [u8; 2] = [0xFF, 0xFF];

/// Bytes of a packet without parameters.
const OVERHEAD: usize = 6;

/// What a packet to the servos asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Instruction {
    /// Answer, if you are there.
    Ping = 0x01,
    /// Tell registers.
    Read = 0x02,
    /// Set registers, now.
    Write = 0x03,
    /// Set registers when the action comes.
    RegWrite = 0x04,
    /// Carry out what was written by `RegWrite`.
    Action = 0x05,
    /// Several servos tell the same registers, in the order in which they are named.
    SyncRead = 0x82,
    /// Several servos set the same registers, each to its own value. Nobody answers.
    SyncWrite = 0x83,
}

impl Instruction {
    /// The instruction of a packet's code byte; `None` for a code that no servo knows.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x01 => Some(Self::Ping),
            0x02 => Some(Self::Read),
            0x03 => Some(Self::Write),
            0x04 => Some(Self::RegWrite),
            0x05 => Some(Self::Action),
            0x82 => Some(Self::SyncRead),
            0x83 => Some(Self::SyncWrite),
            _ => None,
        }
    }
}

/// The checksum of a packet's bytes from its id up to its last parameter.
fn checksum(bytes: &[u8]) -> u8 {
    !bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
}
