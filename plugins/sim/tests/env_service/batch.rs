//! Many worlds behind the service go through the same episodes as a batch's, and cost no more memory a
//! step than their answer has.

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::{Init, Reply, Request, Transition};
use forearm_protocol::env::{EnvConfig, Task};
use forearm_sim::env::service::{EnvSetup, Worlds};
use forearm_sim::env::{Batch, Buffers};
use forearm_workers::{Handle, Host, spawn};

use crate::counting::count;
use crate::suite::{reset, step};

type Service = forearm_sim::env::service::EnvService<Worlds>;

/// The answer, in stepped time.
fn ask(handle: &Handle<Service>, request: Request) -> Reply {
    let mut pending = handle.request(request);
    handle.advance_to(0.0);
    pending.try_take().expect("an answer").expect("no error")
}

fn came(reply: Reply) -> Transition {
    match reply {
        Reply::Reset(came) | Reply::Step(came) | Reply::Rollout(came) => *came,
        other => panic!("{other:?}"),
    }
}

fn service(config: &EnvConfig, worlds: u32) -> Handle<Service> {
    let handle = spawn(EnvSetup::default(), Host::Stepped);
    let config = config.clone();
    ask(&handle, Request::Init(Box::new(Init { config, worlds })));
    handle
}

#[test]
fn worlds_are_a_batchs_bit_for_bit() {
    const WORLDS: usize = 5;
    const STEPS: u32 = 25;
    let config = EnvConfig {
        // Episodes end on the way, and the next ones begin by themselves.
        max_steps: Some(9),
        ..EnvConfig::new(Task::Push)
    };
    let mut batch = Batch::new(&config, WORLDS, 2).expect("a batch");
    let spec = batch.spec().clone();
    let mut observations = vec![0.0; WORLDS * spec.observation_len()];
    let mut rewards = [0.0; WORLDS];
    let [mut terminateds, mut truncateds, mut successes] = [[false; WORLDS]; 3];
    let mut out = Buffers {
        observations: &mut observations,
        rewards: &mut rewards,
        terminateds: &mut terminateds,
        truncateds: &mut truncateds,
        successes: &mut successes,
        images: &mut [],
    };
    let handle = service(&config, WORLDS as u32);
    batch.reset(3, &mut out).expect("a reset");
    let began = came(ask(&handle, reset(3)));
    assert_eq!(began.observations.to_f32(), out.observations);
    let mut ends = 0;
    for number in 0..STEPS {
        let mut row = vec![0.0; WORLDS * spec.action_len()];
        crate::episode::actions(number * 3, &mut row);
        batch.step(&row, &mut out).expect("a step");
        let came = came(ask(&handle, step(&row)));
        assert_eq!(
            came.observations.to_f32(),
            out.observations,
            "step {number}"
        );
        assert_eq!(came.rewards.to_f32(), out.rewards);
        let flags = |flags: &Buffer| flags.to_vec().iter().map(|b| *b == 1).collect::<Vec<_>>();
        assert_eq!(flags(&came.terminateds), out.terminateds);
        assert_eq!(flags(&came.truncateds), out.truncateds);
        assert_eq!(flags(&came.successes), out.successes);
        for world in 0..WORLDS {
            let info = batch.info(world).expect("it is there");
            assert_eq!(came.infos.seeds[world], info.seed);
            assert_eq!(came.infos.episode_returns[world], info.episode_returns[0]);
        }
        ends += flags(&came.truncateds).iter().filter(|over| **over).count();
    }
    assert!(ends >= WORLDS, "{ends} episodes ended");
}

#[test]
fn what_a_step_allocates_does_not_grow_with_worlds() {
    let allocations = |worlds: u32| {
        let config = EnvConfig::new(Task::Reach);
        let handle = service(&config, worlds);
        ask(&handle, reset(1));
        let row = vec![0.3; 6 * worlds as usize];
        let run = |steps| (0..steps).for_each(|_| drop(ask(&handle, step(&row))));
        run(20);
        let before = count();
        run(10);
        (count() - before) / 10
    };
    let (one, many) = (allocations(1), allocations(64));
    // A list that grows does so by doubling: a few more for longer answers, not one a world.
    assert!(many < one + 32, "{one} with one world, {many} with 64");
}
