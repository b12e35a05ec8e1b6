//! An errand in the browser: within the call, for a worker has one thread.

use forearm_vision::Pace;

use super::{Book, Done, Progress, Task, carry_out};
use crate::store::Shelf;

/// A change that is being made.
pub(super) struct Errand(Option<Done>);

impl Errand {
    /// Makes a change.
    pub(super) fn run(store: Shelf, book: Box<Book>, task: Task, _pace: Pace) -> Self {
        Self(Some(carry_out(store, book, task)))
    }

    /// It has ended.
    pub(super) fn wait(&mut self) {}

    /// How it stands.
    pub(super) fn poll(&mut self) -> Progress {
        let done = self.0.take();
        done.map_or(Progress::Lost, |done| Progress::Done(Box::new(done)))
    }
}

/// There is nothing to wait for within a call.
pub(crate) fn breathe() -> bool {
    false
}
