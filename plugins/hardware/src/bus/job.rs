//! What can be asked of a bus beside its cycles, and what it answers.

use super::{MAX_SERVOS, PerServo};
use crate::codec::{Register, StatusBits};

/// Something to be done between cycles. Asked again as often as the configuration says; answered
/// once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Job {
    /// Is this motor there, and what is it?
    Ping {
        /// The motor.
        id: u8,
    },
    /// Who is there? Takes most of a second: every id has its own time to answer.
    BroadcastPing,
    /// Reads a register.
    Read {
        /// The motor.
        id: u8,
        /// The register.
        register: &'static Register,
    },
    /// Reads bytes from an address on, at most [`MAX_BLOCK`].
    ReadBlock {
        /// The motor.
        id: u8,
        /// The first address.
        address: u8,
        /// How many bytes.
        len: u8,
    },
    /// Reads a register of all motors of the bus at once.
    ReadAll {
        /// The register.
        register: &'static Register,
    },
    /// Writes a register. One that is kept when the power goes off is unlocked, written, read back
    /// and locked; a changed id is locked under its new id, a changed baud rate can't be locked any
    /// more (open the port at the new rate and write `Lock`).
    Write {
        /// The motor.
        id: u8,
        /// The register.
        register: &'static Register,
        /// The value, with its sign.
        value: i32,
    },
    /// Writes a register when [`Job::Action`] comes.
    RegWrite {
        /// The motor.
        id: u8,
        /// The register.
        register: &'static Register,
        /// The value, with its sign.
        value: i32,
    },
    /// Carries out what was written with [`Job::RegWrite`].
    Action {
        /// The motor, or [`crate::codec::BROADCAST_ID`] for all; then nobody answers.
        id: u8,
    },
    /// Writes a register of several motors of the bus at once; nobody answers.
    WriteAll {
        /// The register.
        register: &'static Register,
        /// The values, with their signs.
        values: PerServo<i32>,
        /// Whose: bit a motor of the bus.
        mask: u16,
    },
    /// Torque of motors of the bus. On: each motor's goal is set to where it is, then its torque goes
    /// on; stops at the first that fails. Off: all are tried, the first failure is told.
    Torque {
        /// Whose: bit a motor of the bus.
        mask: u16,
        /// On or off.
        on: bool,
    },
}

/// The most bytes that one [`Job::ReadBlock`] reads.
pub const MAX_BLOCK: usize = 128;

/// What a job brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum JobReply {
    /// [`Job::Ping`].
    Pong {
        /// The model number; 777 for an STS3215.
        model: u16,
        /// What it complains of.
        status: StatusBits,
    },
    /// [`Job::BroadcastPing`].
    Found(IdSet),
    /// [`Job::Read`].
    Value {
        /// The value, with its sign.
        value: i32,
        /// What the motor complains of.
        status: StatusBits,
    },
    /// [`Job::ReadBlock`].
    Block(Block),
    /// [`Job::ReadAll`], a value a motor of the bus.
    Values(PerServo<i32>),
    /// Everything else.
    Done {
        /// What the motor that answered last complains of.
        status: StatusBits,
    },
}

/// Bytes of registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    bytes: [u8; MAX_BLOCK],
    len: usize,
    /// What the motor complains of.
    pub status: StatusBits,
}

impl Block {
    pub(super) fn new(data: &[u8], status: StatusBits) -> Self {
        let len = data.len().min(MAX_BLOCK);
        let mut bytes = [0; MAX_BLOCK];
        bytes[..len].copy_from_slice(&data[..len]);
        Self { bytes, len, status }
    }

    /// The bytes, from the first address on.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A set of motor ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdSet([u64; 4]);

impl IdSet {
    /// Puts an id into the set.
    pub fn insert(&mut self, id: u8) {
        self.0[usize::from(id >> 6)] |= 1 << (id & 63);
    }

    /// Whether the id is in the set.
    #[must_use]
    pub fn contains(&self, id: u8) -> bool {
        self.0[usize::from(id >> 6)] & (1 << (id & 63)) != 0
    }

    /// The ids, rising.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|id| self.contains(*id))
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// How many are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// The motors of a mask, as places on the bus.
pub(super) fn places(mask: u16) -> impl Iterator<Item = usize> {
    (0..MAX_SERVOS).filter(move |place| mask & (1 << place) != 0)
}
