//! Plates: an outline with holes, extruded along Z, with rounded rims.

use core::f64::consts::FRAC_PI_2;

use nalgebra::Vector3;

use super::polygon::{self, Point};
use super::positive;
use super::surface::Surface;
use crate::shape::TriMesh;

/// Rims below this radius are one chamfer, larger ones two: shading rounds both.
const FINE_RIM: f64 = 2.1e-3;

/// What [`extrude`] makes: a plate between z = −`half_depth` and z = `half_depth`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plate {
    /// Corners of the simple outline, metres, either way round.
    pub outline: Vec<[f64; 2]>,
    /// Corners of holes, metres, either way round; within the outline and apart from each other.
    pub holes: Vec<Vec<[f64; 2]>>,
    /// Half of the thickness, metres.
    pub half_depth: f64,
    /// Radius of the outer rims, metres; zero for none. Made smaller where it doesn't fit.
    pub bevel: f64,
    /// How far the holes' rims reach into the plate's faces, metres; at most [`Plate::bevel`].
    pub hole_bevel: f64,
}

/// The plate's triangles.
#[must_use]
pub fn extrude(plate: &Plate) -> TriMesh {
    let Some(outline) = polygon::tidy(&plate.outline, false) else {
        return TriMesh::default();
    };
    if !positive(&[plate.half_depth]) || !plate.bevel.is_finite() {
        return TriMesh::default();
    }
    let mut loops = vec![outline];
    loops.extend(
        plate
            .holes
            .iter()
            .filter_map(|hole| polygon::tidy(hole, true)),
    );

    let wanted = plate.bevel.min(plate.half_depth).max(0.0);
    let bevel = fitting_bevel(&loops[..1], wanted);
    let hole_bevel = fitting_bevel(&loops[1..], plate.hole_bevel.min(bevel).max(0.0));
    let steps = if bevel < FINE_RIM { 1 } else { 2 };
    let points: usize = loops.iter().map(Vec::len).sum();
    let mut surface = Surface::default();
    let mut caps = Vec::new();
    // From the lower face's rim up to the upper one's.
    for side in [-1.0, 1.0] {
        for step in 0..=steps {
            let turn = step as f64 / steps as f64;
            let turn = if side < 0.0 { 1.0 - turn } else { turn };
            let (sin, cos) = libm::sincos(FRAC_PI_2 * turn);
            let z = side * (plate.half_depth - bevel + bevel * sin);
            let ring = moved(&loops, [bevel * (1.0 - cos), hole_bevel * (1.0 - cos)]);
            surface.add(ring.iter().flatten().map(|[x, y]| Vector3::new(*x, *y, z)));
            if turn == 1.0 {
                caps = ring;
            }
        }
    }
    let rows = 2 * (steps + 1);
    for row in 0..rows - 1 {
        let mut first = row * points;
        for ring in &loops {
            surface.band(first, first + points, ring.len());
            first += ring.len();
        }
    }
    let top = (rows - 1) * points;
    for [a, b, c] in polygon::triangles(&caps) {
        surface.faces.push([a, c, b]);
        surface.faces.push([top + a, top + b, top + c]);
    }
    surface.finish()
}

/// The greatest bevel up to `wanted`, halved a few times at most, that turns no edge over.
fn fitting_bevel(loops: &[Vec<Point>], wanted: f64) -> f64 {
    let mut bevel = wanted;
    for _ in 0..6 {
        if loops
            .iter()
            .all(|outline| polygon::inset(outline, bevel).is_some())
        {
            return bevel;
        }
        bevel *= 0.5;
    }
    0.0
}

/// The loops moved into the plate: the outline by the first distance, holes by the second.
fn moved(loops: &[Vec<Point>], distances: [f64; 2]) -> Vec<Vec<Point>> {
    loops
        .iter()
        .enumerate()
        .map(|(i, outline)| {
            polygon::inset(outline, distances[i.min(1)]).unwrap_or_else(|| outline.clone())
        })
        .collect()
}
