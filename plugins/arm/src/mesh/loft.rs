//! Bodies stretched over cross sections, as organic parts are drawn.

use nalgebra::Vector3;

use super::surface::Surface;
use crate::shape::TriMesh;

/// The body that joins closed sections (metres), each with the same number of points in the same
/// order, flat at both ends. Sections should be convex and not cross each other; with fewer than
/// two sections, or sections that differ in length, the mesh is empty.
#[must_use]
pub fn loft(sections: &[Vec<[f64; 3]>]) -> TriMesh {
    let Some(count) = sections.first().map(Vec::len) else {
        return TriMesh::default();
    };
    if sections.len() < 2 || count < 3 || sections.iter().any(|section| section.len() != count) {
        return TriMesh::default();
    }
    let mut surface = Surface::default();
    for section in sections {
        surface.add(section.iter().map(|point| Vector3::from(*point)));
    }
    for row in 0..sections.len() - 1 {
        surface.band(row * count, (row + 1) * count, count);
    }
    let last = (sections.len() - 1) * count;
    let center = |points: &[Vector3<f64>]| points.iter().sum::<Vector3<f64>>() / count as f64;
    let low = center(&surface.points[..count]);
    let high = center(&surface.points[last..]);
    let low = surface.add([low]);
    let high = surface.add([high]);
    for i in 0..count {
        let next = (i + 1) % count;
        surface.faces.push([low, next, i]);
        surface.faces.push([high, last + i, last + next]);
    }
    surface.finish()
}
