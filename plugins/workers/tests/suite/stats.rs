//! What is counted.

use forearm_workers::Host;

use super::probe::{Ask, Setup, Tell, spawn};
use super::wait::{ask, failure, settle, until};
use super::{Outcome, ensure_eq};

pub(super) async fn messages_and_kinds_are_counted(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    for number in 0..4 {
        ask(&handle, Ask::Echo(number)).await?;
    }
    failure(&handle, handle.request(Ask::Refuse)).await?;
    let mut cancelled = handle.request(Ask::Work(1));
    settle(&handle).await?;
    cancelled.cancel();
    let open = handle.request(Ask::Defer(1));
    let told = handle.send(Tell::Emit {
        samples: 1,
        notices: 2,
    });
    ensure_eq!(told, Ok(()));
    settle(&handle).await?;
    until(&handle, "the events", || handle.status().events >= 5).await?;
    // Of the three kinds, and of the work that began and was given up.
    ensure_eq!(handle.events().count(), 5);
    let status = handle.status();
    let of = |kind: &str| {
        let stats = status.kinds.iter().find(|stats| stats.kind == kind);
        stats
            .map(|s| (s.running, s.done, s.failed, s.cancelled))
            .unwrap_or_default()
    };
    ensure_eq!(of("probe/echo"), (0, 6, 0, 0));
    ensure_eq!(of("probe/refuse"), (0, 0, 1, 0));
    ensure_eq!(of("probe/work"), (0, 0, 0, 1));
    ensure_eq!(of("probe/defer"), (1, 0, 0, 0));
    for stats in &status.kinds {
        // A page's clock may be too coarse for the mean.
        ensure_eq!(stats.p99_secs > 0.0, stats.done > 0);
    }
    // 9 requests and a command, 7 answers, 5 events.
    ensure_eq!(status.messages, 22);
    ensure_eq!((status.received, status.answered), (10, 7));
    let packed = cfg!(target_family = "wasm") && host == Host::Thread;
    ensure_eq!(status.bytes > 0, packed);
    drop(open);
    Ok(())
}
