//! A test pattern: colours, something that moves, and the frame's number as black and white cells
//! that [`read_number`] reads back, also after video coding.

use core::ops::Range;

use super::drawn::{Artist, DrawnSource, Job};
use super::{CameraError, platform};
use crate::Pace;
use crate::frame::rgb_bytes;

/// Width and height if none are asked for, pixels.
pub(super) const SIZE: [u32; 2] = [640, 480];
/// Frames a second.
pub(super) const FPS: f64 = 30.0;
/// Cells of the number: columns and rows, in the lowest quarter of the picture.
const CELLS: [u32; 2] = [8, 4];
/// Bits of the number; the others check them.
const NUMBER_BITS: u32 = 24;
/// No picture's side has more pixels: nothing overflows.
const LONGEST: u32 = 1 << 24;
/// Factor of the check, a prime.
const CHECK: u64 = 167;
/// Colours of the bars.
const BARS: [[u8; 3]; 7] = [
    [196, 196, 196],
    [196, 184, 40],
    [48, 180, 190],
    [60, 176, 72],
    [190, 60, 176],
    [196, 56, 48],
    [52, 76, 196],
];

/// Opens a pattern of this size.
pub(super) fn open(size: Option<[u32; 2]>, pace: Pace) -> Result<DrawnSource, CameraError> {
    let pattern = Pattern {
        size: size.unwrap_or(SIZE),
    };
    let studio = platform::studio("test pattern", Box::new(pattern), pace)?;
    Ok(DrawnSource::by_clock(studio, FPS))
}

struct Pattern {
    size: [u32; 2],
}

impl Artist for Pattern {
    fn draw(&mut self, job: &Job, rgb: &mut Vec<u8>) -> Result<[u32; 2], String> {
        let [width, height] = self.size;
        rgb.resize(rgb_bytes(self.size).unwrap_or_default(), 0);
        let code = code(job.number);
        let picture_height = height - height / 4;
        // A ball that goes round once in four seconds, and a stripe that crosses once in two.
        let turn = core::f64::consts::TAU * (job.number % 120) as f64 / 120.0;
        let (sin, cos) = libm::sincos(turn);
        let radius = f64::from(picture_height) * 0.11;
        let center = [
            f64::from(width) * (0.5 + 0.32 * cos),
            f64::from(picture_height) * (0.5 + 0.32 * sin),
        ];
        let stripe = (job.number % 60) as u32 * width / 60;
        let stripe = stripe..stripe + (width / 80).max(1);
        // Every row is some spans of one colour each.
        for (y, row) in (0_u32..).zip(rgb.chunks_exact_mut(3 * width as usize)) {
            let row = row.as_chunks_mut::<3>().0;
            if y >= picture_height {
                let line = (y - picture_height) * CELLS[1] / (height - picture_height);
                for column in 0..CELLS[0] {
                    let bit = code >> (line * CELLS[0] + column) & 1;
                    let colour = if bit == 1 { [235; 3] } else { [20; 3] };
                    fill(row, part(column, CELLS[0], width), colour);
                }
                continue;
            }
            let shade = 150 + 105 * (picture_height - y) / picture_height;
            for (bar, colour) in (0_u32..).zip(BARS) {
                let colour = colour.map(|value| (u32::from(value) * shade / 255) as u8);
                fill(row, part(bar, BARS.len() as u32, width), colour);
            }
            fill(row, stripe.clone(), [16, 18, 22]);
            let dy = f64::from(y) - center[1];
            let half = radius * radius - dy * dy;
            if half > 0.0 {
                let half = libm::sqrt(half);
                let ends = [center[0] - half, center[0] + half].map(|end| libm::ceil(end) as u32);
                fill(row, ends[0]..ends[1], [245, 245, 240]);
            }
        }
        Ok(self.size)
    }
}

/// The pixels of part number `index`, of `count` over a length.
fn part(index: u32, count: u32, length: u32) -> Range<u32> {
    let begin = |index: u32| (index * length).div_ceil(count);
    begin(index)..begin(index + 1)
}

/// Colours a span of a row, as far as it lies in it.
fn fill(row: &mut [[u8; 3]], span: Range<u32>, colour: [u8; 3]) {
    let end = (span.end as usize).min(row.len());
    if let Some(span) = row.get_mut(span.start as usize..end) {
        span.fill(colour);
    }
}

/// The cells' bits: number and check.
fn code(number: u64) -> u64 {
    let number = number % (1 << NUMBER_BITS);
    number | (check(number) << NUMBER_BITS)
}

fn check(number: u64) -> u64 {
    // Never all black nor all white.
    (number % CHECK + 45) & 0xff
}

/// Reads a test pattern's frame number (modulo 2²⁴) out of a picture of any size: RGB, rows from the
/// top. `None` if there is none to be read.
#[must_use]
pub fn read_number(size: [u32; 2], rgb: &[u8]) -> Option<u64> {
    let [width, height] = size;
    let pixels = rgb.as_chunks::<3>().0;
    if rgb_bytes(size)? > rgb.len() || size.iter().any(|side| !(16..=LONGEST).contains(side)) {
        return None;
    }
    let first = height - height / 4;
    let mut code = 0_u64;
    for bit in 0..CELLS[0] * CELLS[1] {
        let x = middle(bit % CELLS[0], CELLS[0], width);
        let y = first + middle(bit / CELLS[0], CELLS[1], height - first);
        let sum: u32 = pixels[y as usize * width as usize + x as usize]
            .iter()
            .map(|value| u32::from(*value))
            .sum();
        code |= u64::from(sum > 3 * 128) << bit;
    }
    let number = code % (1 << NUMBER_BITS);
    (code >> NUMBER_BITS == check(number)).then_some(number)
}

/// The pixel in the middle of a cell, of `count` over a length.
fn middle(cell: u32, count: u32, length: u32) -> u32 {
    let part = part(cell, count, length);
    (part.start + part.end) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_back(number: u64, width in 16_u32..200, height in 16_u32..200) {
            let mut rgb = Vec::new();
            let job = Job { number, ..Job::default() };
            let size = Pattern { size: [width, height] }.draw(&job, &mut rgb).expect("drawn");
            prop_assert_eq!(read_number(size, &rgb), Some(number % (1 << 24)));
        }

        #[test]
        fn other_pictures_have_no_number(
            rgb in prop::collection::vec(any::<u8>(), 0..3000),
            size in any::<[u32; 2]>(),
        ) {
            prop_assert!(read_number(size, &rgb).is_none_or(|number| number < 1 << 24));
            prop_assert_eq!(read_number([32, 32], &vec![rgb.len() as u8; 3072]), None);
        }
    }
}
