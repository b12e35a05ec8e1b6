//! Upper arm, lower arm and wrist: forks that hold the servo before them, boxes for the next.

use core::f64::consts::{FRAC_PI_2, PI};

use super::part::{Parts, Plane, window};
use super::servo;
use crate::Visual;

/// A tine's round end about the joint's axis, from above.
const TINE: [[f64; 3]; 4] = [
    [12.0, -12.0, 11.9],
    [12.0, 12.0, 11.9],
    [-30.0, 12.0, 0.0],
    [-30.0, -12.0, 0.0],
];

pub(super) fn upper_arm() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(
        &mut parts,
        [-112.57, -15.5, 18.7],
        [PI, 0.0, -FRAC_PI_2],
        true,
    );

    parts.plate(Plane::Top, [-13.4, -0.2], 3.0, &TINE, &[]);
    parts.plate(Plane::Top, [36.6, 49.8], 3.0, &TINE, &[]);
    let fork = [
        [-18.0, -13.4, 0.0],
        [-18.0, 1.2, 0.0],
        [-24.7, 1.2, 6.0],
        [-45.0, 11.0, 4.0],
        [-50.5, 18.2, 8.0],
        [-45.0, 25.4, 4.0],
        [-24.7, 35.2, 6.0],
        [-18.0, 35.2, 0.0],
        [-18.0, 49.8, 0.0],
        [-62.5, 49.8, 8.0],
        [-90.0, 43.0, 8.0],
        [-104.0, 43.0, 0.0],
        [-104.0, -6.4, 0.0],
        [-90.0, -6.4, 8.0],
        [-62.5, -13.4, 8.0],
    ];
    let hole = window([-95.5, 9.8], [-76.0, 26.8], 8.0);
    parts.plate(Plane::Side, [-12.0, 12.0], 3.0, &fork, &[&hole]);
    // The box around the elbow's servo.
    parts.block([-130.2, -12.5, -6.4], [-95.0, 12.4, 43.0], 2.0);
    parts.lattice(Plane::Side, [-124.0, 5.8], [7.8, 8.2], [4, 4], 12.4);
    parts
        .screw(Plane::Top, [-122.8, 4.8], 43.0, 1.0)
        .screw(Plane::Top, [-102.4, 4.8], 43.0, 1.0);
    parts
        .screw(Plane::Top, [-122.8, 4.8], -6.4, -1.0)
        .screw(Plane::Top, [-102.4, 4.8], -6.4, -1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], 49.8, 1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], -13.4, -1.0);
    parts.finish()
}

pub(super) fn lower_arm() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(&mut parts, [-122.4, 5.2, 18.7], [PI, 0.0, PI], true);

    parts.plate(Plane::Top, [-12.0, -0.2], 3.0, &TINE, &[]);
    // The upper tine is cut slantwise to let the elbow fold.
    parts.plate(Plane::Top, [36.6, 41.5], 2.0, &TINE, &[]);
    let fork = [
        [-18.0, -12.0, 0.0],
        [-18.0, 1.0, 0.0],
        [-24.0, 1.0, 6.0],
        [-43.0, 10.0, 4.0],
        [-50.0, 18.2, 8.0],
        [-43.0, 26.4, 4.0],
        [-24.0, 35.6, 6.0],
        [-6.0, 36.6, 0.0],
        [1.0, 36.6, 0.0],
        [1.0, 41.0, 0.0],
        [-11.0, 48.2, 4.0],
        [-41.0, 48.2, 8.0],
        [-51.0, 44.0, 8.0],
        [-100.0, 44.0, 0.0],
        [-100.0, -8.0, 0.0],
        [-51.0, -8.0, 8.0],
        [-41.0, -12.0, 8.0],
    ];
    let hole = window([-92.0, 10.0], [-67.4, 26.4], 7.8);
    parts.plate(Plane::Side, [-12.0, 12.0], 3.0, &fork, &[&hole]);
    // The box around the wrist's servo.
    let ring = [
        [21.9, -8.2, 6.0],
        [21.9, 48.2, 6.0],
        [-15.0, 48.2, 6.0],
        [-15.0, -8.2, 6.0],
    ];
    parts.plate(Plane::Front, [-118.7, -90.8], 1.2, &ring, &[]);
    for surface in [21.9, -15.0] {
        parts.lattice(Plane::Side, [-109.8, 6.6], [9.9, 8.1], [2, 4], surface);
    }
    parts
        .screw(Plane::Top, [-104.8, -6.0], 48.2, 1.0)
        .screw(Plane::Top, [-104.8, 14.4], 48.2, 1.0);
    parts.screw(Plane::Top, [-104.8, -6.0], -8.2, -1.0);
    parts.screw(Plane::Top, [-104.8, 14.4], -8.2, -1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], 41.5, 1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], -12.0, -1.0);
    parts.finish()
}

pub(super) fn wrist() -> Vec<Visual> {
    let mut parts = Parts::new();
    servo::draw(
        &mut parts,
        [0.0, -42.4, 30.6],
        [FRAC_PI_2, FRAC_PI_2, 0.0],
        false,
    );

    // Tines, with their round ends towards +Y here.
    parts.within([0.0; 3], [0.0, 0.0, FRAC_PI_2], |parts| {
        parts.plate(Plane::Top, [-8.8, -0.2], 3.0, &TINE, &[]);
        parts.plate(Plane::Top, [36.6, 45.2], 3.0, &TINE, &[]);
    });
    let shell = [
        [-6.0, -8.8, 0.0],
        [-6.0, 1.2, 0.0],
        [-15.0, 1.2, 6.0],
        [-23.0, 5.0, 8.0],
        [-21.4, 21.0, 4.0],
        [-24.0, 36.0, 1.0],
        [-12.0, 36.6, 0.0],
        [-6.0, 36.6, 0.0],
        [-6.0, 45.2, 0.0],
        [-12.0, 46.4, 8.0],
        [-24.5, 52.6, 6.0],
        [-62.0, 52.6, 1.5],
        [-62.0, 35.0, 14.0],
        [-58.0, 20.0, 30.0],
        [-51.0, 3.5, 26.0],
        [-37.0, -8.8, 18.0],
    ];
    parts.plate(Plane::Front, [-15.6, 15.6], 2.6, &shell, &[]);
    // Slanted windows on both cheeks.
    parts.of(crate::Material::Servo);
    for y in [-46.5, -32.7] {
        let slit = [
            [y - 7.8, 36.0, 0.4],
            [y - 4.0, 31.5, 0.4],
            [y + 5.0, 40.5, 0.4],
            [y + 5.0, 45.0, 0.4],
            [y + 0.6, 45.0, 0.4],
        ];
        parts.plate(Plane::Front, [-15.75, 15.75], 0.0, &slit, &[]);
    }
    parts.of(crate::Material::Printed);
    for x in [-10.2, 10.2] {
        parts.screw(Plane::Side, [x, 47.4], -62.0, -1.0);
    }
    parts.horn_screws(Plane::Top, [0.0, 0.0], 45.2, 1.0);
    parts.horn_screws(Plane::Top, [0.0, 0.0], -8.8, -1.0);
    parts.finish()
}
