//! In the browser an export has no file: its chunks go to the page.

use forearm_dataset::store::StoreError;

/// A file, which there is none of here.
pub(super) enum FileSink {}

impl FileSink {
    /// Says that there is none.
    pub(super) fn create(path: &str) -> Result<Self, StoreError> {
        Err(StoreError::Denied {
            path: path.to_owned(),
            why: "a browser's worker writes no files; export without a file's name".to_owned(),
        })
    }

    pub(super) fn write(&mut self, _bytes: &[u8]) -> Result<(), StoreError> {
        match *self {}
    }

    pub(super) fn finish(self) -> Result<String, StoreError> {
        match self {}
    }
}
