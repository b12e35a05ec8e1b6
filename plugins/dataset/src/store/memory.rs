//! A [`Store`] in memory, which fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Append, Entry, Store, StoreError, check_path, is_below};

/// What goes wrong in a [`Memory`]; nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// How many bytes fit in all; more is [`StoreError::Full`]. An appended piece that does not fit is
    /// written in part, as on a real disk.
    pub capacity: Option<u64>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// The power goes out after so many more bytes: what is appended then is written in part, what is
    /// written whole not at all, and nothing works any more.
    pub cut_after_bytes: Option<u64>,
    /// The power goes out at the change (write, append, rename, removal of one file) after so many more.
    pub cut_after_changes: Option<u64>,
}

/// Files in memory. Clones share their files: a clone looks at what a writer leaves behind.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    /// How many bytes are sure of files that were written on since they were synced.
    unsure: BTreeMap<String, usize>,
    faults: Faults,
    dead: bool,
    changes: u64,
    written: u64,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this goes wrong; the power is on again.
    pub fn set_faults(&self, faults: Faults) {
        let mut shared = self.lock();
        shared.faults = faults;
        shared.dead = false;
    }

    /// A store of its own with the same files and without faults: what is there after a crash.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        copy.lock().files = self.lock().files.clone();
        copy
    }

    /// What is there after a loss of power, without faults: of a file that was written on, what was
    /// there when it was synced last.
    #[must_use]
    pub fn after_power_cut(&self) -> Self {
        let copy = self.copy();
        let unsure = self.lock().unsure.clone();
        let mut left = copy.lock();
        for (path, sure) in unsure {
            if let Some(bytes) = left.files.get_mut(&path) {
                bytes.truncate(sure);
            }
        }
        drop(left);
        copy
    }

    /// How many changes were made so far: what [`Faults::cut_after_changes`] counts.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// How many bytes were written so far: what [`Faults::cut_after_bytes`] counts.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.lock().written
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A thread that panicked between two changes leaves whole files.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn alive(&self, path: &str) -> Result<(), StoreError> {
        if self.dead {
            return Err(StoreError::Io {
                path: path.to_owned(),
                why: "the power is out (a test's fault)".to_owned(),
            });
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// Begins a change of `bytes` new bytes and says how many of them get through.
    fn change(&mut self, path: &str, bytes: usize, freed: usize) -> Result<usize, StoreError> {
        self.alive(path)?;
        if self.faults.read_only {
            return Err(StoreError::ReadOnly {
                path: path.to_owned(),
            });
        }
        if let Some(left) = &mut self.faults.cut_after_changes {
            if *left == 0 {
                self.dead = true;
                return self.alive(path).map(|()| 0);
            }
            *left -= 1;
        }
        self.changes += 1;
        let mut through = bytes as u64;
        if let Some(capacity) = self.faults.capacity {
            let room = (capacity + freed as u64).saturating_sub(self.used());
            through = through.min(room);
        }
        if let Some(left) = &mut self.faults.cut_after_bytes {
            if *left < through {
                through = *left;
                self.dead = true;
            }
            *left -= through;
        }
        self.written += through;
        Ok(through as usize)
    }

    /// Why not all got through.
    fn cut_short(&self, path: &str) -> StoreError {
        match self.alive(path) {
            Err(dead) => dead,
            Ok(()) => StoreError::Full {
                path: path.to_owned(),
            },
        }
    }
}

impl Store for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        let shared = self.lock();
        shared.alive(path)?;
        shared
            .files
            .get(path)
            .cloned()
            .ok_or_else(|| not_found(path))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let shared = self.lock();
        shared.alive(path)?;
        let bytes = shared.files.get(path).ok_or_else(|| not_found(path))?;
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let there = &bytes[from..];
        let taken = there.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&there[..taken]);
        Ok(taken)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        let shared = self.lock();
        shared.alive(path)?;
        Ok(shared.files.get(path).map(|bytes| bytes.len() as u64))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_path(path)?;
        let mut shared = self.lock();
        let freed = shared.files.get(path).map_or(0, Vec::len);
        if shared.change(path, bytes.len(), freed)? < bytes.len() {
            return Err(shared.cut_short(path));
        }
        shared.files.insert(path.to_owned(), bytes.to_vec());
        shared.unsure.remove(path);
        Ok(())
    }

    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError> {
        check_path(path)?;
        let mut shared = self.lock();
        shared.change(path, 0, 0)?;
        let len = shared.files.entry(path.to_owned()).or_default().len() as u64;
        Ok(Box::new(MemoryAppend {
            store: self.clone(),
            path: path.to_owned(),
            len,
        }))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        check_path(to)?;
        let mut shared = self.lock();
        if !shared.files.contains_key(from) {
            shared.alive(from)?;
            return Err(not_found(from));
        }
        shared.change(from, 0, 0)?;
        if let Some(bytes) = shared.files.remove(from) {
            shared.files.insert(to.to_owned(), bytes);
            shared.unsure.remove(to);
            if let Some(sure) = shared.unsure.remove(from) {
                shared.unsure.insert(to.to_owned(), sure);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        check_path(path)?;
        let mut shared = self.lock();
        shared.alive(path)?;
        let gone: Vec<String> = shared
            .files
            .keys()
            .filter(|file| *file == path || is_below(file, path))
            .cloned()
            .collect();
        for file in gone {
            shared.change(&file, 0, 0)?;
            shared.files.remove(&file);
            shared.unsure.remove(&file);
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let shared = self.lock();
        shared.alive(folder)?;
        Ok(shared
            .files
            .iter()
            .filter(|(path, _)| is_below(path, folder))
            .map(|(path, bytes)| Entry {
                path: path.clone(),
                bytes: bytes.len() as u64,
            })
            .collect())
    }

    fn free_bytes(&self) -> Option<u64> {
        let shared = self.lock();
        let capacity = shared.faults.capacity?;
        Some(capacity.saturating_sub(shared.used()))
    }
}

/// A file of a [`Memory`] that is written on.
#[derive(Debug)]
struct MemoryAppend {
    store: Memory,
    path: String,
    len: u64,
}

impl Append for MemoryAppend {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut shared = self.store.lock();
        if !shared.files.contains_key(&self.path) {
            shared.alive(&self.path)?;
            return Err(not_found(&self.path));
        }
        let through = shared.change(&self.path, bytes.len(), 0)?;
        let Shared { files, unsure, .. } = &mut *shared;
        if let Some(file) = files.get_mut(&self.path) {
            unsure.entry(self.path.clone()).or_insert(file.len());
            file.extend_from_slice(&bytes[..through]);
            self.len = file.len() as u64;
        }
        if through < bytes.len() {
            return Err(shared.cut_short(&self.path));
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut shared = self.store.lock();
        shared.alive(&self.path)?;
        shared.unsure.remove(&self.path);
        Ok(())
    }

    fn sync_soon(&mut self) {
        // Without power nothing gets sure; the next call says so.
        self.sync().ok();
    }

    fn len(&self) -> u64 {
        self.len
    }
}

fn not_found(path: &str) -> StoreError {
    StoreError::NotFound {
        path: path.to_owned(),
    }
}
