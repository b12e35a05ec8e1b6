//! What services hand each other, past their owner.

use forearm_workers::{Handle, Host, State};

use super::probe::{Calm, Probe, Setup, Tell, Told, spawn, supervise};
use super::wait::{log_of, settle, tell_to_crash, until};
use super::{Outcome, ensure, ensure_eq};

/// Waits for this event of `fed`; both services are pumped.
async fn arrives(feeder: &Handle<Probe>, fed: &Handle<Probe>, event: &Told) -> Outcome {
    until(feeder, "what is fed", || {
        fed.pump(std::time::Duration::from_millis(1));
        fed.events().any(|told| told == *event)
    })
    .await
}

pub(super) async fn what_one_feeds_another_takes_in_order(host: Host) -> Outcome {
    let feeder = spawn(Setup::default(), host);
    let fed = spawn(Setup::default(), host);
    feeder.feed_into(&fed);
    for number in 1..=50 {
        ensure_eq!(feeder.send(Tell::Feed(number)), Ok(()));
    }
    arrives(&feeder, &fed, &Told::Fed(50)).await?;
    let expected: Vec<String> = (1..=50).map(|number| format!("fed {number}")).collect();
    ensure_eq!(log_of(&fed).await?[1..], expected);
    ensure_eq!(log_of(&feeder).await?, ["ready"]);
    Ok(())
}

pub(super) async fn feeds_go_between_hosts_of_all_kinds(host: Host) -> Outcome {
    for other in [Host::Thread, Host::Inline, Host::Stepped] {
        let here = spawn(Setup::default(), host);
        let there = spawn(Setup::default(), other);
        here.feed_into(&there);
        ensure_eq!(here.send(Tell::Feed(1)), Ok(()));
        arrives(&here, &there, &Told::Fed(1)).await?;
        there.feed_into(&here);
        ensure_eq!(there.send(Tell::Feed(2)), Ok(()));
        arrives(&there, &here, &Told::Fed(2)).await?;
        // And to a second one.
        let third = spawn(Setup::default(), host);
        here.feed_into(&third);
        ensure_eq!(here.send(Tell::Feed(3)), Ok(()));
        arrives(&here, &third, &Told::Fed(3)).await?;
        arrives(&here, &there, &Told::Fed(3)).await?;
    }
    Ok(())
}

pub(super) async fn feeds_outlive_restarts_of_either_side(host: Host) -> Outcome {
    let feeder = supervise::<Calm>(Setup::default(), host);
    let fed = supervise::<Calm>(Setup::default(), host);
    feeder.feed_into(&fed);
    let mut number = 0;
    for crashing in [&fed, &feeder, &fed] {
        let before = crashing.status().restarts;
        tell_to_crash(crashing);
        until(crashing, "its return", || {
            let status = crashing.status();
            status.restarts > before && status.state == State::Ready
        })
        .await?;
        // What is fed while the link is made anew may be lost, as it is with a crash.
        let from = number + 1;
        let anew = |told| matches!(told, Told::Fed(number) if number >= from);
        until(&feeder, "what is fed", || {
            number += 1;
            feeder.send(Tell::Feed(number)).ok();
            fed.pump(std::time::Duration::from_millis(1));
            fed.events().any(anew)
        })
        .await?;
    }
    // A person's restart, too.
    feeder.restart();
    settle(&feeder).await?;
    ensure_eq!(feeder.send(Tell::Feed(1_000_000)), Ok(()));
    arrives(&feeder, &fed, &Told::Fed(1_000_000)).await
}

pub(super) async fn feeding_a_service_that_is_gone_is_an_error_or_nothing(host: Host) -> Outcome {
    let feeder = spawn(Setup::default(), host);
    let fed = spawn(Setup::default(), host);
    feeder.feed_into(&fed);
    settle(&fed).await?;
    drop(fed);
    ensure_eq!(feeder.send(Tell::Feed(1)), Ok(()));
    settle(&feeder).await?;
    let log = log_of(&feeder).await?;
    // A port in a browser does not tell whether anybody listens.
    let told = log
        .iter()
        .any(|line| line.starts_with("not fed: the service `probe` is gone"));
    let by_port = cfg!(target_family = "wasm") && host == Host::Thread;
    ensure!(told || by_port, "{log:?}");
    Ok(())
}
