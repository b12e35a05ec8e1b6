//! In the browser an `ArrayBuffer`, transferred between threads.

use js_sys::{ArrayBuffer, Uint8Array};
use send_wrapper::SendWrapper;

/// Bytes that travel without a copy.
///
/// It is bound to its thread, as all of JavaScript is: only a message takes it to another one.
pub struct Buffer(SendWrapper<ArrayBuffer>);

impl Buffer {
    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.byte_length() as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the bytes in WASM memory.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        Uint8Array::new(&self.0).to_vec()
    }

    /// The bytes in WASM memory: one copy, for they come from outside.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.to_vec()
    }

    /// The buffer itself, to be looked at by JavaScript.
    #[must_use]
    pub fn as_js(&self) -> &ArrayBuffer {
        &self.0
    }

    /// The buffer itself, to be transferred or read by JavaScript.
    #[must_use]
    pub fn into_js(self) -> ArrayBuffer {
        self.0.take()
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        self.0.slice(0).into()
    }
}

impl From<ArrayBuffer> for Buffer {
    fn from(buffer: ArrayBuffer) -> Self {
        Self(SendWrapper::new(buffer))
    }
}

/// One copy, out of WASM memory.
impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Uint8Array::from(bytes.as_slice()).buffer().into()
    }
}
