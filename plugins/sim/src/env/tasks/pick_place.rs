//! A cube goes into a tray, and is let go.

use super::{Judgement, grip, holds, horizontal, lift, near, place, put};
use crate::World;
use crate::env::random::Random;
use crate::env::scene::{CUBE, TRAY};
use crate::math::V3;

/// Where the cube begins, metres: lowest and highest corner.
const AREA: [[f64; 2]; 2] = [[0.18, 0.00], [0.25, 0.11]];
/// Where the tray is, and how far from there it may be, metres.
const TRAY_AT: [f64; 2] = [0.20, -0.14];
const TRAY_MOVES: f64 = 0.015;
/// Height of the cube's centre in the tray, metres.
const IN_TRAY: f64 = 0.004 + CUBE / 2.0;

pub(super) fn start(random: &mut Random, world: &mut World) -> [f64; 3] {
    let [x, y] = [0, 1].map(|axis| random.between(AREA[0][axis], AREA[1][axis]));
    let yaw = random.about_zero(0.5);
    put(world, 0, [x, y, CUBE / 2.0], yaw);
    let [x, y] = TRAY_AT.map(|at| at + random.about_zero(TRAY_MOVES));
    put(world, 1, [x, y, 0.0], 0.0);
    [x, y, IN_TRAY]
}

/// Where the cube's centre is when it lies in the tray.
pub(super) fn goal(world: &World) -> V3 {
    place(world, 1) + V3::new(0.0, 0.0, IN_TRAY)
}

pub(super) fn judge(world: &World) -> Judgement {
    let (cube, goal) = (place(world, 0), goal(world));
    let to_goal = goal - cube;
    let reach = (cube - grip(world, 0)).norm();
    let success = world.object_in_tray(0, 1);
    let over_tray = to_goal.x.abs() < TRAY[0] / 2.0 - CUBE / 2.0
        && to_goal.y.abs() < TRAY[1] / 2.0 - CUBE / 2.0;
    let score = if success {
        1.0
    } else if over_tray && !holds(world, 0, 0) {
        // On its way down, or lying there with a jaw against it.
        0.95
    } else if over_tray {
        0.8 + 0.1 * near(to_goal.z.abs())
    } else if holds(world, 0, 0) {
        let lifted = lift(cube.z - CUBE / 2.0);
        0.35 + 0.15 * lifted + 0.3 * lifted * near(horizontal(&to_goal))
    } else {
        0.25 * near(reach)
    };
    Judgement {
        success,
        distance_m: to_goal.norm(),
        scores: [score; 2],
    }
}
