//! What steps, rollouts, snapshots and pictures are.

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::{
    Init, PicturePlace, Reply, Request, Show, Transition, Worlds,
};
use forearm_protocol::env::{EnvCamera, EnvConfig, Task};
use forearm_workers::Host;

use super::toy::FINE;
use super::{Outcome, ensure, ensure_eq, init, reset, rig, running, step};

/// Both worlds, with their ticks.
const SHOW: Show = Show {
    worlds: Worlds::All,
    pictures: false,
};

pub(super) async fn what_is_asked_comes_back_by_agent_and_world(host: Host) -> Outcome {
    let mut rig = rig(host);
    let Reply::Init(ready) = rig.ask(init(FINE, 2)).await? else {
        return Err("another answer".to_owned());
    };
    let pending = rig.handle.request(reset(7));
    let came = rig.came(pending).await?;
    ensure_eq!(came.observations.to_f32(), [7.0, 7.0, 1007.0, 1007.0]);
    ensure_eq!(came.rewards.to_f32(), [0.0; 4]);
    ensure_eq!(came.infos.seeds, [7, 1007]);
    let pending = rig.handle.request(Request::Step {
        agents: Vec::new(),
        actions: Buffer::from([0.1, 0.2, 0.3, -0.4, -0.5, -0.1_f32].as_slice()),
        show: Some(SHOW),
    });
    let came = rig.came(pending).await?;
    ensure_eq!((came.steps, came.worlds), (1, 2));
    let lens = [&came.observations, &came.rewards, &came.terminateds].map(Buffer::len);
    ensure_eq!(lens, [16, 16, 2]);
    let right = came
        .of_agent(&ready.spec, 0, 1, "right")
        .map_err(|e| e.to_string())?;
    ensure_eq!((right.observation, right.reward), (vec![1001.0], -0.6));
    ensure!(!right.terminated && !right.truncated, "it is over");
    let left = came
        .of_agent(&ready.spec, 0, 0, "left")
        .map_err(|e| e.to_string())?;
    ensure_eq!((left.observation, left.reward), (vec![8.0], 0.1));
    ensure_eq!(came.render_state.worlds, [0, 1]);
    ensure_eq!(
        came.render_state.ticks.to_f64(),
        [1.0, 8.0, 12.0, 1.0, 1003.0, 1001.0]
    );
    for (step, world, agent, wrong) in [
        (0, 0, "middle", "`left`, `right`"),
        (0, 2, "left", "0 to 1"),
        (1, 0, "left", "no step 1"),
    ] {
        let error = came.of_agent(&ready.spec, step, world, agent);
        let text = error.err().ok_or("it was found")?.to_string();
        ensure!(text.contains(wrong), "{text}");
    }
    Ok(())
}

pub(super) async fn actions_may_name_their_agents(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 2).await?;
    let pending = rig.handle.request(Request::Step {
        agents: vec!["right".to_owned(), "left".to_owned()],
        actions: Buffer::from([0.2, 0.3, 0.1, -0.5, -0.1, -0.4_f32].as_slice()),
        show: None,
    });
    let observed = rig.came(pending).await?.observations.to_f32();
    ensure_eq!(observed, [8.0, 12.0, 1003.0, 1001.0]);
    Ok(())
}

/// Actions that tell steps and worlds apart.
fn actions(step: usize) -> [f32; 6] {
    let at = step as f32 / 10.0;
    [at, 0.1, 0.0, -at, 0.0, -0.2]
}

fn rollout(steps: usize) -> Request {
    let all: Vec<f32> = (0..steps).flat_map(actions).collect();
    Request::Rollout {
        steps: steps as u32,
        agents: Vec::new(),
        actions: Buffer::from(all.as_slice()),
        show: None,
    }
}

pub(super) async fn a_rollout_is_so_many_steps(host: Host) -> Outcome {
    // Some more than an episode has.
    let steps = Task::Reach.max_steps() as usize + 7;
    let mut one_by_one = Transition::default();
    let mut rig = running(host, FINE, 2).await?;
    let (mut observations, mut rewards, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..steps {
        let pending = rig.handle.request(step(&actions(number)));
        one_by_one = rig.came(pending).await?;
        observations.extend(one_by_one.observations.to_f32());
        rewards.extend(one_by_one.rewards.to_f32());
        ends.extend(one_by_one.truncateds.to_vec());
    }
    rig.ask(reset(7)).await?;
    let pending = rig.handle.request(rollout(steps));
    let at_once = rig.came(pending).await?;
    ensure_eq!(at_once.steps as usize, steps);
    ensure_eq!(at_once.observations.to_f32(), observations);
    ensure_eq!(at_once.rewards.to_f32(), rewards);
    ensure_eq!(at_once.truncateds.to_vec(), ends);
    ensure_eq!(at_once.infos, one_by_one.infos);
    Ok(())
}

pub(super) async fn episodes_end_and_begin_by_themselves(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 2).await?;
    let steps = Task::Reach.max_steps() as usize;
    let pending = rig.handle.request(rollout(steps));
    let came = rig.came(pending).await?;
    ensure_eq!(came.infos.steps, [80, 80]);
    ensure_eq!(came.truncateds.to_vec()[2 * steps - 2..], [1, 1]);
    let pending = rig.handle.request(step(&[1.0; 6]));
    let came = rig.came(pending).await?;
    ensure_eq!(came.infos.seeds, [8, 1008]);
    ensure_eq!(came.rewards.to_f32(), [0.0; 4]);
    ensure_eq!(came.truncateds.to_vec(), [0, 0]);
    Ok(())
}

pub(super) async fn a_kept_state_goes_on_the_same(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 2).await?;
    rig.ask(step(&actions(3))).await?;
    rig.ask(Request::Snapshot { world: 0, slot: 5 }).await?;
    let pending = rig.handle.request(rollout(4));
    let first = rig.came(pending).await?;
    let pending = rig.handle.request(Request::Restore {
        slot: 5,
        worlds: Worlds::All,
        show: Some(SHOW),
    });
    let came = rig.came(pending).await?;
    ensure_eq!(came.observations.to_f32(), [10.0, 8.0, 10.0, 8.0]);
    ensure_eq!(came.infos.steps, [1, 1]);
    ensure_eq!(came.render_state.ticks.len(), 48);
    let pending = rig.handle.request(rollout(4));
    let second = rig.came(pending).await?;
    let world_0 = |came: &Transition| came.observations.to_f32()[..2].to_vec();
    ensure_eq!(world_0(&first), world_0(&second));
    Ok(())
}

pub(super) async fn pictures_are_rgba_in_order(host: Host) -> Outcome {
    let mut rig = rig(host);
    let camera = |name: &str, resolution| EnvCamera {
        name: name.to_owned(),
        resolution,
    };
    let config = EnvConfig {
        cameras: vec![camera("front", [4, 3]), camera("wrist", [2, 2])],
        ..EnvConfig::new(Task::Reach)
    };
    rig.ask(Request::Init(Box::new(Init { config, worlds: 2 })))
        .await?;
    rig.ask(reset(7)).await?;
    let pictures = Show {
        pictures: true,
        ..SHOW
    };
    let pending = rig.handle.request(Request::Step {
        agents: Vec::new(),
        actions: Buffer::from([0.0_f32; 6].as_slice()),
        show: Some(pictures),
    });
    let state = rig.came(pending).await?.render_state;
    ensure_eq!(state.sizes, [[4, 3], [2, 2]]);
    ensure_eq!(state.rgba.len(), 2 * 4 * (12 + 4));
    let place = state.picture(1, 1).ok_or("no picture")?;
    ensure_eq!(
        place,
        PicturePlace {
            offset: 112,
            size: [2, 2]
        }
    );
    ensure_eq!(state.rgba.to_vec()[112..120], [0, 1, 1, 255, 1, 1, 1, 255]);
    ensure_eq!((state.picture(2, 0), state.picture(0, 2)), (None, None));
    let one = Show {
        worlds: Worlds::One(1),
        pictures: true,
    };
    let Reply::Render(state) = rig.ask(Request::Render(one)).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!((state.worlds, state.rgba.len()), (vec![1], 64));
    Ok(())
}
