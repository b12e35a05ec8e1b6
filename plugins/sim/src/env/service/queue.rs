//! Requests that wait for their turn, in the order in which they came.

use std::collections::VecDeque;

use forearm_protocol::env::messages::{Reply, Request};
use forearm_protocol::{Message, ServiceError};
use forearm_workers::{Answer, QUEUE_CAPACITY};

/// A request and who waits for its answer.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) answer: Answer<Reply>,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Asked>);

impl Queue {
    /// Takes a request in; one too many is refused.
    pub(super) fn push(&mut self, service: &str, asked: Asked) {
        if self.0.len() >= QUEUE_CAPACITY {
            return asked.answer.send(Err(ServiceError::Busy {
                service: service.to_owned(),
                queued: self.0.len(),
            }));
        }
        self.0.push_back(asked);
    }

    /// The next that somebody still waits for.
    pub(super) fn pop(&mut self) -> Option<Asked> {
        loop {
            let asked = self.0.pop_front()?;
            if !asked.answer.is_cancelled() {
                return Some(asked);
            }
            drop(asked);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Asked> + '_ {
        self.0.drain(..)
    }

    /// Fails all of them.
    pub(super) fn fail(&mut self, error: impl Fn(&'static str) -> ServiceError) {
        for Asked { request, answer } in self.drain() {
            answer.send(Err(error(request.name())));
        }
    }
}
