//! Which triangle each sample of a tile sees.

use wide::f32x4;

use super::setup::{Geometry, SAMPLES_X, SAMPLES_Y, TILE, Triangle};

/// What a tile's samples see. A triangle is named by its number in [`Geometry::triangles`] plus one,
/// nothing by 0; as they stand beside depths, numbers are `f32`, which holds them exactly.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    /// One over the depth of what is nearest, row by row, the four samples of a pixel together.
    depth: Vec<f32x4>,
    seen: Vec<f32x4>,
    /// What all samples see, if it is the same; then the others are not filled in.
    pub(super) all: Option<u32>,
}

impl Tile {
    pub(super) fn new() -> Self {
        Self {
            depth: vec![f32x4::ZERO; TILE * TILE],
            seen: vec![f32x4::ZERO; TILE * TILE],
            all: None,
        }
    }

    /// What the samples see, pixel by pixel, in rows of [`TILE`].
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32x4; TILE]> {
        self.seen.as_chunks().0.iter()
    }

    /// Looks at one tile of the picture.
    pub(super) fn look(&mut self, geometry: &Geometry, column: usize, row: usize) {
        let bin = &geometry.bins[row * geometry.tiles[0] + column];
        let first = [column * TILE, row * TILE];
        // The nearest of those that cover the whole tile hides whatever is behind all of it.
        let mut ground: Option<(u32, f32)> = None;
        for index in bin {
            let triangle = &geometry.triangles[*index as usize];
            if covers(triangle, first) {
                let farthest = farthest(triangle, first);
                if ground.is_none_or(|(_, least)| farthest > least) {
                    ground = Some((*index, farthest));
                }
            }
        }
        let hidden = |index: u32| {
            ground.is_some_and(|(ground, least)| {
                index == ground || geometry.triangles[index as usize].depth_range[1] <= least
            })
        };
        self.all = bin
            .iter()
            .all(|index| hidden(*index))
            .then(|| ground.map_or(0, |(index, _)| index + 1));
        if self.all.is_some() {
            return;
        }
        match ground {
            Some((index, _)) => self.cover(&geometry.triangles[index as usize], index + 1, first),
            None => {
                self.depth.fill(f32x4::ZERO);
                self.seen.fill(f32x4::ZERO);
            }
        }
        for index in bin.iter().filter(|index| !hidden(**index)) {
            self.draw(&geometry.triangles[*index as usize], index + 1, first);
        }
    }

    fn draw(&mut self, triangle: &Triangle, number: u32, [first_x, first_y]: [usize; 2]) {
        let [left, right, top, bottom] = triangle.bounds.map(usize::from);
        let columns = left.max(first_x)..=right.min(first_x + TILE - 1);
        if columns.is_empty() {
            return;
        }
        let number = f32x4::splat(number as f32);
        let (samples_x, samples_y) = (f32x4::new(SAMPLES_X), f32x4::new(SAMPLES_Y));
        let across = triangle.edges.map(|[a, _, _]| f32x4::splat(a));
        let least = triangle.least.map(f32x4::splat);
        let depth_across = f32x4::splat(triangle.depth[0]);
        for y in top.max(first_y)..=bottom.min(first_y + TILE - 1) {
            let y_samples = f32x4::splat(y as f32) + samples_y;
            let at = |[_, b, c]: [f32; 3]| f32x4::splat(b) * y_samples + f32x4::splat(c);
            let edges = triangle.edges.map(at);
            let depth_row = at(triangle.depth);
            let first = (y - first_y) * TILE;
            let line = first + columns.start() - first_x..first + columns.end() + 1 - first_x;
            let pixels = self.depth[line.clone()]
                .iter_mut()
                .zip(&mut self.seen[line]);
            for (x, (depth, seen)) in columns.clone().zip(pixels) {
                let x = f32x4::splat(x as f32) + samples_x;
                let new = depth_across * x + depth_row;
                let inside = (across[0] * x + edges[0]).simd_ge(least[0])
                    & (across[1] * x + edges[1]).simd_ge(least[1])
                    & (across[2] * x + edges[2]).simd_ge(least[2])
                    & new.simd_gt(*depth);
                *depth = inside.bitselect(new, *depth);
                *seen = inside.bitselect(number, *seen);
            }
        }
    }

    /// Fills the tile with a triangle that covers it.
    fn cover(&mut self, triangle: &Triangle, number: u32, [first_x, first_y]: [usize; 2]) {
        self.seen.fill(f32x4::splat(number as f32));
        let [slope_x, slope_y, start] = triangle.depth.map(f32x4::splat);
        for (y, row) in (first_y..).zip(self.depth.chunks_exact_mut(TILE)) {
            let y = f32x4::splat(y as f32) + f32x4::new(SAMPLES_Y);
            let row_start = slope_y * y + start;
            for (x, depth) in (first_x..).zip(row) {
                let x = f32x4::splat(x as f32) + f32x4::new(SAMPLES_X);
                *depth = slope_x * x + row_start;
            }
        }
    }
}

/// Whether every edge has the whole tile well on its inside.
fn covers(triangle: &Triangle, first: [usize; 2]) -> bool {
    let [left, right, top, bottom] = triangle.bounds;
    // Most triangles are small.
    if usize::from(right - left) < TILE / 2 || usize::from(bottom - top) < TILE / 2 {
        return false;
    }
    triangle.edges.iter().all(|edge| {
        // A tenth of a pixel of margin for rounding.
        least_of(edge, first) > 0.1 * (edge[0].abs() + edge[1].abs())
    })
}

/// The least of one over the depth in a tile.
fn farthest(triangle: &Triangle, first: [usize; 2]) -> f32 {
    least_of(&triangle.depth, first).max(triangle.depth_range[0])
}

/// The least value in a tile of a function of the place.
fn least_of([a, b, c]: &[f32; 3], first: [usize; 2]) -> f32 {
    let [x, y] = first.map(|value| value as f32);
    let x = if *a < 0.0 { x + TILE as f32 } else { x };
    let y = if *b < 0.0 { y + TILE as f32 } else { y };
    a * x + (b * y + c)
}
