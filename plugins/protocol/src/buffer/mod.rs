//! Bytes that travel between threads without a copy: camera frames, observations, archives.
//!
//! Natively a vector. In the browser an `ArrayBuffer` outside WASM memory, so that it can be
//! transferred to a worker, or come from a camera, without passing through that memory.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub use native::Buffer;
#[cfg(target_family = "wasm")]
pub use web::Buffer;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Buffer {
    /// The numbers that the bytes are, little-endian; what is left of a last one is left out.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        let bytes = self.to_vec();
        let (whole, _) = bytes.as_chunks();
        whole
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    /// The same for numbers of eight bytes.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        let bytes = self.to_vec();
        let (whole, _) = bytes.as_chunks();
        whole
            .iter()
            .map(|bytes| f64::from_le_bytes(*bytes))
            .collect()
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.to_vec() == other.to_vec()
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}

/// Leaves no trace in the message: it travels beside it.
impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// Empty, until what travelled beside the message takes its place.
impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Self::default())
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::Buffer;

    #[test]
    fn numbers_go_in_and_out() {
        let numbers = [1.5_f32, -0.0, f32::MAX];
        let buffer = Buffer::from(&numbers[..]);
        assert_eq!(buffer.len(), 12);
        assert_eq!(buffer.to_f32(), numbers);
        let mut out = [0.0; 3];
        assert!(buffer.read_f32(&mut out));
        assert_eq!(out.map(f32::to_bits), numbers.map(f32::to_bits));
        assert!(!buffer.read_f32(&mut [0.0; 2]), "too many bytes");
        let numbers = [0.1_f64, f64::MIN];
        let buffer = Buffer::from(&numbers[..]);
        let mut out = [0.0; 2];
        assert!(buffer.read_f64(&mut out) && !buffer.read_f64(&mut [0.0; 3]));
        assert_eq!((out, buffer.to_f64()), (numbers, numbers.to_vec()));
    }
}
