//! The service's end of a request: answer it, now or later, once.

use std::sync::Arc;

use forearm_protocol::ServiceError;

use crate::status::Progress;

/// Where answers go: to the owner's list of open requests, or onto the wire.
pub(crate) trait ReplySink<R>: Send + Sync {
    /// Ends the request.
    fn answer(&self, id: u64, result: Result<R, ServiceError>);
    /// Tells how far it is.
    fn progress(&self, id: u64, progress: Progress);
    /// Whether anybody still waits for it.
    fn is_wanted(&self, id: u64) -> bool;
    /// The service has ended: whatever is open fails, and so does whatever is asked later.
    fn end(&self, error: &ServiceError);
}

/// The service's end of a request. Dropped unused, it fails the request.
#[must_use = "an answer that is dropped fails its request"]
pub struct Answer<R> {
    service: &'static str,
    id: u64,
    sink: Arc<dyn ReplySink<R>>,
    used: bool,
}

impl<R> Answer<R> {
    pub(crate) fn new(service: &'static str, id: u64, sink: Arc<dyn ReplySink<R>>) -> Self {
        Self {
            service,
            id,
            sink,
            used: false,
        }
    }

    /// Answers, or refuses and says why.
    pub fn send(mut self, result: Result<R, ServiceError>) {
        self.used = true;
        self.sink.answer(self.id, result);
    }

    /// Tells how far the work is, `fraction` from 0 to 1.
    pub fn progress(&self, stage: &str, fraction: f64) {
        let stage = stage.to_owned();
        self.sink.progress(self.id, Progress { stage, fraction });
    }

    /// Whether whoever asked has given up: long work should end then.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.sink.is_wanted(self.id)
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        // A panic fails everything in flight, with its own reason.
        if !self.used && !std::thread::panicking() {
            self.sink.answer(
                self.id,
                Err(ServiceError::Gone {
                    service: self.service.to_owned(),
                    why: "it ended the request without an answer".to_owned(),
                }),
            );
        }
    }
}
