//! Going back: a moment that was kept goes on as it did, bit for bit.

use forearm_sim::env::{Batch, Env, EnvConfig, EnvError, Randomization, Snapshot, Task};
use forearm_sim::{SimError, WorldState};
use proptest::prelude::*;

use super::Results;
use super::operator::{CLOSED, OPEN, Operator};
use crate::support::{CUBE, TRAY, object, run, scene, world};
use nalgebra::Vector3;

fn varied(task: Task) -> EnvConfig {
    EnvConfig {
        randomize: Randomization::full(),
        ..EnvConfig::new(task)
    }
}

fn wave(step: usize, joint: usize) -> f32 {
    ((step / 7 * 5 + joint * 3) as f32 * 1.3).sin()
}

/// Steps on; the hash after each.
fn go_on(env: &mut Env, from: usize, steps: usize) -> Vec<[u8; 32]> {
    (from..from + steps)
        .map(|step| {
            let count = env.spec().action_len();
            let actions: Vec<f32> = (0..count).map(|joint| wave(step, joint)).collect();
            env.step(&actions).expect("an action a joint");
            env.state_hash()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_moment_can_be_gone_back_to(
        task in prop::sample::select(Task::ALL.to_vec()),
        seed in any::<u64>(),
        before in 0_usize..60,
    ) {
        let mut env = Env::new(&varied(task)).unwrap();
        env.reset(seed);
        go_on(&mut env, 0, before);
        let mut kept = Snapshot::default();
        env.snapshot(&mut kept);
        let (here, info) = (env.state_hash(), env.info());
        let once = go_on(&mut env, before, 40);
        // From another episode altogether, and in another environment that knows nothing of it.
        env.reset(seed ^ 1);
        go_on(&mut env, 3, 9);
        env.restore(&kept).unwrap();
        prop_assert_eq!((env.state_hash(), env.info()), (here, info));
        prop_assert_eq!(&go_on(&mut env, before, 40), &once);
        let mut other = Env::new(&varied(task)).unwrap();
        other.restore(&kept).unwrap();
        prop_assert_eq!(&go_on(&mut other, before, 40), &once);
    }
}

#[test]
fn a_grip_is_kept_whole() {
    // Contact with warm starts, sticking points and a saturated servo.
    let mut operator = Operator::task(Task::PickPlace, 1);
    let cube = operator.vector(0, "cube_position");
    let tip = cube - Vector3::x() * 0.022;
    operator.send(
        0,
        tip + Vector3::z() * 0.06,
        -Vector3::z(),
        Vector3::x(),
        OPEN,
    );
    operator.arrive(1.0);
    operator.send(
        0,
        Vector3::new(tip.x, tip.y, 0.008),
        -Vector3::z(),
        Vector3::x(),
        OPEN,
    );
    operator.arrive(0.6);
    operator.grip(0, CLOSED);
    operator.arrive(1.0);
    operator.send(
        0,
        tip + Vector3::z() * 0.06,
        -Vector3::z(),
        Vector3::x(),
        CLOSED,
    );
    operator.steps(12);
    let env = &mut operator.env;
    let mut kept = Snapshot::default();
    env.snapshot(&mut kept);
    let once = go_on(env, 0, 60);
    env.restore(&kept).unwrap();
    assert_eq!(go_on(env, 0, 60), once);
}

#[test]
fn a_world_with_sleepers_goes_on_as_it_did() {
    let mut scene = scene(vec![
        object("cube", CUBE, [0.22, 0.0, 0.015]),
        object("far", CUBE, [0.4, 0.3, 0.015]),
        object("tray", TRAY, [0.2, -0.15, 0.0]),
    ]);
    scene.arms[0].position = [0.0, 0.02, 0.0];
    let mut world = world(&scene);
    run(&mut world, 1.0);
    assert!(world.object_sleeps(0) && world.object_sleeps(1));
    // The arm comes down on the cube, which wakes; backwards and forwards in time.
    let sweep = |world: &mut forearm_sim::World| -> Vec<[u8; 32]> {
        (0..200)
            .map(|step| {
                let swing = (f64::from(step) * 0.05).sin();
                world.set_targets(0, &[0.3 * swing, 0.1, 0.5, 0.9, swing, 0.3]);
                run(world, 0.02);
                world.state_hash()
            })
            .collect()
    };
    let mut kept = WorldState::default();
    world.save(&mut kept);
    let once = sweep(&mut world);
    let mut later = WorldState::default();
    world.save(&mut later);
    world.restore(&kept).unwrap();
    assert!(world.object_sleeps(0));
    assert_eq!(sweep(&mut world), once);
    let mut again = WorldState::default();
    world.save(&mut again);
    assert!(
        later == again,
        "all that is kept is the same, not only what is hashed"
    );
}

#[test]
fn what_is_not_its_own_is_refused() {
    let mut env = Env::new(&EnvConfig::new(Task::Push)).unwrap();
    let before = env.state_hash();
    let mut kept = Snapshot::default();
    assert_eq!(env.restore(&kept), Err(EnvError::Snapshot));
    Env::new(&EnvConfig::new(Task::Stack))
        .unwrap()
        .snapshot(&mut kept);
    assert_eq!(env.restore(&kept), Err(EnvError::Snapshot));
    assert_eq!(env.state_hash(), before);

    let mut world = world(&scene(vec![]));
    let error = world.restore(&WorldState::default()).unwrap_err();
    assert_eq!(error, SimError::State);
}

#[test]
fn worlds_of_a_batch_can_be_tried_out() {
    let config = varied(Task::Stack);
    let mut batch = Batch::new(&config, 4, 2).unwrap();
    let mut results = Results::new(&batch);
    batch.reset(3, &mut results.buffers()).unwrap();
    for step in 0..20 {
        let actions: Vec<f32> = (0..24).map(|joint| wave(step, joint)).collect();
        batch.step(&actions, &mut results.buffers()).unwrap();
    }
    // World 2's moment in all of them: equal actions, equal rows.
    let mut kept = Snapshot::default();
    batch.snapshot(2, &mut kept).unwrap();
    for world in 0..4 {
        batch.restore(world, &kept).unwrap();
    }
    batch.step(&[0.3; 24], &mut results.buffers()).unwrap();
    let len = batch.spec().observation_len();
    let rows: Vec<_> = results.observations.chunks_exact(len).collect();
    assert!(rows.iter().all(|row| *row == rows[0]));
    assert_eq!(batch.state_hash(0), batch.state_hash(3));
}
