//! A dataset as a ZIP archive, made piece by piece while it is read.
//!
//! Nothing is compressed: pictures and tables are already. Sizes and checksums stand before each file,
//! so every program opens it, also those that read archives from front to end; where 32 bits don't
//! suffice the 64-bit fields are written (APPNOTE.TXT of PKWARE, sections 4.3 to 4.5). All files have the
//! same time, so the same dataset gives the same bytes.
//!
//! What changes when an episode is added (`info.json`, `stats.json`, the tasks) is read at the beginning;
//! all other files of an episode never change, so recording may go on while an archive is made. Deleting
//! may not.

mod entry;
pub mod index;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::entry::{Listed, directory_end};
use crate::layout::{INFO, STATS, TASKS};
use crate::store::{Entry, Store, StoreError};

/// Files up to this length are read once; longer ones twice, first for the checksum. Bytes.
const ONCE: u64 = 32 << 20;

/// How much is read at once where a file is not read whole, bytes.
const BLOCK: usize = 1 << 20;

/// What is never packed: journals, what was deleted and can be brought back.
const PRIVATE: &str = ".forearm/";

/// Why an archive could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// Reading failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file became another one while it was packed.
    #[error("{path} changed while it was packed; pack again when nothing is being deleted")]
    Changed {
        /// The file.
        path: String,
    },
}

/// An archive in the making. Dropping it stops.
#[derive(Debug)]
pub struct ZipExport {
    /// Files that are still to come.
    files: VecDeque<Entry>,
    folder: String,
    chunk_bytes: usize,
    /// Bytes of headers, directory and small files that are still to be handed out.
    ready: Vec<u8>,
    /// How many of them are.
    taken: usize,
    current: Option<Current>,
    /// The content of the file in hand, if it was read whole: kept, so that its memory is used again.
    content: Vec<u8>,
    /// The archive's directory so far.
    directory: Vec<u8>,
    listed: u64,
    /// Where the next header will stand.
    offset: u64,
    ended: bool,
    progress: Progress,
}

/// The file in hand.
#[derive(Debug)]
struct Current {
    path: String,
    bytes: u64,
    at: u64,
    sum: u32,
    /// Whether it is in [`ZipExport::content`].
    whole: bool,
    /// The checksum of what was read the second time.
    again: crc32fast::Hasher,
}

/// How far an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Files that are packed.
    pub files: u32,
    /// Files in all.
    pub files_total: u32,
    /// Bytes of files that are packed.
    pub bytes: u64,
    /// Bytes of files in all.
    pub bytes_total: u64,
    /// Bytes of the archive that were handed out: its length at the end.
    pub written: u64,
}

impl Progress {
    /// 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.bytes_total == 0 {
            return 1.0;
        }
        self.bytes as f64 / self.bytes_total as f64
    }
}

impl ZipExport {
    /// Begins an archive of all files of a dataset, below `folder` (a path, or empty for none), to be
    /// handed out in chunks of about `chunk_bytes`.
    ///
    /// # Errors
    /// What looking and reading fails with; [`StoreError::Path`] for a folder that is no path.
    pub fn new(store: &dyn Store, folder: &str, chunk_bytes: usize) -> Result<Self, ZipError> {
        let mut entries = store.list("")?;
        entries.retain(|entry| !entry.path.starts_with(PRIVATE));
        Self::of(store, entries, folder, chunk_bytes)
    }

    /// The same of some files.
    ///
    /// # Errors
    /// As [`ZipExport::new`].
    pub fn of(
        store: &dyn Store,
        mut entries: Vec<Entry>,
        folder: &str,
        chunk_bytes: usize,
    ) -> Result<Self, ZipError> {
        if !folder.is_empty() {
            crate::store::check_path(folder)?;
        }
        let changes = |entry: &Entry| [INFO, STATS, TASKS].contains(&entry.path.as_str());
        entries.sort_by_key(|entry| !changes(entry));
        let first = entries.iter().filter(|entry| changes(entry)).count();
        let mut export = Self {
            progress: Progress {
                files_total: u32::try_from(entries.len()).unwrap_or(u32::MAX),
                bytes_total: entries.iter().map(|entry| entry.bytes).sum(),
                ..Progress::default()
            },
            files: entries.into(),
            folder: folder.to_owned(),
            chunk_bytes: chunk_bytes.max(1),
            ready: Vec::new(),
            taken: 0,
            current: None,
            content: Vec::new(),
            directory: Vec::new(),
            listed: 0,
            offset: 0,
            ended: false,
        };
        for _ in 0..first {
            export.begin_file(store)?;
            if let Some(current) = export.current.take_if(|current| current.whole) {
                export.ready.append(&mut export.content);
                export.count(current.bytes);
            }
        }
        Ok(export)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The next piece of the archive; `None` after the last.
    ///
    /// # Errors
    /// What reading fails with, and [`ZipError::Changed`]; the archive can't be finished then.
    pub fn next_chunk(&mut self, store: &dyn Store) -> Result<Option<Vec<u8>>, ZipError> {
        let mut chunk = Vec::new();
        self.next_into(store, &mut chunk)?;
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    /// The same into memory that is there already; it is empty after the last piece.
    ///
    /// # Errors
    /// As [`ZipExport::next_chunk`].
    pub fn next_into(&mut self, store: &dyn Store, chunk: &mut Vec<u8>) -> Result<(), ZipError> {
        chunk.clear();
        chunk.reserve(self.chunk_bytes);
        while chunk.len() < self.chunk_bytes {
            let room = self.chunk_bytes - chunk.len();
            if self.taken < self.ready.len() {
                let until = self.ready.len().min(self.taken + room);
                chunk.extend_from_slice(&self.ready[self.taken..until]);
                self.taken = until;
            } else if let Some(current) = self.current.take() {
                self.current = self.continue_file(store, current, room, chunk)?;
            } else if !self.files.is_empty() {
                self.begin_file(store)?;
            } else if !self.ended {
                self.ended = true;
                self.ready.clear();
                self.taken = 0;
                self.ready.append(&mut self.directory);
                let length = self.ready.len() as u64;
                directory_end(self.listed, length, self.offset, &mut self.ready);
            } else {
                break;
            }
        }
        self.progress.written += chunk.len() as u64;
        Ok(())
    }

    /// Takes the next file in hand: its checksum, its header.
    fn begin_file(&mut self, store: &dyn Store) -> Result<(), ZipError> {
        let Some(Entry { path, bytes }) = self.files.pop_front() else {
            return Ok(());
        };
        if store.size(&path)? != Some(bytes) {
            return Err(ZipError::Changed { path });
        }
        let whole = bytes <= ONCE;
        let sum = if whole {
            self.content.resize(bytes as usize, 0);
            read_exactly(store, &path, 0, &mut self.content)?;
            crc32fast::hash(&self.content)
        } else {
            let mut hasher = crc32fast::Hasher::new();
            let mut block = vec![0; BLOCK];
            let mut at = 0;
            while at < bytes {
                let part = usize::try_from(bytes - at).map_or(BLOCK, |left| left.min(BLOCK));
                read_exactly(store, &path, at, &mut block[..part])?;
                hasher.update(&block[..part]);
                at += part as u64;
            }
            hasher.finalize()
        };
        let name = if self.folder.is_empty() {
            path.clone()
        } else {
            format!("{}/{path}", self.folder)
        };
        let listed = Listed {
            name: &name,
            bytes,
            sum,
            offset: self.offset,
        };
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
        }
        let before = self.ready.len();
        listed.header(&mut self.ready);
        listed.entry(&mut self.directory);
        self.listed += 1;
        self.offset += (self.ready.len() - before) as u64 + bytes;
        self.current = Some(Current {
            path,
            bytes,
            at: 0,
            sum,
            whole,
            again: crc32fast::Hasher::new(),
        });
        Ok(())
    }

    /// Puts at most `room` bytes of the file in hand into the chunk; the file, if it goes on.
    fn continue_file(
        &mut self,
        store: &dyn Store,
        mut current: Current,
        room: usize,
        chunk: &mut Vec<u8>,
    ) -> Result<Option<Current>, ZipError> {
        let left = current.bytes - current.at;
        let part = usize::try_from(left).map_or(room, |left| left.min(room));
        if current.whole {
            let from = current.at as usize;
            chunk.extend_from_slice(&self.content[from..from + part]);
        } else {
            let from = chunk.len();
            chunk.resize(from + part, 0);
            read_exactly(store, &current.path, current.at, &mut chunk[from..])?;
            current.again.update(&chunk[from..]);
        }
        current.at += part as u64;
        if current.at < current.bytes {
            return Ok(Some(current));
        }
        if !current.whole && current.again.finalize() != current.sum {
            return Err(ZipError::Changed { path: current.path });
        }
        self.count(current.bytes);
        Ok(None)
    }

    fn count(&mut self, bytes: u64) {
        self.progress.files += 1;
        self.progress.bytes += bytes;
    }
}

fn read_exactly(
    store: &dyn Store,
    path: &str,
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), ZipError> {
    let mut read = 0;
    while read < buffer.len() {
        match store.read_at(path, offset + read as u64, &mut buffer[read..])? {
            0 => {
                return Err(ZipError::Changed {
                    path: path.to_owned(),
                });
            }
            more => read += more,
        }
    }
    Ok(())
}
