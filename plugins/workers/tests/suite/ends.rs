//! How a service ends in order.

use forearm_protocol::ServiceError;
use forearm_protocol::lifecycle::Fault;
use forearm_workers::{Handle, Host, State};

use super::platform::{marks, moment};
use super::probe::{Ask, Hasty, Probe, Setup, Tell, spawn};
use super::wait::{failure, fresh, settle, until};
use super::{Outcome, ensure, ensure_eq};

const STOPPED: &str = "the service `probe` is gone (it was stopped); start it again";

/// A setup that marks its orderly end, and the number of the mark.
pub(super) fn marked() -> (Setup, u64) {
    let stopping = fresh();
    // Marks are heard from the first look on.
    marks(stopping);
    let setup = Setup {
        stopping: Some(stopping),
        ..Setup::default()
    };
    (setup, stopping)
}

pub(super) async fn stopping_is_called_once_and_ends_everything(host: Host) -> Outcome {
    let (setup, stopping) = marked();
    let mut handle = spawn(setup, host);
    settle(&handle).await?;
    handle.stop();
    ensure_eq!(handle.status().state, State::Stopped);
    let error = failure(&handle, handle.request(Ask::Log)).await?;
    ensure_eq!(error.to_string(), STOPPED);
    ensure_eq!(handle.send(Tell::Note(1)), Err(error));
    handle.stop();
    until(&handle, "its last call", || marks(stopping) > 0).await?;
    ensure_eq!(handle.lifecycle().next(), None);
    drop(handle);
    moment().await;
    ensure_eq!(marks(stopping), 1);
    Ok(())
}

pub(super) async fn dropping_the_handle_stops_the_service(host: Host) -> Outcome {
    let (setup, stopping) = marked();
    let handle = spawn(setup, host);
    settle(&handle).await?;
    drop(handle);
    let other = spawn(Setup::default(), host);
    until(&other, "its last call", || marks(stopping) > 0).await?;
    ensure_eq!(marks(stopping), 1);
    Ok(())
}

pub(super) async fn what_is_asked_when_it_stops_fails(host: Host) -> Outcome {
    let mut handle = spawn(Setup::default(), host);
    let waiting = [
        handle.request(Ask::Defer(1)),
        handle.request(Ask::Work(2)),
        handle.request(Ask::Defer(3)),
    ];
    settle(&handle).await?;
    handle.stop();
    for pending in waiting {
        let error = failure(&handle, pending).await?;
        ensure_eq!(error.to_string(), STOPPED);
    }
    ensure_eq!(handle.status().in_flight, 0);
    Ok(())
}

pub(super) async fn stopping_one_that_hangs_returns(host: Host) -> Outcome {
    let mut handle: Handle<Probe<Hasty>> = forearm_workers::spawn(Setup::default(), host);
    settle(&handle).await?;
    let asked = handle.request(Ask::Defer(1));
    ensure_eq!(handle.inject(Fault::Hang), Ok(()));
    handle.stop();
    let error = failure(&handle, asked).await?;
    ensure!(
        matches!(
            error,
            ServiceError::Gone { .. } | ServiceError::Crashed { .. }
        ),
        "{error:?}"
    );
    ensure!(
        matches!(handle.status().state, State::Stopped | State::Failed),
        "{:?}",
        handle.status()
    );
    Ok(())
}
