//! Triangles for every [`Shape`], and the tools that the built-in arm's parts are made with.
//!
//! Every solid made here is closed, its triangles run anticlockwise seen from outside, and all its
//! numbers are finite; a shape with lengths that are negative or not numbers becomes an empty
//! mesh. Normals are smooth over soft edges and sharp over hard ones, weighted by area, so that
//! large faces stay flat beside small bevels. Lengths are metres, in the shape's frame.

mod extrude;
mod loft;
mod polygon;
mod solids;
mod surface;

use crate::shape::{Shape, TriMesh};

pub use extrude::{Plate, extrude};
pub use loft::loft;
pub use polygon::{circle, rounded};
pub use surface::with_normals;

/// The triangles of a shape.
#[must_use]
pub fn triangulate(shape: &Shape) -> TriMesh {
    match shape {
        Shape::Box { half_extents } => solids::cuboid(*half_extents),
        Shape::RoundedBox {
            half_extents,
            radius,
        } => solids::rounded_box(*half_extents, *radius),
        Shape::Cylinder {
            radius,
            half_length,
        } => solids::cylinder(*radius, *half_length),
        Shape::Capsule {
            radius,
            half_length,
        } => solids::capsule(*radius, *half_length),
        Shape::Sphere { radius } => solids::capsule(*radius, 0.0),
        Shape::Tube {
            outer_radius,
            inner_radius,
            half_length,
        } => solids::tube(*outer_radius, *inner_radius, *half_length),
        Shape::Extrusion {
            outline,
            half_depth,
            bevel,
        } => extrude(&Plate {
            outline: outline.clone(),
            holes: Vec::new(),
            half_depth: *half_depth,
            bevel: *bevel,
            hole_bevel: 0.0,
        }),
        Shape::Mesh(mesh) => TriMesh::clone(mesh),
    }
}

/// How many straight pieces a circle of this radius is drawn with: enough that no piece is further
/// than an eighth of a millimetre from the circle, within reason. Shading hides the rest, and
/// drawing in software pays for each triangle.
fn circle_segments(radius: f64) -> usize {
    const TOLERANCE: f64 = 1.25e-4;
    const FEWEST: usize = 8;
    const MOST: usize = 64;
    if radius <= TOLERANCE {
        return FEWEST;
    }
    let exact = core::f64::consts::PI / libm::acos(1.0 - TOLERANCE / radius);
    // A multiple of four, so that octants have borders.
    ((libm::ceil(exact / 4.0) as usize) * 4).clamp(FEWEST, MOST)
}

/// Whether all lengths are numbers above zero.
fn positive(lengths: &[f64]) -> bool {
    lengths
        .iter()
        .all(|length| length.is_finite() && *length > 0.0)
}

#[cfg(test)]
mod tests;
