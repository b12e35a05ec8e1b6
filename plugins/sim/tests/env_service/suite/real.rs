//! Forearm's own worlds behind the service: what comes out, and what it costs.

use std::time::Duration;

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::{Init, Reply, Request, Show, Stage, Worlds as Which};
use forearm_protocol::env::{EnvConfig, Task};
use forearm_sim::env::service::{EnvSetup, Worlds};
use forearm_workers::{Host, supervise};

use super::wait::Rig;
use super::{Outcome, ensure, ensure_eq, policy, reset, step};
use crate::episode::{self, Digest};

const PICTURE: Show = Show {
    worlds: Which::One(0),
    pictures: true,
};

/// A service of Forearm's own worlds.
pub(crate) fn real(host: Host) -> Rig<Worlds> {
    Rig::new(supervise(EnvSetup::default(), host, policy()))
}

/// The digest of [`episode`], by single steps or by one call an episode.
pub(crate) async fn digest(rig: &mut Rig<Worlds>, at_once: bool) -> Result<String, String> {
    let mut digest = Digest::default();
    for task in episode::TASKS {
        let init = Init {
            config: episode::config(task),
            worlds: 1,
        };
        let Reply::Init(ready) = rig.ask(Request::Init(Box::new(init))).await? else {
            return Err("another answer".to_owned());
        };
        let pending = rig.handle.request(reset(episode::SEED));
        digest.numbers(&rig.came(pending).await?.observations.to_f32());
        let mut rows = Vec::new();
        for number in 0..episode::STEPS {
            let mut row = vec![0.0; ready.spec.action_len()];
            episode::actions(number, &mut row);
            rows.push(row);
        }
        let requests = match at_once {
            true => vec![Request::Rollout {
                steps: episode::STEPS,
                agents: Vec::new(),
                actions: Buffer::from(rows.concat().as_slice()),
                show: None,
            }],
            false => rows.iter().map(|row| step(row)).collect(),
        };
        // All on their way at once: they are done in order.
        let pending: Vec<_> = requests
            .into_iter()
            .map(|request| rig.handle.request(request))
            .collect();
        for pending in pending {
            let came = rig.came(pending).await?;
            let rows = came.observations.to_f32();
            let rewards = came.rewards.to_f32();
            let steps = came.steps as usize;
            for number in 0..steps {
                let part = |numbers: &[f32]| {
                    let len = numbers.len() / steps;
                    numbers[number * len..(number + 1) * len].to_vec()
                };
                digest.numbers(&part(&rows));
                digest.numbers(&part(&rewards));
            }
        }
        let Reply::Render(state) = rig.ask(Request::Render(PICTURE)).await? else {
            return Err("another answer".to_owned());
        };
        digest.picture(&state.rgba.to_vec(), 4);
    }
    Ok(digest.finish())
}

pub(super) async fn one_service_gives_the_same_bits_again(host: Host) -> Outcome {
    let mut rig = real(host);
    let by_steps = digest(&mut rig, false).await?;
    ensure_eq!(digest(&mut rig, true).await?, by_steps);
    #[cfg(not(target_family = "wasm"))]
    ensure_eq!(episode::direct().map_err(|e| e.to_string())?, by_steps);
    Ok(())
}

pub(super) async fn every_task_tells_its_stages(host: Host) -> Outcome {
    let mut rig = real(host);
    for task in Task::ALL {
        let config = EnvConfig::new(task);
        let init = Init { config, worlds: 2 };
        rig.told.clear();
        let Reply::Init(ready) = rig.ask(Request::Init(Box::new(init))).await? else {
            return Err("another answer".to_owned());
        };
        ensure_eq!(ready.spec.config.task, task);
        let stages = [
            Stage::LoadingModels,
            Stage::BuildingWorlds,
            Stage::WarmingUp,
            Stage::Ready,
        ];
        rig.until("its last word", |rig| {
            matches!(
                rig.told.last(),
                Some(forearm_protocol::env::messages::Event::Initialised(_))
            )
        })
        .await?;
        let mut told: Vec<Stage> = rig.told.iter().filter_map(stage).collect();
        told.dedup();
        ensure_eq!(told, stages);
        rig.ask(reset(1)).await?;
        let row = vec![0.5; 2 * ready.spec.action_len()];
        let pending = rig
            .handle
            .request_within(step(&row), Duration::from_secs(20));
        let came = rig.came(pending).await?;
        ensure!(
            came.observations.to_f32().iter().all(|n| n.is_finite()),
            "{came:?}"
        );
        for agent in &ready.spec.agents {
            let got = came.of_agent(&ready.spec, 0, 1, &agent.name);
            let got = got.map_err(|error| error.to_string())?;
            ensure_eq!(got.observation.len(), agent.observation_len as usize);
        }
    }
    Ok(())
}

fn stage(event: &forearm_protocol::env::messages::Event) -> Option<Stage> {
    match event {
        forearm_protocol::env::messages::Event::Progress { stage, .. } => Some(*stage),
        _ => None,
    }
}
