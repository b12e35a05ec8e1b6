//! The tasks: where an episode starts, what is observed beside the arm, how near success is.
//!
//! Scores are at most 1 and grow from stage to stage: reach, hold, lift, bring, let go. A dense
//! reward is the score less 1, so that every step before success costs.

mod handover;
mod pick_place;
mod push;
mod reach;
mod stack;

use forearm_protocol::Pose;
use forearm_protocol::env::Task;
use nalgebra::Isometry3;

use super::plan::Plan;
use super::random::Random;
use crate::World;
use crate::math::{Frame, V3};

/// The most agents of a task.
pub(super) const MOST_AGENTS: usize = 2;
/// Where the middle between the jaws is in the tool's frame when they hold something, metres: the
/// tool is the fixed jaw's tip, the other jaw opens along −X.
const GRIP: V3 = V3::new(-0.0125, 0.0, 0.0);
/// At this distance, metres, nearness is a half.
const NEAR: f64 = 0.05;
/// As high as this above where it lay counts as lifted, metres.
const LIFTED: f64 = 0.05;
/// What is slower rests, m/s.
const RESTING: f64 = 0.05;

/// How a step ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    pub(super) success: bool,
    /// The task's own error, metres.
    pub(super) distance_m: f64,
    /// At most 1, one an agent.
    pub(super) scores: [f64; MOST_AGENTS],
}

/// What is observed beside the arm itself.
pub(super) fn parts(task: Task) -> &'static [(&'static str, u32)] {
    match task {
        Task::Reach => &[("goal_position", 3), ("goal_minus_tool", 3)],
        Task::Push | Task::PickPlace | Task::Stack => &[
            ("cube_position", 3),
            ("cube_rotation", 4),
            ("cube_velocity", 3),
            ("cube_spin", 3),
            ("goal_position", 3),
            ("cube_minus_grip", 3),
            ("goal_minus_cube", 3),
        ],
        Task::BimanualHandover => &[
            ("bar_position", 3),
            ("bar_rotation", 4),
            ("bar_velocity", 3),
            ("bar_spin", 3),
            ("end_minus_grip", 3),
            ("other_tool_position", 3),
            ("other_joint_positions", 6),
        ],
    }
}

/// Puts the things of an episode in their places and says where the goal is.
/// `links` is room for an arm's links.
pub(super) fn start(
    plan: &Plan,
    random: &mut Random,
    world: &mut World,
    links: &mut Vec<Isometry3<f64>>,
) -> [f64; 3] {
    match plan.spec.config.task {
        Task::Reach => reach::goal(plan, random, links),
        Task::Push => push::start(random, world),
        Task::PickPlace => pick_place::start(random, world),
        Task::Stack => stack::start(random, world),
        Task::BimanualHandover => handover::start(random, world),
    }
}

/// How near success is.
pub(super) fn judge(task: Task, world: &World, goal: &[f64; 3]) -> Judgement {
    match task {
        Task::Reach => reach::judge(world, goal),
        Task::Push => push::judge(world, goal),
        Task::PickPlace => pick_place::judge(world),
        Task::Stack => stack::judge(world),
        Task::BimanualHandover => handover::judge(world),
    }
}

/// Where the goal is now; some goals are things that move.
pub(super) fn goal(task: Task, world: &World, goal: &[f64; 3]) -> V3 {
    match task {
        Task::Reach | Task::Push => V3::from(*goal),
        Task::PickPlace => pick_place::goal(world),
        Task::Stack => stack::goal(world),
        Task::BimanualHandover => handover::goal(),
    }
}

/// Writes what [`parts`] lists.
pub(super) fn observe(task: Task, agent: usize, world: &World, goal: &[f64; 3], row: &mut Row<'_>) {
    let goal = self::goal(task, world, goal);
    match task {
        Task::Reach => {
            row.vector(&goal);
            row.vector(&(goal - tool(world, agent)));
        }
        Task::Push | Task::PickPlace | Task::Stack => {
            let cube = row.object(world, 0);
            row.vector(&goal);
            row.vector(&(cube - grip(world, agent)));
            row.vector(&(goal - cube));
        }
        Task::BimanualHandover => {
            row.object(world, 0);
            row.vector(&(handover::end(world, agent) - grip(world, agent)));
            let other = 1 - agent.min(1);
            row.vector(&tool(world, other));
            row.joints(|out| world.joint_positions(other, out));
        }
    }
}

/// An observation being written, front to back. What does not fit is left out.
pub(super) struct Row<'a> {
    out: &'a mut [f32],
}

impl<'a> Row<'a> {
    pub(super) fn new(out: &'a mut [f32]) -> Self {
        Self { out }
    }

    pub(super) fn number(&mut self, value: f64) {
        if let Some((first, rest)) = std::mem::take(&mut self.out).split_first_mut() {
            *first = value as f32;
            self.out = rest;
        }
    }

    fn vector(&mut self, value: &V3) {
        value.iter().for_each(|value| self.number(*value));
    }

    pub(super) fn pose(&mut self, pose: &Pose) {
        let numbers = pose.position.iter().chain(&pose.rotation);
        numbers.for_each(|value| self.number(*value));
    }

    /// Six joints of an arm.
    fn joints(&mut self, read: impl FnOnce(&mut [f64])) {
        let mut joints = [0.0; 6];
        read(&mut joints);
        joints.iter().for_each(|value| self.number(*value));
    }

    /// An object's pose and motion; where it is.
    fn object(&mut self, world: &World, object: usize) -> V3 {
        let pose = world.object_pose(object);
        self.pose(&pose);
        let (linear, angular) = world.object_velocity(object);
        self.vector(&V3::from(linear));
        self.vector(&V3::from(angular));
        V3::from(pose.position)
    }
}

/// Where an object is.
fn place(world: &World, object: usize) -> V3 {
    V3::from(world.object_pose(object).position)
}

/// Where an arm's tool is.
fn tool(world: &World, arm: usize) -> V3 {
    world.tool_frame(arm).origin
}

/// Where the middle of what an arm could hold is.
fn grip(world: &World, arm: usize) -> V3 {
    world.tool_frame(arm).point(&GRIP)
}

/// Whether an arm holds an object between two of its parts.
fn holds(world: &World, arm: usize, object: usize) -> bool {
    world.bodies_touching(object, arm) >= 2
}

fn rests(world: &World, object: usize) -> bool {
    V3::from(world.object_velocity(object).0).norm() < RESTING
}

/// 1 at no distance, less the further away.
fn near(distance: f64) -> f64 {
    NEAR / (NEAR + distance)
}

/// From 0 on the table to 1.
fn lift(height: f64) -> f64 {
    (height / LIFTED).clamp(0.0, 1.0)
}

fn horizontal(v: &V3) -> f64 {
    (v.x * v.x + v.y * v.y).sqrt()
}

/// Puts an object on the table, turned about Z.
fn put(world: &mut World, object: usize, position: [f64; 3], yaw: f64) {
    let (sine, cosine) = libm::sincos(0.5 * yaw);
    let rotation = [0.0, 0.0, sine, cosine];
    world.set_object_pose(object, Pose { position, rotation });
}

/// A point of an object's frame in the world.
fn point_of(world: &World, object: usize, point: &V3) -> V3 {
    let pose = world.object_pose(object);
    Frame::from_pose(&pose).map_or_else(V3::zeros, |frame| frame.point(point))
}
