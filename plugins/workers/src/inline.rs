//! The inline host: a service in slices of its owner's thread, in wall or stepped time.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crossbeam_channel::Receiver;
use web_time::{Duration, Instant};

use crate::clock::Clock;
use crate::core::{Core, Inbound, Parts};
use crate::service::{Service, Wake};

/// A service that runs when its owner says so.
pub(crate) struct Inline<S: Service> {
    runner: Mutex<Runner<S>>,
    clock: Clock,
}

struct Runner<S: Service> {
    core: Core<S>,
    inbox: Receiver<Inbound<S>>,
}

/// How long one call of a service should take at most: the same thread draws.
const SLICE: Duration = Duration::from_millis(2);

impl<S: Service> Inline<S> {
    pub(crate) fn new(parts: Parts<S>, inbox: Receiver<Inbound<S>>, clock: Clock) -> Self {
        let core = Core::new(parts, clock.clone(), SLICE);
        Self {
            runner: Mutex::new(Runner { core, inbox }),
            clock,
        }
    }

    /// Hands over the messages that wait, in order. Does nothing when called from inside a slice.
    pub(crate) fn serve(&self) {
        if let Some(mut runner) = self.try_lock() {
            runner.core.start();
            let waiting = runner.inbox.len();
            runner.take_messages(waiting);
        }
    }

    /// Works until nothing is due or `budget` is spent: messages, then one tick, again.
    /// In stepped time, what is due at the present time.
    pub(crate) fn pump(&self, budget: Duration) {
        let start = Instant::now();
        let Some(mut runner) = self.try_lock() else {
            return;
        };
        runner.core.start();
        loop {
            // One at least, or a small budget would starve it.
            let waiting = runner.inbox.len();
            for _ in 0..waiting {
                runner.take_messages(1);
                if start.elapsed() >= budget {
                    break;
                }
            }
            if !runner.tick_if_due(self.clock.now_secs()) || start.elapsed() >= budget {
                break;
            }
        }
    }

    /// Moves stepped time on to `secs`, with every tick due on the way at exactly its time.
    pub(crate) fn advance_to(&self, secs: f64) {
        let Some(mut runner) = self.try_lock() else {
            return;
        };
        runner.core.start();
        loop {
            let waiting = runner.inbox.len();
            runner.take_messages(waiting);
            match runner.core.wake() {
                Wake::At(due) if due <= secs && !runner.core.has_ended() => {
                    self.clock.set_secs(due);
                    runner.core.tick();
                }
                Wake::At(_) | Wake::OnMessage => break,
            }
        }
        self.clock.set_secs(secs);
    }

    /// Ends the service; what waits fails.
    pub(crate) fn stop(&self) {
        if let Some(mut runner) = self.try_lock() {
            runner.core.stop();
            runner.discard_messages();
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Runner<S>>> {
        match self.runner.try_lock() {
            Ok(runner) => Some(runner),
            // The core catches its service's panics and stays in order.
            Err(TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<S: Service> Runner<S> {
    fn take_messages(&mut self, count: usize) {
        for _ in 0..count {
            let Ok(message) = self.inbox.try_recv() else {
                break;
            };
            if self.core.has_ended() {
                drop(message);
            } else {
                self.core.take(message);
            }
        }
        if self.core.has_ended() {
            self.discard_messages();
        }
    }

    fn tick_if_due(&mut self, now_secs: f64) -> bool {
        let due = !self.core.has_ended()
            && matches!(self.core.wake(), Wake::At(secs) if secs <= now_secs);
        if due {
            self.core.tick();
        }
        due
    }

    fn discard_messages(&mut self) {
        while self.inbox.try_recv().is_ok() {}
    }
}
