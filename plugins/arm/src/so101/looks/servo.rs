//! The Feetech STS3215: 45.4 × 24.8 mm case, horn in front, idler behind.
//!
//! Servo frame: origin in the middle of the case, Z along the output axis towards the horn, X from
//! the cables' end to the axis, which passes through (12.5, 0). The horn's face is at z = 18.7.

use super::part::{Parts, Plane};
use crate::Material;

/// Where the output axis is in the case's long direction.
const AXIS_X: f64 = 12.5;

/// Draws a servo in the frame given by `origin` (mm) and roll, pitch, yaw (radians); the wrist-roll
/// servo's horn is hidden in the part that it turns and can be left out.
pub(super) fn draw(parts: &mut Parts, origin: [f64; 3], rpy: [f64; 3], horn: bool) {
    parts.within(origin, rpy, |parts| {
        parts.of(Material::Servo);
        // The case: three shells with a seam between, corners broken at the horn's end.
        let case = |inset: f64| {
            [
                [22.7 - inset, -9.4, 0.8],
                [22.7 - inset, 9.4, 0.8],
                [19.7 - inset, 12.4 - inset, 0.8],
                [-22.7 + inset, 12.4 - inset, 1.0],
                [-22.7 + inset, -12.4 + inset, 1.0],
                [19.7 - inset, -12.4 + inset, 0.8],
            ]
        };
        parts.plate(Plane::Top, [-14.4, -8.3], 0.6, &case(0.0), &[]);
        parts.plate(Plane::Top, [-8.0, 7.6], 0.6, &case(0.0), &[]);
        parts.plate(Plane::Top, [7.9, 14.4], 0.6, &case(0.0), &[]);
        parts.plate(Plane::Top, [-14.0, 14.0], 0.0, &case(0.5), &[]);
        // Raised decks above the gears and below the electronics.
        parts.block([-22.2, -12.1, 13.0], [4.5, 12.1, 15.8], 0.7);
        parts.block([-22.2, -12.1, -15.8], [4.5, 12.1, -13.0], 0.7);
        // The two bus sockets.
        for y in [-5.6, 5.6] {
            parts.block([-17.2, y - 3.9, -17.4], [-11.2, y + 3.9, -15.0], 0.4);
        }
        // Case screws.
        for (x, y) in [(-20.2, 10.0), (-20.2, -10.0), (2.2, 10.0), (2.2, -10.0)] {
            parts
                .of(Material::Metal)
                .disc(Plane::Top, [x, y], 1.1, [15.6, 16.0]);
        }
        for (face, outward, there) in [(18.7, 1.0, horn), (-17.7, -1.0, true)] {
            if there {
                horn_disc(parts, face, outward);
            }
        }
    });
}

/// A horn (or the idler opposite to it) and its hub. What is screwed to it hides its face.
fn horn_disc(parts: &mut Parts, face: f64, outward: f64) {
    let axis = [AXIS_X, 0.0];
    parts.of(Material::Metal);
    parts.disc(Plane::Top, axis, 10.0, [face - 2.2 * outward, face]);
    parts.disc(
        Plane::Top,
        axis,
        6.0,
        [face - 4.5 * outward, face - 2.0 * outward],
    );
}
