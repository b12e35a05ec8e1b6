//! In which order answers come.

use std::time::Duration;

use forearm_protocol::env::messages::{Phase, Reply, Request, Show, Worlds};
use forearm_protocol::{Buffer, ServiceError};
use forearm_workers::{Host, QUEUE_CAPACITY};

use super::toy::{FINE, LATE, NEVER};
use super::{Outcome, ensure, ensure_eq, init, reset, rig, running, step};

pub(super) async fn what_is_asked_early_is_answered_in_order(host: Host) -> Outcome {
    let mut rig = rig(host);
    // Nobody waits for anything in between.
    let made = rig.handle.request(init(LATE, 1));
    let first = rig.handle.request(reset(7));
    let mut steps: Vec<_> = (1..=5)
        .map(|_| rig.handle.request(step(&[0.1, 0.0, 0.0])))
        .collect();
    // The last one is waited for first: those before it are answered by then.
    let last = steps.pop().ok_or("no steps")?;
    let observed = rig.came(last).await?.observations.to_f32();
    ensure_eq!(observed, [12.0, 7.0]);
    for mut pending in [made, first].into_iter().chain(steps) {
        ensure!(
            pending.try_take().is_some(),
            "one before it has no answer yet"
        );
    }
    Ok(())
}

pub(super) async fn a_ping_is_answered_while_an_environment_is_made(host: Host) -> Outcome {
    let mut rig = rig(host);
    let mut made = rig.handle.request(init(NEVER, 1));
    let mut waiting = rig.handle.request(reset(7));
    let Reply::Ping(status) = rig.ask(Request::Ping).await? else {
        return Err("another answer".to_owned());
    };
    ensure!(
        matches!(status.phase, Phase::Initialising { .. }),
        "{status:?}"
    );
    ensure_eq!(status.waiting, 2);
    let open = made.try_take().is_none() && waiting.try_take().is_none();
    ensure!(open, "what was asked before is answered already");
    rig.ask(Request::Destroy).await.map(drop)
}

pub(super) async fn too_many_requests_are_refused_not_forgotten(host: Host) -> Outcome {
    let mut rig = rig(host);
    let mut pending = vec![rig.handle.request(init(NEVER, 1))];
    for round in 0..4 {
        for seed in 0..QUEUE_CAPACITY as u64 / 2 {
            pending.push(rig.handle.request(reset(seed)));
        }
        // What the runtime's own queue holds is taken.
        if round < 3 {
            rig.ask(Request::Ping).await?;
        }
    }
    rig.until("room", |rig| {
        rig.handle.status().in_flight <= QUEUE_CAPACITY + 1
    })
    .await?;
    rig.ask(Request::Destroy).await?;
    let (mut busy, mut cancelled) = (0, 0);
    for pending in pending {
        match rig.failure(pending).await? {
            ServiceError::Busy { .. } => busy += 1,
            ServiceError::Cancelled { .. } => cancelled += 1,
            other => return Err(format!("{other:?}")),
        }
    }
    ensure!(busy > 0, "none was refused");
    ensure_eq!(cancelled, QUEUE_CAPACITY + 1);
    Ok(())
}

pub(super) async fn a_rollout_that_is_given_up_ends_between_two_steps(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 3).await?;
    let steps = 200_000;
    let mut long = rig.handle.request(Request::Rollout {
        steps,
        agents: Vec::new(),
        actions: Buffer::from(vec![0.0_f32; 9 * steps as usize].as_slice()),
        show: None,
    });
    long.cancel();
    let next = rig.handle.request(step(&[0.0; 9]));
    let came = rig.came(next).await?;
    let counted = &came.infos.steps;
    ensure!(
        counted.iter().all(|steps| *steps == counted[0]),
        "{counted:?}"
    );
    Ok(())
}

pub(super) async fn a_rendering_goes_before_what_waits(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 1).await?;
    let long = rig.handle.request(Request::Rollout {
        steps: 10,
        agents: Vec::new(),
        actions: Buffer::from([0.0_f32; 30].as_slice()),
        show: None,
    });
    let show = Show {
        worlds: Worlds::All,
        pictures: false,
    };
    let Reply::Render(state) = rig.ask(Request::Render(show)).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!(state.ticks.to_f64(), [0.0, 7.0, 7.0]);
    ensure_eq!(rig.came(long).await?.infos.steps, [10]);
    let within = rig
        .handle
        .request_within(Request::Render(show), Duration::from_secs(9));
    let Reply::Render(state) = rig.answer(within).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!(state.ticks.to_f64(), [10.0, 7.0, 7.0]);
    Ok(())
}
