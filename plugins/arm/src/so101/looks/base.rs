//! The base that stands on the table, and the shoulder that turns on it.

use core::f64::consts::FRAC_PI_2;

use super::part::{Parts, Plane, diamond, mirrored, window};
use super::servo;
use crate::Visual;

pub(super) fn base() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(&mut parts, [26.3, 0.0, 43.7], [0.0; 3], true);

    // Two wings with clamp holes and a rhombic floor, joined behind.
    let wing: [[f64; 3]; 9] = [
        [12.0, 9.6, 2.0],
        [38.0, 9.6, 3.0],
        [51.0, 15.5, 3.0],
        [64.6, 23.5, 4.0],
        [64.6, 32.5, 4.0],
        [25.0, 55.5, 4.0],
        [14.5, 55.5, 4.0],
        [-6.0, 43.0, 4.0],
        [-22.4, 43.0, 5.0],
    ];
    let clamps = [[-14.0, 32.0], [55.0, 28.0]];
    let mut windows: Vec<[[f64; 3]; 4]> = Vec::new();
    for side in [-1.0, 1.0] {
        for (row, y) in [24.5, 31.0, 37.5, 44.0].into_iter().enumerate() {
            for column in 0..6 {
                let x = -9.0 + 12.0 * f64::from(column) + if row % 2 == 1 { 6.0 } else { 0.0 };
                // Only where there is floor around it, and away from the clamps' holes.
                let front = 62.0 - (y - 32.5_f64).max(0.0) * 1.72 - 9.0;
                let behind = if y > 40.0 { 6.0 } else { -20.0 };
                let clear = clamps
                    .iter()
                    .all(|[cx, cy]: &[f64; 2]| libm::hypot(x - cx, y - cy) > 9.0);
                if x < front && x > behind && clear {
                    windows.push(diamond([x, side * y], [4.0, 2.3]));
                }
            }
        }
        for [x, y] in clamps {
            let y = side * y;
            windows.push(window([x - 3.4, y - 3.4], [x + 3.4, y + 3.4], 3.39));
        }
    }
    let windows: Vec<&[[f64; 3]]> = windows.iter().map(|corners| &corners[..]).collect();
    parts.plate(Plane::Top, [0.0, 15.1], 2.5, &mirrored(&wing), &windows);

    // The tower, open from front to back for cables.
    let tower = [
        [22.0, 10.0, 0.0],
        [22.0, 36.6, 0.0],
        [-22.0, 36.6, 0.0],
        [-22.0, 10.0, 0.0],
    ];
    let tunnel = window([-9.5, 12.0], [9.5, 27.0], 1.5);
    parts.plate(Plane::Front, [-22.4, 17.0], 1.5, &tower, &[&tunnel]);

    // The servo's cradle, its back block and the roof over the cables.
    let cradle = [
        [53.0, 9.0, 3.0],
        [50.5, 15.0, 4.0],
        [6.0, 22.2, 6.0],
        [-27.0, 22.2, 3.0],
    ];
    let seat = window([3.4, -12.6], [49.3, 12.6], 1.0);
    parts.plate(Plane::Top, [35.8, 55.6], 1.2, &mirrored(&cradle), &[&seat]);
    let block = [[2.0, 18.5, 1.0], [-1.0, 22.0, 3.0], [-27.0, 22.0, 3.0]];
    parts.plate(Plane::Top, [50.0, 67.0], 2.0, &mirrored(&block), &[]);
    let roof = [
        [24.0, 3.5, 6.0],
        [17.0, 12.5, 6.0],
        [6.0, 17.0, 4.0],
        [-22.0, 17.0, 4.0],
    ];
    parts.plate(Plane::Top, [61.6, 69.6], 2.0, &mirrored(&roof), &[]);

    // The plate that carries the control board.
    let board = [
        [25.4, 26.4, 8.0],
        [25.4, 68.4, 8.0],
        [-25.4, 68.4, 8.0],
        [-25.4, 26.4, 8.0],
    ];
    parts.plate(Plane::Front, [-31.0, -26.5], 1.2, &board, &[]);
    for (y, z) in [(20.5, 31.5), (-20.5, 31.5), (20.5, 63.3), (-20.5, 63.3)] {
        parts.screw(Plane::Front, [y, z], -31.0, -1.0);
    }
    for x in [-2.0, -20.0] {
        parts.screw(Plane::Side, [x, 45.7], 22.2, 1.0);
        parts.screw(Plane::Side, [x, 45.7], -22.2, -1.0);
    }
    parts.finish()
}

pub(super) fn shoulder() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(
        &mut parts,
        [-30.4, 0.4, -41.7],
        [FRAC_PI_2, FRAC_PI_2, 0.0],
        true,
    );

    // The fork that holds the base's servo by horn and idler.
    let tine = [
        [12.0, 5.0, 11.8],
        [12.0, 12.0, 11.8],
        [-2.0, 12.0, 6.0],
        [-15.5, 9.9, 6.0],
        [-34.0, 16.0, 4.0],
        [-43.0, 19.8, 3.0],
        [-46.0, 19.8, 2.0],
    ];
    parts.plate(Plane::Top, [-10.0, -0.2], 2.5, &mirrored(&tine), &[]);
    parts.plate(Plane::Top, [36.4, 46.2], 2.5, &mirrored(&tine), &[]);
    let spine = [
        [-47.6, -30.0, 0.0],
        [-38.0, -30.0, 0.0],
        [-32.0, -8.0, 2.0],
        [-30.0, 0.6, 2.0],
        [-38.0, 6.0, 3.0],
        [-40.0, 12.0, 3.0],
        [-40.0, 26.0, 3.0],
        [-37.0, 31.0, 3.0],
        [-27.0, 37.0, 2.0],
        [-27.0, 46.2, 1.0],
        [-36.0, 46.2, 2.0],
        [-47.6, 35.0, 3.0],
    ];
    parts.plate(Plane::Side, [-19.8, 19.8], 2.0, &spine, &[]);
    parts.horn_screws(Plane::Top, [0.0, 0.0], 46.2, 1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], -10.0, -1.0);

    // The box around the lift servo's back.
    let ring = [
        [-15.2, -26.2, 7.0],
        [-15.2, 26.2, 7.0],
        [-50.6, 26.2, 7.0],
        [-50.6, -26.2, 7.0],
    ];
    parts.plate(Plane::Top, [-38.0, -10.2], 1.2, &ring, &[]);
    for surface in [-50.6, -15.2] {
        parts.lattice(Plane::Front, [-12.0, -28.6], [8.0, 10.0], [4, 2], surface);
    }
    for x in [-43.0, -22.6] {
        parts.screw(Plane::Side, [x, -24.0], 26.2, 1.0);
        parts.screw(Plane::Side, [x, -24.0], -26.2, -1.0);
    }
    parts.finish()
}
