//! A frame: what a camera saw, when, and its number.

#[cfg(target_family = "wasm")]
use crate::camera::web::Picture;

/// One picture of a camera.
#[derive(Debug)]
pub struct Frame {
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// The picture.
    pub pixels: Pixels,
    /// When it was taken, seconds on the shared clock.
    pub captured_secs: f64,
    /// Its number since the camera was opened, from 0. A number that is left out was dropped.
    pub number: u64,
}

/// A picture's pixels.
#[derive(Debug)]
pub enum Pixels {
    /// Red, green, blue, 8 bits each, sRGB, rows from the top without gaps.
    Rgb(Vec<u8>),
    /// A frame that the browser holds; closed when it is dropped.
    #[cfg(target_family = "wasm")]
    Video(Picture),
}

impl Frame {
    /// The pixels as RGB, if they are at hand: natively always.
    #[must_use]
    pub fn rgb(&self) -> Option<&[u8]> {
        match &self.pixels {
            Pixels::Rgb(pixels) => Some(pixels),
            #[cfg(target_family = "wasm")]
            Pixels::Video(_) => None,
        }
    }
}

/// How many bytes an RGB picture has; `None` for one that can't be held.
#[must_use]
pub fn rgb_bytes([width, height]: [u32; 2]) -> Option<usize> {
    (width as usize)
        .checked_mul(height as usize)?
        .checked_mul(3)
}
