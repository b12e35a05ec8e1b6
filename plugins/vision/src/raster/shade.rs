//! From what samples see to colours: light, shadow, tone and the mean of each pixel's samples.
//!
//! Pixels are shaded some at a time, in arrays by quantity, so that the compiler does several at
//! once.

use super::backdrop::Backdrop;
use super::look::{self, Encoding, Surface};
use super::scene::LAMP_RANGE;
use super::setup::{Lens, SAMPLES_X, SAMPLES_Y, TILE, Triangle};
use super::shadow::Probe;
use super::tile::{Samples, Tile};

/// Pieces that are shaded at once.
const BATCH: usize = TILE;

/// A sun in camera space.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameSun<'a> {
    pub(super) direction: [f32; 3],
    pub(super) light: [f32; 3],
    pub(super) shadows: Option<Probe<'a>>,
}

/// A lamp in camera space.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameLamp {
    pub(super) at: [f32; 3],
    pub(super) light: f32,
}

/// The light of a picture, in camera space.
#[derive(Debug)]
pub(super) struct Lights<'a> {
    pub(super) suns: &'a [FrameSun<'a>],
    pub(super) lamps: &'a [FrameLamp],
    /// The world's Z.
    pub(super) up: [f32; 3],
    /// Brightness of the light from all around.
    pub(super) ambient: f32,
}

/// All that is needed to shade a picture.
#[derive(Debug)]
pub(super) struct Shading<'a> {
    pub(super) lens: Lens,
    pub(super) lights: Lights<'a>,
    pub(super) surfaces: &'a [Surface],
    pub(super) triangles: &'a [Triangle],
    pub(super) backdrop: &'a Backdrop,
    pub(super) encoding: &'a Encoding,
}

type Lane = [f32; BATCH];
type Lanes = [Lane; 3];

/// Pieces of pixels that see a surface.
#[derive(Debug)]
pub(super) struct Batch {
    count: usize,
    /// Which pixel of the row, and how much of it.
    pixel: [usize; BATCH],
    share: Lane,
    /// Where on the picture.
    x: Lane,
    y: Lane,
    /// One over the depth.
    depth: Lane,
    /// Of any length at first.
    normal: Lanes,
    diffuse: Lanes,
    mirror: Lanes,
    roughness: Lane,
    point: Lanes,
    /// Towards the camera.
    view: Lanes,
    facing: Lane,
    lit: Lane,
    color: Lanes,
}

impl Batch {
    pub(super) fn new() -> Self {
        const ZERO: Lane = [0.0; BATCH];
        Self {
            count: 0,
            pixel: [0; BATCH],
            share: ZERO,
            x: ZERO,
            y: ZERO,
            depth: [1.0; BATCH],
            normal: [ZERO; 3],
            diffuse: [ZERO; 3],
            mirror: [ZERO; 3],
            roughness: [1.0; BATCH],
            point: [ZERO; 3],
            view: [ZERO; 3],
            facing: ZERO,
            lit: ZERO,
            color: [ZERO; 3],
        }
    }
}

impl Shading<'_> {
    /// Writes a tile's pixels into the picture.
    pub(super) fn tile(
        &self,
        tile: &Tile,
        batch: &mut Batch,
        [first_x, first_y]: [usize; 2],
        out: &mut [u8],
    ) {
        let [width, height] = self.lens.size;
        let columns = TILE.min(width - first_x);
        let rows = tile.seen.chunks_exact(TILE).take(height - first_y);
        for (y, seen) in (first_y..).zip(rows) {
            let mut sums = [[0.0; 3]; TILE];
            for (column, seen) in seen[..columns].iter().enumerate() {
                self.pixel([first_x + column, y], column, seen, batch, &mut sums);
            }
            self.flush(batch, &mut sums);
            let first = 3 * (y * width + first_x);
            let line = out[first..first + 3 * columns].as_chunks_mut::<3>().0;
            for (pixel, sum) in line.iter_mut().zip(sums) {
                *pixel = sum.map(|value| self.encoding.byte(value));
            }
        }
    }

    fn pixel(
        &self,
        [x, y]: [usize; 2],
        column: usize,
        seen: &Samples<u32>,
        batch: &mut Batch,
        sums: &mut [[f32; 3]; TILE],
    ) {
        let (x, y) = (x as f32, y as f32);
        if *seen == [seen[0]; 4] {
            self.piece(seen[0], column, 1.0, [x + 0.5, y + 0.5], batch, sums);
            return;
        }
        for (index, number) in seen.iter().enumerate() {
            if seen[..index].contains(number) {
                continue;
            }
            // Its samples' middle: there it can be seen, unlike perhaps at the pixel's.
            let (mut count, mut at) = (0.0, [0.0; 2]);
            for (sample, other) in seen.iter().enumerate() {
                if other == number {
                    count += 1.0;
                    at[0] += SAMPLES_X[sample];
                    at[1] += SAMPLES_Y[sample];
                }
            }
            let at = [x + at[0] / count, y + at[1] / count];
            self.piece(*number, column, 0.25 * count, at, batch, sums);
        }
    }

    /// Takes a piece of a pixel that sees one triangle, or none.
    #[inline]
    fn piece(
        &self,
        number: u32,
        column: usize,
        share: f32,
        [x, y]: [f32; 2],
        batch: &mut Batch,
        sums: &mut [[f32; 3]; TILE],
    ) {
        let Some(triangle) = (number as usize)
            .checked_sub(1)
            .and_then(|index| self.triangles.get(index))
        else {
            let color = self.backdrop.color(self.ray(x, y));
            for (sum, value) in sums[column].iter_mut().zip(color) {
                *sum += share * value;
            }
            return;
        };
        if batch.count == BATCH {
            self.flush(batch, sums);
        }
        let at = batch.count;
        batch.count += 1;
        batch.pixel[at] = column;
        batch.share[at] = share;
        batch.x[at] = x;
        batch.y[at] = y;
        let value = |[a, b, c]: &[f32; 3]| a * x + (b * y + c);
        let [least, most] = triangle.depth_range;
        batch.depth[at] = value(&triangle.depth).clamp(least, most);
        let [a, b, c] = &triangle.normals;
        let normal = if triangle.flat {
            *a
        } else {
            let shares = triangle.edges.each_ref().map(value);
            std::array::from_fn(|axis| {
                shares[0] * a[axis] + shares[1] * b[axis] + shares[2] * c[axis]
            })
        };
        let surface = &self.surfaces[usize::from(triangle.surface)];
        for axis in 0..3 {
            batch.normal[axis][at] = normal[axis];
            batch.diffuse[axis][at] = surface.diffuse[axis];
            batch.mirror[axis][at] = surface.mirror[axis];
        }
        batch.roughness[at] = surface.roughness;
    }

    fn ray(&self, x: f32, y: f32) -> [f32; 3] {
        let [width, height] = self.lens.size.map(|side| 0.5 * side as f32);
        [
            (x - width) / self.lens.focal,
            (height - y) / self.lens.focal,
            -1.0,
        ]
    }

    /// Shades what has gathered and adds it to its pixels.
    fn flush(&self, batch: &mut Batch, sums: &mut [[f32; 3]; TILE]) {
        if batch.count == 0 {
            return;
        }
        self.place(batch);
        self.surroundings(batch);
        for sun in self.lights.suns {
            self.sun(sun, batch);
        }
        for lamp in self.lights.lamps {
            lamp_light(lamp, batch);
        }
        for at in 0..BATCH {
            let color = look::tone([
                batch.color[0][at],
                batch.color[1][at],
                batch.color[2][at],
            ]);
            for axis in 0..3 {
                batch.color[axis][at] = color[axis];
            }
        }
        for at in 0..batch.count {
            let share = batch.share[at];
            let sum = &mut sums[batch.pixel[at]];
            for axis in 0..3 {
                sum[axis] += share * batch.color[axis][at];
            }
        }
        batch.count = 0;
    }

    /// Where each piece is, and how it stands to the camera.
    fn place(&self, batch: &mut Batch) {
        let [half_width, half_height] = self.lens.size.map(|side| 0.5 * side as f32);
        let slope = 1.0 / self.lens.focal;
        for at in 0..BATCH {
            let ray = [
                (batch.x[at] - half_width) * slope,
                (half_height - batch.y[at]) * slope,
            ];
            let ahead = 1.0 / batch.depth[at];
            batch.point[0][at] = ray[0] * ahead;
            batch.point[1][at] = ray[1] * ahead;
            batch.point[2][at] = -ahead;
            let inverse = 1.0 / (ray[0] * ray[0] + ray[1] * ray[1] + 1.0).sqrt();
            let view = [-ray[0] * inverse, -ray[1] * inverse, inverse];
            let normal = [
                batch.normal[0][at],
                batch.normal[1][at],
                batch.normal[2][at],
            ];
            let scale = 1.0 / dot(normal, normal).max(1e-20).sqrt();
            let normal = normal.map(|value| value * scale);
            for axis in 0..3 {
                batch.view[axis][at] = view[axis];
                batch.normal[axis][at] = normal[axis];
            }
            batch.facing[at] = dot(normal, view).max(1e-3);
        }
    }

    /// Light from all around, scattered and mirrored.
    fn surroundings(&self, batch: &mut Batch) {
        let ambient = self.lights.ambient;
        let up = self.lights.up;
        for at in 0..BATCH {
            let normal_up = batch.normal[0][at] * up[0]
                + batch.normal[1][at] * up[1]
                + batch.normal[2][at] * up[2];
            let view_up =
                batch.view[0][at] * up[0] + batch.view[1][at] * up[1] + batch.view[2][at] * up[2];
            let facing = batch.facing[at];
            let mirrored_up = 2.0 * facing * normal_up - view_up;
            // How much a rough surface mirrors at this angle: Karis's approximation, with a power
            // for its exponential.
            let rough = batch.roughness[at];
            let grazing = 1.0 - facing;
            let grazing = grazing * grazing;
            let grazing = grazing * grazing * grazing;
            let r = [
                1.0 - rough,
                0.0425 - 0.0275 * rough,
                1.04 - 0.572 * rough,
                0.022 * rough - 0.04,
            ];
            let share = (r[0] * r[0]).min(grazing) * r[0] + r[1];
            let (scale, add) = (r[2] - 1.04 * share, r[3] + 1.04 * share);
            for axis in 0..3 {
                let mirrors = batch.mirror[axis][at] * scale + add;
                let from = |height: f32| {
                    let pole = if height > 0.0 {
                        look::SKY_LIGHT[axis]
                    } else {
                        look::GROUND_LIGHT[axis]
                    };
                    look::WALL_LIGHT[axis]
                        + (pole - look::WALL_LIGHT[axis]) * height.abs().min(1.0)
                };
                batch.color[axis][at] = ambient
                    * (batch.diffuse[axis][at] * (1.0 - mirrors) * from(normal_up)
                        + mirrors * from(mirrored_up));
            }
        }
    }

    fn sun(&self, sun: &FrameSun<'_>, batch: &mut Batch) {
        let [x, y, z] = sun.direction;
        for at in 0..BATCH {
            batch.lit[at] =
                (batch.normal[0][at] * x + batch.normal[1][at] * y + batch.normal[2][at] * z)
                    .max(0.0);
        }
        if let Some(shadows) = &sun.shadows {
            for at in 0..batch.count {
                if batch.lit[at] > 0.0 {
                    let of = |lanes: &Lanes| [lanes[0][at], lanes[1][at], lanes[2][at]];
                    batch.lit[at] *= shadows.lit(of(&batch.point), of(&batch.normal));
                }
            }
        }
        for at in 0..BATCH {
            let light = sun.light.map(|light| light * batch.lit[at]);
            shine(batch, at, sun.direction, light);
        }
    }
}

fn lamp_light(lamp: &FrameLamp, batch: &mut Batch) {
    for at in 0..BATCH {
        let to = std::array::from_fn(|axis| lamp.at[axis] - batch.point[axis][at]);
        let square = dot(to, to).max(1e-4);
        let inverse = 1.0 / square.sqrt();
        let direction = to.map(|value| value * inverse);
        let normal = [
            batch.normal[0][at],
            batch.normal[1][at],
            batch.normal[2][at],
        ];
        // It ends at its range without an edge.
        let ratio = square * (1.0 / (LAMP_RANGE * LAMP_RANGE));
        let window = (1.0 - ratio * ratio).max(0.0);
        let light = lamp.light * window * window / square * dot(normal, direction).max(0.0);
        shine(batch, at, direction, [light; 3]);
    }
}

/// Adds what a surface throws back of light from a direction; `light` is what falls on it.
#[inline]
fn shine(batch: &mut Batch, at: usize, direction: [f32; 3], light: [f32; 3]) {
    const PI_INVERSE: f32 = core::f32::consts::FRAC_1_PI;
    let half: [f32; 3] = std::array::from_fn(|axis| direction[axis] + batch.view[axis][at]);
    let inverse = 1.0 / dot(half, half).max(1e-8).sqrt();
    let half = half.map(|value| value * inverse);
    let normal = [
        batch.normal[0][at],
        batch.normal[1][at],
        batch.normal[2][at],
    ];
    let along = dot(normal, half).max(0.0);
    let across = dot(direction, half).max(0.0);
    // GGX with Kelemen's visibility and Schlick's Fresnel term.
    let alpha = batch.roughness[at] * batch.roughness[at];
    let square = alpha * alpha;
    let spread = along * along * (square - 1.0) + 1.0;
    let gloss = square * PI_INVERSE / (spread * spread) * 0.25 / (across * across).max(0.02);
    let away = 1.0 - across;
    let away_square = away * away;
    let fresnel = away_square * away_square * away;
    for axis in 0..3 {
        let mirror = batch.mirror[axis][at];
        let mirror = mirror + (1.0 - mirror) * fresnel;
        batch.color[axis][at] +=
            light[axis] * (batch.diffuse[axis][at] * PI_INVERSE + gloss * mirror);
    }
}

#[inline]
fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
