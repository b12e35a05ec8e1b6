//! Every task can be done, by a script that sees no more than the observations.

use forearm_sim::env::Task;
use nalgebra::{Quaternion, UnitQuaternion, Vector3};

use super::operator::{CLOSED, OPEN, Operator};

/// How far the fixed jaw stays from a thing while the gripper goes down, metres.
const CLEARANCE: f64 = 0.007;
/// Height of the tips when the jaws close on something on the table, metres.
const LOW: f64 = 0.008;
/// Half the sides of cube and bar, metres.
const HALF_CUBE: f64 = 0.015;
const HALF_BAR: f64 = 0.012;
/// How far from the bar's middle it is held, metres; how far apart the arms stand.
const HOLD: f64 = 0.045;
const APART: f64 = 0.68;

/// Lets a script do ten seeds; it must do so many, by what the environment says.
fn expect(least: usize, task: Task, script: impl Fn(&mut Operator)) {
    let missed: Vec<String> = (0..10)
        .filter_map(|seed| {
            let mut operator = Operator::task(task, seed);
            script(&mut operator);
            let info = operator.env.info();
            let done = operator.outcome.terminated && info.success;
            (!done).then(|| format!("{info:?}"))
        })
        .collect();
    assert!(10 - missed.len() >= least, "{task}: missed {missed:#?}");
}

fn down() -> Vector3<f64> {
    -Vector3::z()
}

fn up(height: f64) -> Vector3<f64> {
    Vector3::z() * height
}

/// A direction of the thing's own frame in the world.
fn turned(operator: &Operator, part: &str, direction: Vector3<f64>) -> Vector3<f64> {
    let [x, y, z, w] = operator.part(0, part)[..] else {
        panic!("{part} is no rotation");
    };
    UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z)) * direction
}

/// Takes the cube, jaws opening along its X, and lifts it.
fn pick_cube(operator: &mut Operator) {
    let cube = operator.vector(0, "cube_position");
    let opening = turned(operator, "cube_rotation", Vector3::x());
    let tip = cube - opening * (HALF_CUBE + CLEARANCE);
    let low = Vector3::new(tip.x, tip.y, LOW);
    operator.send(0, low + up(0.07), down(), opening, OPEN);
    operator.arrive(1.0);
    operator.send(0, low, down(), opening, OPEN);
    operator.arrive(0.6);
    operator.grip(0, CLOSED);
    operator.arrive(1.0);
    operator.send(0, low + up(0.09), down(), opening, CLOSED);
    operator.arrive(0.6);
}

/// Carries it so that its centre is at `place`, lets go and leaves.
fn put_cube(operator: &mut Operator, place: Vector3<f64>) {
    // The jaws may have turned with the pan joint, the cube with them: the offset is measured.
    let away = Vector3::new(place.x - 0.0388, place.y, 0.0).normalize();
    let tip = place - away * HALF_CUBE;
    operator.send(0, tip + up(0.07), down(), away, CLOSED);
    operator.arrive(0.6);
    for _ in 0..2 {
        let off = operator.vector(0, "goal_minus_cube");
        let here = operator.vector(0, "tool_position");
        let over = Vector3::new(here.x + off.x, here.y + off.y, tip.z + 0.05);
        operator.send(0, over, down(), away, CLOSED);
        operator.arrive(0.4);
    }
    let off = operator.vector(0, "goal_minus_cube");
    let here = operator.vector(0, "tool_position");
    operator.send(0, here + off + up(0.003), down(), away, CLOSED);
    operator.arrive(0.3);
    operator.grip(0, OPEN);
    operator.arrive(0.5);
    let here = operator.vector(0, "tool_position");
    operator.send(0, here + up(0.08), down(), away, OPEN);
    operator.arrive(0.5);
    operator.steps(40);
}

#[test]
fn reach_can_be_done() {
    expect(10, Task::Reach, |operator| {
        operator.reach(0, operator.vector(0, "goal_position"));
        operator.arrive(1.0);
    });
}

#[test]
fn push_can_be_done() {
    expect(9, Task::Push, |operator| {
        let way = operator.vector(0, "goal_minus_cube");
        let along = Vector3::new(way.x, way.y, 0.0).normalize();
        let behind = operator.vector(0, "cube_position") - along * (HALF_CUBE + 0.03);
        let low = Vector3::new(behind.x, behind.y, 0.014);
        operator.grip(0, CLOSED);
        operator.send(0, low + up(0.08), down(), along, CLOSED);
        operator.arrive(1.0);
        operator.send(0, low, down(), along, CLOSED);
        operator.arrive(0.5);
        while !operator.over() {
            let cube = operator.vector(0, "cube_position");
            let way = operator.vector(0, "goal_minus_cube");
            let along = Vector3::new(way.x, way.y, 0.0).normalize();
            // Ahead of the tool, which stays behind the cube's middle.
            let tool = operator.vector(0, "tool_position");
            let next = cube - along * HALF_CUBE;
            let step = (next - tool).cap_magnitude(0.012) + along * 0.012;
            let low = Vector3::new(tool.x + step.x, tool.y + step.y, 0.014);
            operator.send(0, low, down(), along, CLOSED);
            operator.steps(1);
        }
    });
}

#[test]
fn pick_and_place_can_be_done() {
    expect(9, Task::PickPlace, |operator| {
        pick_cube(operator);
        put_cube(operator, operator.vector(0, "goal_position"));
    });
}

#[test]
fn stacking_can_be_done() {
    expect(9, Task::Stack, |operator| {
        pick_cube(operator);
        put_cube(operator, operator.vector(0, "goal_position"));
    });
}

/// A point or direction of the world in the right arm's own frame.
fn to_right(v: Vector3<f64>, base: f64) -> Vector3<f64> {
    Vector3::new(base - v.x, -v.y, v.z)
}

#[test]
fn a_bar_can_be_handed_over() {
    expect(7, Task::BimanualHandover, |operator| {
        // Outwards and down: the arms lean back from each other.
        let slanted = Vector3::new(0.4, 0.0, -1.0);
        let bar = operator.vector(0, "bar_position");
        let opening = turned(operator, "bar_rotation", Vector3::y());
        let end = bar - turned(operator, "bar_rotation", Vector3::x()) * HOLD;
        let tip = end - opening * (HALF_BAR + CLEARANCE);
        let low = Vector3::new(tip.x, tip.y, LOW);
        operator.send(0, low + up(0.07), down(), opening, OPEN);
        operator.grip(1, OPEN);
        operator.arrive(1.0);
        operator.send(0, low, down(), opening, OPEN);
        operator.arrive(0.6);
        operator.grip(0, CLOSED);
        operator.arrive(1.0);
        operator.send(0, low + up(0.09), down(), opening, CLOSED);
        operator.arrive(0.6);
        let meeting = Vector3::new(APART / 2.0 - HOLD, -HALF_BAR, 0.10);
        operator.send(0, meeting, slanted, Vector3::y(), CLOSED);
        operator.arrive(0.4);
        operator.steps(10);

        let bar = operator.vector(0, "bar_position");
        let end = bar + turned(operator, "bar_rotation", Vector3::x()) * HOLD;
        let opening = turned(operator, "bar_rotation", -Vector3::y());
        let opening = Vector3::new(opening.x, opening.y, 0.0).normalize();
        let tip = end - opening * (HALF_BAR + CLEARANCE) - up(0.006);
        let (tip, opening) = (to_right(tip, APART), to_right(opening, 0.0));
        operator.send(1, tip + up(0.08), slanted, opening, OPEN);
        operator.arrive(0.8);
        operator.send(1, tip, slanted, opening, OPEN);
        operator.arrive(0.4);
        operator.grip(1, CLOSED);
        operator.arrive(0.6);
        operator.steps(10);
        operator.grip(0, OPEN);
        operator.arrive(0.5);
        operator.steps(20);
    });
}
