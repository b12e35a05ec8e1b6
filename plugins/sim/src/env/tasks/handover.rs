//! The left arm picks a bar up that the right one can't reach, and hands it over.

use super::{Judgement, grip, holds, lift, near, place, point_of, put};
use crate::World;
use crate::env::random::Random;
use crate::env::scene::{APART, BAR};
use crate::math::V3;

const LEFT: usize = 0;
const RIGHT: usize = 1;
/// Where the bar begins, metres: lowest and highest corner. Near the left arm.
const AREA: [[f64; 2]; 2] = [[0.150, -0.03], [0.175, 0.03]];
/// How far from the bar's middle each arm holds it, metres.
const HOLD: f64 = 0.045;
/// The bar's middle is this high above the table once it is handed over, metres.
const HIGH: f64 = 0.05;
/// Where it is handed over, metres.
const MEETING: [f64; 3] = [APART / 2.0, 0.0, 0.10];

pub(super) fn start(random: &mut Random, world: &mut World) -> [f64; 3] {
    let [x, y] = [0, 1].map(|axis| random.between(AREA[0][axis], AREA[1][axis]));
    let yaw = random.about_zero(0.15);
    put(world, 0, [x, y, BAR[2] / 2.0], yaw);
    MEETING
}

/// Where the bar is handed over.
pub(super) fn goal() -> V3 {
    V3::from(MEETING)
}

/// The end of the bar that an arm holds: the left arm's is along the bar's −X.
pub(super) fn end(world: &World, arm: usize) -> V3 {
    let side = if arm == LEFT { -HOLD } else { HOLD };
    point_of(world, 0, &V3::new(side, 0.0, 0.0))
}

pub(super) fn judge(world: &World) -> Judgement {
    let bar = place(world, 0);
    let [left, right] = [LEFT, RIGHT].map(|arm| holds(world, arm, 0));
    let left_touches = world.bodies_touching(0, LEFT) > 0;
    let [to_left, to_right] = [LEFT, RIGHT].map(|arm| (end(world, arm) - grip(world, arm)).norm());
    let lifted = lift(bar.z - BAR[2] / 2.0);
    let success = right && !left_touches && bar.z > HIGH;
    let score = if success {
        1.0
    } else if right && lifted > 0.5 {
        0.85
    } else if left {
        let there = lifted * near((goal() - bar).norm());
        0.3 + 0.1 * lifted + 0.2 * there + 0.2 * there * near(to_right)
    } else {
        0.2 * near(to_left)
    };
    Judgement {
        success,
        distance_m: to_right,
        scores: [score; 2],
    }
}
