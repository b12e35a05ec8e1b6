//! Questions and answers.

use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_workers::{Host, HostKind, QUEUE_CAPACITY, State};

use super::platform::Gate;
use super::probe::{Ask, Said, Setup, Tell, Told, spawn};
use super::wait::{ask, failure, fresh, log_of, outcome, settle, until};
use super::{Outcome, ensure, ensure_eq};

pub(super) async fn requests_are_answered_and_the_path_is_told(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    // Awaited as a future, without a pump: whoever answers wakes it.
    ensure_eq!(handle.request(Ask::Echo(7)).await, Ok(Said::Number(7)));
    let refused = failure(&handle, handle.request(Ask::Refuse)).await?;
    ensure_eq!(refused.to_string(), "this was refused: it is a test; go on");
    let status = handle.status();
    ensure_eq!((status.state, status.in_flight), (State::Ready, 0));
    ensure_eq!(status.fallback, None);
    ensure_eq!((status.received, status.answered), (2, 2));
    ensure_eq!((status.service, status.restarts), ("probe", 0));
    ensure_eq!(
        status.progress.map(|progress| progress.stage),
        Some("warming up".to_owned())
    );
    let kind = match host {
        Host::Thread if cfg!(target_family = "wasm") => HostKind::Worker,
        Host::Thread => HostKind::Thread,
        Host::Inline => HostKind::Inline,
        Host::Stepped => HostKind::Stepped,
    };
    ensure_eq!(status.host, kind);
    ensure_eq!(handle.lifecycle().next(), None);
    Ok(())
}

pub(super) async fn answers_may_come_out_of_order(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let mut first = handle.request(Ask::Defer(1));
    let second = handle.request(Ask::Defer(2));
    ask(&handle, Ask::Release(2)).await?;
    ensure_eq!(outcome(&handle, second).await?, Ok(Said::Number(2)));
    ensure_eq!(first.try_take(), None);
    ensure_eq!(handle.status().in_flight, 1);
    ask(&handle, Ask::Release(1)).await?;
    ensure_eq!(outcome(&handle, first).await?, Ok(Said::Number(1)));
    Ok(())
}

pub(super) async fn each_request_tells_its_own_progress(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let mut third = handle.request(Ask::Defer(3));
    let sixth = handle.request(Ask::Defer(6));
    let silent = handle.request(Ask::Work(1));
    settle(&handle).await?;
    for (pending, fraction) in [(&third, 0.3), (&sixth, 0.6)] {
        let progress = pending.progress().ok_or("it told nothing")?;
        ensure_eq!(progress.stage, "on its way");
        ensure_eq!(progress.fraction, fraction);
    }
    ensure_eq!(silent.progress(), None);
    ask(&handle, Ask::Release(3)).await?;
    ensure_eq!(third.try_take(), Some(Ok(Said::Number(3))));
    ensure_eq!(third.progress(), None);
    Ok(())
}

pub(super) async fn one_cancelled_before_its_turn_is_not_begun(host: Host) -> Outcome {
    let gate = Gate(fresh());
    let setup = Setup {
        gate: Some(gate.0),
        ..Setup::default()
    };
    let handle = spawn(setup, host);
    let first = handle.request(Ask::Echo(1));
    let mut second = handle.request(Ask::Echo(2));
    let third = handle.request(Ask::Echo(3));
    second.cancel();
    ensure_eq!(handle.status().in_flight, 2);
    gate.open();
    let cancelled = failure(&handle, second).await?;
    ensure!(
        matches!(cancelled, ServiceError::Cancelled { .. }),
        "{cancelled:?}"
    );
    ensure!(
        cancelled
            .to_string()
            .starts_with("`probe/echo` was cancelled"),
        "{cancelled}"
    );
    ensure_eq!(outcome(&handle, first).await?, Ok(Said::Number(1)));
    ensure_eq!(outcome(&handle, third).await?, Ok(Said::Number(3)));
    ensure_eq!(log_of(&handle).await?, ["ready", "echo 1", "echo 3"]);
    Ok(())
}

pub(super) async fn one_cancelled_at_work_ends_it(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let mut work = handle.request(Ask::Work(5));
    let begun = |event| event == Told::Begun(5);
    until(&handle, "work", || handle.try_event().is_some_and(begun)).await?;
    // It has something to do all the time, and still answers.
    settle(&handle).await?;
    ensure_eq!(work.try_take(), None);
    work.cancel();
    let gave_up = |event| event == Told::GaveUp(5);
    until(&handle, "its end", || {
        handle.try_event().is_some_and(gave_up)
    })
    .await?;
    let cancelled = failure(&handle, work).await?;
    ensure!(
        matches!(cancelled, ServiceError::Cancelled { .. }),
        "{cancelled:?}"
    );
    ensure_eq!(handle.status().in_flight, 0);
    Ok(())
}

pub(super) async fn a_timeout_cancels(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    settle(&handle).await?;
    let work = handle.request_within(Ask::Work(6), Duration::from_millis(60));
    let begun = |event| event == Told::Begun(6);
    until(&handle, "work", || handle.try_event().is_some_and(begun)).await?;
    // Awaited as a future: its own alarm wakes it.
    let error = work.await.err().ok_or("it was answered")?;
    let expected = ServiceError::Timeout {
        service: "probe".to_owned(),
        request: "probe/work".to_owned(),
        timeout_ms: 60,
    };
    ensure_eq!(error, expected);
    let gave_up = |event| event == Told::GaveUp(6);
    until(&handle, "its end", || {
        handle.try_event().is_some_and(gave_up)
    })
    .await?;
    ensure_eq!(handle.status().in_flight, 0);
    Ok(())
}

pub(super) async fn a_late_answer_is_nobodys(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let pending = handle.request_within(Ask::Defer(4), Duration::from_millis(5));
    let error = failure(&handle, pending).await?;
    ensure!(matches!(error, ServiceError::Timeout { .. }), "{error:?}");
    ask(&handle, Ask::Release(4)).await?;
    settle(&handle).await?;
    let status = handle.status();
    ensure_eq!((status.state, status.in_flight), (State::Ready, 0));
    Ok(())
}

pub(super) async fn a_dropped_answer_fails_its_request(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let error = failure(&handle, handle.request(Ask::Forget)).await?;
    ensure!(matches!(error, ServiceError::Gone { .. }), "{error:?}");
    ensure!(
        error
            .to_string()
            .contains("ended the request without an answer"),
        "{error}"
    );
    settle(&handle).await
}

pub(super) async fn one_nobody_waits_for_is_carried_out(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    drop(handle.request(Ask::Echo(8)));
    ensure_eq!(log_of(&handle).await?, ["ready", "echo 8"]);
    until(&handle, "its answer", || handle.status().in_flight == 0).await
}

pub(super) async fn a_full_queue_is_an_error_not_a_wait(host: Host) -> Outcome {
    let gate = Gate(fresh());
    let setup = Setup {
        gate: Some(gate.0),
        ..Setup::default()
    };
    let handle = spawn(setup, host);
    let refused = (0..=QUEUE_CAPACITY as u32).find_map(|n| handle.send(Tell::Note(n)).err());
    let busy = ServiceError::Busy {
        service: "probe".to_owned(),
        queued: QUEUE_CAPACITY,
    };
    ensure_eq!(refused, Some(busy.clone()));
    let mut refused = handle.request(Ask::Log);
    ensure_eq!(handle.status().in_flight, 0);
    gate.open();
    ensure_eq!(refused.try_take(), Some(Err(busy)));
    // What was taken arrives.
    let noted = |log: Vec<String>| log.iter().filter(|line| line.starts_with("note")).count();
    until(&handle, "room", || handle.send(Tell::Note(0)).is_ok()).await?;
    ensure!(noted(log_of(&handle).await?) >= 999, "some are lost");
    Ok(())
}
