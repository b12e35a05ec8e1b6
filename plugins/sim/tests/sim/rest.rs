//! Sleeping objects: it costs less and changes nothing that can be seen.

use forearm_protocol::Pose;
use forearm_protocol::scene::ObjectShape;
use forearm_sim::World;

use crate::counting::count;
use crate::support::{CUBE, TRAY, distance, object, run, scene, world};

/// A stack of two cubes, a can, a ball, and a tray with a cube in it.
fn still_life() -> World {
    let can = ObjectShape::Cylinder {
        radius: 0.015,
        height: 0.05,
    };
    world(&scene(vec![
        object("below", CUBE, [0.25, 0.0, 0.015]),
        object("above", CUBE, [0.25, 0.0, 0.045]),
        object("can", can, [0.22, -0.12, 0.025]),
        object(
            "ball",
            ObjectShape::Ball { radius: 0.015 },
            [0.3, 0.1, 0.015],
        ),
        object("tray", TRAY, [0.2, 0.2, 0.0]),
        object("in the tray", CUBE, [0.2, 0.2, 0.019]),
    ]))
}

fn asleep(world: &World) -> Vec<bool> {
    (0..world.object_count())
        .map(|object| world.object_sleeps(object))
        .collect()
}

/// Sweeps the gripper low over the table; the things in its way are pushed.
fn sweep(world: &mut World, step: usize) {
    let swing = (step as f64 * 0.003).sin();
    world.set_targets(0, &[0.8 * swing, 0.1, 0.5, 0.9, swing, 0.5 + 0.5 * swing]);
}

fn pose(position: [f64; 3]) -> Pose {
    Pose {
        position,
        ..Pose::IDENTITY
    }
}

#[test]
fn whoever_rests_sleeps_and_moves_no_more() {
    let mut world = still_life();
    assert_eq!(asleep(&world), [false; 6]);
    run(&mut world, 2.0);
    assert_eq!(asleep(&world), [true; 6]);
    let before: Vec<_> = (0..6).map(|object| world.object_pose(object)).collect();
    run(&mut world, 2.0);
    let after: Vec<_> = (0..6).map(|object| world.object_pose(object)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_is_moved_wakes_all_and_what_falls_wakes_what_it_hits() {
    let mut world = still_life();
    run(&mut world, 2.0);
    // From high above the stack: it is in the air for longer than the others need to fall asleep.
    world.set_object_pose(3, pose([0.25, 0.0, 0.6]));
    assert_eq!(asleep(&world), [false; 6]);
    run(&mut world, 0.25);
    assert_eq!(asleep(&world), [true, true, true, false, true, true]);
    let above = world.object_pose(1).position;
    run(&mut world, 0.15);
    assert!(!world.object_sleeps(0) && !world.object_sleeps(1));
    assert!(world.object_sleeps(2), "nothing came near the can");
    assert!(distance(above, world.object_pose(1).position) > 1e-6);
    run(&mut world, 6.0);
    assert_eq!(asleep(&world), [true; 6]);
}

#[test]
fn what_lost_its_support_falls() {
    let mut world = still_life();
    run(&mut world, 2.0);
    world.set_object_pose(0, pose([0.4, 0.2, 0.015]));
    run(&mut world, 1.0);
    let above = world.object_pose(1).position;
    assert!((above[2] - 0.015).abs() < 5e-4, "{above:?}");
}

#[test]
fn sleep_changes_nothing_that_can_be_seen() {
    let (mut sleeping, mut awake) = (still_life(), still_life());
    awake.set_sleep(false);
    run(&mut sleeping, 2.0);
    run(&mut awake, 2.0);
    assert_eq!(
        (asleep(&sleeping), asleep(&awake)),
        (vec![true; 6], vec![false; 6])
    );
    const CAN: usize = 2;
    let farthest = |sleeping: &World, awake: &World| {
        (0..6)
            .filter(|&object| object != CAN)
            .map(|object| {
                let of = |world: &World| world.object_pose(object).position;
                distance(of(sleeping), of(awake))
            })
            .fold(0.0, f64::max)
    };
    assert!(farthest(&sleeping, &awake) < 1e-6);
    // What is pushed goes where it would have gone, until it tumbles: then, and when a can rocks,
    // every last bit of difference grows, with or without sleep.
    let start: Vec<_> = (0..6).map(|object| awake.object_pose(object)).collect();
    let mut apart: f64 = 0.0;
    for step in 0..1110 {
        sweep(&mut sleeping, step);
        sweep(&mut awake, step);
        sleeping.step();
        awake.step();
        apart = apart.max(farthest(&sleeping, &awake));
    }
    let pushed = (0..6)
        .map(|object| distance(start[object].position, awake.object_pose(object).position))
        .fold(0.0, f64::max);
    assert!(pushed > 0.02, "nothing was pushed: {pushed}");
    assert!(
        apart < 1e-4,
        "{apart} apart, having been pushed by {pushed}"
    );
    assert!(
        asleep(&sleeping).contains(&true),
        "nobody was left in peace"
    );
}

#[test]
fn falling_asleep_and_waking_allocate_nothing() {
    // No can: pressed in deep, it makes the search for its depth allocate, awake as it is.
    let mut world = world(&scene(vec![
        object("below", CUBE, [0.25, 0.0, 0.015]),
        object("above", CUBE, [0.25, 0.0, 0.045]),
        object("tray", TRAY, [0.2, 0.2, 0.0]),
        object("in the tray", CUBE, [0.2, 0.2, 0.019]),
    ]));
    let round = |world: &mut World| {
        let mut seen = [false; 2];
        world.reset();
        for step in 0..3000 {
            // A second of rest, then a sweep.
            if step > 500 {
                sweep(world, step);
            }
            world.step();
            seen[usize::from(world.object_sleeps(0))] = true;
        }
        seen
    };
    round(&mut world);
    round(&mut world);
    let before = count();
    let seen = round(&mut world);
    assert_eq!((count() - before, seen), (0, [true; 2]));
}
