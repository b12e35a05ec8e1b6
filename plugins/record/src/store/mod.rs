//! Where datasets are: a folder natively, the browser's private storage there, memory for tests.
//!
//! Opening may take its time in the browser, so it is polled everywhere: [`open`] and [`list_stored`]
//! answer natively at the first poll. What comes of it is a [`Shelf`], a store that can be held twice:
//! by the service, and by the thread that saves an episode behind it.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
#[cfg(target_family = "wasm")]
mod web;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forearm_dataset::store::{Append, Entry, Store, StoreError};

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::told;
#[cfg(not(target_family = "wasm"))]
pub use native::{
    Deleting, Directory, Listing, Opening, delete_stored, keep_in_memory, list_stored, open,
};
#[cfg(target_family = "wasm")]
pub use web::{Deleting, Listing, Opening, delete_stored, list_stored, open};

/// What a dataset is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be changed: nobody else may have it open so. It is made if it is not there.
    Write,
    /// To look at. Changes are refused.
    Read,
}

/// An opened place.
pub struct Opened {
    /// Its files.
    pub store: Shelf,
    /// What a person should know about it.
    pub notice: Option<String>,
}

/// A store that can be held twice.
#[derive(Clone)]
pub struct Shelf(Kind);

#[derive(Clone)]
enum Kind {
    /// Its holders don't wait for each other.
    #[cfg(not(target_family = "wasm"))]
    Folder(Directory),
    /// Its holders take turns, call by call.
    Shared(Arc<Mutex<Box<dyn Store>>>),
}

impl From<Box<dyn Store>> for Shelf {
    fn from(store: Box<dyn Store>) -> Self {
        Self(Kind::Shared(Arc::new(Mutex::new(store))))
    }
}

#[cfg(not(target_family = "wasm"))]
impl From<Directory> for Shelf {
    fn from(directory: Directory) -> Self {
        Self(Kind::Folder(directory))
    }
}

fn lock(store: &Mutex<Box<dyn Store>>) -> MutexGuard<'_, Box<dyn Store>> {
    // Each change of a store is whole or did not happen, also when its thread panicked.
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls the store that a shelf is.
macro_rules! on {
    ($shelf:expr, $call:ident ( $($argument:expr),* )) => {
        match $shelf {
            #[cfg(not(target_family = "wasm"))]
            Kind::Folder(store) => store.$call($($argument),*),
            Kind::Shared(store) => lock(store).$call($($argument),*),
        }
    };
}

impl Store for Shelf {
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        on!(&self.0, read(path))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        on!(&self.0, read_at(path, offset, buffer))
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        on!(&self.0, size(path))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        on!(&mut self.0, write(path, bytes))
    }

    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError> {
        on!(&mut self.0, append(path))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        on!(&mut self.0, rename(from, to))
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        on!(&mut self.0, remove(path))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        on!(&self.0, list(folder))
    }

    fn free_bytes(&self) -> Option<u64> {
        on!(&self.0, free_bytes())
    }
}
