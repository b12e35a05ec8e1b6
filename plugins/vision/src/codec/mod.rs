//! Video encoding and decoding.
//!
//! [`Encoder`] makes H.264 as LeRobot's datasets want it: constant quality, every second frame a
//! key frame, no frame refers to a later one, so packets are in the order of display. Packets are
//! as MP4 has them (lengths of four bytes, parameter sets in the description only). [`Decoder`]
//! gives pictures back.
//!
//! Natively it is openh264, built from source, and for AV1 (LeRobot's default) rav1d; in the browser
//! `WebCodecs`, which decodes what the browser can. Both work by pushing and polling, as browsers
//! have it.
//!
//! Colours are BT.601 with limited range, and say so, which every decoder takes the same way. An AV1
//! video that doesn't say is taken for that too, as `FFmpeg` does.

#[cfg(not(target_family = "wasm"))]
mod av1;
#[cfg_attr(
    target_family = "wasm",
    expect(
        dead_code,
        reason = "a browser's encoder makes the parameter sets itself"
    )
)]
mod avcc;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
mod rows;
#[cfg(target_family = "wasm")]
pub(crate) mod web;
#[cfg_attr(
    target_family = "wasm",
    expect(dead_code, reason = "a browser's decoder makes RGB itself")
)]
pub(crate) mod yuv;

#[cfg(not(target_family = "wasm"))]
pub use native::{Decoder, Encoder};
#[cfg(target_family = "wasm")]
pub use web::{Decoder, Encoder};

use crate::frame::Frame;

/// Every so many frames is a key frame, from the first on.
pub const KEY_INTERVAL: u32 = 2;
/// Frames that may wait for the encoder before [`Encoder::push`] refuses more.
pub const QUEUE_FRAMES: usize = 8;
/// The least and the greatest side that can be encoded, pixels. AV1 is not decoded beyond the greatest.
const SIDES: std::ops::RangeInclusive<u32> = 16..=3840;
/// The greatest area, pixels: 3840 × 2160. For decoding AV1 too.
const MAX_PIXELS: u64 = 3840 * 2160;

/// An encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The number that its frame was pushed with.
    pub row: u32,
    /// Whether decoding can begin here.
    pub key: bool,
    /// NAL units, each behind its length (four bytes, big end first).
    pub bytes: Vec<u8>,
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The number that its sample was pushed with.
    pub row: u32,
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// Red, green, blue, 8 bits each, sRGB, rows from the top without gaps.
    pub rgb: Vec<u8>,
}

/// The encoder is behind: the frame back, to be pushed again or counted as lost.
#[derive(Debug)]
pub struct Busy(pub Frame);

/// Which codec a stream is of, with its configuration out of the MP4 file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// H.264 and the content of its `avcC` box.
    H264(Vec<u8>),
    /// AV1 and the content of its `av1C` box.
    Av1(Vec<u8>),
}

/// Why a video can't be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A size that the codec can't take.
    #[error(
        "pictures of {width}×{height} pixels can't be encoded; width and height have to be even \
         and 16 to 3840, with at most 3840×2160 pixels in all: choose another resolution for \
         the camera"
    )]
    Size {
        /// Width, pixels.
        width: u32,
        /// Height, pixels.
        height: u32,
    },
    /// A frame of another size than the encoder was made for.
    #[error(
        "a frame has {}×{} pixels; expected {}×{}: a video keeps its resolution, open the camera \
         again", got[0], got[1], expected[0], expected[1]
    )]
    FrameSize {
        /// The frame's width and height.
        got: [u32; 2],
        /// The video's.
        expected: [u32; 2],
    },
    /// The stream's description can't be used.
    #[error(
        "the video's description is damaged: {0}; the file has to be repaired or recorded again"
    )]
    Description(String),
    /// A sample is damaged.
    #[error(
        "a frame of the video is damaged: {0}; the frames from the next key frame on may be whole"
    )]
    Sample(String),
    /// The encoder or decoder failed.
    #[error("the video {what} failed: {why}")]
    Failed {
        /// `encoder` or `decoder`.
        what: &'static str,
        /// What it says.
        why: String,
    },
    /// This build has no decoder for it.
    #[error("{0} can't be decoded here; convert the video to H.264")]
    Unsupported(&'static str),
}

/// Checks that pictures of this size can be encoded.
///
/// # Errors
/// [`CodecError::Size`], which says what sizes can.
pub fn check_size([width, height]: [u32; 2]) -> Result<(), CodecError> {
    let even = width.is_multiple_of(2) && height.is_multiple_of(2);
    let area = u64::from(width) * u64::from(height);
    if even && SIDES.contains(&width) && SIDES.contains(&height) && area <= MAX_PIXELS {
        return Ok(());
    }
    Err(CodecError::Size { width, height })
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
