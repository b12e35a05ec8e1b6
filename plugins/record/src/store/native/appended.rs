//! Files that are written on, and the thread that syncs them while they are.
//!
//! A disk that is busy keeps whoever syncs waiting, for seconds at times. So the one who writes only
//! hands files to the thread ([`Append::sync_soon`]): each once at a time, and none while the thread is
//! behind. It syncs them in turn, and whoever waits for a whole file still syncs it.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use forearm_dataset::store::{Append, StoreError};

use super::told;

/// How many files may wait for the thread: more than are ever written on at once.
const MOST_WAITING: usize = 4;

/// The thread that syncs the files of a store; it is there from the first file on, and ends with the
/// store and its files.
#[derive(Debug, Default)]
pub(super) struct Syncer {
    /// Nothing where no thread can be had.
    queue: OnceLock<Option<Sender<Weak<Open>>>>,
}

impl Syncer {
    fn queue(&self) -> Option<&Sender<Weak<Open>>> {
        let queue = self.queue.get_or_init(|| {
            let (queue, files) = bounded(MOST_WAITING);
            let spawned = std::thread::Builder::new()
                .name("journal sync".to_owned())
                .spawn(move || sync_all(&files));
            if let Err(error) = &spawned {
                tracing::warn!("no thread to sync journals ({error}): a power cut loses more");
            }
            spawned.is_ok().then_some(queue)
        });
        queue.as_ref()
    }
}

/// The thread's work. A file that nobody writes on any more is left out: who wrote it has synced it, or
/// did not want it.
fn sync_all(files: &Receiver<Weak<Open>>) {
    for file in files {
        if let Some(file) = file.upgrade() {
            file.sync_behind();
        }
    }
}

/// A file that is open to be written on.
#[derive(Debug)]
struct Open {
    path: String,
    file: File,
    /// Whether it waits for the thread.
    waits: AtomicBool,
    /// What the thread could not do. A system tells that once.
    failed: Mutex<Option<StoreError>>,
}

impl Open {
    fn sync_behind(&self) {
        // What is written from here on may need another turn.
        self.waits.store(false, Ordering::Release);
        if let Err(error) = self.file.sync_data() {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = Some(told(&self.path, &error));
        }
    }

    /// What the thread could not do: from then on always, for nobody knows which bytes are lost.
    fn check(&self) -> Result<(), StoreError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failed {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

/// A file that is written on.
#[derive(Debug)]
pub(super) struct Appended {
    open: Arc<Open>,
    syncer: Arc<Syncer>,
    len: u64,
}

impl Appended {
    /// A file of `len` bytes, which is open to be written on.
    pub(super) fn new(path: &str, file: File, len: u64, syncer: Arc<Syncer>) -> Self {
        Self {
            open: Arc::new(Open {
                path: path.to_owned(),
                file,
                waits: AtomicBool::new(false),
                failed: Mutex::new(None),
            }),
            syncer,
            len,
        }
    }
}

impl Append for Appended {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.open.check()?;
        (&self.open.file)
            .write_all(bytes)
            .map_err(|error| told(&self.open.path, &error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.open.check()?;
        let synced = self.open.file.sync_data();
        synced.map_err(|error| told(&self.open.path, &error))
    }

    fn sync_soon(&mut self) {
        if self.open.waits.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(queue) = self.syncer.queue() else {
            return;
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            queue.try_send(Arc::downgrade(&self.open))
        {
            // The disk is behind: another time.
            self.open.waits.store(false, Ordering::Release);
        }
    }

    fn len(&self) -> u64 {
        self.len
    }
}
