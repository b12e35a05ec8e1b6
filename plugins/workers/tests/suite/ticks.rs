//! Time, as a service has it.

use forearm_workers::Host;

use super::probe::{Ask, Said, Setup, Tell, spawn};
use super::wait::{ask, log_of, settle, until};
use super::{Outcome, ensure, ensure_eq};

fn ticking(period_secs: f64) -> Setup {
    Setup {
        period_secs: Some(period_secs),
        ..Setup::default()
    }
}

pub(super) async fn stepped_time_ticks_at_exactly_the_deadlines(host: Host) -> Outcome {
    let handle = spawn(ticking(0.25), host);
    handle.advance_to(0.6);
    ensure_eq!(handle.send(Tell::Note(1)), Ok(()));
    handle.advance_to(0.8);
    handle.advance_to(0.1);
    let expected = [
        "ready",
        "tick 0.000",
        "tick 0.250",
        "tick 0.500",
        "note 1",
        "tick 0.750",
    ];
    ensure_eq!(log_of(&handle).await?, expected);
    ensure_eq!(handle.status().ticks, 4);
    Ok(())
}

pub(super) async fn threads_and_slices_tick_by_themselves(host: Host) -> Outcome {
    let handle = spawn(ticking(0.0005), host);
    until(&handle, "ticks", || handle.status().ticks >= 20).await
}

pub(super) async fn an_overdue_service_still_takes_messages(host: Host) -> Outcome {
    // Every tick is overdue at once.
    let handle = spawn(ticking(-1.0), host);
    for number in 0..200 {
        ensure_eq!(handle.send(Tell::Note(number)), Ok(()));
    }
    settle(&handle).await
}

pub(super) async fn a_slice_is_short(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let Said::Number(micros) = ask(&handle, Ask::SliceMicros).await? else {
        return Err("no number".to_owned());
    };
    ensure!((500..=8000).contains(&micros), "{micros} µs");
    Ok(())
}

pub(super) async fn the_thread_is_named_after_the_service(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let name = ask(&handle, Ask::ThreadName).await?;
    ensure_eq!(name, Said::Name(Some("probe".to_owned())));
    Ok(())
}
