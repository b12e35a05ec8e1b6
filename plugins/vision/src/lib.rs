//! Cameras, simulated cameras and video codecs.
//!
//! [`camera`]: frames of real cameras, of the simulated scene, of files and of a test pattern, each
//! stamped when it was taken, with its source's health. [`raster`]: draws what a simulated camera
//! sees, in software, the same bits on every target. [`codec`]: H.264 out of frames, and pictures out
//! of H.264 and AV1.
//!
//! What is not here: datasets, robots, Bevy. Times are seconds on the clock that the services of a
//! process share; pictures are sRGB, 8 bits a channel, rows from the top; lengths metres.
//!
//! What differs between a window and a browser is in `native.rs` and `web.rs`.

pub mod camera;
pub mod codec;
mod frame;
pub mod raster;
#[cfg(any(test, target_family = "wasm"))]
pub mod web;

pub use camera::{Camera, CameraError, Now, read_number};
pub use frame::{Frame, Pixels, rgb_bytes};

/// Whether work runs beside its owner or within its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// On threads of its own, natively.
    Live,
    /// Within the calls, on the caller's thread: the same calls give the same results.
    Stepped,
}
