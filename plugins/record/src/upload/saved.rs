//! What is kept between starts: how far objects are that go in parts.
//!
//! The file holds addresses that are good for sending these parts, for some hours, and nothing else;
//! never the token. It is gone when the upload is done.

use std::collections::BTreeMap;

use forearm_dataset::store::Store;
use serde::{Deserialize, Serialize};

use super::wire::Actions;

/// Where it is kept, beside the dataset.
const FILE: &str = ".forearm/upload.json";
/// A state file is never longer: some kilobytes an object that is under way.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What of an upload was done.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Which dataset on which hub.
    target: String,
    /// Objects by their hash.
    objects: BTreeMap<String, Parts>,
}

/// How far an object is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// Where its parts go.
    pub(super) actions: Actions,
    /// What the place calls each part that it has.
    pub(super) etags: BTreeMap<usize, String>,
}

impl Saved {
    /// What was kept for this target. What can't be read is as if it were not there: parts are sent
    /// again then.
    pub(super) fn load(store: &dyn Store, target: &str) -> Self {
        let there = store.size(FILE).ok().flatten();
        let read = there
            .filter(|bytes| *bytes <= MAX_BYTES)
            .and_then(|_| store.read(FILE).ok());
        let saved: Option<Self> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        saved
            .filter(|saved| saved.target == target)
            .unwrap_or_else(|| Self {
                target: target.to_owned(),
                objects: BTreeMap::new(),
            })
    }

    /// Takes what is known of an object.
    pub(super) fn take(&mut self, oid: &str) -> Option<Parts> {
        self.objects.remove(oid)
    }

    /// Keeps how far an object is. A store that can't be written costs time after a crash, no more.
    pub(super) fn keep(&mut self, oid: &str, parts: Parts, store: &mut dyn Store) {
        self.objects.insert(oid.to_owned(), parts);
        self.write(store);
    }

    /// An object is done.
    pub(super) fn forget(&mut self, oid: &str, store: &mut dyn Store) {
        if self.objects.remove(oid).is_some() {
            self.write(store);
        }
    }

    /// The whole upload is done.
    pub(super) fn remove(self, store: &mut dyn Store) {
        if let Err(error) = store.remove(FILE) {
            tracing::debug!("the state of the upload stays: {error}");
        }
    }

    fn write(&self, store: &mut dyn Store) {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        if let Err(error) = store.write(FILE, &bytes) {
            tracing::debug!("the state of the upload is not kept: {error}");
        }
    }
}
