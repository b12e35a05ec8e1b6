//! MP4 files of one video track: packets of an encoder put together without encoding again, and taken
//! apart for a decoder.
//!
//! What [`mux`] writes is what `LeRobot` can seek in: frame `k` is shown at exactly `k / fps`, the first
//! at 0, the timescale is a multiple of `fps`, the index stands before the pictures. What [`demux`] and
//! [`open`] read may come from other programs: several tracks (the first with video counts), frames
//! that are shown in another order than stored, edit lists that shift the beginning.

mod demux;
mod mux;
#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

pub use demux::{Sample, Track, demux, open};
pub use mux::{Packet, mux};

use crate::store::StoreError;

/// How pictures are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// H.264: packets are NAL units, each after its length in as many bytes as `avcC` says.
    H264,
    /// AV1: packets are OBUs without temporal delimiters.
    Av1,
}

impl Codec {
    /// What `LeRobot` calls it in `video.codec`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }
}

/// What a decoder has to know before the first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// How pictures are encoded.
    pub codec: Codec,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// The content of the `avcC` or `av1C` box, without the box's own header.
    pub config: Vec<u8>,
}

/// Why an MP4 file could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mp4Error {
    /// There is no picture.
    #[error("a video without a frame; record at least one row")]
    Empty,
    /// What was to be written can't be.
    #[error("the video can't be written: {why}; check the encoder's settings")]
    Unwritable {
        /// What is wrong.
        why: String,
    },
    /// It is no MP4 file, or a damaged one.
    #[error("no readable MP4 file: {why}; repair the dataset, or take the file from a copy")]
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// There is no video that is known here.
    #[error("the video is {found}, but only H.264 and AV1 are known here; convert it")]
    Codec {
        /// What it is.
        found: String,
    },
    /// The file could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mp4Error {
    fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged { why: why.into() }
    }

    fn unwritable(why: impl std::fmt::Display) -> Self {
        Self::Unwritable {
            why: why.to_string(),
        }
    }
}
