//! What a crash does, and what it leaves alone.

use forearm_protocol::ServiceError;
use forearm_protocol::lifecycle::Fault;
use forearm_workers::{Host, Lifecycle, State};

use super::ends::marked;
use super::platform::{Gate, marks, moment};
use super::probe::{Ask, Calm, Hasty, Nature, Said, Setup, Tell, spawn, supervise};
use super::wait::{ask, failure, fresh, next_lifecycle, outcome, settle, tell_to_crash, until};
use super::{Outcome, ensure, ensure_eq};

pub(super) async fn a_panic_fails_everything_in_flight_and_goes_no_further(host: Host) -> Outcome {
    let gate = Gate(fresh());
    let (setup, stopping) = marked();
    let setup = Setup {
        gate: Some(gate.0),
        ..setup
    };
    let handle = spawn(setup, host);
    let first = handle.request(Ask::Echo(1));
    tell_to_crash(&handle);
    let waiting = [handle.request(Ask::Echo(2)), handle.request(Ask::Panic)];
    gate.open();
    ensure_eq!(outcome(&handle, first).await?, Ok(Said::Number(1)));
    for pending in waiting {
        let error = failure(&handle, pending).await?;
        ensure!(matches!(error, ServiceError::Crashed { .. }), "{error:?}");
        let text = error.to_string();
        ensure!(text.contains("told to panic"), "{text}");
        ensure!(text.contains("the service `probe` crashed"), "{text}");
    }
    let later = handle.send(Tell::Note(1));
    ensure!(
        matches!(later, Err(ServiceError::Crashed { .. })),
        "{later:?}"
    );
    let status = handle.status();
    ensure_eq!((status.state, status.in_flight), (State::Failed, 0));
    let told = next_lifecycle(&handle).await?;
    ensure!(matches!(told, Lifecycle::GivenUp { .. }), "{told:?}");
    drop(handle);
    moment().await;
    ensure_eq!(marks(stopping), 0);
    Ok(())
}

pub(super) async fn a_panic_tells_its_place(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let error = failure(&handle, handle.request(Ask::Panic)).await?;
    let stack = error.stack().ok_or("it tells no place")?;
    ensure!(stack.contains("probe.rs"), "{stack}");
    Ok(())
}

/// After the fault, what was in flight has failed and the service is back.
async fn survives<N: Nature>(host: Host, fault: Fault) -> Outcome {
    let handle = supervise::<N>(Setup::default(), host);
    settle(&handle).await?;
    let asked = handle.request(Ask::Defer(1));
    // A thread may be quick, and its end be known before it was asked.
    handle.inject(fault).ok();
    let error = failure(&handle, asked).await?;
    ensure!(
        matches!(error, ServiceError::Crashed { .. }),
        "{fault:?}: {error:?}"
    );
    let told = next_lifecycle(&handle).await?;
    let Lifecycle::Crashed {
        error: why,
        in_flight,
    } = told
    else {
        return Err(format!("{fault:?}: {told:?}"));
    };
    ensure_eq!((why, in_flight), (error, 1));
    settle(&handle).await?;
    let told = next_lifecycle(&handle).await?;
    ensure!(
        matches!(told, Lifecycle::Recovered { .. }),
        "{fault:?}: {told:?}"
    );
    let status = handle.status();
    ensure_eq!((status.state, status.restarts), (State::Ready, 1));
    ensure_eq!(status.fallback, None);
    Ok(())
}

pub(super) async fn every_fault_that_returns_is_a_crash(host: Host) -> Outcome {
    survives::<Calm>(host, Fault::Throw).await?;
    survives::<Calm>(host, Fault::Trap).await
}

pub(super) async fn a_hang_is_found_and_the_service_replaced(host: Host) -> Outcome {
    survives::<Hasty>(host, Fault::Hang).await
}

pub(super) async fn a_fault_that_would_take_its_owner_along_is_refused(host: Host) -> Outcome {
    let handle = supervise::<Calm>(Setup::default(), host);
    for fault in [Fault::Hang, Fault::Kill] {
        let refused = handle.inject(fault);
        ensure!(
            matches!(refused, Err(ServiceError::Refused { .. })),
            "{fault:?}: {refused:?}"
        );
    }
    settle(&handle).await
}

pub(super) async fn a_killed_thread_is_found_and_replaced(host: Host) -> Outcome {
    survives::<Hasty>(host, Fault::Kill).await
}

pub(super) async fn another_service_does_not_notice(host: Host) -> Outcome {
    let healthy = spawn(Setup::default(), host);
    let doomed = spawn(Setup::default(), host);
    let waiting = healthy.request(Ask::Defer(1));
    settle(&healthy).await?;
    tell_to_crash(&doomed);
    until(&doomed, "its end", || {
        doomed.status().state == State::Failed
    })
    .await?;
    ensure_eq!(healthy.status().state, State::Ready);
    ask(&healthy, Ask::Release(1)).await?;
    ensure_eq!(outcome(&healthy, waiting).await?, Ok(Said::Number(1)));
    Ok(())
}
