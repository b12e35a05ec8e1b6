//! Which triangle each sample of a tile sees.

use super::setup::{Geometry, SAMPLES_X, SAMPLES_Y, TILE, Triangle};

/// One pixel's samples.
pub(super) type Samples<T> = [T; 4];

/// What a tile's samples see.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    /// One over the depth of what is nearest, row by row.
    depth: Vec<Samples<f32>>,
    /// Its number in [`Geometry::triangles`] plus one; 0 for nothing.
    pub(super) seen: Vec<Samples<u32>>,
}

impl Tile {
    pub(super) fn new() -> Self {
        Self {
            depth: vec![[0.0; 4]; TILE * TILE],
            seen: vec![[0; 4]; TILE * TILE],
        }
    }

    /// Looks at one tile of the picture.
    pub(super) fn look(&mut self, geometry: &Geometry, column: usize, row: usize) {
        self.depth.fill([0.0; 4]);
        self.seen.fill([0; 4]);
        for index in &geometry.bins[row * geometry.tiles[0] + column] {
            let triangle = &geometry.triangles[*index as usize];
            if covers(triangle, column, row) {
                self.cover(triangle, index + 1, [column * TILE, row * TILE]);
            } else {
                self.draw(triangle, index + 1, [column * TILE, row * TILE]);
            }
        }
    }

    fn draw(&mut self, triangle: &Triangle, number: u32, [first_x, first_y]: [usize; 2]) {
        let [left, right, top, bottom] = triangle.bounds.map(usize::from);
        let columns = left.max(first_x)..=right.min(first_x + TILE - 1);
        let [ea, eb, ec] = &triangle.edges;
        let least = triangle.least;
        for y in top.max(first_y)..=bottom.min(first_y + TILE - 1) {
            let at = |[_, b, c]: &[f32; 3]| SAMPLES_Y.map(|sample| b * (y as f32 + sample) + c);
            let (row_a, row_b, row_c, row_depth) =
                (at(ea), at(eb), at(ec), at(&triangle.depth));
            let first = (y - first_y) * TILE;
            let line = first + columns.start() - first_x..first + columns.end() + 1 - first_x;
            let pixels = self.depth[line.clone()].iter_mut().zip(&mut self.seen[line]);
            for (x, (depth, seen)) in columns.clone().zip(pixels) {
                let x = x as f32;
                let mut inside = [false; 4];
                let mut new = [0.0; 4];
                for sample in 0..4 {
                    let x = x + SAMPLES_X[sample];
                    new[sample] = triangle.depth[0] * x + row_depth[sample];
                    inside[sample] = (ea[0] * x + row_a[sample] >= least[0])
                        & (eb[0] * x + row_b[sample] >= least[1])
                        & (ec[0] * x + row_c[sample] >= least[2])
                        & (new[sample] > depth[sample]);
                }
                for sample in 0..4 {
                    depth[sample] = if inside[sample] { new[sample] } else { depth[sample] };
                    seen[sample] = if inside[sample] { number } else { seen[sample] };
                }
            }
        }
    }

    /// Draws a triangle that covers the whole tile.
    fn cover(&mut self, triangle: &Triangle, number: u32, [first_x, first_y]: [usize; 2]) {
        let [slope_x, slope_y, start] = triangle.depth;
        let rows = self
            .depth
            .chunks_exact_mut(TILE)
            .zip(self.seen.chunks_exact_mut(TILE));
        for (y, (depth, seen)) in (first_y..).zip(rows) {
            let row = SAMPLES_Y.map(|sample| slope_y * (y as f32 + sample) + start);
            for (x, (depth, seen)) in (first_x..).zip(depth.iter_mut().zip(seen)) {
                for sample in 0..4 {
                    let new = slope_x * (x as f32 + SAMPLES_X[sample]) + row[sample];
                    let nearer = new > depth[sample];
                    depth[sample] = if nearer { new } else { depth[sample] };
                    seen[sample] = if nearer { number } else { seen[sample] };
                }
            }
        }
    }
}

/// Whether every edge has the whole tile well on its inside.
fn covers(triangle: &Triangle, column: usize, row: usize) -> bool {
    let (x, y) = ((column * TILE) as f32, (row * TILE) as f32);
    let [left, right, top, bottom] = triangle.bounds.map(usize::from);
    if left > column * TILE
        || right < column * TILE + TILE - 1
        || top > row * TILE
        || bottom < row * TILE + TILE - 1
    {
        return false;
    }
    triangle.edges.iter().all(|[a, b, c]| {
        let x = if *a < 0.0 { x + TILE as f32 } else { x };
        let y = if *b < 0.0 { y + TILE as f32 } else { y };
        // A tenth of a pixel of margin for rounding.
        a * x + (b * y + c) > 0.1 * (a.abs() + b.abs())
    })
}
