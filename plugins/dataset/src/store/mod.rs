//! Where a dataset's bytes go: a tree of files behind a trait, so that the same code writes to a
//! folder, to the browser's private storage and to memory.
//!
//! Paths are relative, `/`-separated, without `.`, `..`, empty parts, `\`, `:` and control characters
//! ([`check_path`]); folders exist by the files in them.
//!
//! [`Memory`] keeps files in memory and fails on demand, for tests; [`Container`] keeps a whole tree in
//! one random-access file that survives a crash after any byte. The store over real folders is not
//! here: this crate does no IO.

mod container;
mod memory;
mod random;
#[cfg(test)]
mod tests;

pub use container::{Container, Opening};
pub use memory::{Faults, Memory};
pub use random::{RandomAccess, RandomMemory};

/// The longest path, bytes.
pub const MAX_PATH: usize = 1024;

/// A tree of files.
///
/// Several readers or one writer: whoever writes holds the store alone.
pub trait Store: Send {
    /// A whole file.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there; what reading can fail with.
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError>;

    /// Fills `buffer` from `offset` on, as far as the file goes, and says how many bytes that were: 0
    /// at its end and behind it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there; what reading can fail with.
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError>;

    /// How many bytes a file has; `None` when it is not there.
    ///
    /// # Errors
    /// What looking can fail with.
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError>;

    /// Makes or replaces a file: whole or not at all, also on a crash.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::ReadOnly`] and what else writing can fail with; the file is
    /// then as before.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Opens a file to write on at its end; it is made if it is not there.
    ///
    /// While it is open the file must not be written, renamed or removed, and not opened again.
    ///
    /// # Errors
    /// What opening can fail with.
    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError>;

    /// Gives a file another path; what was there is replaced. Whole or not at all, also on a crash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when `from` is not there; what renaming can fail with.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError>;

    /// Removes a file, or a folder with all below it. Nothing there is fine. A crash may leave a part of
    /// a folder.
    ///
    /// # Errors
    /// What removing can fail with.
    fn remove(&mut self, path: &str) -> Result<(), StoreError>;

    /// All files below a folder, sorted by path; all files there are with an empty `folder`.
    ///
    /// # Errors
    /// What looking can fail with; a folder that is not there has no files.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError>;

    /// How many more bytes fit, if that is known.
    fn free_bytes(&self) -> Option<u64>;
}

/// A file that is written on at its end.
pub trait Append: Send {
    /// Writes at the end.
    ///
    /// # Errors
    /// [`StoreError::Full`] and what else writing can fail with. A part of `bytes` may be in the file
    /// then, and what comes after it would be lost to whoever reads: write no more.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes sure that all so far survives a loss of power. (The end of this process it survives
    /// without.)
    ///
    /// # Errors
    /// What writing can fail with.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Sees to it that all so far survives a loss of power before long, without waiting for that. What
    /// goes wrong with it shows in the next [`Append::append`] or [`Append::sync`].
    ///
    /// By default nothing is done: right for a store that could only wait. The system writes by itself
    /// within half a minute.
    fn sync_soon(&mut self) {}

    /// How many bytes the file has.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A file of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Why a store could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file is not there.
    #[error("{path}: no such file; check the dataset, or repair it")]
    NotFound {
        /// The file.
        path: String,
    },
    /// No room.
    #[error("{path}: no space left; make room and try again")]
    Full {
        /// What was being written.
        path: String,
    },
    /// Nothing may be written here.
    #[error("{path}: this place is read-only; choose another, or allow writing there")]
    ReadOnly {
        /// What was being written.
        path: String,
    },
    /// Access was refused: by rights, or because another program holds it.
    #[error("{path}: access was refused ({why}); close what uses it, or change its rights")]
    Denied {
        /// What was wanted.
        path: String,
        /// What the system says.
        why: String,
    },
    /// What is there is not what was written.
    #[error("{path}: damaged ({why}); repair the dataset, or take it from a copy")]
    Damaged {
        /// What is damaged.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The path is not one that a store takes.
    #[error(
        "{path:?} is no path in a store: it has to be relative, with parts that are names, divided by /"
    )]
    Path {
        /// The path.
        path: String,
    },
    /// Everything else that reading and writing fails with.
    #[error("{path}: {why}; try again, or choose another place")]
    Io {
        /// What was read or written.
        path: String,
        /// What the system says.
        why: String,
    },
}

impl StoreError {
    /// The same error about another path: for stores that know only what lies below them.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        let path = path.to_owned();
        match self {
            Self::NotFound { .. } => Self::NotFound { path },
            Self::Full { .. } => Self::Full { path },
            Self::ReadOnly { .. } => Self::ReadOnly { path },
            Self::Denied { why, .. } => Self::Denied { path, why },
            Self::Damaged { why, .. } => Self::Damaged { path, why },
            Self::Path { .. } => Self::Path { path },
            Self::Io { why, .. } => Self::Io { path, why },
        }
    }
}

/// Checks that `path` is one that every store takes.
///
/// # Errors
/// [`StoreError::Path`].
pub fn check_path(path: &str) -> Result<(), StoreError> {
    let sound = !path.is_empty()
        && path.len() <= MAX_PATH
        && path.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && !part
                    .chars()
                    .any(|c| c == '\\' || c == ':' || c.is_control())
        });
    if sound {
        Ok(())
    } else {
        Err(StoreError::Path {
            path: path.chars().take(200).collect(),
        })
    }
}

/// Whether `path` is below `folder`; everything is below the empty one.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}
