//! A step allocates nothing once buffers have grown.

use forearm_protocol::scene::ObjectShape;
use forearm_sim::World;
use forearm_sim::env::{Batch, Env, EnvConfig, Randomization, Snapshot, Task};

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

#[test]
fn an_environment_allocates_nothing() {
    for task in Task::ALL {
        let config = EnvConfig {
            max_steps: Some(30),
            randomize: Randomization::full(),
            ..EnvConfig::new(task)
        };
        let mut batch = Batch::new(&config, 3, 1).unwrap();
        let mut results = crate::env::Results::new(&batch);
        let mut env = Env::new(&config).unwrap();
        let mut kept = Snapshot::default();
        let mut observation = vec![0.0; env.spec().observation_len()];
        let actions: Vec<f32> = (0..3 * env.spec().action_len())
            .map(|index| (index as f32).sin())
            .collect();
        // The same episodes again need no more room; they end and begin anew within this.
        let mut count_of_rounds = || {
            let before = count();
            batch.reset(1, &mut results.buffers()).unwrap();
            env.reset(1);
            for step in 0..150 {
                batch.step(&actions, &mut results.buffers()).unwrap();
                env.step(&actions[..env.spec().action_len()]).unwrap();
                env.observe(&mut observation);
                env.snapshot(&mut kept);
                if step % 20 == 0 {
                    env.restore(&kept).unwrap();
                    env.reset(step);
                }
            }
            count() - before
        };
        count_of_rounds();
        assert_eq!(count_of_rounds(), 0, "{task}");
    }
}
