//! One open file of the browser's storage.

use forearm_dataset::store::{RandomAccess, StoreError};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsValue;

use super::binding::{AccessHandle, with};
use super::told;

/// A file that nobody else has open. It is closed when this is dropped.
pub(super) struct OpenFile {
    name: String,
    handle: SendWrapper<Handle>,
    /// What the browser lets this page keep beside this file, bytes, as it was when it was opened.
    room: Option<u64>,
    bytes_then: u64,
}

struct Handle(AccessHandle);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}
