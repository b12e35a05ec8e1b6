//! The gripper's body with the fixed jaw, and the moving jaw.

use core::f64::consts::FRAC_PI_2;

use super::part::{Parts, Plane, mirrored};
use super::servo;
use crate::Visual;

pub(super) fn gripper() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(&mut parts, [7.7, 0.1, -23.4], [-FRAC_PI_2, 0.0, 0.0], true);

    // The hub around the wrist's horn and the flange under it.
    parts.disc(Plane::Top, [0.0, 0.0], 12.0, [-6.0, 0.9]);
    let flange = [
        [30.0, 24.0, 9.0],
        [-11.0, 24.0, 4.0],
        [-25.0, 16.0, 4.0],
        [-35.2, 16.0, 4.0],
    ];
    parts.plate(Plane::Top, [-10.8, -5.0], 2.7, &mirrored(&flange), &[]);
    // The housing: a block behind, two cheeks cut slantwise.
    let housing = [
        [-14.0, 24.0, 4.0],
        [-25.0, 16.0, 4.0],
        [-35.2, 16.0, 3.0],
        [-35.2, -16.0, 3.0],
        [-25.0, -16.0, 4.0],
        [-14.0, -24.0, 4.0],
        [-6.0, -24.0, 0.0],
        [-6.0, -20.2, 0.0],
        [-14.6, -20.2, 1.0],
        [-14.6, 20.2, 1.0],
        [-6.0, 20.2, 0.0],
        [-6.0, 24.0, 0.0],
    ];
    parts.plate(Plane::Top, [-36.8, -7.0], 1.4, &housing, &[]);
    let cheek = [
        [-9.0, -36.8, 0.0],
        [1.0, -36.8, 1.5],
        [13.6, -9.0, 0.0],
        [13.6, -7.0, 0.0],
        [-9.0, -7.0, 0.0],
    ];
    for [low, high] in [[20.2, 24.0], [-24.0, -20.2]] {
        parts.plate(Plane::Side, [low, high], 1.4, &cheek, &[]);
    }
    for (x, z) in [(-8.6, -13.4), (-8.6, -33.4)] {
        parts
            .screw(Plane::Side, [x, z], 24.0, 1.0)
            .screw(Plane::Side, [x, z], -24.0, -1.0);
    }
    parts
        .of(crate::Material::Servo)
        .disc(Plane::Front, [0.0, -23.4], 5.0, [-35.35, -34.0]);
    parts.of(crate::Material::Printed);

    // The fixed jaw: a finger that tapers to the tip, its inner face almost straight.
    let rows = [
        // height, inner face, outer face, half width
        [-30.0, -15.2, -35.0, 15.6],
        [-37.0, -14.9, -35.2, 15.4],
        [-40.5, -14.7, -35.2, 14.6],
        [-45.0, -14.4, -33.8, 13.0],
        [-51.0, -13.9, -31.7, 11.3],
        [-58.0, -13.2, -29.2, 10.0],
        [-66.0, -12.3, -26.3, 9.1],
        [-75.0, -11.3, -23.1, 8.2],
        [-84.0, -10.2, -19.9, 7.3],
        [-92.0, -9.2, -17.1, 6.4],
        [-98.0, -8.3, -14.9, 5.4],
        [-102.0, -8.0, -13.4, 4.2],
        [-104.0, -8.4, -12.4, 2.8],
    ];
    let sections: Vec<_> = rows
        .iter()
        .map(|&[z, inner, outer, half]| section([outer, inner], inner, [-half, half], z, Along::Z))
        .collect();
    parts.body(&sections);
    ridges(&mut parts, &rows, Along::Z);
    parts.finish()
}

pub(super) fn moving_jaw() -> Vec<Visual> {
    let mut parts = Parts::new();
    // The bracket between horn and idler.
    let tine = [
        [-10.0, -18.0, 1.0],
        [9.0, -18.0, 1.0],
        [10.0, 10.0, 9.9],
        [-10.0, 10.0, 9.9],
    ];
    parts.plate(Plane::Top, [-4.2, 0.0], 1.0, &tine, &[]);
    parts.plate(Plane::Top, [37.2, 42.0], 1.0, &tine, &[]);
    parts.horn_screws(Plane::Top, [0.0, 0.0], 42.0, 1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], -4.2, -1.0);
    let bracket = [
        [-8.0, -4.2, 0.0],
        [-8.0, 0.0, 0.0],
        [-14.0, 1.0, 4.0],
        [-15.0, 4.0, 4.0],
        [-15.0, 34.0, 4.0],
        [-14.0, 36.4, 4.0],
        [-8.0, 37.2, 0.0],
        [-8.0, 42.0, 0.0],
        [-17.0, 40.8, 4.0],
        [-22.0, 38.6, 3.0],
        [-22.0, -0.8, 3.0],
        [-17.0, -3.2, 4.0],
    ];
    parts.plate(Plane::Front, [-9.9, 9.0], 1.6, &bracket, &[]);

    let rows = [
        // reach, inner face, outer face, half width
        [-17.0, -8.2, 7.8, 13.4],
        [-22.0, -8.1, 7.5, 12.4],
        [-25.0, -8.1, 7.2, 11.0],
        [-30.0, -8.1, 6.8, 9.9],
        [-38.0, -8.2, 6.1, 9.0],
        [-47.0, -8.4, 5.2, 8.2],
        [-55.0, -8.8, 4.2, 7.5],
        [-61.0, -9.4, 2.5, 6.9],
        [-67.0, -10.3, -0.4, 6.2],
        [-73.0, -11.4, -3.4, 5.3],
        [-78.0, -12.1, -5.6, 4.1],
        [-81.0, -12.2, -7.0, 2.8],
        [-82.0, -11.8, -8.0, 1.8],
    ];
    let sections: Vec<_> = rows
        .iter()
        .map(|&[y, inner, outer, half]| {
            section(
                [inner, outer],
                inner,
                [18.9 - half, 18.9 + half],
                y,
                Along::Y,
            )
        })
        .collect();
    parts.body(&sections);
    ridges(&mut parts, &rows, Along::Y);
    parts.finish()
}

/// Which axis of its link a finger runs along; its width is across the other one, its inner face
/// looks along X.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Along {
    Y,
    Z,
}

impl Along {
    fn point(self, x: f64, across: f64, along: f64) -> [f64; 3] {
        match self {
            Self::Y => [x, along, across],
            Self::Z => [x, across, along],
        }
    }
}

/// A cross section of a finger: a rectangle whose corners are well rounded outside, less at
/// `inner_x`, where it holds things.
fn section(x: [f64; 2], inner_x: f64, across: [f64; 2], along: f64, axis: Along) -> Vec<[f64; 3]> {
    const STEPS: usize = 5;
    let size = (x[1] - x[0]).abs().min(across[1] - across[0]);
    let (inner, outer) = (0.2 * size, 0.42 * size);
    let corners = [
        (x[1], across[1], -1.0, -1.0),
        (x[0], across[1], 1.0, -1.0),
        (x[0], across[0], 1.0, 1.0),
        (x[1], across[0], -1.0, 1.0),
    ];
    corners
        .into_iter()
        .enumerate()
        .flat_map(|(quarter, (cx, ca, into_x, into_a))| {
            let radius = if cx == inner_x { inner } else { outer };
            (0..=STEPS).map(move |step| {
                let turn = quarter as f64 + step as f64 / STEPS as f64;
                let (sin, cos) = libm::sincos(FRAC_PI_2 * turn);
                axis.point(
                    cx + radius * (into_x + cos),
                    ca + radius * (into_a + sin),
                    along,
                )
            })
        })
        .collect()
}

/// Low ribs across a finger's inner face, towards the tip, where things are held.
fn ridges(parts: &mut Parts, rows: &[[f64; 4]], axis: Along) {
    for pair in rows.windows(2).skip(rows.len().saturating_sub(6)).take(4) {
        let [[from, inner_from, _, half_from], [to, inner_to, _, half_to]] = [pair[0], pair[1]];
        for share in [0.25, 0.75] {
            let along = from + share * (to - from);
            let inner = inner_from + share * (inner_to - inner_from);
            let half = (half_from + share * (half_to - half_from)) * 0.62;
            let middle = if axis == Along::Y { 18.9 } else { 0.0 };
            parts.block(
                axis.point(inner - 0.35, middle - half, along - 0.7),
                axis.point(inner + 0.35, middle + half, along + 0.7),
                0.3,
            );
        }
    }
}
