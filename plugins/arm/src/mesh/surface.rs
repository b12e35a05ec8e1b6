//! A surface under construction (shared points, no normals) and its end as a [`TriMesh`].

use std::collections::HashMap;

use nalgebra::Vector3;

use crate::shape::TriMesh;

/// Edges sharper than this stay hard: 40°.
const CREASE_RADIANS: f64 = 0.7;

/// Points and triangles of a solid; neighbouring triangles share points.
#[derive(Debug, Default)]
pub(super) struct Surface {
    pub(super) points: Vec<Vector3<f64>>,
    pub(super) faces: Vec<[usize; 3]>,
}

impl Surface {
    /// Adds points and tells the index of the first.
    pub(super) fn add(&mut self, points: impl IntoIterator<Item = Vector3<f64>>) -> usize {
        let first = self.points.len();
        self.points.extend(points);
        first
    }

    pub(super) fn quad(&mut self, a: usize, b: usize, c: usize, d: usize) {
        self.faces.push([a, b, c]);
        self.faces.push([a, c, d]);
    }

    /// Joins two rings of `count` points each, the first point after the last.
    pub(super) fn band(&mut self, lower: usize, upper: usize, count: usize) {
        for i in 0..count {
            let next = (i + 1) % count;
            self.quad(lower + i, lower + next, upper + next, upper + i);
        }
    }

    /// Merges equal points, drops triangles that have collapsed, turns the surface right side out
    /// and gives it normals.
    pub(super) fn finish(self) -> TriMesh {
        if self
            .points
            .iter()
            .any(|point| !point.iter().all(|value| value.is_finite()))
        {
            return TriMesh::default();
        }
        let mut surface = self.welded();
        if surface.signed_volume() < 0.0 {
            for face in &mut surface.faces {
                face.swap(1, 2);
            }
        }
        surface.shaded(CREASE_RADIANS)
    }

    fn welded(self) -> Self {
        let mut indices = HashMap::new();
        let mut points = Vec::new();
        let renumbered: Vec<usize> = self
            .points
            .iter()
            .map(|point| {
                // A tenth of a micrometre: far below what is drawn, far above rounding.
                let key = [point.x, point.y, point.z].map(|value| libm::round(value * 1e7) as i64);
                *indices.entry(key).or_insert_with(|| {
                    points.push(*point);
                    points.len() - 1
                })
            })
            .collect();
        let faces = self
            .faces
            .iter()
            .map(|face| face.map(|index| renumbered[index]))
            .filter(|[a, b, c]| a != b && b != c && c != a)
            .collect();
        Self { points, faces }
    }

    fn signed_volume(&self) -> f64 {
        let sum: f64 = self
            .faces
            .iter()
            .map(|&[a, b, c]| self.points[a].dot(&self.points[b].cross(&self.points[c])))
            .sum();
        sum / 6.0
    }

    /// One normal a corner: the mean of the faces around the point that are within the crease
    /// angle of the corner's own face. Weighting by area keeps large faces flat beside bevels,
    /// weighting by angle makes it not matter how a quad is split.
    fn shaded(&self, crease_radians: f64) -> TriMesh {
        let flat: Vec<Vector3<f64>> = self
            .faces
            .iter()
            .map(|&[a, b, c]| {
                (self.points[b] - self.points[a]).cross(&(self.points[c] - self.points[a]))
            })
            .collect();
        let mut around: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.points.len()];
        for (index, face) in self.faces.iter().enumerate() {
            for corner in 0..3 {
                let at = self.points[face[corner]];
                let one = self.points[face[(corner + 1) % 3]] - at;
                let other = self.points[face[(corner + 2) % 3]] - at;
                let angle = libm::atan2(one.cross(&other).norm(), one.dot(&other));
                around[face[corner]].push((index, angle));
            }
        }
        let limit = libm::cos(crease_radians);
        let mut mesh = TriMesh::default();
        let mut corners = HashMap::new();
        for (index, face) in self.faces.iter().enumerate() {
            let Some(own) = flat[index].try_normalize(0.0) else {
                continue;
            };
            mesh.triangles.push(face.map(|point| {
                let sum: Vector3<f64> = around[point]
                    .iter()
                    .filter_map(|&(other, angle)| {
                        let direction = flat[other].try_normalize(0.0)?;
                        (direction.dot(&own) > limit).then(|| flat[other] * angle)
                    })
                    .sum();
                let normal = sum.try_normalize(0.0).unwrap_or(own).cast::<f32>();
                let key = (
                    point,
                    [normal.x, normal.y, normal.z].map(|v| (v * 4096.0) as i32),
                );
                *corners.entry(key).or_insert_with(|| {
                    mesh.positions.push(self.points[point].cast::<f32>().into());
                    mesh.normals.push(normal.into());
                    (mesh.positions.len() - 1) as u32
                })
            }));
        }
        mesh
    }
}

/// A mesh from triangles without normals, as many files have them: equal points are merged and
/// edges of more than 40° stay hard. Triangles keep their side; those that name points that don't
/// exist or have no area are dropped.
#[must_use]
pub fn with_normals(positions: &[[f32; 3]], triangles: &[[u32; 3]]) -> TriMesh {
    let finite = |index: &u32| {
        positions
            .get(*index as usize)
            .is_some_and(|point| point.iter().all(|value| value.is_finite()))
    };
    let surface = Surface {
        points: positions
            .iter()
            .map(|&point| Vector3::from(point).cast::<f64>())
            .collect(),
        faces: triangles
            .iter()
            .filter(|face| face.iter().all(finite))
            .map(|face| face.map(|index| index as usize))
            .collect(),
    };
    surface.welded().shaded(CREASE_RADIANS)
}
