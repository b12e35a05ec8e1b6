//! Pictures of environments.

use forearm_protocol::env::EnvCamera;
use forearm_sim::env::{Batch, Env, EnvConfig, Randomization, Task};
use forearm_vision::raster::Renderer;

use super::Results;

fn config(task: Task, randomize: Randomization) -> EnvConfig {
    let cameras = task.cameras().iter().map(|name| EnvCamera {
        name: (*name).to_owned(),
        resolution: [64, 48],
    });
    EnvConfig {
        cameras: cameras.collect(),
        randomize,
        ..EnvConfig::new(task)
    }
}

fn picture(env: &mut Env, camera: usize) -> Vec<u8> {
    let mut out = vec![0; env.spec().image_len(camera)];
    env.render(camera, &mut out);
    out
}

#[test]
fn every_camera_sees_something_and_goals_are_marked() {
    for task in Task::ALL {
        let mut env = Env::new(&config(task, Randomization::default())).unwrap();
        for camera in 0..env.spec().cameras.len() {
            let (one, mut other) = (picture(&mut env, camera), Vec::new());
            assert!(
                one.iter().any(|value| *value > 100),
                "{task}, camera {camera}"
            );
            for seed in 1..4 {
                env.reset(seed);
                other = picture(&mut env, camera);
                if other != one {
                    break;
                }
            }
            assert!(
                one != other,
                "{task}, camera {camera}: all episodes look alike"
            );
        }
        // There is no such camera.
        let mut out = [7; 12];
        env.render(9, &mut out);
        assert_eq!(out, [7; 12]);
    }
    let mut env = Env::new(&config(Task::Reach, Randomization::default())).unwrap();
    let green = |picture: &[u8]| {
        let green = |p: &&[u8]| p[1] > 80 && p[1] > p[0] + 40 && p[1] > p[2] + 30;
        picture.chunks_exact(3).filter(green).count()
    };
    let marked = (0..10).filter(|seed| {
        env.reset(*seed);
        green(&picture(&mut env, 0)) >= 2
    });
    // The arm may stand before it.
    let marked = marked.count();
    assert!(marked >= 7, "the goal is seen in {marked} of 10");
}

#[test]
fn a_changed_renderer_draws_as_one_built_anew() {
    let mut env = Env::new(&config(Task::PickPlace, Randomization::full())).unwrap();
    let mut tick = vec![0.0; env.layout().width()];
    let mut last = Vec::new();
    for seed in [4, 9, 2] {
        env.reset(seed);
        env.step(&[0.3; 6]).unwrap();
        env.tick(&mut tick);
        for camera in 0..2 {
            let spec = env.spec().cameras[camera].clone();
            let mut renderer =
                Renderer::new(env.bundle(), &spec.name, Some(spec.resolution)).unwrap();
            let mut expected = vec![0; env.spec().image_len(camera)];
            renderer.render(&tick, env.layout(), &mut expected);
            let drawn = picture(&mut env, camera);
            assert!(drawn == expected, "seed {seed}, camera {camera}");
            assert!(drawn != last);
            last = drawn;
        }
    }
}

#[test]
fn a_batch_draws_what_its_worlds_would() {
    let config = config(Task::Stack, Randomization::full());
    let mut batch = Batch::new(&config, 3, 2).unwrap();
    let mut results = Results::new(&batch);
    let seeds = [Some(5), Some(6), Some(7)];
    batch.reset_worlds(&seeds, &mut results.buffers()).unwrap();
    batch.step(&[0.5; 18], &mut results.buffers()).unwrap();
    let mut env = Env::new(&config).unwrap();
    let len = env.spec().images_len();
    for (world, seed) in [5, 6, 7].into_iter().enumerate() {
        env.reset(seed);
        env.step(&[0.5; 6]).unwrap();
        let mut expected = picture(&mut env, 0);
        expected.extend(picture(&mut env, 1));
        let drawn = &results.images[world * len..(world + 1) * len];
        assert!(drawn == expected, "world {world}");
        let mut one = vec![0; env.spec().image_len(1)];
        batch.render(world, 1, &mut one).unwrap();
        assert!(one == expected[expected.len() - one.len()..]);
    }
}
