//! A frame: what a camera saw, when, and its number.

#[cfg(target_family = "wasm")]
use crate::camera::web::Picture;

/// One picture of a camera.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
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

    /// The picture made small: every n-th pixel of every n-th row as RGB into `out`, at most
    /// [`SMALL_WIDTH`] wide. Its width and height.
    pub fn small(&self, out: &mut Vec<u8>) -> [u32; 2] {
        out.clear();
        match &self.pixels {
            Pixels::Rgb(pixels) => thin(self.size, pixels, out),
            #[cfg(target_family = "wasm")]
            Pixels::Video(picture) => {
                let (size, rgb) = picture.small();
                out.extend_from_slice(rgb);
                size
            }
        }
    }
}

/// The greatest width of a small picture, pixels.
pub(crate) const SMALL_WIDTH: u32 = 320;

fn thin([width, height]: [u32; 2], rgb: &[u8], out: &mut Vec<u8>) -> [u32; 2] {
    let step = width.div_ceil(SMALL_WIDTH).max(1) as usize;
    let row_bytes = width as usize * 3;
    if row_bytes == 0 || rgb.len() < row_bytes * height as usize {
        return [0; 2];
    }
    for row in rgb
        .chunks_exact(row_bytes)
        .take(height as usize)
        .step_by(step)
    {
        let (pixels, _) = row.as_chunks::<3>();
        for pixel in pixels.iter().step_by(step) {
            out.extend_from_slice(pixel);
        }
    }
    [width, height].map(|side| side.div_ceil(step as u32))
}

/// How many bytes an RGB picture has; `None` for one that can't be held.
#[must_use]
pub fn rgb_bytes([width, height]: [u32; 2]) -> Option<usize> {
    (width as usize)
        .checked_mul(height as usize)?
        .checked_mul(3)
}
