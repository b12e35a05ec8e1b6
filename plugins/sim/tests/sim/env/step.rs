//! Steps, episodes, batches.

use forearm_sim::env::{Batch, Env, EnvConfig, EnvError, Reward, Task};

use super::Results;

fn observation(env: &Env) -> Vec<f32> {
    let mut out = vec![f32::NAN; env.spec().observation_len()];
    env.observe(&mut out);
    out
}

/// Some motion or other: different for each step and number.
fn actions(step: usize, count: usize) -> Vec<f32> {
    (0..count)
        .map(|index| ((step / 9 * 7 + index * 3) as f32 * 1.7).sin())
        .collect()
}

#[test]
fn observations_are_as_long_as_the_spec_says_and_finite() {
    for task in Task::ALL {
        let mut env = Env::new(&EnvConfig::new(task)).unwrap();
        env.reset(3);
        for step in 0..60 {
            let seen = observation(&env);
            assert!(
                seen.iter().all(|value| value.is_finite()),
                "{task}: {seen:?}"
            );
            let parts = env
                .spec()
                .agents
                .iter()
                .flat_map(|agent| &agent.observation);
            let len: u32 = parts.map(|part| part.len).sum();
            assert_eq!(seen.len(), len as usize);
            env.step(&actions(step, env.spec().action_len())).unwrap();
        }
    }
}

#[test]
fn a_seed_is_an_episode() {
    for task in Task::ALL {
        let run = |seed| {
            let mut env = Env::new(&EnvConfig::new(task)).unwrap();
            env.reset(seed);
            let first = observation(&env);
            for step in 0..40 {
                env.step(&actions(step, env.spec().action_len())).unwrap();
            }
            (first, env.state_hash())
        };
        assert_eq!(run(5), run(5), "{task}");
        let (one, other) = (run(5), run(6));
        assert_ne!(one.0, other.0, "{task}");
        assert_ne!(one.1, other.1, "{task}");
    }
}

#[test]
fn a_reset_forgets_what_was_before() {
    for task in Task::ALL {
        let mut config = EnvConfig::new(task);
        config.randomize = forearm_sim::env::Randomization::full();
        let (mut used, mut new) = (Env::new(&config).unwrap(), Env::new(&config).unwrap());
        for step in 0..90 {
            used.step(&actions(step, used.spec().action_len())).unwrap();
        }
        for env in [&mut used, &mut new] {
            env.reset(11);
            for step in 0..50 {
                env.step(&actions(step, env.spec().action_len())).unwrap();
            }
        }
        assert_eq!(used.state_hash(), new.state_hash(), "{task}");
    }
}

#[test]
fn rewards_are_what_their_kind_says() {
    for reward in [Reward::Dense, Reward::Sparse] {
        for task in Task::ALL {
            let config = EnvConfig {
                reward,
                ..EnvConfig::new(task)
            };
            let mut env = Env::new(&config).unwrap();
            let mut rewards = vec![f32::NAN; env.spec().agents.len()];
            let mut sum = 0.0;
            for step in 0..20 {
                let outcome = env.step(&actions(step, env.spec().action_len())).unwrap();
                env.rewards(&mut rewards);
                sum += f64::from(rewards[0]);
                let expected = match (reward, outcome.terminated) {
                    (Reward::Dense, true) => 10.0..=10.0,
                    (Reward::Dense, false) => -3.0..=0.0,
                    (Reward::Sparse, done) => {
                        let value = f32::from(u8::from(done));
                        value..=value
                    }
                };
                for value in &rewards {
                    assert!(expected.contains(value), "{task}: {value} in {expected:?}");
                }
            }
            assert!((env.info().episode_returns[0] - sum).abs() < 1e-4, "{task}");
        }
    }
}

#[test]
fn an_episode_is_cut_off_after_its_steps() {
    let config = EnvConfig {
        max_steps: Some(5),
        ..EnvConfig::new(Task::Stack)
    };
    let mut env = Env::new(&config).unwrap();
    for step in 1..=5 {
        let outcome = env.step(&[0.0; 6]).unwrap();
        assert_eq!((outcome.terminated, outcome.truncated), (false, step == 5));
    }
}

#[test]
fn wrong_lengths_are_refused_and_what_is_no_number_is_zero() {
    let mut env = Env::new(&EnvConfig::new(Task::Push)).unwrap();
    let before = env.state_hash();
    let error = env.step(&[0.0; 5]).unwrap_err();
    let expected = EnvError::Length {
        what: "the row of actions",
        got: 5,
        expected: 6,
    };
    assert_eq!(error, expected);
    assert_eq!(env.state_hash(), before);
    let mut other = Env::new(&EnvConfig::new(Task::Push)).unwrap();
    env.step(&[f32::NAN, 9.0, -9.0, f32::INFINITY, 0.0, 0.0])
        .unwrap();
    other.step(&[0.0, 1.0, -1.0, 1.0, 0.0, 0.0]).unwrap();
    assert_eq!(env.state_hash(), other.state_hash());
}

#[test]
fn a_batch_is_many_environments_and_starts_episodes_anew() {
    let config = EnvConfig {
        max_steps: Some(7),
        ..EnvConfig::new(Task::PickPlace)
    };
    let mut batch = Batch::new(&config, 3, 1).unwrap();
    let mut results = Results::new(&batch);
    let seeds = [Some(4), Some(5), Some(6)];
    batch.reset_worlds(&seeds, &mut results.buffers()).unwrap();
    let mut env = Env::new(&config).unwrap();
    env.reset(5);
    let len = env.spec().observation_len();
    for step in 0..7 {
        assert_eq!(
            results.observations[len..2 * len],
            observation(&env),
            "step {step}"
        );
        let all = actions(step, 18);
        batch.step(&all, &mut results.buffers()).unwrap();
        env.step(&all[6..12]).unwrap();
        let mut reward = [0.0];
        env.rewards(&mut reward);
        assert_eq!(results.rewards[1], reward[0]);
        assert_eq!(batch.state_hash(1).unwrap(), env.state_hash());
        assert_eq!(results.truncateds, [step == 6; 3]);
    }
    // The next step begins the next episode, whatever the actions.
    let steps = |batch: &Batch| batch.info(1).unwrap().steps;
    assert_eq!(steps(&batch), 7);
    batch.step(&[1.0; 18], &mut results.buffers()).unwrap();
    assert_eq!(steps(&batch), 0);
    assert_eq!((results.rewards[1], results.truncateds[1]), (0.0, false));
    assert_ne!(batch.info(1).unwrap().seed, 5);
    env.reset(batch.info(1).unwrap().seed);
    assert_eq!(results.observations[len..2 * len], observation(&env));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let config = EnvConfig {
        max_steps: Some(20),
        ..EnvConfig::new(Task::PickPlace)
    };
    let run = |threads| {
        let mut batch = Batch::new(&config, 13, threads).unwrap();
        assert!(threads == 0 || batch.threads() == threads);
        let mut results = Results::new(&batch);
        batch.reset(9, &mut results.buffers()).unwrap();
        let mut all = results.observations.clone();
        for step in 0..50 {
            batch
                .step(&actions(step, 13 * 6), &mut results.buffers())
                .unwrap();
            all.extend(&results.observations);
            all.extend(&results.rewards);
        }
        all.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    let one = run(1);
    for threads in [2, 5, 0] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn a_batch_says_what_is_wrong() {
    let config = EnvConfig::new(Task::Reach);
    assert!(matches!(
        Batch::new(&config, 0, 1),
        Err(EnvError::Worlds { got: 0, .. })
    ));
    let mut batch = Batch::new(&config, 2, 1).unwrap();
    let mut results = Results::new(&batch);
    let error = batch.step(&[0.0; 6], &mut results.buffers()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment: the rows of actions has 6 numbers; expected 12"
    );
    results.rewards.pop();
    let error = batch.step(&[0.0; 12], &mut results.buffers()).unwrap_err();
    assert!(matches!(
        error,
        EnvError::Length {
            what: "rewards",
            ..
        }
    ));
    assert!(matches!(
        batch.info(2),
        Err(EnvError::NoWorld { got: 2, worlds: 2 })
    ));
    let config = EnvConfig {
        substeps: 0,
        ..config
    };
    assert!(matches!(Env::new(&config), Err(EnvError::Config(_))));
}
