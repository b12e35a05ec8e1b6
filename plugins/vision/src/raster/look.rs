//! Colours and materials, as the window draws them: the same lights, exposure and tone curve.

use forearm_arm::Material;
use wide::f32x4;

/// What makes light of so many candela a square metre come out as 1: exposure value 9.7, which
/// suits rooms.
pub(super) const EXPOSURE: f32 = 0.001_001_91;
/// Brightness of the light from all around, candela a square metre, if the scene names none.
pub(super) const AMBIENT: f32 = 400.0;
/// The light from above, from the sides and from below, as shares of the ambient brightness.
pub(super) const SKY_LIGHT: [f32; 3] = [0.92, 0.97, 1.05];
/// See [`SKY_LIGHT`].
pub(super) const WALL_LIGHT: [f32; 3] = [0.62, 0.63, 0.66];
/// See [`SKY_LIGHT`].
pub(super) const GROUND_LIGHT: [f32; 3] = [0.4, 0.38, 0.35];
/// The backdrop straight above and at the horizon, and the floor; sRGB.
pub(super) const ZENITH: [f32; 3] = [0.115, 0.122, 0.138];
/// See [`ZENITH`].
pub(super) const HORIZON: [f32; 3] = [0.215, 0.225, 0.25];
/// See [`ZENITH`].
pub(super) const FLOOR: [f32; 3] = [0.205, 0.213, 0.235];
/// Colour of lamps that cast shadows, sRGB.
pub(super) const WARM: [f32; 3] = [1.0, 0.97, 0.93];
/// Colour of the light that fills shadows up, sRGB.
pub(super) const COOL: [f32; 3] = [0.86, 0.92, 1.0];

/// How a surface throws light back. Linear colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Surface {
    /// What it scatters.
    pub(super) diffuse: [f32; 3],
    /// What it mirrors, seen straight on.
    pub(super) mirror: [f32; 3],
    /// 0 (a mirror) to 1.
    pub(super) roughness: f32,
}

impl Surface {
    /// From what makers of materials know: a colour in sRGB, roughness, how metallic it is, and
    /// reflectance (0.5 is 4 % of light).
    pub(super) fn new(srgb: [f32; 3], roughness: f32, metallic: f32, reflectance: f32) -> Self {
        let base = srgb.map(linear);
        let dielectric = 0.16 * reflectance * reflectance * (1.0 - metallic);
        Self {
            diffuse: base.map(|value| value * (1.0 - metallic)),
            mirror: base.map(|value| dielectric + value * metallic),
            roughness,
        }
    }

    /// A material of an arm whose printed parts have the colour `printed`, sRGB.
    pub(super) fn of(material: Material, printed: [f32; 3]) -> Self {
        match material {
            Material::Printed => Self::new(printed, 0.62, 0.0, 0.35),
            Material::Servo => Self::new([0.2, 0.202, 0.21], 0.48, 0.0, 0.5),
            Material::Metal => Self::new([0.86, 0.87, 0.88], 0.38, 0.6, 0.5),
            Material::Rubber => Self::new([0.12, 0.12, 0.125], 0.9, 0.0, 0.3),
            Material::Color([red, green, blue, _]) => Self::new([red, green, blue], 0.6, 0.0, 0.4),
        }
    }
}

/// From an sRGB value to a linear one, both 0 to 1.
pub(super) fn linear(value: f32) -> f32 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        libm::powf((value + 0.055) / 1.055, 2.4)
    }
}

fn srgb(value: f64) -> f64 {
    if value <= 0.003_130_8 {
        12.92 * value
    } else {
        1.055 * libm::pow(value, 1.0 / 2.4) - 0.055
    }
}

/// From linear values to sRGB bytes.
#[derive(Debug, Clone)]
pub(super) struct Encoding(Box<[u8; STEPS]>);

const STEPS: usize = 4096;

impl Encoding {
    pub(super) fn new() -> Self {
        let mut table = Box::new([0; STEPS]);
        for (step, byte) in table.iter_mut().enumerate() {
            let value = step as f64 / (STEPS - 1) as f64;
            *byte = (srgb(value) * 255.0 + 0.5) as u8;
        }
        Self(table)
    }

    /// The bytes of linear values; what is not within 0 and 1 is taken as the nearer of the two.
    #[inline]
    pub(super) fn bytes(&self, values: &[f32], bytes: &mut [u8]) {
        const LAST: f32 = (STEPS - 1) as f32;
        let (values, rest) = values.as_chunks::<4>();
        debug_assert!(rest.is_empty(), "rows are of whole tiles");
        for (values, bytes) in values.iter().zip(bytes.chunks_mut(4)) {
            let steps = f32x4::new(*values) * f32x4::splat(LAST) + f32x4::splat(0.5);
            let steps = steps.fast_max(f32x4::ZERO).fast_min(f32x4::splat(LAST));
            let steps = steps.fast_trunc_int().to_array();
            for (byte, step) in bytes.iter_mut().zip(steps) {
                *byte = self.0[step as usize % STEPS];
            }
        }
    }
}

/// The tone curve, for four colours at once: what is brighter than white can be loses its colour
/// softly (Khronos PBR Neutral).
#[inline]
pub(super) fn tone([red, green, blue]: [f32x4; 3]) -> [f32x4; 3] {
    const START: f32 = 0.76;
    const ROOM: f32 = 1.0 - START;
    let number = f32x4::splat;
    let least = red.fast_min(green).fast_min(blue);
    let dark = least.simd_lt(number(0.08));
    let offset = dark.bitselect(least - number(6.25) * least * least, number(0.04));
    let [red, green, blue] = [red, green, blue].map(|value| value - offset);
    let peak = red.fast_max(green).fast_max(blue);
    let high = peak.simd_gt(number(START));
    if !high.any() {
        return [red, green, blue];
    }
    let over = (peak - number(START)).fast_max(f32x4::ZERO);
    let new_peak = f32x4::ONE - number(ROOM * ROOM) / (over + number(ROOM));
    let scale = high.bitselect(new_peak / peak, f32x4::ONE);
    let gray = f32x4::ONE / (number(0.15) * (peak - new_peak) + f32x4::ONE);
    let keep = high.bitselect(gray, f32x4::ONE);
    let white = new_peak * (f32x4::ONE - keep);
    [red, green, blue].map(|value| value * scale * keep + white)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_can_be_had_and_comes_back() {
        let encoding = Encoding::new();
        for byte in 0..=255_u8 {
            let mut bytes = [0; 4];
            encoding.bytes(&[linear(f32::from(byte) / 255.0); 4], &mut bytes);
            assert!(bytes.iter().all(|got| got.abs_diff(byte) <= 1), "{byte}");
        }
        let mut bytes = [7; 3];
        encoding.bytes(&[-3.0, 9.0, 1e30, f32::NAN], &mut bytes);
        assert_eq!(bytes, [0, 255, 255]);
    }

    #[test]
    fn the_tone_curve_rises_and_stays_below_white() {
        let mut last = -1.0;
        for step in 0..400 {
            let value = step as f32 * 0.05;
            let color = [value, 0.8 * value, 0.5 * value].map(f32x4::splat);
            let [red, green, blue] = tone(color).map(|value| value.to_array()[0]);
            assert!(red >= last && red <= 1.0, "{value}: {red}");
            assert!((0.0..=red + 1e-6).contains(&green) && green >= blue - 1e-6);
            last = red;
        }
        let gray = tone([f32x4::splat(0.3); 3])[0].to_array();
        assert!((gray[0] - 0.26).abs() < 1e-6);
    }
}
