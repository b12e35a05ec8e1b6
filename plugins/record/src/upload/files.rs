//! Which files of a dataset are uploaded, and their hashes: the hub knows a file by them.

use forearm_dataset::store::Store;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::call::read_exact;
use super::error::UploadError;

/// How many bytes are hashed at once: some milliseconds.
const SLICE_BYTES: u64 = 2 * 1024 * 1024;
/// Files above this size are always kept by their SHA-256: their other hash is not needed.
const MAX_GIT_BYTES: u64 = 16 * 1024 * 1024;
/// The folders of a dataset.
const FOLDERS: [&str; 3] = ["data/", "meta/", "videos/"];
/// What people read first.
pub(super) const CARD: &str = "README.md";

/// Whether a file is a part of the dataset: nothing of Forearm's own journal, no temporary pictures.
pub(super) fn belongs(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    !hidden && (path == CARD || FOLDERS.iter().any(|folder| path.starts_with(folder)))
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// SHA-256, as hexadecimal digits.
    pub(super) sha256: String,
    /// What git calls the file (SHA-1); empty for large ones.
    pub(super) git: String,
}

impl LocalFile {
    /// A file with these contents.
    pub(super) fn of_bytes(path: &str, contents: &[u8]) -> Self {
        let mut hasher = Hasher::new(path.to_owned(), contents.len() as u64);
        hasher.add(contents);
        hasher.finish()
    }
}

/// Hashes a file, slice by slice.
#[derive(Debug)]
pub(super) struct Hasher {
    path: String,
    bytes: u64,
    done: u64,
    sha256: Sha256,
    git: Option<Sha1>,
}

impl Hasher {
    pub(super) fn new(path: String, bytes: u64) -> Self {
        let git = (bytes <= MAX_GIT_BYTES).then(|| {
            let mut git = Sha1::new();
            git.update(format!("blob {bytes}\0"));
            git
        });
        Self {
            path,
            bytes,
            done: 0,
            sha256: Sha256::new(),
            git,
        }
    }

    /// How many bytes are hashed.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Hashes the next slice; true when that was the last one.
    ///
    /// # Errors
    /// What reading fails with.
    pub(super) fn step(&mut self, store: &dyn Store) -> Result<bool, UploadError> {
        let slice = (self.bytes - self.done).min(SLICE_BYTES);
        let mut buffer = vec![0; slice as usize];
        read_exact(store, &self.path, self.done, &mut buffer)?;
        self.add(&buffer);
        Ok(self.done == self.bytes)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(git) = &mut self.git {
            git.update(bytes);
        }
        self.done += bytes.len() as u64;
    }

    pub(super) fn finish(self) -> LocalFile {
        LocalFile {
            path: self.path,
            bytes: self.bytes,
            sha256: hex(&self.sha256.finalize()),
            git: self.git.map(|git| hex(&git.finalize())).unwrap_or_default(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
