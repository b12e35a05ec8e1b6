//! From solids to triangles on the picture: camera space, near plane, edges, and which tiles each
//! triangle touches.
//!
//! Camera space is the camera's frame, metres: X right, Y up, looking along −Z. Picture space is
//! pixels from the upper left corner. Depth is kept as its reciprocal, which is linear on the
//! picture.

use nalgebra::{Isometry3, Matrix3, Vector3};

use super::scene::Solid;

/// Nothing nearer is drawn, metres.
const NEAR: f32 = 0.01;
/// Side of a tile, pixels.
pub(super) const TILE: usize = 32;
/// Where a pixel's samples are, from its upper left corner: each on a row and column of its own,
/// so that edges near the horizontal and the vertical have all steps.
pub(super) const SAMPLES_X: [f32; 4] = [0.375, 0.875, 0.125, 0.625];
/// See [`SAMPLES_X`].
pub(super) const SAMPLES_Y: [f32; 4] = [0.125, 0.375, 0.625, 0.875];
/// Triangles of less area than half of this can't be seen, square pixels.
const LEAST_AREA: f32 = 1e-5;

/// From camera space to the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lens {
    /// Width and height, pixels.
    pub(super) size: [usize; 2],
    /// Focal length, pixels.
    pub(super) focal: f32,
}

/// A triangle on the picture.
#[derive(Debug, Clone)]
pub(super) struct Triangle {
    /// Functions `a x + b y + c` that are positive inside, each zero on the edge across from the
    /// corner of the same index.
    pub(super) edges: [[f32; 3]; 3],
    /// What each has to reach: a sample on an edge is of one of its two triangles.
    pub(super) least: [f32; 3],
    /// One over the depth, in the same form.
    pub(super) depth: [f32; 3],
    /// Its range within the triangle.
    pub(super) depth_range: [f32; 2],
    /// The corners' normals in camera space, times one over their depth; if it is flat, the normal.
    pub(super) normals: [[f32; 3]; 3],
    pub(super) flat: bool,
    pub(super) surface: u16,
    /// First and last column, first and last row.
    pub(super) bounds: [u16; 4],
}

/// A corner.
#[derive(Debug, Clone, Copy)]
struct Corner {
    /// In camera space.
    at: [f32; 3],
    normal: [f32; 3],
    /// On the picture.
    x: f32,
    y: f32,
    /// One over the depth; 0 nearer than the near plane.
    depth: f32,
}

/// The triangles of a picture.
#[derive(Debug)]
pub(super) struct Geometry {
    lens: Lens,
    /// Tiles across and down.
    pub(super) tiles: [usize; 2],
    pub(super) triangles: Vec<Triangle>,
    /// For each tile the triangles that may touch it.
    pub(super) bins: Vec<Vec<u32>>,
    corners: Vec<Corner>,
}

impl Lens {
    fn project(&self, at: [f32; 3], normal: [f32; 3]) -> Corner {
        let ahead = -at[2];
        let depth = if ahead >= NEAR { 1.0 / ahead } else { 0.0 };
        Corner {
            at,
            normal,
            x: 0.5 * self.size[0] as f32 + self.focal * at[0] * depth,
            y: 0.5 * self.size[1] as f32 - self.focal * at[1] * depth,
            depth,
        }
    }

    /// Whether a ball in camera space can be seen.
    fn sees(&self, center: [f32; 3], radius: f32) -> bool {
        let ahead = -center[2];
        let outside = |across: f32, size: usize| {
            let slope = 0.5 * size as f32 / self.focal;
            across.abs() - ahead * slope > radius * (1.0 + slope * slope).sqrt()
        };
        ahead + radius > NEAR
            && !outside(center[0], self.size[0])
            && !outside(center[1], self.size[1])
    }
}

impl Geometry {
    pub(super) fn new(lens: Lens) -> Self {
        let tiles = lens.size.map(|side| side.div_ceil(TILE));
        Self {
            lens,
            tiles,
            triangles: Vec::new(),
            bins: vec![Vec::new(); tiles[0] * tiles[1]],
            corners: Vec::new(),
        }
    }

    /// Replaces the lens by another of the same size.
    pub(super) fn set_lens(&mut self, lens: Lens) {
        self.lens = lens;
    }

    pub(super) fn clear(&mut self) {
        self.triangles.clear();
        for bin in &mut self.bins {
            bin.clear();
        }
    }

    /// Adds a solid that has this surface.
    pub(super) fn add(
        &mut self,
        solid: &Solid,
        camera_from_solid: &Isometry3<f64>,
        surface: usize,
    ) {
        let turn: Matrix3<f32> = camera_from_solid
            .rotation
            .to_rotation_matrix()
            .matrix()
            .cast();
        let shift: Vector3<f32> = camera_from_solid.translation.vector.cast();
        let place = |p: [f32; 3]| (turn * Vector3::from(p) + shift).into();
        if !self.lens.sees(place(solid.center), solid.radius) {
            return;
        }
        let mut corners = std::mem::take(&mut self.corners);
        corners.clear();
        let lens = self.lens;
        corners.extend(
            solid
                .positions
                .iter()
                .zip(&solid.normals)
                .map(|(position, normal)| {
                    lens.project(place(*position), (turn * Vector3::from(*normal)).into())
                }),
        );
        for triangle in &solid.triangles {
            let [a, b, c] = triangle.map(|index| &corners[index as usize]);
            let behind = [a, b, c].map(|corner| corner.depth == 0.0);
            if behind == [false; 3] {
                self.put([a, b, c], surface);
            } else if behind != [true; 3] {
                self.clip([a, b, c], surface);
            }
        }
        self.corners = corners;
    }

    /// Cuts a triangle off at the near plane.
    fn clip(&mut self, corners: [&Corner; 3], surface: usize) {
        let mut kept = [*corners[0]; 4];
        let mut count = 0;
        for (index, from) in corners.into_iter().enumerate() {
            let to = corners[(index + 1) % 3];
            if from.depth > 0.0 {
                kept[count] = *from;
                count += 1;
            }
            if (from.depth > 0.0) != (to.depth > 0.0) {
                // A hair behind the plane, so that rounding can't put it before.
                let share = (-NEAR * 1.0001 - from.at[2]) / (to.at[2] - from.at[2]);
                let share = share.clamp(0.0, 1.0);
                let between = |a: [f32; 3], b: [f32; 3]| {
                    std::array::from_fn(|axis| a[axis] + share * (b[axis] - a[axis]))
                };
                let mut at: [f32; 3] = between(from.at, to.at);
                at[2] = at[2].min(-NEAR);
                kept[count] = self.lens.project(at, between(from.normal, to.normal));
                count += 1;
            }
        }
        for last in 2..count {
            self.put([&kept[0], &kept[last - 1], &kept[last]], surface);
        }
    }

    /// Adds a triangle, unless it looks away or lies between all samples.
    fn put(&mut self, [a, b, c]: [&Corner; 3], surface: usize) {
        // Anticlockwise in space is clockwise on the picture, whose rows go down; the other way
        // round areas are positive.
        let (b, c) = (c, b);
        let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
        if !(area > LEAST_AREA) {
            return;
        }
        let low = |a: f32, b: f32, c: f32| (a.min(b).min(c) - SAMPLES_X[1]).ceil();
        let high = |a: f32, b: f32, c: f32| (a.max(b).max(c) - SAMPLES_X[2]).floor();
        let [width, height] = self.lens.size.map(|side| side as f32 - 1.0);
        let left = low(a.x, b.x, c.x).max(0.0);
        let right = high(a.x, b.x, c.x).min(width);
        let top = low(a.y, b.y, c.y).max(0.0);
        let bottom = high(a.y, b.y, c.y).min(height);
        if !(left <= right && top <= bottom) {
            return;
        }
        let (edge_a, edge_b, edge_c) = (edge(b, c), edge(c, a), edge(a, b));
        let inverse = 1.0 / area;
        let (along_b, along_c) = (b.depth - a.depth, c.depth - a.depth);
        let slope_x = (along_b * (c.y - a.y) - along_c * (b.y - a.y)) * inverse;
        let slope_y = (along_c * (b.x - a.x) - along_b * (c.x - a.x)) * inverse;
        let flat = equal(a.normal, b.normal) && equal(a.normal, c.normal);
        let triangle = Triangle {
            edges: [edge_a.0, edge_b.0, edge_c.0],
            least: [edge_a.1, edge_b.1, edge_c.1],
            depth: [slope_x, slope_y, a.depth - slope_x * a.x - slope_y * a.y],
            depth_range: [
                a.depth.min(b.depth).min(c.depth),
                a.depth.max(b.depth).max(c.depth),
            ],
            normals: if flat {
                [a.normal; 3]
            } else {
                [a, b, c].map(|corner| corner.normal.map(|value| value * corner.depth))
            },
            flat,
            surface: surface as u16,
            bounds: [left, right, top, bottom].map(|value| value as u16),
        };
        self.sort_in(&triangle);
        self.triangles.push(triangle);
    }

    /// Tells the tiles.
    fn sort_in(&mut self, triangle: &Triangle) {
        let index = self.triangles.len() as u32;
        let [left, right, top, bottom] = triangle.bounds.map(|bound| usize::from(bound) / TILE);
        let single = left == right && top == bottom;
        for row in top..=bottom {
            for column in left..=right {
                if single || touches(triangle, column, row) {
                    self.bins[row * self.tiles[0] + column].push(index);
                }
            }
        }
    }
}

/// Whether no edge has the whole tile on its outside.
fn touches(triangle: &Triangle, column: usize, row: usize) -> bool {
    let (x, y) = ((column * TILE) as f32, (row * TILE) as f32);
    triangle.edges.iter().all(|[a, b, c]| {
        let x = if *a > 0.0 { x + TILE as f32 } else { x };
        let y = if *b > 0.0 { y + TILE as f32 } else { y };
        a * x + (b * y + c) >= 0.0
    })
}

/// The function of the edge from `p` to `q`, and what it has to reach. The edge from `q` to `p` has
/// exactly the opposite one, so that neighbours leave no gap and share no sample.
fn edge(p: &Corner, q: &Corner) -> ([f32; 3], f32) {
    let swapped = (q.x, q.y) < (p.x, p.y);
    let (from, to) = if swapped { (q, p) } else { (p, q) };
    let (a, b) = (from.y - to.y, to.x - from.x);
    let c = -(a * from.x + b * from.y);
    if swapped {
        ([-a, -b, -c], f32::MIN_POSITIVE)
    } else {
        ([a, b, c], 0.0)
    }
}

fn equal(a: [f32; 3], b: [f32; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
}
