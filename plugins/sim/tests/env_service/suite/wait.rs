//! Waiting for what a service does: by looking again, never by time.

use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Event, Reply, Request, Transition};
use forearm_sim::env::service::{EnvService, Gym};
use forearm_workers::{Handle, Lifecycle, Pending};
use web_time::Instant;

/// A case that waits this long has failed: only a broken service gets here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service, and what it told.
pub(crate) struct Rig<G: Gym> {
    pub(crate) handle: Handle<EnvService<G>>,
    pub(crate) told: Vec<Event>,
    /// Stepped time.
    secs: f64,
}

impl<G: Gym> Rig<G> {
    pub(crate) fn new(handle: Handle<EnvService<G>>) -> Self {
        Self {
            handle,
            told: Vec::new(),
            secs: 0.0,
        }
    }

    /// Has the service work, and takes what it tells. Stepped time goes on by this much.
    pub(crate) fn pump(&mut self, secs: f64) {
        self.handle.pump(Duration::from_millis(2));
        self.secs += secs;
        self.handle.advance_to(self.secs);
        self.told.extend(self.handle.events());
    }

    /// Pumps until this holds.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), String> {
        let start = Instant::now();
        loop {
            self.pump(0.001);
            if holds(self) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!(
                    "in vain waited for {what}; {:?}",
                    self.handle.status()
                ));
            }
            super::platform::moment().await;
        }
    }

    /// The request's answer or error.
    pub(crate) async fn outcome(
        &mut self,
        mut pending: Pending<EnvService<G>>,
    ) -> Result<Result<Reply, ServiceError>, String> {
        let mut taken = None;
        self.until("an answer", |_| {
            taken = pending.try_take();
            taken.is_some()
        })
        .await?;
        taken.ok_or_else(|| "no answer".to_owned())
    }

    /// Asks; the answer.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let pending = self.handle.request(request);
        self.answer(pending).await
    }

    /// The answer.
    pub(crate) async fn answer(
        &mut self,
        pending: Pending<EnvService<G>>,
    ) -> Result<Reply, String> {
        let outcome = self.outcome(pending).await?;
        outcome.map_err(|error| format!("refused: {error}"))
    }

    /// Asks; the error.
    pub(crate) async fn refusal(&mut self, request: Request) -> Result<ServiceError, String> {
        let pending = self.handle.request(request);
        self.failure(pending).await
    }

    /// The error.
    pub(crate) async fn failure(
        &mut self,
        pending: Pending<EnvService<G>>,
    ) -> Result<ServiceError, String> {
        match self.outcome(pending).await? {
            Err(error) => Ok(error),
            Ok(reply) => Err(format!("{reply:?} instead of an error")),
        }
    }

    /// What came of a request that steps.
    pub(crate) async fn came(
        &mut self,
        pending: Pending<EnvService<G>>,
    ) -> Result<Transition, String> {
        match self.answer(pending).await? {
            Reply::Reset(came)
            | Reply::Step(came)
            | Reply::Rollout(came)
            | Reply::Restore(came) => Ok(*came),
            other => Err(format!("unexpected answer {other:?}")),
        }
    }

    /// Waits for the next word about the service itself.
    pub(crate) async fn next_lifecycle(&mut self) -> Result<Lifecycle, String> {
        let mut next = None;
        self.until("a word about the service itself", |rig| {
            next = rig.handle.lifecycle().next();
            next.is_some()
        })
        .await?;
        next.ok_or_else(|| "no word".to_owned())
    }
}
