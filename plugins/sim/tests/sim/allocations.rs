//! A step allocates nothing once buffers have grown.

use forearm_protocol::scene::ObjectShape;
use forearm_sim::World;

use crate::counting::count;
use crate::support::{CUBE, TRAY, arm, object, scene, world};

/// Runs a motion once to let buffers grow, then again and counts.
fn allocations(world: &mut World, mut drive: impl FnMut(&mut World, usize)) -> u64 {
    for step in 0..4000 {
        drive(world, step % 2000);
        world.step();
    }
    let before = count();
    for step in 0..2000 {
        drive(world, step);
        world.step();
    }
    count() - before
}

#[test]
fn a_moving_arm_allocates_nothing() {
    let mut world = world(&scene(vec![]));
    let count = allocations(&mut world, |world, step| {
        let swing = (step as f64 * 0.00314).sin();
        world.set_targets(
            0,
            &[swing, -0.8 + 0.3 * swing, 0.5, 0.5 * swing, swing, 0.5],
        );
        world.set_torque(0, step % 500 != 7);
    });
    assert_eq!(count, 0);
}

#[test]
fn contact_allocates_nothing() {
    let mut scene = scene(vec![
        object("cube", CUBE, [0.22, 0.0, 0.015]),
        object(
            "can",
            ObjectShape::Cylinder {
                radius: 0.015,
                height: 0.05,
            },
            [0.2, 0.1, 0.025],
        ),
        object(
            "ball",
            ObjectShape::Ball { radius: 0.015 },
            [0.25, 0.05, 0.015],
        ),
        object("tray", TRAY, [0.2, -0.15, 0.0]),
    ]);
    let mut second = arm();
    second.name = "second".to_owned();
    second.position = [0.0, 0.25, 0.0];
    scene.arms.push(second);
    let mut world = world(&scene);
    // Sweeps low over the table, through all the things, jaws opening and closing.
    let count = allocations(&mut world, |world, step| {
        let swing = (step as f64 * 0.00314).sin();
        world.set_targets(0, &[0.8 * swing, 0.1, 0.5, 0.9, swing, 0.5 + 0.5 * swing]);
        world.set_targets(1, &[-0.6 * swing, 0.1, 0.5, 0.9, swing, 0.5 + 0.5 * swing]);
        let mut joints = [0.0; 6];
        world.joint_positions(0, &mut joints);
        std::hint::black_box((
            world.object_pose(0),
            world.tool_pose(0),
            world.state_hash(),
            joints,
        ));
    });
    assert_eq!(count, 0);
}
