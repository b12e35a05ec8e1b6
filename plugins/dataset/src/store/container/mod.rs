//! A whole tree of files in one random-access file that survives a crash after any byte.
//!
//! Every change is a record at the end of a log; which files there are is found out by reading the
//! records' headers when the container is opened. What a crash tore off at the end is cut away: the
//! files are then as they were after the last whole change. What was written before the last flush can
//! only be hurt by a failing disk: a record that is, is left out and said ([`Opening`]), and reading
//! checks every file's bytes.
//!
//! Bytes of files that were replaced or removed stay in the log until [`Container::compact`]; opening
//! does that when more than half of the log is such garbage.

mod compact;
mod format;
mod index;
mod scan;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::format::{BEGIN, HEADER, Header, Kind, Slot};
use self::index::{Index, Piece};
use super::{Append, Entry, RandomAccess, Store, StoreError, check_path};

/// Below so much garbage compacting is not worth it, bytes.
const WORTH: u64 = 1 << 20;

/// Files in one file. Clones share it.
#[derive(Debug)]
pub struct Container<F> {
    shared: Arc<Mutex<Shared<F>>>,
}

/// What was found when a container was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// So many bytes at the end were no whole change, and were cut off.
    pub cut_bytes: u64,
    /// Places in the file where the disk has hurt a change, which is left out: check the files.
    pub damaged_at: Vec<u64>,
}

#[derive(Debug)]
struct Shared<F> {
    file: F,
    /// What the container is called in errors.
    name: String,
    index: Index,
    slot: Slot,
    /// Where the log ends.
    end: u64,
    /// All before here is flushed.
    flushed: u64,
    /// The record in hand: kept, so that small ones are written at once and allocate nothing.
    buffer: Vec<u8>,
}

impl<F> Clone for Container<F> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<F: RandomAccess + 'static> Container<F> {
    /// Opens the container in `file`, or makes one there if the file is empty. `name` is what errors
    /// call it.
    ///
    /// # Errors
    /// What reading and writing fails with; [`StoreError::Damaged`] when the file is something else.
    pub fn open(file: F, name: &str) -> Result<(Self, Opening), StoreError> {
        let (mut shared, opening) = scan::open(file, name).map_err(|error| named(error, name))?;
        if shared.is_worth_compacting() {
            compact::compact(&mut shared).map_err(|error| named(error, name))?;
        }
        let shared = Arc::new(Mutex::new(shared));
        Ok((Self { shared }, opening))
    }

    /// Drops what replaced and removed files left behind. Takes as long as writing all files anew, twice,
    /// and needs the room of all files once more. A crash on the way does no harm.
    ///
    /// # Errors
    /// What reading and writing fails with; the files are as before.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let mut shared = self.lock();
        compact::compact(&mut shared).map_err(|error| named(error, &shared.name))
    }

    /// Whether more than half of the log (and more than a megabyte) is garbage.
    #[must_use]
    pub fn is_worth_compacting(&self) -> bool {
        self.lock().is_worth_compacting()
    }

    fn lock(&self) -> MutexGuard<'_, Shared<F>> {
        // A thread that panicked has not entered its change into the index.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of the random-access file, which does not know its name.
fn named(error: StoreError, name: &str) -> StoreError {
    match &error {
        StoreError::NotFound { path }
        | StoreError::Full { path }
        | StoreError::ReadOnly { path }
        | StoreError::Denied { path, .. }
        | StoreError::Damaged { path, .. }
        | StoreError::Path { path }
        | StoreError::Io { path, .. }
            if !path.is_empty() =>
        {
            error
        }
        _ => error.at(name),
    }
}

fn not_found(path: &str) -> StoreError {
    StoreError::NotFound {
        path: path.to_owned(),
    }
}

impl<F: RandomAccess> Shared<F> {
    fn is_worth_compacting(&self) -> bool {
        let log = self.end - self.slot.start;
        let garbage = log.saturating_sub(self.index.live_bytes()) + (self.slot.start - BEGIN);
        garbage > WORTH && garbage > log / 2
    }

    /// Writes a record at the end of the log and does what it says.
    fn log(&mut self, kind: Kind, path: &str, content: &[u8]) -> Result<(), StoreError> {
        check_path(path)?;
        let header = Header {
            kind,
            generation: self.slot.generation,
            offset: self.end,
            flushed: self.flushed,
            path_length: path.len() as u16,
            length: content.len() as u64,
            sum: crc32fast::hash(content),
        };
        self.put(&header, path, content)
            .map_err(|error| error.at(path))?;
        self.end += (HEADER + path.len() + content.len()) as u64;
        let to = match kind {
            Kind::Rename => std::str::from_utf8(content).unwrap_or_default(),
            _ => "",
        };
        self.index.apply(&header, path, to);
        Ok(())
    }

    fn put(&mut self, header: &Header, path: &str, content: &[u8]) -> Result<(), StoreError> {
        /// Content up to here is written together with its header: one call for a packet of video.
        const TOGETHER: usize = 1 << 18;
        self.buffer.clear();
        self.buffer.extend_from_slice(&header.encode(path));
        self.buffer.extend_from_slice(path.as_bytes());
        let together = content.len() <= TOGETHER;
        if together {
            self.buffer.extend_from_slice(content);
        }
        let mut written = self.file.write_at(self.end, &self.buffer);
        if written.is_ok() && !together {
            let at = self.end + self.buffer.len() as u64;
            written = self.file.write_at(at, content);
        }
        if let Err(error) = written {
            // The next record takes this one's place. If cutting fails too, the checksums see to it
            // that what is left of this one is not taken for one.
            return self
                .file
                .truncate(self.end)
                .and(Err(error.clone()))
                .or(Err(error));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.file.flush()?;
        self.flushed = self.end;
        Ok(())
    }

    /// Reads a whole piece behind what is in `bytes`, and checks it.
    fn read_piece(&self, piece: &Piece, bytes: &mut Vec<u8>) -> Result<bool, StoreError> {
        let from = bytes.len();
        bytes.resize(from + piece.length as usize, 0);
        let read = self.file.read_at(piece.offset, &mut bytes[from..])?;
        Ok(read as u64 == piece.length && crc32fast::hash(&bytes[from..]) == piece.sum)
    }
}

impl<F: RandomAccess + 'static> Store for Container<F> {
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        let shared = self.lock();
        let file = shared
            .index
            .files
            .get(path)
            .ok_or_else(|| not_found(path))?;
        let length = usize::try_from(file.length).map_err(|error| StoreError::Io {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        let mut bytes = Vec::with_capacity(length);
        for piece in &file.pieces {
            if !shared
                .read_piece(piece, &mut bytes)
                .map_err(|error| error.at(path))?
            {
                return Err(StoreError::Damaged {
                    path: path.to_owned(),
                    why: "its bytes are not those that were written".to_owned(),
                });
            }
        }
        Ok(bytes)
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let shared = self.lock();
        let file = shared
            .index
            .files
            .get(path)
            .ok_or_else(|| not_found(path))?;
        let mut read = 0;
        for piece in file.pieces_from(offset) {
            let skipped = (offset + read as u64).saturating_sub(piece.at);
            let left = usize::try_from(piece.length - skipped).unwrap_or(usize::MAX);
            let part = left.min(buffer.len() - read);
            let buffer = &mut buffer[read..read + part];
            let taken = shared
                .file
                .read_at(piece.offset + skipped, buffer)
                .map_err(|error| error.at(path))?;
            read += taken;
            if taken < part {
                break;
            }
        }
        Ok(read)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.lock().index.files.get(path).map(|file| file.length))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let mut shared = self.lock();
        shared.log(Kind::Write, path, bytes)?;
        shared.flush().map_err(|error| error.at(path))
    }

    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError> {
        let mut shared = self.lock();
        if !shared.index.files.contains_key(path) {
            shared.log(Kind::Append, path, &[])?;
        }
        let length = shared.index.files.get(path).map_or(0, |file| file.length);
        Ok(Box::new(Appender {
            container: self.clone(),
            path: path.to_owned(),
            length,
        }))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        check_path(to)?;
        let mut shared = self.lock();
        if !shared.index.files.contains_key(from) {
            return Err(not_found(from));
        }
        if from == to {
            return Ok(());
        }
        shared.log(Kind::Rename, from, to.as_bytes())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        check_path(path)?;
        let mut shared = self.lock();
        if shared.index.files.contains_key(path) || !shared.index.list(path).is_empty() {
            shared.log(Kind::Remove, path, &[])?;
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        Ok(self.lock().index.list(folder))
    }

    fn free_bytes(&self) -> Option<u64> {
        self.lock().file.free_bytes()
    }
}

/// A file of a container that is written on.
struct Appender<F> {
    container: Container<F>,
    path: String,
    length: u64,
}

impl<F: RandomAccess + 'static> Append for Appender<F> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut shared = self.container.lock();
        if !shared.index.files.contains_key(&self.path) {
            return Err(not_found(&self.path));
        }
        shared.log(Kind::Append, &self.path, bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut shared = self.container.lock();
        shared.flush().map_err(|error| error.at(&self.path))
    }

    fn len(&self) -> u64 {
        self.length
    }
}
