//! What a service tells on its own.

use forearm_workers::{Handle, Host};

use super::probe::{Probe, Setup, Tell, Told, spawn};
use super::wait::{settle, until};
use super::{Outcome, ensure, ensure_eq};

/// Has the service tell this, and waits until it has.
async fn emitted(handle: &Handle<Probe>, samples: u32, notices: u32) -> Result<Vec<Told>, String> {
    let told = handle.send(Tell::Emit { samples, notices });
    ensure_eq!(told, Ok(()));
    settle(handle).await?;
    // A worker tells only with its next sign of life how much it had to drop.
    let all = u64::from(samples + notices);
    until(handle, "all events", || handle.status().events >= all).await?;
    Ok(handle.events().collect())
}

pub(super) async fn unread_samples_are_dropped_oldest_first_and_notices_are_kept(
    host: Host,
) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let events = emitted(&handle, 500, 20).await?;
    let samples: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Told::Sample(number) => Some(*number),
            _ => None,
        })
        .collect();
    ensure_eq!(events.len() - samples.len(), 20);
    ensure!(!samples.is_empty() && samples.len() < 500, "{samples:?}");
    ensure!(samples.is_sorted(), "{samples:?}");
    ensure_eq!(samples.last(), Some(&499));
    let status = handle.status();
    ensure_eq!(status.events, 520);
    ensure_eq!(status.events_dropped as usize, 500 - samples.len());
    Ok(())
}

pub(super) async fn events_of_both_kinds_keep_their_order(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let events = emitted(&handle, 10, 10).await?;
    let told: Vec<Told> = (0..10)
        .flat_map(|n| [Told::Notice(n), Told::Sample(n)])
        .collect();
    ensure_eq!(events, told);
    ensure_eq!(handle.status().events_dropped, 0);
    Ok(())
}
