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
        self.thinned::<3>(out)
    }

    /// The same as RGBA, for a screen.
    #[must_use]
    pub fn small_rgba(&self) -> ([u32; 2], Vec<u8>) {
        let mut out = Vec::new();
        let size = self.thinned::<4>(&mut out);
        (size, out)
    }

    /// With so many bytes a pixel.
    fn thinned<const BYTES: usize>(&self, out: &mut Vec<u8>) -> [u32; 2] {
        match &self.pixels {
            Pixels::Rgb(pixels) => thin::<BYTES>(self.size, pixels, out),
            #[cfg(target_family = "wasm")]
            Pixels::Video(picture) => {
                let (size, rgb) = picture.small();
                thin::<BYTES>(size, rgb, out)
            }
        }
    }
}

/// The greatest width of a small picture, pixels.
pub(crate) const SMALL_WIDTH: u32 = 320;

fn thin<const BYTES: usize>([width, height]: [u32; 2], rgb: &[u8], out: &mut Vec<u8>) -> [u32; 2] {
    out.clear();
    let step = width.div_ceil(SMALL_WIDTH).max(1);
    let row_bytes = width as usize * 3;
    if row_bytes == 0 || rgb.len() < row_bytes * height as usize {
        return [0; 2];
    }
    let size = [width, height].map(|side| side.div_ceil(step));
    let small_bytes = size[0] as usize * BYTES;
    out.resize(small_bytes * size[1] as usize, u8::MAX);
    let rows = rgb.chunks_exact(row_bytes).step_by(step as usize);
    for (row, small) in rows.zip(out.chunks_exact_mut(small_bytes)) {
        let pixels = row.as_chunks::<3>().0.iter().step_by(step as usize);
        for (pixel, small) in pixels.zip(small.as_chunks_mut::<BYTES>().0) {
            small[..3].copy_from_slice(pixel);
        }
    }
    size
}

/// How many bytes an RGB picture has; `None` for one that can't be held.
#[must_use]
pub fn rgb_bytes([width, height]: [u32; 2]) -> Option<usize> {
    (width as usize)
        .checked_mul(height as usize)?
        .checked_mul(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_have_every_nth_pixel() {
        let size = [700, 5];
        let rgb: Vec<u8> = (0..3 * 700 * 5).map(|byte| (byte % 251) as u8).collect();
        let frame = Frame {
            size,
            pixels: Pixels::Rgb(rgb.clone()),
            captured_secs: 0.0,
            number: 0,
        };
        let mut small = vec![7; 3];
        assert_eq!(frame.small(&mut small), [234, 2]);
        let expected = [0, 3].map(|y| (0..700).step_by(3).map(move |x| 3 * (y * 700 + x)));
        let expected: Vec<usize> = expected.into_iter().flatten().collect();
        let pixels: Vec<&[u8]> = expected.iter().map(|at| &rgb[*at..at + 3]).collect();
        assert_eq!(small, pixels.concat());
        let (size, rgba) = frame.small_rgba();
        assert_eq!(size, [234, 2]);
        let with_alpha = pixels.iter().map(|pixel| [pixel, &[255][..]].concat());
        assert_eq!(rgba, with_alpha.collect::<Vec<_>>().concat());
    }

    #[test]
    fn a_picture_with_too_few_bytes_has_no_small_one() {
        let frame = Frame {
            size: [64, 48],
            pixels: Pixels::Rgb(vec![0; 100]),
            captured_secs: 0.0,
            number: 0,
        };
        assert_eq!(frame.small_rgba(), ([0; 2], Vec::new()));
    }
}
