//! A step allocates nothing once buffers have grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use forearm_protocol::scene::ObjectShape;
use forearm_sim::World;

use crate::support::{CUBE, TRAY, arm, object, scene, world};

thread_local! {
    /// Allocations of this thread: tests run side by side.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "a global allocator is unsafe by its trait")]
// SAFETY: every call is passed on to the system's allocator unchanged; counting neither allocates
// nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() -> u64 {
    COUNT.with(Cell::get)
}

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
fn counting_counts() {
    let before = count();
    drop(std::hint::black_box(vec![1_u8; 100]));
    assert_eq!(count() - before, 1);
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
