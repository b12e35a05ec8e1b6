//! One cube goes on top of another, and is let go.

use super::{Judgement, grip, holds, horizontal, lift, near, place, put, rests};
use crate::World;
use crate::env::random::Random;
use crate::env::scene::{BASE, CUBE};
use crate::math::V3;

/// Where the cubes begin, metres: lowest and highest corners; apart, so that a gripper finds room.
const CUBE_AREA: [[f64; 2]; 2] = [[0.18, 0.03], [0.25, 0.11]];
const BASE_AREA: [[f64; 2]; 2] = [[0.18, -0.12], [0.25, -0.05]];
/// The cube's centre is over the other's within this distance, metres.
const OVER: f64 = 0.018;
/// It stands on the other within this height, metres.
const ON: f64 = 0.006;

pub(super) fn start(random: &mut Random, world: &mut World) -> [f64; 3] {
    for (object, area, size) in [(0, CUBE_AREA, CUBE), (1, BASE_AREA, BASE)] {
        let [x, y] = [0, 1].map(|axis| random.between(area[0][axis], area[1][axis]));
        let yaw = random.about_zero(0.5);
        put(world, object, [x, y, size / 2.0], yaw);
    }
    goal(world).into()
}

/// Where the cube's centre is when it stands on the other.
pub(super) fn goal(world: &World) -> V3 {
    place(world, 1) + V3::new(0.0, 0.0, (BASE + CUBE) / 2.0)
}

pub(super) fn judge(world: &World) -> Judgement {
    let (cube, goal) = (place(world, 0), goal(world));
    let to_goal = goal - cube;
    let aside = horizontal(&to_goal);
    let stands = aside < OVER && to_goal.z.abs() < ON;
    let success = stands && !world.object_touched(0) && rests(world, 0) && rests(world, 1);
    let score = if success {
        1.0
    } else if stands {
        0.9
    } else if holds(world, 0, 0) {
        let lifted = lift(cube.z - CUBE / 2.0);
        0.35 + 0.1 * lifted + 0.4 * lifted * near(to_goal.norm())
    } else {
        0.25 * near((cube - grip(world, 0)).norm())
    };
    Judgement {
        success,
        distance_m: to_goal.norm(),
        scores: [score; 2],
    }
}
