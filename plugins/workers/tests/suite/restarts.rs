//! How a service comes back.

use forearm_protocol::ServiceError;
use forearm_workers::{Handle, Host, Lifecycle, State};

use super::ends::marked;
use super::platform::marks;
use super::probe::{Ask, Calm, Probe, Said, Setup, Tell, Told, spawn, supervise};
use super::wait::{ask, failure, log_of, next_lifecycle, outcome, settle, tell_to_crash, until};
use super::{Outcome, ensure, ensure_eq};

/// Crashes the service and waits until that is known.
async fn crash(handle: &Handle<Probe>) -> Outcome {
    tell_to_crash(handle);
    let told = next_lifecycle(handle).await?;
    ensure!(matches!(told, Lifecycle::Crashed { .. }), "{told:?}");
    Ok(())
}

async fn recovered(handle: &Handle<Probe>) -> Outcome {
    let told = next_lifecycle(handle).await?;
    ensure!(matches!(told, Lifecycle::Recovered { .. }), "{told:?}");
    Ok(())
}

pub(super) async fn a_crash_is_told_and_the_service_comes_back(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    settle(&handle).await?;
    let waiting = [handle.request(Ask::Defer(1)), handle.request(Ask::Defer(2))];
    settle(&handle).await?;
    tell_to_crash(&handle);
    let told = next_lifecycle(&handle).await?;
    let Lifecycle::Crashed { error, in_flight } = told else {
        return Err(format!("{told:?}"));
    };
    ensure!(error.to_string().contains("told to panic"), "{error}");
    ensure_eq!(in_flight, 2);
    for pending in waiting {
        ensure_eq!(failure(&handle, pending).await?, error);
    }
    recovered(&handle).await?;
    ensure_eq!(handle.lifecycle().next(), None);
    ensure_eq!(log_of(&handle).await?, ["ready"]);
    let status = handle.status();
    ensure_eq!((status.state, status.restarts), (State::Ready, 1));
    ensure_eq!(status.failure, None);
    Ok(())
}

pub(super) async fn it_starts_from_what_was_remembered(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    for number in [1, 2] {
        ensure_eq!(handle.send(Tell::Remember(number)), Ok(()));
    }
    settle(&handle).await?;
    // One is read before the crash, the other is found in the queue.
    until(&handle, "the first", || {
        handle.try_event() == Some(Told::Remember(1))
    })
    .await?;
    crash(&handle).await?;
    ensure_eq!(ask(&handle, Ask::Remembered).await?, Said::Number(2));
    ensure_eq!(handle.try_event(), Some(Told::Remember(2)));
    // Again, and it has not forgotten.
    recovered(&handle).await?;
    crash(&handle).await?;
    ensure_eq!(ask(&handle, Ask::Remembered).await?, Said::Number(2));
    Ok(())
}

pub(super) async fn what_is_sent_meanwhile_waits_in_order(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    settle(&handle).await?;
    crash(&handle).await?;
    ensure_eq!(handle.status().state, State::Restarting);
    let first = handle.request(Ask::Echo(1));
    ensure_eq!(handle.send(Tell::Note(2)), Ok(()));
    let mut cancelled = handle.request(Ask::Echo(3));
    let last = handle.request(Ask::Echo(4));
    cancelled.cancel();
    for pending in [first, last] {
        let answer = outcome(&handle, pending).await?;
        ensure!(answer.is_ok(), "{answer:?}");
    }
    ensure_eq!(
        log_of(&handle).await?,
        ["ready", "echo 1", "note 2", "echo 4"]
    );
    Ok(())
}

pub(super) async fn events_told_before_the_crash_are_kept(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    settle(&handle).await?;
    let emit = |notices| {
        handle.send(Tell::Emit {
            samples: 0,
            notices,
        })
    };
    ensure_eq!(emit(3), Ok(()));
    crash(&handle).await?;
    ensure_eq!(emit(2), Ok(()));
    settle(&handle).await?;
    let told: Vec<Told> = handle.events().collect();
    ensure_eq!(told, [0, 1, 2, 0, 1].map(Told::Notice));
    Ok(())
}

async fn crash_until_given_up(handle: &Handle<Probe>) -> Result<ServiceError, String> {
    for _ in 0..3 {
        settle(handle).await?;
        crash(handle).await?;
        recovered(handle).await?;
    }
    tell_to_crash(handle);
    match next_lifecycle(handle).await? {
        Lifecycle::GivenUp { error } => Ok(error),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn one_that_crashes_too_often_is_given_up(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    let error = crash_until_given_up(&handle).await?;
    ensure!(matches!(error, ServiceError::Crashed { .. }), "{error:?}");
    let status = handle.status();
    ensure_eq!((status.state, status.restarts), (State::Failed, 3));
    ensure_eq!(status.failure, Some(error.clone()));
    ensure_eq!(failure(&handle, handle.request(Ask::Log)).await?, error);
    ensure_eq!(handle.lifecycle().next(), None);
    Ok(())
}

pub(super) async fn one_given_up_can_be_restarted(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    crash_until_given_up(&handle).await?;
    handle.restart();
    settle(&handle).await?;
    recovered(&handle).await?;
    ensure_eq!(handle.status().state, State::Ready);
    // It is forgiven: it may crash again.
    crash(&handle).await?;
    settle(&handle).await
}

pub(super) async fn a_person_restarts_it(host: Host) -> Outcome {
    let (setup, stopping) = marked();
    let handle = spawn(setup, host);
    let asked = handle.request(Ask::Defer(1));
    settle(&handle).await?;
    handle.restart();
    let error = failure(&handle, asked).await?;
    ensure!(matches!(error, ServiceError::Gone { .. }), "{error:?}");
    ensure_eq!(log_of(&handle).await?, ["ready"]);
    // The one before was ended in order.
    until(&handle, "its last call", || marks(stopping) == 1).await?;
    recovered(&handle).await?;
    let status = handle.status();
    ensure_eq!((status.state, status.restarts), (State::Ready, 1));
    Ok(())
}
