//! What differs between episodes, and that it does what it says.

use forearm_protocol::scene::{CameraMount, LightSpec};
use forearm_sim::env::{Env, EnvConfig, Randomization, Task};

fn env(randomize: Randomization) -> Env {
    Env::new(&EnvConfig {
        randomize,
        ..EnvConfig::new(Task::Push)
    })
    .expect("it is good")
}

/// The joints and the cube after a wave that knocks things about.
fn after(env: &mut Env, seed: u64) -> Vec<f32> {
    env.reset(seed);
    for step in 0..50 {
        let swing = (step as f32 * 0.3).sin();
        env.step(&[swing, 0.9, -0.2, 0.2, swing, 0.0])
            .expect("it is good");
    }
    let mut out = vec![0.0; env.spec().observation_len()];
    env.observe(&mut out);
    out
}

#[test]
fn every_kind_of_randomness_changes_what_happens() {
    let none = Randomization::default();
    let plain = after(&mut env(none), 3);
    assert_eq!(plain, after(&mut env(none), 3));
    let kinds = [
        Randomization { mass: 0.5, ..none },
        Randomization {
            friction: 0.5,
            ..none
        },
        Randomization { gains: 0.5, ..none },
        Randomization {
            latency_steps: 3,
            ..none
        },
    ];
    for kind in kinds {
        let mut env = env(kind);
        let seeds =
            (0..8).filter(|seed| after(&mut env, *seed) != after(&mut self::env(none), *seed));
        // An arm that misses the cube does not feel its mass.
        assert!(seeds.count() >= 1, "{kind:?} changes nothing");
    }
}

#[test]
fn places_do_not_move_when_other_things_vary() {
    let places = |randomize| {
        let mut env = env(randomize);
        env.reset(8);
        let mut out = vec![0.0; env.spec().observation_len()];
        env.observe(&mut out);
        out
    };
    assert_eq!(
        places(Randomization::default()),
        places(Randomization::full())
    );
}

#[test]
fn commands_arrive_late() {
    let late = Randomization {
        latency_steps: 4,
        ..Randomization::default()
    };
    let (mut env, mut plain) = (env(late), env(Randomization::default()));
    // The first step in which the arm differs from one that is told nothing.
    let first_move = |env: &mut Env, seed| {
        let mut still = self::env(Randomization::default());
        env.reset(seed);
        still.reset(seed);
        let (mut here, mut there) = ([0.0; 6], [0.0; 6]);
        (0..20).find(|_| {
            env.step(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
            still.step(&[0.0; 6]).unwrap();
            env.observe(&mut here);
            still.observe(&mut there);
            here != there
        })
    };
    let delays: Vec<_> = (0..12)
        .map(|seed| first_move(&mut env, seed).unwrap())
        .collect();
    assert!(delays.iter().all(|delay| *delay <= 4), "{delays:?}");
    assert!(delays.iter().max() > delays.iter().min(), "{delays:?}");
    assert_eq!(first_move(&mut plain, 1), Some(0));
}

#[test]
fn lights_and_cameras_differ_within_what_is_allowed() {
    let config = EnvConfig {
        randomize: Randomization::full(),
        ..EnvConfig::new(Task::PickPlace)
    };
    let mut env = Env::new(&config).unwrap();
    let mut seen = Vec::new();
    let nominal = Env::new(&EnvConfig::new(Task::PickPlace)).unwrap();
    let nominal = &nominal.bundle().scene;
    for seed in 0..20 {
        env.reset(seed);
        let scene = &env.bundle().scene;
        assert_eq!(scene.check(), Ok(()));
        for (light, nominal) in scene.lights.iter().zip(&nominal.lights) {
            if let (LightSpec::Sun { lux, .. }, LightSpec::Sun { lux: middle, .. }) =
                (light, nominal)
            {
                assert!((lux / middle - 1.0).abs() <= 0.4);
                seen.push(*lux);
            }
        }
        let place = |mount: &CameraMount| match mount {
            CameraMount::World { position, .. } | CameraMount::Link { position, .. } => *position,
        };
        for (camera, nominal) in scene.cameras.iter().zip(&nominal.cameras) {
            let (here, middle) = (place(&camera.mount), place(&nominal.mount));
            assert!(
                here.iter()
                    .zip(middle)
                    .all(|(a, b)| (a - b).abs() <= 0.015 + 1e-12)
            );
            assert_ne!(here, middle);
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 20);
}
