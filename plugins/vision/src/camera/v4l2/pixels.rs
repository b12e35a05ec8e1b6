//! From what cameras send to RGB.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::driver::{Format, JPEG, MJPG, YUYV};
use crate::codec::yuv::rgb_of;
use crate::frame::rgb_bytes;

/// Makes RGB of a picture. What `rgb` held before is overwritten.
///
/// # Errors
/// What is wrong with the picture: cut short, damaged, of another size.
pub(super) fn convert(format: &Format, bytes: &[u8], rgb: &mut Vec<u8>) -> Result<(), String> {
    let length = rgb_bytes(format.size).ok_or("it is too large")?;
    rgb.resize(length, 0);
    match format.pixel_format {
        YUYV => yuyv(format, bytes, rgb),
        MJPG | JPEG => jpeg(format, bytes, rgb),
        other => Err(format!(
            "its format is `{}`; expected YUYV or MJPG",
            String::from_utf8_lossy(&other.to_le_bytes())
        )),
    }
}

/// Two pixels are luma, blue, luma, red.
fn yuyv(format: &Format, bytes: &[u8], rgb: &mut [u8]) -> Result<(), String> {
    let [width, height] = format.size.map(|side| side as usize);
    let line = width.div_ceil(2) * 4;
    let stride = line.max(format.bytes_per_line as usize);
    let expected = stride * height.saturating_sub(1) + line;
    if width == 0 || bytes.len() < expected {
        return Err(format!(
            "it has {} bytes; expected {expected}: it is cut short",
            bytes.len()
        ));
    }
    for (row, line) in rgb.chunks_exact_mut(3 * width).zip(bytes.chunks(stride)) {
        let (pairs, last) = row.as_chunks_mut::<6>();
        let mut quads = line.as_chunks::<4>().0.iter();
        for (pair, [first, blue, second, red]) in pairs.iter_mut().zip(&mut quads) {
            let [a, b, c] = rgb_of(*first, *blue, *red);
            let [d, e, f] = rgb_of(*second, *blue, *red);
            *pair = [a, b, c, d, e, f];
        }
        if let (Ok(last), Some([luma, blue, _, red])) =
            (<&mut [u8; 3]>::try_from(last), quads.next())
        {
            *last = rgb_of(*luma, *blue, *red);
        }
    }
    Ok(())
}

fn jpeg(format: &Format, bytes: &[u8], rgb: &mut [u8]) -> Result<(), String> {
    let [width, height] = format.size.map(|side| side as usize);
    let options = DecoderOptions::new_fast()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(width)
        .set_max_height(height);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| error.to_string())?;
    let got = decoder.dimensions();
    if got != Some((width, height)) {
        return Err(format!(
            "it has {} pixels; expected {width}×{height}",
            got.map_or("no".to_owned(), |(width, height)| format!(
                "{width}×{height}"
            ))
        ));
    }
    decoder.decode_into(rgb).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn yuyv_rows_may_have_gaps_and_odd_widths() {
        let format = Format {
            pixel_format: YUYV,
            size: [3, 2],
            bytes_per_line: 12,
        };
        let row = [16, 128, 235, 128, 126, 128, 0, 128];
        let bytes = [&row[..], &[9; 4], &row].concat();
        let mut rgb = Vec::new();
        convert(&format, &bytes, &mut rgb).expect("whole");
        let line = [0, 0, 0, 255, 255, 255, 128, 128, 128];
        assert_eq!(rgb, [line, line].concat());
        let error = convert(&format, &bytes[1..], &mut rgb).expect_err("cut");
        assert!(error.contains("19 bytes; expected 20"), "{error}");
    }

    /// A JPEG of 16×16 gray pixels, made by hand: one quantisation table of ones, the two shortest
    /// Huffman tables, and four blocks whose mean is the middle.
    fn gray_jpeg() -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        bytes.extend([1; 64]);
        bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0]);
        for class in [0, 0x10] {
            bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
            bytes.extend([0; 15]);
            bytes.push(0);
        }
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        // A zero bit for each block's mean and one for its end.
        bytes.extend([0, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn jpegs_become_rgb() {
        let mut format = Format {
            pixel_format: MJPG,
            size: [16, 16],
            bytes_per_line: 0,
        };
        let mut rgb = Vec::new();
        convert(&format, &gray_jpeg(), &mut rgb).expect("a whole picture");
        assert!(rgb.len() == 768 && rgb.iter().all(|value| value.abs_diff(128) <= 1));
        format.size = [8, 8];
        assert!(convert(&format, &gray_jpeg(), &mut rgb).is_err());
        format.pixel_format = u32::from_le_bytes(*b"H264");
        let error = convert(&format, &[], &mut rgb).expect_err("unknown");
        assert!(error.contains("H264") && error.contains("YUYV"), "{error}");
    }

    proptest! {
        #[test]
        fn damaged_pictures_are_errors(
            cut in 0_usize..220,
            change in 0_usize..220,
            with: u8,
            size in prop::array::uniform2(0_u32..40),
            motion: bool,
        ) {
            let mut bytes = gray_jpeg();
            bytes.truncate(cut);
            if let Some(byte) = bytes.get_mut(change) {
                *byte = with;
            }
            let pixel_format = if motion { MJPG } else { YUYV };
            let format = Format { pixel_format, size, bytes_per_line: u32::from(with) };
            convert(&format, &bytes, &mut Vec::new()).ok();
        }
    }
}
