//! From what samples see to colours: light, shadow, tone and the mean of each pixel's samples.
//!
//! Pixels are gathered row by row and shaded four at a time.

use wide::f32x4;

use super::backdrop::Backdrop;
use super::look::{self, Encoding, Surface};
use super::scene::LAMP_RANGE;
use super::setup::{Lens, SAMPLES_X, SAMPLES_Y, TILE, Triangle};
use super::shadow::Probe;
use super::tile::Tile;

/// Pieces that are gathered before they are shaded: a row of a tile and its edges.
const BATCH: usize = 2 * TILE;

/// A sun in camera space.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameSun<'a> {
    pub(super) direction: [f32; 3],
    pub(super) light: [f32; 3],
    pub(super) shadows: Option<Probe<'a>>,
    /// Whether it is mirrored: of light that only fills shadows up nobody would see it.
    pub(super) glints: bool,
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
    /// The triangle and the pixels whose normal and surface the first lanes hold, if it is one flat
    /// triangle: the next row is often of the same.
    same: Option<(u32, usize, usize)>,
    /// Which pixel of the row, and how much of it.
    pixel: [u8; BATCH],
    share: Lane,
    /// Where on the picture.
    x: Lane,
    y: Lane,
    /// One over the depth.
    depth: Lane,
    /// Of any length.
    normal: Lanes,
    diffuse: Lanes,
    mirror: Lanes,
    roughness: Lane,
}

impl Batch {
    pub(super) fn new() -> Self {
        const ZERO: Lane = [0.0; BATCH];
        const ONE: Lane = [1.0; BATCH];
        Self {
            count: 0,
            same: None,
            pixel: [0; BATCH],
            share: ZERO,
            x: ZERO,
            y: ZERO,
            depth: ONE,
            normal: [ONE; 3],
            diffuse: [ZERO; 3],
            mirror: [ZERO; 3],
            roughness: ONE,
        }
    }

    /// Begins a new picture: triangles have other numbers now.
    pub(super) fn forget(&mut self) {
        self.count = 0;
        self.same = None;
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
        for (y, seen) in (first_y..height).zip(tile.rows()) {
            let mut sums = [[0.0; 3]; TILE];
            let origin = [first_x as f32, y as f32];
            match tile.all {
                Some(number) => self.span(number, 0..columns, origin, batch, &mut sums),
                None => self.row(&seen[..columns], origin, batch, &mut sums),
            }
            self.flush(batch, &mut sums);
            let first = 3 * (y * width + first_x);
            let out_line = &mut out[first..first + 3 * columns];
            self.encoding.bytes(sums.as_flattened(), out_line);
        }
    }

    /// Takes a row of pixels: those that see one and the same thing together, others in pieces.
    fn row(&self, seen: &[f32x4], origin: [f32; 2], batch: &mut Batch, sums: &mut Sums) {
        let mut column = 0;
        while let Some(samples) = seen.get(column) {
            let samples = samples.to_array();
            if samples != [samples[0]; 4] {
                self.pieces(samples, column, origin, batch, sums);
                column += 1;
                continue;
            }
            let same = f32x4::splat(samples[0]);
            let length = seen[column..]
                .iter()
                .take_while(|other| **other == same)
                .count();
            let span = column..column + length;
            self.span(samples[0] as u32, span, origin, batch, sums);
            column += length;
        }
    }

    /// Takes a pixel whose samples see several things.
    fn pieces(
        &self,
        seen: [f32; 4],
        column: usize,
        [x, y]: [f32; 2],
        batch: &mut Batch,
        sums: &mut Sums,
    ) {
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
            let at = [x + column as f32 + at[0] / count, y + at[1] / count];
            let share = 0.25 * count;
            match self.triangle(*number as u32) {
                Some(triangle) => {
                    if batch.count == BATCH {
                        self.flush(batch, sums);
                    }
                    self.put(triangle, column, share, at, batch);
                }
                None => {
                    let mut color = [[0.0; 3]];
                    self.backdrop.span(self.ray(at), 0.0, &mut color);
                    for (sum, value) in sums[column].iter_mut().zip(color[0]) {
                        *sum += share * value;
                    }
                }
            }
        }
    }

    /// Takes whole pixels of a row that see one triangle, or none.
    fn span(
        &self,
        number: u32,
        columns: std::ops::Range<usize>,
        [x, y]: [f32; 2],
        batch: &mut Batch,
        sums: &mut Sums,
    ) {
        let at = |column: usize| [x + column as f32 + 0.5, y + 0.5];
        let Some(triangle) = self.triangle(number) else {
            let [x, y] = at(columns.start);
            let ray = self.ray([x, y]);
            self.backdrop
                .span(ray, 1.0 / self.lens.focal, &mut sums[columns]);
            return;
        };
        if batch.count + columns.len() > BATCH {
            self.flush(batch, sums);
        }
        let first = batch.count;
        batch.count += columns.len();
        let lanes = first..batch.count;
        let x = x + columns.start as f32 + 0.5;
        for (offset, lane) in batch.x[lanes.clone()].iter_mut().enumerate() {
            *lane = x + offset as f32;
        }
        batch.y[lanes.clone()].fill(y + 0.5);
        let values = |[a, b, c]: [f32; 3]| {
            let row = b * (y + 0.5) + c;
            move |x: f32| a * x + row
        };
        let [least, most] = triangle.depth_range;
        let value = values(triangle.depth);
        for (offset, lane) in batch.depth[lanes.clone()].iter_mut().enumerate() {
            *lane = value(x + offset as f32).max(least).min(most);
        }
        let same = Some((number, columns.start, columns.len()));
        if first == 0 && triangle.flat && batch.same == same {
            return;
        }
        batch.same = same.filter(|_| first == 0);
        for (offset, pixel) in batch.pixel[lanes.clone()].iter_mut().enumerate() {
            *pixel = (columns.start + offset) as u8;
        }
        batch.share[lanes.clone()].fill(1.0);
        let [a, b, c] = &triangle.normals;
        let shares = triangle.edges.map(values);
        for axis in 0..3 {
            let lane = &mut batch.normal[axis][lanes.clone()];
            if triangle.flat {
                lane.fill(a[axis]);
            } else {
                for (offset, lane) in lane.iter_mut().enumerate() {
                    let x = x + offset as f32;
                    *lane =
                        shares[0](x) * a[axis] + shares[1](x) * b[axis] + shares[2](x) * c[axis];
                }
            }
        }
        let surface = &self.surfaces[usize::from(triangle.surface)];
        for axis in 0..3 {
            batch.diffuse[axis][lanes.clone()].fill(surface.diffuse[axis]);
            batch.mirror[axis][lanes.clone()].fill(surface.mirror[axis]);
        }
        batch.roughness[lanes].fill(surface.roughness);
    }

    fn triangle(&self, number: u32) -> Option<&Triangle> {
        self.triangles.get((number as usize).checked_sub(1)?)
    }

    /// Notes a piece. There is room in the batch.
    fn put(
        &self,
        triangle: &Triangle,
        column: usize,
        share: f32,
        [x, y]: [f32; 2],
        batch: &mut Batch,
    ) {
        let at = batch.count;
        batch.count += 1;
        if at == 0 {
            batch.same = None;
        }
        batch.pixel[at] = column as u8;
        batch.share[at] = share;
        batch.x[at] = x;
        batch.y[at] = y;
        let value = |[a, b, c]: &[f32; 3]| a * x + (b * y + c);
        let [least, most] = triangle.depth_range;
        batch.depth[at] = value(&triangle.depth).clamp(least, most);
        let [a, b, c] = &triangle.normals;
        let normal: [f32; 3] = if triangle.flat {
            *a
        } else {
            let shares = triangle.edges.each_ref().map(value);
            std::array::from_fn(|axis| {
                shares[0] * a[axis] + shares[1] * b[axis] + shares[2] * c[axis]
            })
        };
        let surface = &self.surfaces[usize::from(triangle.surface)];
        for (axis, normal) in normal.into_iter().enumerate() {
            batch.normal[axis][at] = normal;
            batch.diffuse[axis][at] = surface.diffuse[axis];
            batch.mirror[axis][at] = surface.mirror[axis];
        }
        batch.roughness[at] = surface.roughness;
    }

    fn ray(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let [width, height] = self.lens.size.map(|side| 0.5 * side as f32);
        let slope = 1.0 / self.lens.focal;
        [(x - width) * slope, (height - y) * slope, -1.0]
    }

    /// Shades what has gathered and adds it to its pixels.
    fn flush(&self, batch: &mut Batch, sums: &mut Sums) {
        if batch.count == 0 {
            return;
        }
        // What stands behind the last piece was valid once: it is shaded along and not used.
        for group in 0..batch.count.div_ceil(4) {
            let color = self.light(batch, group).map(f32x4::to_array);
            let first = 4 * group;
            for offset in 0..4.min(batch.count - first) {
                let share = batch.share[first + offset];
                let sum = &mut sums[usize::from(batch.pixel[first + offset])];
                for (sum, lane) in sum.iter_mut().zip(&color) {
                    *sum += share * lane[offset];
                }
            }
        }
        batch.count = 0;
    }

    /// The colours of four pieces.
    #[inline]
    fn light(&self, batch: &Batch, group: usize) -> [f32x4; 3] {
        let three = |lanes: &Lanes| lanes.each_ref().map(|lane| load(lane, group));
        let [half_width, half_height] = self.lens.size.map(|side| 0.5 * side as f32);
        let slope = f32x4::splat(1.0 / self.lens.focal);
        let ray = [
            (load(&batch.x, group) - f32x4::splat(half_width)) * slope,
            (f32x4::splat(half_height) - load(&batch.y, group)) * slope,
            f32x4::splat(-1.0),
        ];
        let ahead = f32x4::ONE / load(&batch.depth, group);
        let point = ray.map(|value| value * ahead);
        let view = unit(ray).map(|value| -value);
        let normal = unit(three(&batch.normal));
        let facing = dot(normal, view);
        let twice = facing + facing;
        let roughness = load(&batch.roughness, group);
        let alpha = roughness * roughness;
        let piece = Piece {
            normal,
            view,
            mirrored: std::array::from_fn(|axis| twice * normal[axis] - view[axis]),
            diffuse: three(&batch.diffuse),
            mirror: three(&batch.mirror),
            spread: alpha * alpha,
        };
        let mut color = self.surroundings(&piece, facing, roughness);
        for sun in self.lights.suns {
            let direction = sun.direction.map(f32x4::splat);
            let mut towards = dot(normal, direction).fast_max(f32x4::ZERO);
            if let Some(probe) = &sun.shadows {
                // What looks away is dark by itself.
                towards *= probe.lit(point, normal, towards.simd_gt(f32x4::ZERO));
            }
            let shine = if sun.glints {
                piece.shine(direction)
            } else {
                piece
                    .diffuse
                    .map(|value| value * f32x4::splat(core::f32::consts::FRAC_1_PI))
            };
            for axis in 0..3 {
                color[axis] += f32x4::splat(sun.light[axis]) * towards * shine[axis];
            }
        }
        for lamp in self.lights.lamps {
            let to: [f32x4; 3] =
                std::array::from_fn(|axis| f32x4::splat(lamp.at[axis]) - point[axis]);
            let square = dot(to, to).fast_max(f32x4::splat(1e-4));
            let direction = unit(to);
            // It ends at its range without an edge.
            let ratio = square * f32x4::splat(1.0 / (LAMP_RANGE * LAMP_RANGE));
            let window = (f32x4::ONE - ratio * ratio).fast_max(f32x4::ZERO);
            let towards = dot(normal, direction).fast_max(f32x4::ZERO);
            let light = f32x4::splat(lamp.light) * window * window / square * towards;
            let shine = piece.shine(direction);
            for axis in 0..3 {
                color[axis] += light * shine[axis];
            }
        }
        look::tone(color)
    }

    /// Light from all around, scattered and mirrored.
    #[inline]
    fn surroundings(&self, piece: &Piece, facing: f32x4, rough: f32x4) -> [f32x4; 3] {
        let number = f32x4::splat;
        let up = self.lights.up.map(f32x4::splat);
        // How far something looks up, and how far down as a negative number.
        let parts = |height: f32x4| [height.fast_max(f32x4::ZERO), height.fast_min(f32x4::ZERO)];
        let normal_up = parts(dot(piece.normal, up));
        let mirrored_up = parts(dot(piece.mirrored, up));
        // How much a rough surface mirrors at this angle: Karis's approximation, with a power for
        // its exponential.
        let grazing = f32x4::ONE - facing.fast_max(f32x4::ZERO);
        let grazing = grazing * grazing;
        let grazing = grazing * grazing * grazing;
        let smooth = f32x4::ONE - rough;
        let share =
            (smooth * smooth).fast_min(grazing) * smooth + number(0.0425) - number(0.0275) * rough;
        let scale = number(1.04) - number(0.572) * rough - number(1.04) * share;
        let add = number(0.022) * rough - number(0.04) + number(1.04) * share;
        let ambient = number(self.lights.ambient);
        std::array::from_fn(|axis| {
            let wall = look::WALL_LIGHT[axis];
            let sky = number(look::SKY_LIGHT[axis] - wall);
            let ground = number(wall - look::GROUND_LIGHT[axis]);
            let wall = number(wall);
            let from = |[above, below]: [f32x4; 2]| wall + sky * above + ground * below;
            let mirrors = piece.mirror[axis] * scale + add;
            let scattered = piece.diffuse[axis] * from(normal_up);
            ambient * (scattered + mirrors * (from(mirrored_up) - scattered))
        })
    }
}

/// Colours of a tile's row, linear.
type Sums = [[f32; 3]; TILE];

/// Four pieces of surface.
struct Piece {
    normal: [f32x4; 3],
    /// Towards the camera.
    view: [f32x4; 3],
    /// Where the camera's ray is mirrored to.
    mirrored: [f32x4; 3],
    diffuse: [f32x4; 3],
    mirror: [f32x4; 3],
    /// The square of GGX's alpha.
    spread: f32x4,
}

impl Piece {
    /// How much light from a direction is thrown back to the camera: Lambert's law, and GGX with
    /// Kelemen's visibility. The normal's cosine to the half vector is taken as that of half the
    /// angle between the light and the mirrored ray: the same in one plane, and without roots.
    #[inline]
    fn shine(&self, direction: [f32x4; 3]) -> [f32x4; 3] {
        let number = f32x4::splat;
        let half = number(0.5);
        let along = half + half * dot(self.mirrored, direction);
        let across = half + half * dot(self.view, direction);
        let spread = along * (self.spread - f32x4::ONE) + f32x4::ONE;
        let visible = across.fast_max(number(0.05));
        let gloss = self.spread * number(0.25) / (spread * spread * visible);
        std::array::from_fn(|axis| {
            (self.diffuse[axis] + gloss * self.mirror[axis]) * number(core::f32::consts::FRAC_1_PI)
        })
    }
}

#[inline]
fn load(lane: &Lane, group: usize) -> f32x4 {
    f32x4::new(lane.as_chunks().0[group])
}

#[inline]
fn dot(a: [f32x4; 3], b: [f32x4; 3]) -> f32x4 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The same direction with length 1.
#[inline]
fn unit(a: [f32x4; 3]) -> [f32x4; 3] {
    let inverse = f32x4::ONE / dot(a, a).fast_max(f32x4::splat(1e-20)).sqrt();
    a.map(|value| value * inverse)
}
