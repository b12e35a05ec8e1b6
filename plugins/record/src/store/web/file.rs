//! One open file of the browser's storage.

use std::cell::Cell;

use forearm_dataset::store::{RandomAccess, StoreError};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsValue;

use super::binding::{AccessHandle, with};
use super::told;

/// So much is written in one go, bytes: a browser copies it all at once.
const PIECE: usize = 4 << 20;

/// A file that nobody else has open. It is closed when this is dropped.
pub(super) struct OpenFile {
    name: String,
    handle: SendWrapper<Handle>,
    size: Cell<u64>,
    /// How large the file may become, as the browser said when it was opened.
    most: Option<u64>,
}

struct Handle(AccessHandle);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl OpenFile {
    /// `room` is what the browser lets this page keep beside what it keeps already, bytes.
    ///
    /// # Errors
    /// The file's size can't be had.
    pub(super) fn new(
        name: &str,
        handle: AccessHandle,
        room: Option<u64>,
    ) -> Result<Self, StoreError> {
        let handle = Handle(handle);
        let size = handle.0.size().map_err(|error| told(name, &error))? as u64;
        Ok(Self {
            name: name.to_owned(),
            handle: SendWrapper::new(handle),
            size: Cell::new(size),
            most: room.map(|room| room.saturating_add(size)),
        })
    }

    fn error(&self, error: &JsValue) -> StoreError {
        told(&self.name, error)
    }
}

impl RandomAccess for OpenFile {
    fn size(&self) -> Result<u64, StoreError> {
        Ok(self.size.get())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = with("at", (offset + filled as u64) as f64);
            let read = self.handle.0.read(&mut buffer[filled..], &at);
            match read.map_err(|error| self.error(&error))? as usize {
                0 => break,
                count => filled = (filled + count).min(buffer.len()),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let mut offset = offset;
        for piece in bytes.chunks(PIECE) {
            let mut rest = piece;
            while !rest.is_empty() {
                let written = self.handle.0.write(rest, &with("at", offset as f64));
                let count = written.map_err(|error| self.error(&error))? as usize;
                if count == 0 {
                    return Err(StoreError::Full {
                        path: self.name.clone(),
                    });
                }
                let count = count.min(rest.len());
                offset += count as u64;
                rest = &rest[count..];
                self.size.set(self.size.get().max(offset));
            }
        }
        Ok(())
    }

    fn truncate(&mut self, size: u64) -> Result<(), StoreError> {
        let cut = self.handle.0.truncate(size as f64);
        cut.map_err(|error| self.error(&error))?;
        self.size.set(size);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.handle.0.flush().map_err(|error| self.error(&error))
    }

    fn free_bytes(&self) -> Option<u64> {
        Some(self.most?.saturating_sub(self.size.get()))
    }
}
