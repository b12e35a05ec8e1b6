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
