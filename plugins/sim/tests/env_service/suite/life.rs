//! How environments come and go inside one service.

use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Event, Phase, Reply, Request, Stage};
use forearm_workers::Host;

use super::toy::{FAILS, FINE, NEVER};
use super::{Outcome, ensure, ensure_eq, init, reset, rig, step};

pub(super) async fn an_initialisation_tells_its_stages_and_what_there_is(host: Host) -> Outcome {
    let mut rig = rig(host);
    let Reply::Init(ready) = rig.ask(init(FINE, 3)).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!((ready.worlds, ready.layout.width()), (3, 3));
    let agents: Vec<&str> = ready.spec.agents.iter().map(|a| a.name.as_str()).collect();
    ensure_eq!(agents, ["left", "right"]);
    rig.until("its last word", |rig| {
        matches!(rig.told.last(), Some(Event::Initialised(_)))
    })
    .await?;
    let stages: Vec<(Stage, f64)> = rig
        .told
        .iter()
        .filter_map(|event| match event {
            Event::Progress { stage, fraction } => Some((*stage, *fraction)),
            _ => None,
        })
        .collect();
    ensure!(stages.is_sorted_by(|a, b| a <= b), "{stages:?}");
    ensure_eq!(stages.first(), Some(&(Stage::LoadingModels, 0.0)));
    ensure_eq!(stages.last(), Some(&(Stage::Ready, 1.0)));
    ensure!(stages.len() > 2, "{stages:?}");
    let Reply::Ping(status) = rig.ask(Request::Ping).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!((status.phase, status.worlds), (Phase::NeedsReset, 3));
    Ok(())
}

pub(super) async fn one_service_hosts_one_environment_after_another(host: Host) -> Outcome {
    let mut rig = rig(host);
    for worlds in [2, 1, 5] {
        rig.ask(init(FINE, worlds)).await?;
        let error = rig.refusal(step(&vec![0.0; 3 * worlds as usize])).await?;
        ensure!(error.to_string().contains("no episode"), "{error}");
        let pending = rig.handle.request(reset(7));
        ensure_eq!(rig.came(pending).await?.worlds, worlds);
    }
    ensure_eq!(rig.handle.status().restarts, 0);
    Ok(())
}

pub(super) async fn a_new_initialisation_takes_the_place_of_one_at_work(host: Host) -> Outcome {
    let mut rig = rig(host);
    let old = rig.handle.request(init(NEVER, 1));
    let waiting = rig.handle.request(reset(7));
    let new = rig.handle.request(init(FINE, 2));
    let after = rig.handle.request(reset(8));
    for (pending, name) in [(old, "env/init"), (waiting, "env/reset")] {
        let error = rig.failure(pending).await?;
        ensure!(matches!(error, ServiceError::Cancelled { .. }), "{error:?}");
        let text = error.to_string();
        ensure!(text.contains(name) && text.contains("newer"), "{text}");
    }
    rig.answer(new).await?;
    ensure_eq!(rig.came(after).await?.infos.seeds, [8, 1008]);
    Ok(())
}

pub(super) async fn destroying_cancels_what_waits_and_keeps_the_service(host: Host) -> Outcome {
    let mut rig = rig(host);
    let pending = [init(NEVER, 1), reset(7), step(&[0.0; 3])].map(|ask| rig.handle.request(ask));
    rig.ask(Request::Destroy).await?;
    for pending in pending {
        let error = rig.failure(pending).await?;
        ensure!(matches!(error, ServiceError::Cancelled { .. }), "{error:?}");
        ensure!(error.to_string().contains("env/destroy"), "{error}");
    }
    let error = rig.refusal(reset(7)).await?;
    ensure!(
        error.to_string().contains("there is no environment"),
        "{error}"
    );
    rig.ask(init(FINE, 1)).await?;
    rig.ask(Request::Destroy).await?;
    ensure!(rig.told.contains(&Event::Destroyed), "{:?}", rig.told);
    ensure_eq!(rig.handle.status().restarts, 0);
    Ok(())
}

pub(super) async fn one_that_is_given_up_leaves_nothing_behind(host: Host) -> Outcome {
    let mut rig = rig(host);
    let mut slow = rig.handle.request(init(NEVER, 1));
    let waiting = rig.handle.request(reset(7));
    rig.until("its first word", |rig| !rig.told.is_empty())
        .await?;
    // A request whose time is over ends the same way.
    slow.cancel();
    let error = rig.failure(slow).await?;
    ensure!(matches!(error, ServiceError::Cancelled { .. }), "{error:?}");
    let error = rig.failure(waiting).await?;
    ensure!(matches!(error, ServiceError::Cancelled { .. }), "{error:?}");
    ensure!(error.to_string().contains("given up"), "{error}");
    rig.ask(init(FINE, 1)).await?;
    rig.ask(reset(1)).await?;
    Ok(())
}

pub(super) async fn one_that_never_ends_is_given_up_after_its_time(host: Host) -> Outcome {
    let mut rig = rig(host);
    let day = Duration::from_secs(86_400);
    let mut never = rig.handle.request_within(init(NEVER, 1), day);
    let waiting = rig.handle.request_within(reset(7), day);
    rig.pump(29.9);
    ensure!(never.try_take().is_none(), "it was given up early");
    rig.pump(0.2);
    let error = rig.failure(never).await?;
    let timeout = matches!(
        error,
        ServiceError::Timeout {
            timeout_ms: 30_000,
            ..
        }
    );
    ensure!(timeout, "{error:?}");
    let text = rig.failure(waiting).await?.to_string();
    ensure!(
        text.contains("its initialisation failed") && text.contains("30000 ms"),
        "{text}"
    );
    rig.ask(init(FINE, 1)).await.map(drop)
}

pub(super) async fn one_that_fails_fails_what_waits_for_it(host: Host) -> Outcome {
    let mut rig = rig(host);
    let made = rig.handle.request(init(FAILS, 2));
    let waiting = rig.handle.request(reset(7));
    let error = rig.failure(made).await?.to_string();
    ensure!(error.contains("a part is missing"), "{error}");
    let after = rig.failure(waiting).await?.to_string();
    ensure!(
        after.contains("`env/reset`") && after.contains("a part is missing"),
        "{after}"
    );
    // One that is refused at once, too.
    let error = rig.refusal(init(0, 1)).await?.to_string();
    ensure!(error.contains("`substeps` is 0"), "{error}");
    let error = rig.refusal(init(FINE, 0)).await?.to_string();
    ensure!(error.contains("0 worlds"), "{error}");
    rig.ask(init(FINE, 1)).await.map(drop)
}
