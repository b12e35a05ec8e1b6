//! A packet being built, in place.

use super::{BROADCAST_ID, HEADER, Instruction, MAX_PACKET, OVERHEAD, StatusBits, checksum};
use std::fmt;

/// Why a packet can't be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// More bytes than a packet may have.
    #[error(
        "a packet of {got} bytes is too long, {MAX_PACKET} are allowed: ask for fewer servos or \
         registers at once"
    )]
    TooLong {
        /// Bytes that the packet would have, with header and checksum.
        got: usize,
    },
    /// A sync write gives its servos different numbers of bytes.
    #[error("a sync write needs {expected} bytes for each servo, but servo {id} gets {got}")]
    Uneven {
        /// Whose bytes they are.
        id: u8,
        /// Bytes that it gets.
        got: usize,
        /// Bytes that the sync write announces.
        expected: u8,
    },
}

/// A packet being built: a fixed array and how much of it is used. Each building method starts
/// over and answers the finished bytes; after an error the buffer is empty.
#[derive(Clone)]
pub struct PacketBuf {
    bytes: [u8; MAX_PACKET],
    len: usize,
}

impl Default for PacketBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PacketBuf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PacketBuf({:02X?})", self.as_bytes())
    }
}

impl PacketBuf {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; MAX_PACKET],
            len: 0,
        }
    }

    /// The finished packet; empty before the first one and after an error.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Asks one servo, or with [`BROADCAST_ID`] every servo, whether it is there.
    pub fn ping(&mut self, id: u8) -> &[u8] {
        self.fixed(id, Instruction::Ping, &[])
    }

    /// Asks for `len` bytes of registers from `address` on.
    pub fn read(&mut self, id: u8, address: u8, len: u8) -> &[u8] {
        self.fixed(id, Instruction::Read, &[address, len])
    }

    /// Carries out what was written by [`PacketBuf::reg_write`].
    pub fn action(&mut self, id: u8) -> &[u8] {
        self.fixed(id, Instruction::Action, &[])
    }

    /// Sets registers from `address` on.
    ///
    /// # Errors
    /// [`PacketError::TooLong`].
    pub fn write(&mut self, id: u8, address: u8, data: &[u8]) -> Result<&[u8], PacketError> {
        self.with_data(id, Instruction::Write, address, data)
    }

    /// Sets registers from `address` on when the action comes.
    ///
    /// # Errors
    /// [`PacketError::TooLong`].
    pub fn reg_write(&mut self, id: u8, address: u8, data: &[u8]) -> Result<&[u8], PacketError> {
        self.with_data(id, Instruction::RegWrite, address, data)
    }

    /// Asks several servos for `len` bytes of registers each.
    ///
    /// # Errors
    /// [`PacketError::TooLong`].
    pub fn sync_read(&mut self, address: u8, len: u8, ids: &[u8]) -> Result<&[u8], PacketError> {
        self.start(BROADCAST_ID, Instruction::SyncRead as u8);
        self.extend(&[address, len])?;
        self.extend(ids)?;
        Ok(self.finish())
    }

    /// Sets the same `len` bytes of registers of several servos, each to its own values.
    ///
    /// # Errors
    /// [`PacketError::TooLong`], [`PacketError::Uneven`].
    pub fn sync_write<'a>(
        &mut self,
        address: u8,
        len: u8,
        values: impl IntoIterator<Item = (u8, &'a [u8])>,
    ) -> Result<&[u8], PacketError> {
        self.start(BROADCAST_ID, Instruction::SyncWrite as u8);
        self.extend(&[address, len])?;
        for (id, data) in values {
            if data.len() != usize::from(len) {
                self.len = 0;
                return Err(PacketError::Uneven {
                    id,
                    got: data.len(),
                    expected: len,
                });
            }
            self.extend(&[id])?;
            self.extend(data)?;
        }
        Ok(self.finish())
    }

    /// What a servo answers.
    ///
    /// # Errors
    /// [`PacketError::TooLong`].
    pub fn status(
        &mut self,
        id: u8,
        status: StatusBits,
        data: &[u8],
    ) -> Result<&[u8], PacketError> {
        self.start(id, status.0);
        self.extend(data)?;
        Ok(self.finish())
    }

    fn with_data(
        &mut self,
        id: u8,
        instruction: Instruction,
        address: u8,
        data: &[u8],
    ) -> Result<&[u8], PacketError> {
        self.start(id, instruction as u8);
        self.extend(&[address])?;
        self.extend(data)?;
        Ok(self.finish())
    }

    /// A packet whose parameters always fit.
    fn fixed<const N: usize>(
        &mut self,
        id: u8,
        instruction: Instruction,
        params: &[u8; N],
    ) -> &[u8] {
        const { assert!(N + OVERHEAD <= MAX_PACKET) };
        self.start(id, instruction as u8);
        self.bytes[self.len..self.len + N].copy_from_slice(params);
        self.len += N;
        self.finish()
    }

    fn start(&mut self, id: u8, code: u8) {
        self.bytes[..2].copy_from_slice(&HEADER);
        self.bytes[2] = id;
        self.bytes[4] = code;
        self.len = 5;
    }

    fn extend(&mut self, params: &[u8]) -> Result<(), PacketError> {
        let end = self.len + params.len();
        // One byte is left for the checksum.
        if end + 1 > MAX_PACKET {
            self.len = 0;
            return Err(PacketError::TooLong { got: end + 1 });
        }
        self.bytes[self.len..end].copy_from_slice(params);
        self.len = end;
        Ok(())
    }

    fn finish(&mut self) -> &[u8] {
        // Code, parameters and checksum; below 250 by what `extend` lets through.
        self.bytes[3] = (self.len - 3) as u8;
        self.bytes[self.len] = checksum(&self.bytes[2..self.len]);
        self.len += 1;
        self.as_bytes()
    }
}
