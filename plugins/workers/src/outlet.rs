//! The way of events from a service to its owner: bounded, in order, never blocking.
//!
//! Two queues, so that samples nobody reads cannot push out what must be read: droppable events
//! replace the oldest of their kind, the others keep their place until their queue is full.
//! Numbers put both back into the order in which they were told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::status::Shared;

/// Droppable events that may wait: two seconds of samples at 20 a second.
const SAMPLES: usize = 40;
/// Other events that may wait.
const NOTICES: usize = 1024;

type Numbered<E> = (u64, E);

/// The service's end.
pub(crate) struct Outlet<E> {
    next: u64,
    samples: Sender<Numbered<E>>,
    /// To drop the oldest sample.
    oldest_sample: Receiver<Numbered<E>>,
    notices: Sender<Numbered<E>>,
    shared: Arc<Shared>,
}

/// The owner's end.
pub(crate) struct Inlet<E> {
    samples: Receiver<Numbered<E>>,
    notices: Receiver<Numbered<E>>,
    next_sample: Option<Numbered<E>>,
    next_notice: Option<Numbered<E>>,
}

pub(crate) fn channel<E>(shared: Arc<Shared>) -> (Outlet<E>, Inlet<E>) {
    let (samples, sample_receiver) = bounded(SAMPLES);
    let (notices, notice_receiver) = bounded(NOTICES);
    let oldest_sample = sample_receiver.clone();
    let outlet = Outlet {
        next: 0,
        samples,
        oldest_sample,
        notices,
        shared,
    };
    let inlet = Inlet {
        samples: sample_receiver,
        notices: notice_receiver,
        next_sample: None,
        next_notice: None,
    };
    (outlet, inlet)
}

impl<E> Outlet<E> {
    pub(crate) fn emit(&mut self, event: E, may_drop: bool) {
        let numbered = (self.next, event);
        self.next += 1;
        self.shared.events.fetch_add(1, Ordering::Relaxed);
        if may_drop {
            self.emit_sample(numbered);
        } else if self.notices.try_send(numbered).is_err() {
            self.count_drop();
        }
    }

    fn emit_sample(&mut self, mut numbered: Numbered<E>) {
        while let Err(TrySendError::Full(back)) = self.samples.try_send(numbered) {
            numbered = back;
            if self.oldest_sample.try_recv().is_ok() {
                self.count_drop();
            }
        }
    }

    fn count_drop(&self) {
        self.shared.events_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl<E> Inlet<E> {
    pub(crate) fn next(&mut self) -> Option<E> {
        // The sample is taken before the notice: a notice that was told before this sample is then
        // in its queue already, and can't be missed.
        if self.next_sample.is_none() {
            self.next_sample = self.samples.try_recv().ok();
        }
        if self.next_notice.is_none() {
            self.next_notice = self.notices.try_recv().ok();
        }
        let notice_first = match (&self.next_notice, &self.next_sample) {
            (Some((notice, _)), Some((sample, _))) => notice < sample,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let slot = if notice_first {
            &mut self.next_notice
        } else {
            &mut self.next_sample
        };
        slot.take().map(|(_, event)| event)
    }
}
