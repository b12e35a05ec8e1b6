//! An errand natively: a thread of its own, or none in stepped time.

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use forearm_vision::Pace;

use super::{Book, Done, Progress, Task, carry_out};
use crate::store::Shelf;

/// A change that is being made.
pub(super) enum Errand {
    Inline(Option<Done>),
    Thread(Receiver<Done>),
}

impl Errand {
    /// Begins a change.
    pub(super) fn run(store: Shelf, book: Box<Book>, task: Task, pace: Pace) -> Self {
        if pace == Pace::Stepped {
            return Self::Inline(Some(carry_out(store, book, task)));
        }
        let (out, done) = bounded(1);
        // What is to be done travels by a channel: it is still there if there is no thread.
        let (hand_over, work) = bounded(1);
        let spawned = std::thread::Builder::new()
            .name("dataset clerk".to_owned())
            .spawn(move || {
                if let Ok((store, book, task)) = work.recv() {
                    // Nobody may be waiting any more; the change was made all the same.
                    out.send(carry_out(store, book, task)).ok();
                }
            });
        if let Err(error) = spawned {
            tracing::warn!("no thread to save an episode ({error}): recording waits for it");
        }
        match hand_over.send((store, book, task)) {
            Ok(()) => Self::Thread(done),
            Err(back) => {
                let (store, book, task) = back.into_inner();
                Self::Inline(Some(carry_out(store, book, task)))
            }
        }
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) {
        if let Self::Thread(done) = self {
            *self = Self::Inline(done.recv().ok());
        }
    }

    /// How it stands.
    pub(super) fn poll(&mut self) -> Progress {
        match self {
            Self::Inline(done) => done
                .take()
                .map_or(Progress::Lost, |done| Progress::Done(Box::new(done))),
            Self::Thread(done) => match done.try_recv() {
                Ok(done) => Progress::Done(Box::new(done)),
                Err(TryRecvError::Empty) => Progress::UnderWay,
                Err(TryRecvError::Disconnected) => Progress::Lost,
            },
        }
    }
}

/// Lets the threads that a service waits for at its end go on for a moment.
pub(crate) fn breathe() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(2));
    true
}
