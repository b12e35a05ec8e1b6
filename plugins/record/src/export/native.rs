//! The file that an export is written to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use forearm_dataset::store::StoreError;

use crate::store::told;

/// A file that takes its place when it is whole; until then it has `.part` behind its name. Dropped
/// before, it is gone.
pub(super) struct FileSink {
    path: PathBuf,
    part: PathBuf,
    file: Option<File>,
}

impl FileSink {
    /// Begins a file; one of its name is replaced at the end.
    pub(super) fn create(path: &str) -> Result<Self, StoreError> {
        let part = PathBuf::from(format!("{path}.part"));
        let file = File::create(&part).map_err(|error| told(path, &error))?;
        Ok(Self {
            path: PathBuf::from(path),
            part,
            file: Some(file),
        })
    }

    /// Writes on.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        written.map_err(|error| self.told(&error))
    }

    /// Puts it in its place, and says where that is.
    pub(super) fn finish(mut self) -> Result<String, StoreError> {
        if let Some(file) = self.file.take() {
            let done = file.sync_all();
            drop(file);
            let done = done.and_then(|()| fs::rename(&self.part, &self.path));
            done.map_err(|error| self.told(&error))?;
        }
        Ok(self.path.display().to_string())
    }

    fn told(&self, error: &io::Error) -> StoreError {
        told(&self.path.display().to_string(), error)
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        // In its place it is not there any more.
        fs::remove_file(&self.part).ok();
    }
}
