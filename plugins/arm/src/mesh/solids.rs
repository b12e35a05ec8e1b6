//! Boxes, and solids of revolution about Z.

use core::f64::consts::{FRAC_PI_2, PI};

use nalgebra::Vector3;

use super::surface::Surface;
use super::{circle_segments, positive};
use crate::shape::TriMesh;

/// Rims of round things narrower than this are not worth their triangles.
const FINE_RIM: f64 = 4e-4;

pub(super) fn cuboid(half: [f64; 3]) -> TriMesh {
    if !positive(&half) {
        return TriMesh::default();
    }
    let [x, y, z] = half;
    let mut surface = Surface::default();
    surface.add(
        [-z, z]
            .into_iter()
            .flat_map(|z| [[-x, -y], [x, -y], [x, y], [-x, y]].map(|[x, y]| Vector3::new(x, y, z))),
    );
    surface.quad(0, 3, 2, 1);
    surface.quad(4, 5, 6, 7);
    surface.band(0, 4, 4);
    surface.finish()
}

/// A globe whose eight octants are pulled apart to the corners of a box.
pub(super) fn rounded_box(half: [f64; 3], radius: f64) -> TriMesh {
    if !positive(&half) || !radius.is_finite() {
        return TriMesh::default();
    }
    let radius = radius.min(half[0]).min(half[1]).min(half[2]);
    if radius <= 0.0 {
        return cuboid(half);
    }
    let steps = match radius {
        ..6e-4 => 1,
        ..3e-3 => 2,
        _ => 3,
    };
    let core = [half[0] - radius, half[1] - radius, half[2] - radius];
    let columns = 4 * (steps + 1);
    let mut surface = Surface::default();
    let step = FRAC_PI_2 / steps as f64;
    for (side, row) in [-1.0, 1.0]
        .into_iter()
        .flat_map(|side| (0..=steps).map(move |row| (side, row)))
    {
        let latitude = if side < 0.0 {
            step * row as f64 - FRAC_PI_2
        } else {
            step * row as f64
        };
        let (sin_lat, cos_lat) = libm::sincos(latitude);
        surface.add((0..columns).map(|column| {
            let (quarter, within) = (column / (steps + 1), column % (steps + 1));
            let longitude = FRAC_PI_2 * quarter as f64 + step * within as f64;
            let (sin_lon, cos_lon) = libm::sincos(longitude);
            let sign_x = if quarter == 0 || quarter == 3 {
                1.0
            } else {
                -1.0
            };
            let sign_y = if quarter < 2 { 1.0 } else { -1.0 };
            Vector3::new(
                sign_x * core[0] + radius * cos_lat * cos_lon,
                sign_y * core[1] + radius * cos_lat * sin_lon,
                side * core[2] + radius * sin_lat,
            )
        }));
    }
    let rows = 2 * (steps + 1);
    for row in 0..rows - 1 {
        surface.band(row * columns, (row + 1) * columns, columns);
    }
    // At the poles each octant's row is one point: the four are the flat faces' corners.
    let corner = |quarter: usize| quarter * (steps + 1);
    let top = (rows - 1) * columns;
    surface.quad(corner(3), corner(2), corner(1), corner(0));
    surface.quad(
        top + corner(0),
        top + corner(1),
        top + corner(2),
        top + corner(3),
    );
    surface.finish()
}

/// A cylinder with rims broken just enough to catch light.
pub(super) fn cylinder(radius: f64, half_length: f64) -> TriMesh {
    if !positive(&[radius, half_length]) {
        return TriMesh::default();
    }
    let rim = (0.05 * radius).min(0.2 * half_length).min(1e-3);
    let mut profile = vec![[0.0, -half_length]];
    if rim < FINE_RIM {
        profile.push([radius, -half_length]);
    } else {
        profile.push([radius - rim, -half_length]);
        profile.push([radius, rim - half_length]);
    }
    let lower: Vec<[f64; 2]> = profile.clone();
    profile.extend(lower.iter().rev().map(|[r, z]| [*r, -z]));
    lathe(&profile, circle_segments(radius), false)
}

pub(super) fn capsule(radius: f64, half_length: f64) -> TriMesh {
    if !positive(&[radius]) || !half_length.is_finite() || half_length < 0.0 {
        return TriMesh::default();
    }
    let segments = circle_segments(radius).max(16);
    let rows = segments / 4;
    let quarter = |row: usize| libm::sincos(FRAC_PI_2 * row as f64 / rows as f64);
    let mut profile: Vec<[f64; 2]> = (0..=rows)
        .map(|row| {
            let (sin, cos) = quarter(row);
            [
                if row == 0 { 0.0 } else { radius * sin },
                -half_length - radius * cos,
            ]
        })
        .collect();
    let lower: Vec<[f64; 2]> = profile.clone();
    profile.extend(lower.iter().rev().map(|[r, z]| [*r, -z]));
    lathe(&profile, segments, false)
}

pub(super) fn tube(outer: f64, inner: f64, half_length: f64) -> TriMesh {
    if !positive(&[outer, half_length]) || !inner.is_finite() {
        return TriMesh::default();
    }
    if inner <= 0.0 {
        return cylinder(outer, half_length);
    }
    if inner >= outer {
        return TriMesh::default();
    }
    let rim = (0.2 * (outer - inner)).min(0.2 * half_length).min(1e-3);
    let corner = |r: f64, z: f64, from: f64| {
        (0..=1).map(move |step| {
            let (sin, cos) = libm::sincos(from + FRAC_PI_2 * f64::from(step));
            [r + rim * cos, z + rim * sin]
        })
    };
    let (out, within) = (outer - rim, inner + rim);
    let (low, high) = (rim - half_length, half_length - rim);
    let profile: Vec<[f64; 2]> = corner(out, low, -FRAC_PI_2)
        .chain(corner(out, high, 0.0))
        .chain(corner(within, high, FRAC_PI_2))
        .chain(corner(within, low, PI))
        .collect();
    lathe(&profile, circle_segments(outer), true)
}

/// Turns a profile (radius, height) about Z. An open one starts and ends on the axis.
fn lathe(profile: &[[f64; 2]], segments: usize, closed: bool) -> TriMesh {
    let mut surface = Surface::default();
    for &[radius, z] in profile {
        surface.add((0..segments).map(|i| {
            let (sin, cos) = libm::sincos(2.0 * PI * i as f64 / segments as f64);
            Vector3::new(radius * cos, radius * sin, z)
        }));
    }
    let rows = profile.len();
    for row in 0..if closed { rows } else { rows - 1 } {
        surface.band(row * segments, (row + 1) % rows * segments, segments);
    }
    surface.finish()
}
