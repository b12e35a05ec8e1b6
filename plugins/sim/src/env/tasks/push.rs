//! A cube goes to a place on the table.

use super::{Judgement, grip, horizontal, near, place, put};
use crate::World;
use crate::env::random::Random;
use crate::env::scene::{CUBE, DISC_HEIGHT};
use crate::math::V3;

/// The cube's centre is there within this distance, metres.
const REACHED: f64 = 0.025;
/// Where cube and goal are, metres: lowest and highest corner.
const AREA: [[f64; 2]; 2] = [[0.16, -0.12], [0.27, 0.12]];
/// How far the cube has to go, metres.
const WAY: [f64; 2] = [0.06, 0.14];
/// Pairs of places that are tried.
const TRIES: u32 = 100;

pub(super) fn start(random: &mut Random, world: &mut World) -> [f64; 3] {
    let mut draw = || [0, 1].map(|axis| random.between(AREA[0][axis], AREA[1][axis]));
    let mut found = ([0.17, 0.05], [0.24, 0.05]);
    for _ in 0..TRIES {
        let (cube, goal) = (draw(), draw());
        let way = V3::new(goal[0] - cube[0], goal[1] - cube[1], 0.0).norm();
        if (WAY[0]..=WAY[1]).contains(&way) {
            found = (cube, goal);
            break;
        }
    }
    let (cube, goal) = found;
    let yaw = random.about_zero(0.7);
    put(world, 0, [cube[0], cube[1], CUBE / 2.0], yaw);
    [goal[0], goal[1], DISC_HEIGHT / 2.0]
}

pub(super) fn judge(world: &World, goal: &[f64; 3]) -> Judgement {
    let cube = place(world, 0);
    let distance_m = horizontal(&(V3::from(*goal) - cube));
    let reach = (cube - grip(world, 0)).norm();
    let on_table = cube.z > 0.0 && cube.z < CUBE;
    Judgement {
        success: on_table && distance_m < REACHED,
        distance_m,
        scores: [0.3 * near(reach) + 0.7 * near(distance_m); 2],
    }
}
