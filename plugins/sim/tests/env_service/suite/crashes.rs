//! What a crash leaves.

use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Event, Phase, Reply, Request};
use forearm_workers::{Host, Lifecycle};

use super::toy::{FRAGILE, PANICS};
use super::{Outcome, ensure, ensure_eq, init, reset, running, step};

pub(super) async fn a_crash_fails_what_is_asked_and_the_environment_comes_back(
    host: Host,
) -> Outcome {
    let mut rig = running(host, FRAGILE, 2).await?;
    rig.until("the seed", |rig| {
        rig.told.contains(&Event::Episode { seed: 7 })
    })
    .await?;
    let fatal = rig.handle.request(step(&[1.0; 6]));
    let error = rig.failure(fatal).await?;
    let ServiceError::Crashed { why, .. } = &error else {
        return Err(format!("{error:?}"));
    };
    ensure!(why.contains("the toy broke"), "{why}");
    ensure!(error.stack().is_some(), "no place is told");
    let told = rig.next_lifecycle().await?;
    ensure!(
        matches!(told, Lifecycle::Crashed { in_flight: 1, .. }),
        "{told:?}"
    );
    // What is asked meanwhile waits for the environment.
    let refused = rig.refusal(step(&[0.0; 6])).await?.to_string();
    ensure!(
        refused.contains("the episodes of seed 7 were lost in a crash"),
        "{refused}"
    );
    let lost = Event::Lost {
        seed: Some(7),
        error: None,
    };
    ensure!(rig.told.contains(&lost), "{:?}", rig.told);
    let told = rig.next_lifecycle().await?;
    ensure!(matches!(told, Lifecycle::Recovered { .. }), "{told:?}");
    let pending = rig.handle.request(reset(7));
    ensure_eq!(rig.came(pending).await?.infos.seeds, [7, 1007]);
    rig.ask(step(&[0.0; 6])).await?;
    Ok(())
}

pub(super) async fn an_environment_whose_making_crashes_is_not_made_again(host: Host) -> Outcome {
    let mut rig = running(host, super::toy::FINE, 1).await?;
    let made = rig.handle.request(init(PANICS, 1));
    let waiting = rig.handle.request(reset(7));
    for pending in [made, waiting] {
        let error = rig.failure(pending).await?;
        ensure!(matches!(error, ServiceError::Crashed { .. }), "{error:?}");
    }
    // The one before was let go.
    let Reply::Ping(status) = rig.ask(Request::Ping).await? else {
        return Err("another answer".to_owned());
    };
    ensure_eq!(status.phase, Phase::Empty);
    ensure_eq!(rig.handle.status().restarts, 1);
    rig.ask(init(super::toy::FINE, 1)).await?;
    rig.ask(reset(7)).await?;
    Ok(())
}
