//! In the browser an `ArrayBuffer`, transferred between threads.

use js_sys::{ArrayBuffer, Float32Array, Float64Array, Uint8Array};
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

    /// Writes the numbers that the bytes are, little-endian, into `out`; answers whether there are
    /// exactly as many. Nothing is allocated in WASM memory.
    #[must_use]
    pub fn read_f32(&self, out: &mut [f32]) -> bool {
        let fits = self.len() == size_of_val(out);
        if fits {
            Float32Array::new(&self.0).copy_to(out);
        }
        fits
    }

    /// The same for numbers of eight bytes.
    #[must_use]
    pub fn read_f64(&self, out: &mut [f64]) -> bool {
        let fits = self.len() == size_of_val(out);
        if fits {
            Float64Array::new(&self.0).copy_to(out);
        }
        fits
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
impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Uint8Array::from(bytes).buffer().into()
    }
}

/// One copy, out of WASM memory; little-endian, as WASM is.
impl From<&[f32]> for Buffer {
    fn from(numbers: &[f32]) -> Self {
        Float32Array::from(numbers).buffer().into()
    }
}

/// One copy, out of WASM memory; little-endian, as WASM is.
impl From<&[f64]> for Buffer {
    fn from(numbers: &[f64]) -> Self {
        Float64Array::from(numbers).buffer().into()
    }
}

/// One copy, out of WASM memory.
impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Uint8Array::from(bytes.as_slice()).buffer().into()
    }
}
