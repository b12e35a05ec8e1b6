//! The owner's list of open requests: each leaves it once, with its answer or its error. Each start
//! of a service has a list of its own, so that what an abandoned one says late reaches nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forearm_protocol::ServiceError;
use futures_channel::oneshot;
use web_time::{Duration, Instant};

use crate::answer::ReplySink;
use crate::status::Progress;
use crate::telemetry::Telemetry;

/// The receiving end of an answer.
pub(crate) type Receiver<R> = oneshot::Receiver<Result<R, ServiceError>>;

/// A service's open requests.
pub(crate) struct Requests<R> {
    list: Mutex<List<R>>,
    telemetry: Arc<Telemetry>,
}

struct List<R> {
    next: u64,
    open: BTreeMap<u64, Open<R>>,
    ended: Option<ServiceError>,
    answered: u64,
    failed_at_the_end: usize,
}

struct Open<R> {
    sender: oneshot::Sender<Result<R, ServiceError>>,
    kind: &'static str,
    asked: Instant,
    patience: Duration,
    progress: Option<Progress>,
}

impl<R> Requests<R> {
    pub(crate) fn new(telemetry: Arc<Telemetry>) -> Self {
        let list = List {
            next: 1,
            open: BTreeMap::new(),
            ended: None,
            answered: 0,
            failed_at_the_end: 0,
        };
        Self {
            list: Mutex::new(list),
            telemetry,
        }
    }

    /// Opens a request.
    ///
    /// # Errors
    /// How the service ended, if it has.
    pub(crate) fn open(
        &self,
        kind: &'static str,
        patience: Duration,
    ) -> Result<(u64, Receiver<R>), ServiceError> {
        let (sender, receiver) = oneshot::channel();
        let mut list = self.list();
        if let Some(error) = &list.ended {
            return Err(error.clone());
        }
        let id = list.next;
        list.next += 1;
        let open = Open {
            sender,
            kind,
            asked: Instant::now(),
            patience,
            progress: None,
        };
        list.open.insert(id, open);
        self.telemetry.asked(kind);
        Ok((id, receiver))
    }

    /// Takes a request off the list without an answer: it can't be had any more.
    pub(crate) fn fail(&self, id: u64) {
        let open = self.list().open.remove(&id);
        if let Some(open) = open {
            self.telemetry.failed(open.kind);
        }
    }

    /// Takes a request off the list without an answer: whoever asked gave up, or it never went out.
    pub(crate) fn give_up(&self, id: u64) {
        let open = self.list().open.remove(&id);
        if let Some(open) = open {
            self.telemetry.cancelled(open.kind);
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.list().open.len()
    }

    /// Requests answered so far, errors included.
    pub(crate) fn answered(&self) -> u64 {
        self.list().answered
    }

    /// How many requests the service's end has failed.
    pub(crate) fn failed_at_the_end(&self) -> usize {
        self.list().failed_at_the_end
    }

    /// The longest that a request in flight may keep the service busy.
    pub(crate) fn patience(&self) -> Duration {
        let list = self.list();
        let longest = list.open.values().map(|open| open.patience).max();
        longest.unwrap_or_default()
    }

    /// How far the request is, if it has told.
    pub(crate) fn progress_of(&self, id: u64) -> Option<Progress> {
        self.list().open.get(&id)?.progress.clone()
    }

    fn list(&self) -> MutexGuard<'_, List<R>> {
        // Nothing is ever half written under this lock.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send> ReplySink<R> for Requests<R> {
    fn answer(&self, id: u64, result: Result<R, ServiceError>) {
        // An answer that nobody waits for any more is nobody's.
        let open = {
            let mut list = self.list();
            let Some(open) = list.open.remove(&id) else {
                return;
            };
            list.answered += 1;
            open
        };
        self.telemetry.count();
        let took = open.asked.elapsed();
        match &result {
            Ok(_) => self.telemetry.done(open.kind, took),
            Err(_) => self.telemetry.failed(open.kind),
        }
        drop(open.sender.send(result));
    }

    fn progress(&self, id: u64, progress: Progress) {
        if let Some(open) = self.list().open.get_mut(&id) {
            open.progress = Some(progress);
        }
    }

    fn is_wanted(&self, id: u64) -> bool {
        self.list().open.contains_key(&id)
    }

    fn end(&self, error: &ServiceError) {
        let open = {
            let mut list = self.list();
            list.ended.get_or_insert_with(|| error.clone());
            list.failed_at_the_end += list.open.len();
            std::mem::take(&mut list.open)
        };
        // Whoever is woken may ask again: not under the lock.
        for open in open.into_values() {
            self.telemetry.failed(open.kind);
            drop(open.sender.send(Err(error.clone())));
        }
    }
}
