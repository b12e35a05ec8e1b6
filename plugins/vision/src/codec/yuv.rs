//! Between RGB and Y′CbCr, in integers: the same on every target.
//!
//! What Forearm makes is BT.601 with limited range; what others made may be coded otherwise
//! ([`Coding`]). Factors are ITU-R BT.601's (luma 0.299, 0.587, 0.114; 219 steps of luma from 16, 224 of chroma
//! about 128), times 65 536.

const SHIFT: i32 = 16;
const HALF: i32 = 1 << (SHIFT - 1);
const LUMA: [i32; 3] = [16829, 33039, 6416];
const BLUE: [i32; 3] = [-9714, -19071, 28785];
const RED: [i32; 3] = [28785, -24104, -4681];

/// A picture in Y′CbCr 4:2:0, planes without gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Planes {
    /// Width and height, pixels; even.
    pub(crate) size: [usize; 2],
    /// Luma, blue and red difference.
    pub(crate) planes: [Vec<u8>; 3],
}

/// Planes somewhere else, with strides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaneSlices<'a> {
    pub(crate) size: [usize; 2],
    pub(crate) planes: [&'a [u8]; 3],
    pub(crate) strides: [usize; 3],
    /// Pixels a sample of chroma is for, across and down: 1 or 2.
    pub(crate) shared: [usize; 2],
    pub(crate) coding: Coding,
}

/// How a picture's luma and chroma become RGB. Factors are times 65 536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    /// Luma of black.
    black: i32,
    luma: i32,
    red_of_red: i32,
    green_of_blue: i32,
    green_of_red: i32,
    blue_of_blue: i32,
}

impl Coding {
    /// BT.601 with limited range.
    pub(crate) const BT601: Self = Self {
        black: 16,
        luma: 76_309,
        red_of_red: 104_597,
        green_of_blue: 25_675,
        green_of_red: 53_279,
        blue_of_blue: 132_201,
    };
    /// BT.601 with full range, as JPEG has it.
    pub(crate) const BT601_FULL: Self = Self {
        black: 0,
        luma: 65_536,
        red_of_red: 91_881,
        green_of_blue: 22_554,
        green_of_red: 46_802,
        blue_of_blue: 116_130,
    };
    /// BT.709 with limited range.
    pub(crate) const BT709: Self = Self {
        black: 16,
        luma: 76_309,
        red_of_red: 117_489,
        green_of_blue: 13_975,
        green_of_red: 34_925,
        blue_of_blue: 138_438,
    };
    /// BT.709 with full range.
    pub(crate) const BT709_FULL: Self = Self {
        black: 0,
        luma: 65_536,
        red_of_red: 103_206,
        green_of_blue: 12_276,
        green_of_red: 30_679,
        blue_of_blue: 121_609,
    };

    /// One pixel's RGB. `luma`, `blue` and `red` are as they stand in the planes.
    fn rgb_of(&self, luma: u8, blue: u8, red: u8) -> [u8; 3] {
        let luma = (i32::from(luma) - self.black) * self.luma + HALF;
        let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
        let clamp = |value: i32| (value >> SHIFT).clamp(0, 255) as u8;
        [
            clamp(luma + self.red_of_red * red),
            clamp(luma - self.green_of_blue * blue - self.green_of_red * red),
            clamp(luma + self.blue_of_blue * blue),
        ]
    }
}

impl Planes {
    /// Takes a picture over; allocates only when it is greater than those before. `rgb` has at
    /// least 3 × width × height bytes, `size` is even.
    pub(crate) fn read_rgb(&mut self, size: [usize; 2], rgb: &[u8]) {
        let [width, height] = size;
        let quarter = (width / 2) * (height / 2);
        self.size = size;
        for (plane, length) in self
            .planes
            .iter_mut()
            .zip([width * height, quarter, quarter])
        {
            plane.resize(length, 0);
        }
        let [luma, blue, red] = &mut self.planes;
        let rows = rgb
            .chunks_exact((6 * width).max(1))
            .zip(luma.chunks_exact_mut((2 * width).max(1)))
            .zip(blue.chunks_exact_mut((width / 2).max(1)))
            .zip(red.chunks_exact_mut((width / 2).max(1)));
        for (((rgb, luma), blue), red) in rows {
            let (upper, lower) = rgb.split_at(3 * width);
            let (upper_luma, lower_luma) = luma.split_at_mut(width);
            luma_of(upper, upper_luma);
            luma_of(lower, lower_luma);
            let pairs = upper
                .as_chunks::<6>()
                .0
                .iter()
                .zip(lower.as_chunks::<6>().0);
            for ((blue, red), (upper, lower)) in blue.iter_mut().zip(red).zip(pairs) {
                let mean = |channel: usize| {
                    i32::from(upper[channel])
                        + i32::from(upper[channel + 3])
                        + i32::from(lower[channel])
                        + i32::from(lower[channel + 3])
                };
                let [r, g, b] = [mean(0), mean(1), mean(2)];
                let chroma = |[x, y, z]: [i32; 3]| {
                    // Sums of four: two bits more.
                    ((x * r + y * g + z * b + (128 << (SHIFT + 2)) + (HALF << 2)) >> (SHIFT + 2))
                        as u8
                };
                *blue = chroma(BLUE);
                *red = chroma(RED);
            }
        }
    }
}

fn luma_of(rgb: &[u8], luma: &mut [u8]) {
    for (pixel, luma) in rgb.as_chunks::<3>().0.iter().zip(luma) {
        let [r, g, b] = pixel.map(i32::from);
        let sum = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
        *luma = ((sum + (16 << SHIFT) + HALF) >> SHIFT) as u8;
    }
}

/// One pixel's RGB, of BT.601 with limited range: what cameras send.
#[cfg(any(target_os = "linux", test))]
pub(crate) fn rgb_of(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    Coding::BT601.rgb_of(luma, blue, red)
}

impl PlaneSlices<'_> {
    /// Writes the picture as RGB. Planes that are too short leave black.
    pub(crate) fn write_rgb(&self, rgb: &mut Vec<u8>) {
        let [width, height] = self.size;
        let [across, down] = self.shared.map(|shared| shared.max(1));
        rgb.clear();
        rgb.resize(3 * width * height, 0);
        for (row, out) in rgb.chunks_exact_mut((3 * width).max(1)).enumerate() {
            let line = |plane: usize, row: usize, width: usize| {
                let first = row.checked_mul(self.strides[plane])?;
                self.planes[plane].get(first..)?.get(..width)
            };
            let chroma_width = width.div_ceil(across);
            let lines = (
                line(0, row, width),
                line(1, row / down, chroma_width),
                line(2, row / down, chroma_width),
            );
            let (Some(luma), Some(blue), Some(red)) = lines else {
                continue;
            };
            for (column, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let chroma = column / across;
                *pixel = self.coding.rgb_of(luma[column], blue[chroma], red[chroma]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// BT.601, limited range, in floating point.
    fn exact([r, g, b]: [u8; 3]) -> [f64; 3] {
        let [r, g, b] = [r, g, b].map(|value| f64::from(value) / 255.0);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        [
            16.0 + 219.0 * luma,
            128.0 + 224.0 * (b - luma) / 1.772,
            128.0 + 224.0 * (r - luma) / 1.402,
        ]
    }

    proptest! {
        #[test]
        fn conversions_are_within_half_a_step_of_the_standard(color: [u8; 3]) {
            let mut planes = Planes::default();
            planes.read_rgb([2, 2], &color.repeat(4));
            let got = planes.planes.each_ref().map(|plane| plane[0]);
            for (got, exact) in got.iter().zip(exact(color)) {
                prop_assert!((f64::from(*got) - exact).abs() < 0.51, "{got} {exact}");
            }
            // Eight bits of luma and chroma don't hold more than this.
            for (back, color) in rgb_of(got[0], got[1], got[2]).iter().zip(color) {
                prop_assert!(back.abs_diff(color) <= 2, "{back} {color}");
            }
        }
    }

    #[test]
    fn chroma_is_the_mean_of_four_pixels() {
        let mut planes = Planes::default();
        let rgb = [[255, 0, 0], [0, 0, 255], [0, 0, 255], [255, 0, 0]].concat();
        planes.read_rgb([2, 2], &rgb);
        let mean = exact([128, 0, 128]);
        assert!((f64::from(planes.planes[1][0]) - mean[1]).abs() < 1.5);
        assert!((f64::from(planes.planes[2][0]) - mean[2]).abs() < 1.5);
        assert_ne!(planes.planes[0][0], planes.planes[0][1]);
    }

    #[test]
    fn planes_too_short_are_black_and_no_panic() {
        let slices = PlaneSlices {
            size: [4, 4],
            planes: [&[200; 8], &[128; 2], &[]],
            strides: [4, 2, 2],
            shared: [2, 2],
            coding: Coding::BT601,
        };
        let mut rgb = Vec::new();
        slices.write_rgb(&mut rgb);
        assert_eq!(rgb, [0; 48]);
    }
}
