//! The thread host: a named thread that sleeps until messages or an absolute deadline.
//!
//! Waiting is in three parts. Until shortly before the deadline it waits for messages; then it
//! sleeps, for a message that comes now can wait; the last moment it spins, because a sleeping
//! thread wakes some tens of microseconds late. The system is asked to prefer the thread as far as
//! the user may.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};
use forearm_protocol::lifecycle::Fault;
use web_time::{Duration, Instant};

use crate::clock::Clock;
use crate::core::{Core, Inbound, Parts};
use crate::priority;
use crate::service::{Service, Wake};

/// Messages are no longer waited for this long before a deadline.
const QUIET: Duration = Duration::from_micros(400);
/// The last part of a wait is spun, not slept.
const SPIN: Duration = Duration::from_micros(80);
/// How many messages are taken between two ticks when ticks are overdue, so that neither starves.
const BATCH: usize = 64;

/// How long one call of a service should take at most.
const SLICE: Duration = Duration::from_millis(4);

/// A thread that was told to end.
pub(crate) struct Leaving {
    thread: JoinHandle<()>,
    ended: Receiver<()>,
}

impl Leaving {
    /// Waits until the thread has ended, not longer than `patience`: one that hangs will find out
    /// that nobody waits for it, should it ever come back.
    pub(crate) fn wait(self, patience: Duration) {
        if self.ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout)
            && self.thread.join().is_err()
        {
            tracing::error!("a service's thread panicked outside its service");
        }
    }
}

/// A service's thread.
pub(crate) struct Native {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// Closes when the thread has ended.
    ended: Receiver<()>,
}

impl Native {
    /// Starts the thread; `make` says there what is to be run, or that there is nothing.
    ///
    /// # Errors
    /// The system's error when it gives no thread.
    pub(crate) fn start<S: Service>(
        make: impl FnOnce() -> Option<(Parts<S>, Receiver<Inbound<S>>)> + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let (alive, ended) = bounded::<()>(0);
        let thread = thread::Builder::new()
            .name(S::NAME.to_owned())
            .spawn(move || {
                let _alive = alive;
                match (S::KEEPS_TIME, S::YIELDS) {
                    (true, _) => priority::prefer_this_thread(S::NAME),
                    (false, true) => priority::defer_this_thread(S::NAME),
                    (false, false) => {}
                }
                if let Some((parts, inbox)) = make() {
                    let mut core = Core::new(parts, Clock::wall(), SLICE);
                    // Read before the core goes, and with it answers that the service still holds.
                    let _last_will = core.last_will();
                    run(&mut core, &inbox, &seen);
                }
            })?;
        Ok(Self {
            thread: Some(thread),
            stop,
            ended,
        })
    }

    /// Tells the thread to end; `nudge` must wake it if it waits. Answers what to wait for, if that
    /// is not seen to already.
    pub(crate) fn stop(&mut self, nudge: impl FnOnce()) -> Option<Leaving> {
        self.stop.store(true, Ordering::SeqCst);
        nudge();
        let thread = self.thread.take()?;
        let ended = self.ended.clone();
        Some(Leaving { thread, ended })
    }

    /// Leaves a thread that hangs to itself.
    pub(crate) fn abandon(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread = None;
    }
}

fn run<S: Service>(core: &mut Core<S>, inbox: &Receiver<Inbound<S>>, stop: &AtomicBool) {
    core.start();
    while !core.has_ended() {
        if stop.load(Ordering::SeqCst) {
            core.stop();
            break;
        }
        let taken = match core.wake() {
            Wake::OnMessage => inbox.recv().ok().map(|message| take(core, message)),
            Wake::At(secs) => wait_and_tick(core, inbox, stop, secs),
        };
        match taken {
            Some(ControlFlow::Continue(())) => {}
            Some(ControlFlow::Break(Killed)) => return,
            // Nobody holds the other end any more.
            None => core.stop(),
        }
    }
    // The end is known by now: whoever sends later sees it, whoever sent before was told.
    while inbox.try_recv().is_ok() {}
}

/// The thread is to end without a word.
struct Killed;

fn take<S: Service>(core: &mut Core<S>, message: Inbound<S>) -> ControlFlow<Killed> {
    if matches!(message, Inbound::Fault(Fault::Kill)) {
        return ControlFlow::Break(Killed);
    }
    core.take(message);
    ControlFlow::Continue(())
}

/// Takes messages until the deadline, then ticks. Nothing when the owner has let go.
fn wait_and_tick<S: Service>(
    core: &mut Core<S>,
    inbox: &Receiver<Inbound<S>>,
    stop: &AtomicBool,
    deadline_secs: f64,
) -> Option<ControlFlow<Killed>> {
    // A deadline that no clock reaches waits for messages only.
    let Some(deadline) = core.clock().instant_at(deadline_secs) else {
        return inbox.recv().ok().map(|message| take(core, message));
    };
    let mut taken = 0;
    loop {
        let now = Instant::now();
        let quiet = deadline.checked_sub(QUIET).unwrap_or(deadline);
        let received = if now < quiet {
            inbox.recv_timeout(quiet - now)
        } else if taken < BATCH {
            inbox.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else {
            break;
        };
        match received {
            Ok(message) => {
                if let killed @ ControlFlow::Break(_) = take(core, message) {
                    return Some(killed);
                }
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        if core.has_ended() || stop.load(Ordering::SeqCst) {
            return Some(ControlFlow::Continue(()));
        }
        if now >= quiet {
            taken += 1;
        }
    }
    sleep_until(deadline);
    core.tick();
    Some(ControlFlow::Continue(()))
}

/// Sleeps, then spins, until `deadline`.
fn sleep_until(deadline: Instant) {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match left.checked_sub(SPIN) {
            Some(sleep) if !sleep.is_zero() => thread::sleep(sleep),
            _ => std::hint::spin_loop(),
        }
    }
}
