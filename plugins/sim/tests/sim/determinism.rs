//! Equal inputs, equal bits.

use forearm_sim::World;

use crate::support::{CUBE, TRAY, object, run, scene, world};

fn busy_world() -> World {
    let mut tumbling = object("tumbling", CUBE, [0.2, 0.1, 0.1]);
    tumbling.rotation_degrees = [30.0, 20.0, 10.0];
    world(&scene(vec![
        tumbling,
        object("cube", CUBE, [0.2, 0.1, 0.015]),
        object("tray", TRAY, [0.3, -0.1, 0.0]),
    ]))
}

/// Sweeps the gripper through the things on the table; hashes now and then.
fn sweep(world: &mut World) -> Vec<[u8; 32]> {
    (0..40)
        .map(|i| {
            let phase = f64::from(i) * 0.7;
            world.set_targets(0, &[phase.sin(), -0.2, 0.6, 0.9, phase.cos(), 0.5]);
            world.set_torque(0, i % 13 != 5);
            run(world, 0.1);
            world.state_hash()
        })
        .collect()
}

#[test]
fn a_run_repeats_itself_bit_by_bit() {
    let (mut first, mut second) = (busy_world(), busy_world());
    assert_eq!(first.state_hash(), second.state_hash());
    assert_eq!(sweep(&mut first), sweep(&mut second));
}

#[test]
fn reset_is_the_same_as_new() {
    let mut world = busy_world();
    let first = sweep(&mut world);
    world.reset();
    assert_eq!(world.state_hash(), busy_world().state_hash());
    assert_eq!((world.steps(), world.time_secs()), (0, 0.0));
    assert_eq!(sweep(&mut world), first);
}

#[test]
fn the_hash_sees_every_change() {
    let (first, mut second) = (busy_world(), busy_world());
    let mut pose = second.object_pose(1);
    pose.position[0] += 1e-12;
    second.set_object_pose(1, pose);
    assert_ne!(first.state_hash(), second.state_hash());
}

#[test]
fn worlds_move_between_threads() {
    let mut here = busy_world();
    let there = std::thread::spawn(|| {
        let mut world = busy_world();
        sweep(&mut world)
    });
    assert_eq!(sweep(&mut here), there.join().unwrap());
}
