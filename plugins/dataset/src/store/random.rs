//! A file that can be read and written anywhere: what a [`super::Container`] lives in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;

/// A file that can be read and written anywhere. In a browser an `OPFS` sync access handle, natively a
/// file. Errors need no path: the container knows it.
pub trait RandomAccess: Send {
    /// How many bytes it has.
    ///
    /// # Errors
    /// What looking fails with.
    fn size(&self) -> Result<u64, StoreError>;

    /// Fills `buffer` from `offset` on as far as the file goes; how many bytes that were.
    ///
    /// # Errors
    /// What reading fails with.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError>;

    /// Writes `bytes` at `offset`, which is at most the file's size. The file grows where they go beyond
    /// its end.
    ///
    /// # Errors
    /// What writing fails with; a part may be written then.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// Cuts the file off.
    ///
    /// # Errors
    /// What cutting fails with.
    fn truncate(&mut self, size: u64) -> Result<(), StoreError>;

    /// Makes sure that all so far survives a loss of power.
    ///
    /// # Errors
    /// What writing fails with.
    fn flush(&mut self) -> Result<(), StoreError>;

    /// How many more bytes fit, if that is known.
    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// A [`RandomAccess`] in memory that can lose its power. Clones share the file.
#[derive(Debug, Clone, Default)]
pub struct RandomMemory {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: Vec<u8>,
    /// The file as it was flushed last, and what was done to it since.
    flushed: Vec<u8>,
    since: Vec<Change>,
    written: u64,
    cut_after: Option<u64>,
    capacity: Option<u64>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, new) => {
                let from = *offset as usize;
                let to = from + new.len();
                if bytes.len() < to {
                    bytes.resize(to, 0);
                }
                bytes[from..to].copy_from_slice(new);
            }
            Self::Truncate(size) => bytes.truncate(*size as usize),
        }
    }
}

impl RandomMemory {
    /// An empty file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with these bytes, flushed.
    #[must_use]
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        let file = Self::new();
        file.lock().flushed.clone_from(&bytes);
        file.lock().bytes = bytes;
        file
    }

    /// The file as whoever reads it sees it: what is there when the process ends.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// How many bytes were written so far; a cut or a flush counts as one.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.lock().written
    }

    /// After so many more bytes the process ends: what is written then is written in part, and nothing
    /// works any more.
    pub fn cut_after(&self, bytes: u64) {
        self.lock().cut_after = Some(bytes);
    }

    /// The file has room for so many bytes.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// The file after a loss of power: of the writes since the last flush only those survive for which
    /// `survives` (called with their number, from 0) says so.
    #[must_use]
    pub fn after_power_loss(&self, mut survives: impl FnMut(usize) -> bool) -> Vec<u8> {
        let shared = self.lock();
        let mut bytes = shared.flushed.clone();
        for (number, change) in shared.since.iter().enumerate() {
            if survives(number) {
                change.apply(&mut bytes);
            }
        }
        bytes
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A thread that panicked between two changes leaves a whole file.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// How many of `bytes` get through before the end.
    fn through(&mut self, bytes: u64) -> u64 {
        let through = self.cut_after.map_or(bytes, |left| left.min(bytes));
        if let Some(left) = &mut self.cut_after {
            *left -= through;
        }
        self.written += through;
        through
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.bytes);
        self.since.push(change);
    }
}

fn dead() -> StoreError {
    StoreError::Io {
        path: String::new(),
        why: "the process has ended (a test's fault)".to_owned(),
    }
}

impl RandomAccess for RandomMemory {
    fn size(&self) -> Result<u64, StoreError> {
        Ok(self.lock().bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let shared = self.lock();
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(shared.bytes.len());
        let there = &shared.bytes[from..];
        let taken = there.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&there[..taken]);
        Ok(taken)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let mut shared = self.lock();
        if offset > shared.bytes.len() as u64 {
            return Err(StoreError::Io {
                path: String::new(),
                why: format!("byte {offset} lies behind the end"),
            });
        }
        let room = shared
            .capacity
            .map_or(u64::MAX, |capacity| capacity.saturating_sub(offset));
        let fits = room.min(bytes.len() as u64);
        let through = shared.through(fits);
        let part = bytes[..through as usize].to_vec();
        shared.change(Change::Write(offset, part));
        match through {
            all if all == bytes.len() as u64 => Ok(()),
            all if all == fits => Err(StoreError::Full {
                path: String::new(),
            }),
            _ => Err(dead()),
        }
    }

    fn truncate(&mut self, size: u64) -> Result<(), StoreError> {
        let mut shared = self.lock();
        if shared.through(1) == 0 {
            return Err(dead());
        }
        shared.change(Change::Truncate(size));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let mut shared = self.lock();
        if shared.through(1) == 0 {
            return Err(dead());
        }
        shared.since.clear();
        shared.flushed = shared.bytes.clone();
        Ok(())
    }

    fn free_bytes(&self) -> Option<u64> {
        let shared = self.lock();
        let capacity = shared.capacity?;
        Some(capacity.saturating_sub(shared.bytes.len() as u64))
    }
}
