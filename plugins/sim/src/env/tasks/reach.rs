//! The tool goes to a place above the table.

use forearm_arm::kinematics;
use nalgebra::Isometry3;

use super::{Judgement, tool};
use crate::World;
use crate::env::plan::Plan;
use crate::env::random::Random;
use crate::math::V3;

/// The tool is there within this distance, metres.
const REACHED: f64 = 0.015;
/// What a metre costs.
const COST: f64 = 5.0;
/// Where goals are, metres: lowest and highest corner. In front of the arm, clear of the table.
const BOX: [[f64; 3]; 2] = [[0.10, -0.22, 0.04], [0.36, 0.22, 0.30]];
/// All links stay above this height where the tool is at the goal, metres.
const CLEAR: f64 = 0.03;
/// Poses that are tried; one in seven or so is a goal.
const TRIES: u32 = 200;
/// Links of an arm that fit here without asking for memory.
const LINKS: usize = 32;

/// A goal that the arm can reach: where its tool is in a pose within its limits.
pub(super) fn goal(plan: &Plan, random: &mut Random, links: &mut Vec<Isometry3<f64>>) -> [f64; 3] {
    let model = &plan.models[0];
    let mut joints = [0.0; LINKS];
    for _ in 0..TRIES {
        for (joint, range) in joints.iter_mut().zip(&plan.joints) {
            *joint = random.between(range.lower, range.upper);
        }
        let goal = kinematics::tool_pose(model, &joints, links).translation;
        let inside = |axis: usize| (BOX[0][axis]..=BOX[1][axis]).contains(&goal.vector[axis]);
        let moving = links.iter().skip(2);
        if (0..3).all(inside) && moving.into_iter().all(|link| link.translation.z > CLEAR) {
            return goal.vector.into();
        }
    }
    // All but impossible; the middle of the box can be reached.
    [0, 1, 2].map(|axis| (BOX[0][axis] + BOX[1][axis]) / 2.0)
}

pub(super) fn judge(world: &World, goal: &[f64; 3]) -> Judgement {
    let distance_m = (V3::from(*goal) - tool(world, 0)).norm();
    Judgement {
        success: distance_m < REACHED,
        distance_m,
        scores: [1.0 - COST * distance_m; 2],
    }
}
