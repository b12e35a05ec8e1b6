//! Waiting for what a service does: by looking again, never by time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_workers::{Handle, Lifecycle, Pending, Service};
use web_time::Instant;

use super::Outcome;
use super::platform::moment;
use super::probe::{Ask, Nature, Probe, Said, Tell};

/// A case that waits this long has failed: only a broken runtime gets here.
const PATIENCE: Duration = Duration::from_secs(20);

/// A number that no other case has.
pub(crate) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Pumps the service until this holds.
pub(crate) async fn until<S: Service>(
    handle: &Handle<S>,
    what: &str,
    mut holds: impl FnMut() -> bool,
) -> Outcome {
    let start = Instant::now();
    loop {
        handle.pump(Duration::from_millis(2));
        if holds() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("in vain waited for {what}; {:?}", handle.status()));
        }
        moment().await;
    }
}

/// The request's answer or error; the service is pumped meanwhile.
pub(crate) async fn outcome<S: Service>(
    handle: &Handle<S>,
    mut pending: Pending<S>,
) -> Result<Result<S::Reply, ServiceError>, String> {
    let mut taken = None;
    until(handle, "an answer", || {
        taken = pending.try_take();
        taken.is_some()
    })
    .await?;
    taken.ok_or_else(|| "no answer".to_owned())
}

/// The service's answer.
pub(crate) async fn ask<N: Nature>(handle: &Handle<Probe<N>>, ask: Ask) -> Result<Said, String> {
    let pending = handle.request(ask);
    let answer = outcome(handle, pending).await?;
    answer.map_err(|error| format!("refused: {error}"))
}

/// The request's error.
pub(crate) async fn failure<S: Service>(
    handle: &Handle<S>,
    pending: Pending<S>,
) -> Result<ServiceError, String>
where
    S::Reply: std::fmt::Debug,
{
    match outcome(handle, pending).await? {
        Err(error) => Ok(error),
        Ok(reply) => Err(format!("{reply:?} instead of an error")),
    }
}

/// Asks for something, so that all that was sent before has been taken.
pub(crate) async fn settle<N: Nature>(handle: &Handle<Probe<N>>) -> Outcome {
    ask(handle, Ask::Echo(0)).await.map(drop)
}

/// What the service has noted.
pub(crate) async fn log_of<N: Nature>(handle: &Handle<Probe<N>>) -> Result<Vec<String>, String> {
    match ask(handle, Ask::Log).await? {
        Said::Log(log) => Ok(log),
        other => Err(format!("unexpected answer {other:?}")),
    }
}

/// Waits for the next word about the service itself.
pub(crate) async fn next_lifecycle<S: Service>(handle: &Handle<S>) -> Result<Lifecycle, String> {
    let mut next = None;
    until(handle, "a word about the service itself", || {
        next = handle.lifecycle().next();
        next.is_some()
    })
    .await?;
    next.ok_or_else(|| "no word".to_owned())
}

/// Has the service panic. Where it is quick, the crash is already known when the message is sent:
/// that is said instead, and no failure of the case.
pub(crate) fn tell_to_crash(handle: &Handle<Probe>) {
    handle.send(Tell::Panic).ok();
}
