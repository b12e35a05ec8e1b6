//! How a service begins, or does not.

use forearm_protocol::{PROTOCOL_VERSION, Packet, RequestId, ServiceError};
use forearm_workers::{Handle, Host, HostKind, Lifecycle, State};

use super::platform::{Broken, Gate, break_workers, marks};
use super::probe::{Ask, Hasty, Nature, Probe, Said, Setup, Start, Tell, spawn, supervise};
use super::wait::{failure, fresh, log_of, next_lifecycle, outcome, until};
use super::{Outcome, ensure, ensure_eq};

pub(super) async fn what_is_sent_before_ready_waits_in_order(host: Host) -> Outcome {
    let gate = Gate(fresh());
    let setup = Setup {
        gate: Some(gate.0),
        ..Setup::default()
    };
    let handle = spawn(setup, host);
    let mut early = handle.request(Ask::Echo(1));
    let told = handle.send(Tell::Note(2));
    ensure_eq!(told, Ok(()));
    let _later = handle.request(Ask::Echo(3));
    let status = handle.status();
    ensure_eq!((status.state, status.in_flight), (State::Starting, 2));
    if host == Host::Thread {
        ensure_eq!(early.try_take(), None);
    }
    gate.open();
    ensure_eq!(outcome(&handle, early).await?, Ok(Said::Number(1)));
    ensure_eq!(
        log_of(&handle).await?,
        ["ready", "echo 1", "note 2", "echo 3"]
    );
    Ok(())
}

pub(super) async fn a_failed_start_fails_every_request_with_its_reason(host: Host) -> Outcome {
    let setup = Setup {
        start: Start::Fails,
        ..Setup::default()
    };
    fails_to_start(&spawn(setup, host), "no luck").await
}

/// Requests, commands and status all tell why it did not start.
async fn fails_to_start<N: Nature>(handle: &Handle<Probe<N>>, why: &str) -> Outcome {
    let error = failure(handle, handle.request(Ask::Log)).await?;
    ensure!(matches!(error, ServiceError::Start { .. }), "{error:?}");
    let text = error.to_string();
    let begins = format!("the service `{}` did not start: ", N::NAME);
    ensure!(text.starts_with(&begins) && text.contains(why), "{text}");
    ensure_eq!(handle.send(Tell::Note(1)), Err(error.clone()));
    ensure_eq!(handle.status().state, State::Failed);
    ensure_eq!(handle.status().failure, Some(error.clone()));
    let told = next_lifecycle(handle).await?;
    ensure_eq!(told, Lifecycle::GivenUp { error });
    Ok(())
}

pub(super) async fn a_failed_start_is_not_tried_again(host: Host) -> Outcome {
    let started = fresh();
    let setup = Setup {
        start: Start::Fails,
        started: Some(started),
        ..Setup::default()
    };
    marks(started);
    let handle = supervise::<super::probe::Calm>(setup, host);
    fails_to_start(&handle, "no luck").await?;
    until(&handle, "its one start", || marks(started) > 0).await?;
    // What could start it again has been asked by now, and asked again here.
    for _ in 0..20 {
        handle.pump(std::time::Duration::ZERO);
        super::platform::moment().await;
    }
    ensure_eq!(marks(started), 1);
    ensure_eq!(
        (handle.status().restarts, handle.status().state),
        (0, State::Failed)
    );
    Ok(())
}

pub(super) async fn a_panicking_start_is_a_failed_start(host: Host) -> Outcome {
    for (start, why) in [
        (Start::PanicsWhenMade, "no parts"),
        (Start::PanicsGettingReady, "no patience"),
    ] {
        let setup = Setup {
            start,
            ..Setup::default()
        };
        fails_to_start(&spawn(setup.clone(), host), why).await?;
        let handle = supervise::<super::probe::Calm>(setup, host);
        fails_to_start(&handle, why).await?;
        ensure_eq!(handle.status().fallback, None);
    }
    Ok(())
}

pub(super) async fn a_start_that_never_ends_fails(host: Host) -> Outcome {
    let setup = Setup {
        start: Start::NeverEnds,
        ..Setup::default()
    };
    let handle = supervise::<Hasty>(setup.clone(), host);
    fails_to_start(&handle, "it was not ready within 800ms").await?;
    let unsupervised: Handle<Probe<Hasty>> = forearm_workers::spawn(setup, host);
    fails_to_start(&unsupervised, "it was not ready within 800ms").await
}

pub(super) async fn without_workers_it_runs_here(host: Host) -> Outcome {
    for how in [Broken::Forbidden, Broken::NoScript, Broken::NoGlue] {
        break_workers(Some(how));
        let handle = supervise::<super::probe::Calm>(Setup::default(), host);
        let fed = spawn(Setup::default(), Host::Inline);
        handle.feed_into(&fed);
        break_workers(None);
        ensure_eq!(handle.send(Tell::Feed(1)), Ok(()));
        let mut cancelled = handle.request(Ask::Echo(1));
        cancelled.cancel();
        // Awaited without a pump: it is served as soon as it is known that no worker will.
        ensure_eq!(handle.request(Ask::Echo(2)).await, Ok(Said::Number(2)));
        ensure_eq!(log_of(&handle).await?, ["ready", "echo 2"]);
        ensure_eq!(log_of(&fed).await?, ["ready", "fed 1"]);
        let status = handle.status();
        ensure_eq!((status.host, status.restarts), (HostKind::Inline, 0));
        let why = status.fallback.ok_or("it does not say why")?;
        ensure!(why.len() > 10, "{how:?}: {why}");
        ensure_eq!(next_lifecycle(&handle).await?, Lifecycle::Fallback { why });
        ensure_eq!(handle.lifecycle().next(), None);
    }
    // Later ones have workers again.
    let later = spawn(Setup::default(), host);
    ensure_eq!(later.request(Ask::Echo(3)).await, Ok(Said::Number(3)));
    ensure_eq!(later.status().fallback, None);
    Ok(())
}

pub(super) async fn another_protocol_version_is_refused_with_what_to_do(_: Host) -> Outcome {
    let packet = Packet::new(Ask::Echo(1), Some(RequestId(1)), 1);
    let mut packet = packet.map_err(|error| error.to_string())?;
    packet.v = PROTOCOL_VERSION - 1;
    let error = packet.open::<Ask>().err().ok_or("it was taken")?;
    ensure_eq!(
        error.to_string(),
        format!(
            "protocol version {} is not spoken here (expected {PROTOCOL_VERSION}); \
             reload, so that app and workers are of one build",
            PROTOCOL_VERSION - 1
        )
    );
    Ok(())
}
