//! What a sun does not reach: a map of what is nearest to it, seen from it.
//!
//! Light space: Z towards the sun, X and Y across, metres; the map's texels lie about a point of the
//! scene. What is outside the map is lit.

use nalgebra::{Isometry3, Matrix3, Point3, Rotation3, UnitQuaternion, Vector3};

use wide::f32x4;

use super::scene::Solid;

/// Texels a side.
const SIDE: usize = 1024;
/// Texels a side of a block.
const BLOCK: usize = 16;
const BLOCKS: usize = SIDE / BLOCK;
/// How far the filter reaches, texels.
const REACH: usize = 2;
/// How far a surface is lifted along its normal and towards the light, so that it does not shade
/// itself; texels.
const LIFT_NORMAL: f32 = 1.5;
const LIFT_LIGHT: f32 = 0.4;
/// Nothing is there.
const NOTHING: f32 = f32::MIN;

/// A sun's shadow map.
#[derive(Debug)]
pub(super) struct ShadowMap {
    light_from_world: Isometry3<f64>,
    /// A texel's side, metres.
    texel: f32,
    /// How near to the light the nearest surface is, metres along Z.
    heights: Vec<f32>,
    /// The greatest height in and about each block.
    blocks: Vec<f32>,
    /// First and last column, first and last row that were drawn into.
    used: Option<[usize; 4]>,
    /// Corners of a solid: column, row, height.
    corners: Vec<[f32; 3]>,
}

/// Asks a shadow map about points in camera space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe<'a> {
    map: &'a ShadowMap,
    /// Column, row and height as functions of a point.
    rows: [[f32; 4]; 3],
}

impl ShadowMap {
    /// A map for light from `direction` (towards it), for what is within `radius` of `center`.
    pub(super) fn new(direction: &Vector3<f64>, center: Point3<f64>, radius: f64) -> Self {
        Self {
            light_from_world: light_from_world(direction, center),
            texel: (2.0 * radius / SIDE as f64).clamp(5e-4, 4e-3) as f32,
            heights: vec![NOTHING; SIDE * SIDE],
            blocks: vec![NOTHING; BLOCKS * BLOCKS],
            used: None,
            corners: Vec::new(),
        }
    }

    /// Turns it to light from another direction.
    pub(super) fn turn(&mut self, direction: &Vector3<f64>, center: Point3<f64>) {
        self.light_from_world = light_from_world(direction, center);
    }

    /// Forgets what was drawn.
    pub(super) fn clear(&mut self) {
        if let Some([left, right, top, bottom]) = self.used.take() {
            for row in self
                .heights
                .chunks_exact_mut(SIDE)
                .take(bottom + 1)
                .skip(top)
            {
                row[left..=right].fill(NOTHING);
            }
            self.blocks.fill(NOTHING);
        }
    }

    /// Light space with columns and rows instead of metres across, from the space that `light_from`
    /// comes from.
    fn rows(&self, light_from: &Isometry3<f64>) -> [[f32; 4]; 3] {
        let turn = light_from.rotation.to_rotation_matrix();
        let shift = light_from.translation.vector;
        let scale = 1.0 / f64::from(self.texel);
        let middle = 0.5 * SIDE as f64;
        std::array::from_fn(|row| {
            let (scale, add) = if row < 2 { (scale, middle) } else { (1.0, 0.0) };
            [
                turn[(row, 0)] * scale,
                turn[(row, 1)] * scale,
                turn[(row, 2)] * scale,
                shift[row] * scale + add,
            ]
            .map(|value| value as f32)
        })
    }

    /// Draws a solid.
    pub(super) fn add(&mut self, solid: &Solid, world_from_solid: &Isometry3<f64>) {
        let rows = self.rows(&(self.light_from_world * world_from_solid));
        let mut corners = std::mem::take(&mut self.corners);
        corners.clear();
        corners.extend(
            solid
                .positions
                .iter()
                .map(|p| rows.map(|[a, b, c, d]| a * p[0] + b * p[1] + c * p[2] + d)),
        );
        for triangle in &solid.triangles {
            let [a, b, c] = triangle.map(|index| corners[index as usize]);
            self.draw(a, b, c);
        }
        self.corners = corners;
    }

    fn draw(&mut self, a: [f32; 3], b: [f32; 3], c: [f32; 3]) {
        // Seen from the light, what looks at it runs anticlockwise; rows go up here.
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
        if !(area > 1e-6) {
            return;
        }
        let last = SIDE as f32 - 1.0;
        let low = |axis: usize| (a[axis].min(b[axis]).min(c[axis]) - 0.5).ceil().max(0.0);
        let high = |axis: usize| (a[axis].max(b[axis]).max(c[axis]) - 0.5).floor().min(last);
        let (left, right, top, bottom) = (low(0), high(0), low(1), high(1));
        if !(left <= right && top <= bottom) {
            return;
        }
        let [left, right, top, bottom] = [left, right, top, bottom].map(|value| value as usize);
        self.used = Some(match self.used {
            None => [left, right, top, bottom],
            Some(used) => [
                used[0].min(left),
                used[1].max(right),
                used[2].min(top),
                used[3].max(bottom),
            ],
        });
        let inverse = 1.0 / area;
        let (along_b, along_c) = (b[2] - a[2], c[2] - a[2]);
        let slope_x = (along_b * (c[1] - a[1]) - along_c * (b[1] - a[1])) * inverse;
        let slope_y = (along_c * (b[0] - a[0]) - along_b * (c[0] - a[0])) * inverse;
        let edges = [(b, c), (c, a), (a, b)].map(|(p, q)| [p[1] - q[1], q[0] - p[0], p[0], p[1]]);
        for row in top..=bottom {
            let y = row as f32 + 0.5;
            let line = &mut self.heights[row * SIDE + left..=row * SIDE + right];
            let height = a[2] + slope_y * (y - a[1]) - slope_x * a[0];
            let starts = edges.map(|[across, up, px, py]| up * (y - py) - across * px);
            for (column, texel) in (left..).zip(line) {
                let x = column as f32 + 0.5;
                let inside = (edges[0][0] * x + starts[0] >= 0.0)
                    & (edges[1][0] * x + starts[1] >= 0.0)
                    & (edges[2][0] * x + starts[2] >= 0.0);
                let new = height + slope_x * x;
                *texel = if inside & (new > *texel) { new } else { *texel };
            }
        }
    }

    /// Sums the blocks up. To be called when everything is drawn.
    pub(super) fn finish(&mut self) {
        let Some([left, right, top, bottom]) = self.used else {
            return;
        };
        let first = |texel: usize| texel.saturating_sub(REACH) / BLOCK;
        let last = |texel: usize| ((texel + REACH) / BLOCK).min(BLOCKS - 1);
        for block_row in first(top)..=last(bottom) {
            for block_column in first(left)..=last(right) {
                let around = |block: usize| {
                    (block * BLOCK).saturating_sub(REACH)..(block * BLOCK + BLOCK + REACH).min(SIDE)
                };
                let rows = self.heights.chunks_exact(SIDE);
                let rows = rows
                    .take(around(block_row).end)
                    .skip(around(block_row).start);
                self.blocks[block_row * BLOCKS + block_column] = rows
                    .flat_map(|row| &row[around(block_column)])
                    .fold(NOTHING, |most, height| most.max(*height));
            }
        }
    }

    /// Asks about points in the space that `world_from` comes from.
    pub(super) fn probe(&self, world_from: &Isometry3<f64>) -> Probe<'_> {
        Probe {
            map: self,
            rows: self.rows(&(self.light_from_world * world_from)),
        }
    }
}

impl Probe<'_> {
    /// How much of the light reaches four points with these normals, 0 to 1. Only what is `asked`
    /// for has to be right.
    #[inline]
    pub(super) fn lit(&self, point: [f32x4; 3], normal: [f32x4; 3], asked: f32x4) -> f32x4 {
        let number = f32x4::splat;
        let lift = number(LIFT_NORMAL * self.map.texel);
        let lifted: [f32x4; 3] = std::array::from_fn(|axis| point[axis] + lift * normal[axis]);
        let [column, row, height] = self.rows.map(|[a, b, c, d]| {
            number(a) * lifted[0] + number(b) * lifted[1] + number(c) * lifted[2] + number(d)
        });
        let height = height + number(LIFT_LIGHT * self.map.texel);
        let (least, most) = (number(REACH as f32), number((SIDE - REACH - 1) as f32));
        let inside = column.simd_ge(least)
            & column.simd_lt(most)
            & row.simd_ge(least)
            & row.simd_lt(most)
            & asked;
        if !inside.any() {
            return f32x4::ONE;
        }
        let column = inside.bitselect(column, least);
        let row = inside.bitselect(row, least);
        let (columns, rows) = (column.fast_trunc_int(), row.fast_trunc_int());
        let (columns, rows) = (columns.to_array(), rows.to_array());
        let heights = std::array::from_fn(|lane| {
            let block = (rows[lane] as usize / BLOCK) * BLOCKS + columns[lane] as usize / BLOCK;
            self.map.blocks[block % (BLOCKS * BLOCKS)]
        });
        let perhaps = (inside & f32x4::new(heights).simd_gt(height)).to_bitmask();
        if perhaps == 0 {
            return f32x4::ONE;
        }
        let half = number(0.5);
        let (column, row) = ((column - half).to_array(), (row - half).to_array());
        let height = height.to_array();
        f32x4::new(std::array::from_fn(|lane| {
            if perhaps >> lane & 1 == 1 {
                self.filtered(column[lane], row[lane], height[lane])
            } else {
                1.0
            }
        }))
    }

    /// The mean over a square of three texels about a place.
    fn filtered(&self, column: f32, row: f32, height: f32) -> f32 {
        let (first_column, first_row) = (column as usize - 1, row as usize - 1);
        let (share_x, share_y) = (
            column - (first_column + 1) as f32,
            row - (first_row + 1) as f32,
        );
        let across = f32x4::new([1.0 - share_x, 1.0, 1.0, share_x]);
        let down = [1.0 - share_y, 1.0, 1.0, share_y];
        let height = f32x4::splat(height);
        let mut sums = f32x4::ZERO;
        for (line, weight) in down.iter().enumerate() {
            let first = (first_row + line) * SIDE + first_column;
            let Some(texels) = self.map.heights.get(first..).and_then(<[f32]>::first_chunk) else {
                continue;
            };
            let lit = height.simd_ge(f32x4::new(*texels)) & across;
            sums += lit * f32x4::splat(*weight);
        }
        // In an order of our own, so that it is the same everywhere.
        let [a, b, c, d] = sums.to_array();
        let sum = (a + b) + (c + d);
        sum * (1.0 / 9.0)
    }
}

/// Light space: Z towards the light, the scene's point in the middle.
fn light_from_world(direction: &Vector3<f64>, center: Point3<f64>) -> Isometry3<f64> {
    let side = if direction.x.abs() < 0.9 {
        Vector3::x()
    } else {
        Vector3::y()
    };
    let across = direction.cross(&side).normalize();
    let axes = Matrix3::from_rows(&[
        across.transpose(),
        direction.cross(&across).transpose(),
        direction.transpose(),
    ]);
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(axes));
    Isometry3::from_parts(nalgebra::Translation3::from(-(turn * center.coords)), turn)
}
