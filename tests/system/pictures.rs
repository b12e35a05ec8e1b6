//! Reads pictures, and compares them with golden ones.
//!
//! Two thresholds decide: how far a pixel may be off, and how many pixels may be further off.
//! `UPDATE_SNAPSHOTS=1` writes what was seen as the new golden.

use std::collections::HashSet;
use std::path::Path;

use image::{Rgb, RgbImage};

use crate::app::{root, scratch};

/// How much a picture may differ from its golden.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    /// A pixel counts as the same if no channel is further off than this (of 255).
    pub(crate) channel: u8,
    /// The share of pixels that may differ.
    pub(crate) share: f64,
}

/// Reads a PNG file.
pub(crate) fn read(path: &Path) -> RgbImage {
    image::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .to_rgb8()
}

/// The part of a picture that starts at `x`, `y`.
pub(crate) fn crop(picture: &RgbImage, [x, y]: [u32; 2], [width, height]: [u32; 2]) -> RgbImage {
    let whole = picture.dimensions();
    assert!(
        x + width <= whole.0 && y + height <= whole.1,
        "{whole:?} is too small"
    );
    image::imageops::crop_imm(picture, x, y, width, height).to_image()
}

/// How many colours a picture has. A blank one has 1.
pub(crate) fn colors(picture: &RgbImage) -> usize {
    picture.pixels().collect::<HashSet<_>>().len()
}

/// Compares with `tests/goldens/NAME.png`.
pub(crate) fn assert_golden(name: &str, seen: &RgbImage, tolerance: Tolerance) {
    let golden_path = root().join("tests/goldens").join(format!("{name}.png"));
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(root().join("tests/goldens")).expect("a folder can be made");
        seen.save(&golden_path).expect("the golden can be written");
        return;
    }
    let difference = if golden_path.is_file() {
        Difference::between(&read(&golden_path), seen, tolerance.channel)
    } else {
        Err("there is no golden".to_owned())
    };
    let problem = match &difference {
        Ok(difference) if difference.share <= tolerance.share => return,
        Ok(difference) => format!(
            "{:.2} % of its pixels are off by more than {} of 255; allowed are {:.2} %",
            difference.share * 100.0,
            tolerance.channel,
            tolerance.share * 100.0
        ),
        Err(problem) => problem.clone(),
    };
    let folder = scratch("goldens");
    let actual = folder.join(format!("{name}.actual.png"));
    seen.save(&actual).expect("the build folder can be written");
    let mut shown = format!("seen: {}", actual.display());
    if let Ok(difference) = difference {
        let path = folder.join(format!("{name}.difference.png"));
        difference
            .picture
            .save(&path)
            .expect("the build folder can be written");
        shown += &format!("\ndifference: {}", path.display());
    }
    panic!(
        "{name} does not look as it did: {problem}\ngolden: {}\n{shown}\n\
         if it is meant to look so: `cargo xtask goldens --update`",
        golden_path.display()
    );
}

/// What differs between two pictures of one size.
#[derive(Debug)]
struct Difference {
    /// The share of pixels that are off by more than allowed.
    share: f64,
    /// Those pixels white, the others the golden's, dark.
    picture: RgbImage,
}

impl Difference {
    fn between(golden: &RgbImage, seen: &RgbImage, channel: u8) -> Result<Self, String> {
        if golden.dimensions() != seen.dimensions() {
            let (is, was) = (seen.dimensions(), golden.dimensions());
            return Err(format!("it is {}×{}, was {}×{}", is.0, is.1, was.0, was.1));
        }
        let mut different = 0_u32;
        let mut picture = golden.clone();
        for (shown, (golden, seen)) in picture.pixels_mut().zip(golden.pixels().zip(seen.pixels()))
        {
            let off = (0..3)
                .map(|index| golden.0[index].abs_diff(seen.0[index]))
                .max();
            *shown = if off > Some(channel) {
                different += 1;
                Rgb([255; 3])
            } else {
                Rgb(golden.0.map(|value| value / 4))
            };
        }
        let all = golden.width() * golden.height();
        Ok(Self {
            share: f64::from(different) / f64::from(all),
            picture,
        })
    }
}

#[test]
fn differences_are_counted() {
    let golden = RgbImage::from_pixel(10, 10, Rgb([100, 100, 100]));
    let mut seen = golden.clone();
    seen.put_pixel(3, 4, Rgb([100, 120, 100]));
    seen.put_pixel(5, 4, Rgb([100, 100, 200]));
    let share = |channel| Difference::between(&golden, &seen, channel).map(|found| found.share);
    assert_eq!(
        (share(0), share(19), share(20), share(99)),
        (Ok(0.02), Ok(0.02), Ok(0.01), Ok(0.01))
    );
    assert_eq!(share(100), Ok(0.0));
    let smaller = RgbImage::new(9, 10);
    assert!(Difference::between(&golden, &smaller, 255).is_err());
}
