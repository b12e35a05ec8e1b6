//! Objects on the table, in a tray, off the table.

use forearm_protocol::Pose;
use forearm_protocol::scene::ObjectShape;

use crate::support::{CUBE, TRAY, distance, object, run, scene, world};

#[test]
fn everything_rests_where_it_stands() {
    let things = scene(vec![
        object("cube", CUBE, [0.25, 0.10, 0.015]),
        object(
            "box",
            ObjectShape::Box {
                size: [0.05, 0.03, 0.02],
            },
            [0.25, 0.20, 0.01],
        ),
        object(
            "can",
            ObjectShape::Cylinder {
                radius: 0.015,
                height: 0.05,
            },
            [0.25, -0.1, 0.025],
        ),
        object(
            "ball",
            ObjectShape::Ball { radius: 0.015 },
            [0.25, -0.2, 0.015],
        ),
        object("tray", TRAY, [0.35, 0.0, 0.0]),
    ]);
    let mut world = world(&things);
    run(&mut world, 1.0);
    let settled: Vec<_> = (0..world.object_count())
        .map(|i| world.object_pose(i))
        .collect();
    run(&mut world, 4.0);
    for (index, spec) in things.objects.iter().enumerate() {
        let now = world.object_pose(index).position;
        assert!(
            distance(now, spec.position) < 2e-4,
            "{} went to {now:?}",
            spec.name
        );
        assert!(
            distance(now, settled[index].position) < 2e-6,
            "{} creeps to {now:?}",
            spec.name
        );
    }
}

#[test]
fn dropped_things_come_to_rest_on_the_table() {
    for (name, shape, rest) in [
        ("cube", CUBE, 0.015),
        (
            "can",
            ObjectShape::Cylinder {
                radius: 0.015,
                height: 0.05,
            },
            0.015,
        ),
        ("ball", ObjectShape::Ball { radius: 0.015 }, 0.015),
    ] {
        let mut spec = object(name, shape, [0.3, 0.1, 0.2]);
        spec.rotation_degrees = [100.0, 35.0, 10.0];
        let mut world = world(&scene(vec![spec]));
        run(&mut world, 4.0);
        let before = world.object_pose(0).position;
        assert!((before[2] - rest).abs() < 5e-4, "{name} lies at {before:?}");
        run(&mut world, 1.0);
        assert!(
            distance(before, world.object_pose(0).position) < 1e-3,
            "{name} still moves"
        );
    }
}

#[test]
fn friction_holds_on_a_slope_until_it_is_too_steep() {
    // A tilted gravity is a slope. The table's friction, 0.8, is the lower of the two.
    let slid = |slope: f64| {
        let mut scene = scene(vec![object("cube", CUBE, [0.3, 0.1, 0.015])]);
        scene.physics.gravity = [0.0, 9.81 * slope, -9.81];
        let mut world = world(&scene);
        run(&mut world, 0.5);
        world.object_pose(0).position[1] - 0.1
    };
    assert!(slid(0.7).abs() < 1e-4, "{}", slid(0.7));
    assert!(slid(0.95) > 0.05, "{}", slid(0.95));
}

#[test]
fn a_ball_that_rolls_stops() {
    let mut scene = scene(vec![object(
        "ball",
        ObjectShape::Ball { radius: 0.015 },
        [0.3, 0.1, 0.015],
    )]);
    scene.table.size = [20.0, 20.0];
    scene.objects[0].position[2] = 0.05;
    scene.objects[0].rotation_degrees = [0.0; 3];
    let mut world = world(&scene);
    run(&mut world, 8.0);
    let before = world.object_pose(0);
    run(&mut world, 1.0);
    assert!(distance(before.position, world.object_pose(0).position) < 1e-4);
}

#[test]
fn things_pushed_off_the_table_end_on_the_floor() {
    let mut world = world(&scene(vec![object("cube", CUBE, [0.9, 0.0, 0.015])]));
    run(&mut world, 3.0);
    let z = world.object_pose(0).position[2];
    assert!((z - (-0.735)).abs() < 1e-3, "{z}");
}

#[test]
fn cubes_stack() {
    let cubes = (0..4).map(|i| object("cube", CUBE, [0.25, 0.1, 0.015 + 0.03 * f64::from(i)]));
    let mut world = world(&scene(cubes.collect()));
    run(&mut world, 3.0);
    for index in 0..4 {
        let [x, y, z] = world.object_pose(index).position;
        let height = 0.015 + 0.03 * index as f64;
        assert!(
            (x - 0.25).abs() < 1e-3 && (y - 0.1).abs() < 1e-3,
            "{index} at {x}, {y}"
        );
        assert!((z - height).abs() < 5e-4, "{index} at {z}, not {height}");
    }
}

#[test]
fn an_object_is_in_the_tray_only_when_it_lies_in_it() {
    let mut tray = object("tray", TRAY, [0.3, 0.1, 0.0]);
    tray.mass = 0.2;
    let mut world = world(&scene(vec![
        object("cube", CUBE, [0.2, -0.15, 0.015]),
        tray,
    ]));
    run(&mut world, 0.5);
    let (cube, tray) = (0, 1);
    assert!(!world.object_in_tray(cube, tray));
    let mut put = |x: f64, y: f64, z: f64, secs: f64| {
        let position = [x, y, z];
        world.set_object_pose(
            cube,
            Pose {
                position,
                ..Pose::IDENTITY
            },
        );
        run(&mut world, secs);
        world.object_in_tray(cube, tray)
    };
    assert!(!put(0.3, 0.1, 0.3, 0.05), "still falling");
    assert!(put(0.3, 0.1, 0.03, 1.0));
    assert!(put(0.32, 0.08, 0.05, 1.0));
    assert!(!put(0.3, 0.2, 0.03, 1.0), "beside it");
    assert!(!world.object_in_tray(tray, tray));
    assert!(!world.object_in_tray(tray, cube), "a cube is no tray");
    assert!(!world.object_in_tray(7, tray));
}

#[test]
fn an_arm_that_pushes_on_the_table_stands_still_on_it() {
    let mut world = world(&scene(vec![]));
    // The targets put the jaws some 4 cm below the surface.
    world.set_targets(0, &[0.3, 0.35, 0.55, 0.7, 0.4, 0.1]);
    run(&mut world, 2.0);
    let before = world.tool_pose(0).position;
    assert!(before[2] > -2e-3 && before[2] < 0.05, "{before:?}");
    for _ in 0..500 {
        world.step();
        let moved = distance(before, world.tool_pose(0).position);
        assert!(moved < 5e-5, "it shakes by {moved}");
    }
}

#[test]
fn arms_push_each_other_away() {
    let mut scene = scene(vec![]);
    let mut second = crate::support::arm();
    second.name = "second".to_owned();
    second.position = [0.62, 0.0, 0.0];
    second.yaw_degrees = 180.0;
    scene.arms.push(second);
    let mut world = world(&scene);
    // Both reach for the middle between them.
    for arm in 0..2 {
        world.set_targets(arm, &[0.0, 0.1, -0.2, 0.1, 0.0, 0.0]);
    }
    run(&mut world, 2.0);
    let (first, other) = (world.tool_pose(0).position, world.tool_pose(1).position);
    assert!(first[0] < 0.38 && other[0] > 0.24, "{first:?} {other:?}");
    let short = crate::support::positions(&world)
        .iter()
        .zip([0.0, 0.1, -0.2, 0.1, 0.0, 0.0])
        .map(|(q, target)| (q - target).abs())
        .fold(0.0, f64::max);
    assert!(short > 0.02, "they passed through each other");
}
