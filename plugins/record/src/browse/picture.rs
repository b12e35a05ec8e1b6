//! Pictures of a dataset as they are shown: RGBA.

use super::{BrowseError, Shown};

/// The most pixels of a picture: 3840 × 2160.
const MOST_PIXELS: u64 = 3840 * 2160;

/// From RGB.
pub(super) fn from_rgb(size: [u32; 2], rgb: &[u8]) -> Shown {
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut rgba = vec![u8::MAX; pixels.len() * 4];
    for (pixel, shown) in pixels.iter().zip(rgba.as_chunks_mut::<4>().0) {
        shown[..3].copy_from_slice(pixel);
    }
    Shown { size, rgba }
}

/// From PNG.
pub(super) fn from_png(bytes: &[u8]) -> Result<Shown, BrowseError> {
    let damaged = |why: String| {
        BrowseError::Content(format!(
            "a PNG picture is damaged: {why}; repair the dataset"
        ))
    };
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder
        .read_info()
        .map_err(|error| damaged(error.to_string()))?;
    let info = reader.info();
    let size = [info.width, info.height];
    if u64::from(size[0]) * u64::from(size[1]) > MOST_PIXELS {
        return Err(damaged(format!(
            "{}×{} pixels are too many",
            size[0], size[1]
        )));
    }
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("it is too large".to_owned()))?;
    let mut pixels = vec![0; length];
    let frame = reader
        .next_frame(&mut pixels)
        .map_err(|error| damaged(error.to_string()))?;
    pixels.truncate(frame.buffer_size());
    let rgba = match frame.color_type {
        png::ColorType::Rgba => pixels,
        png::ColorType::Rgb => return Ok(from_rgb(size, &pixels)),
        png::ColorType::Grayscale => pixels.iter().flat_map(|v| [*v, *v, *v, 255]).collect(),
        png::ColorType::GrayscaleAlpha => {
            let (pixels, _) = pixels.as_chunks::<2>();
            pixels.iter().flat_map(|[v, a]| [*v, *v, *v, *a]).collect()
        }
        png::ColorType::Indexed => return Err(damaged("its palette is missing".to_owned())),
    };
    Ok(Shown { size, rgba })
}
