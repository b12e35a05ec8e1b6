//! The thread host: a named thread that sleeps until messages or an absolute deadline.
//!
//! Waiting is in three parts. Until shortly before the deadline it waits for messages; then it
//! sleeps, for a message that comes now can wait; the last moment it spins, because a sleeping
//! thread wakes some tens of microseconds late. The system is asked to prefer the thread as far as
//! the user may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use web_time::{Duration, Instant};

use crate::core::{Core, Inbound};
use crate::priority;
use crate::service::{Service, Wake};

/// Messages are no longer waited for this long before a deadline.
const QUIET: Duration = Duration::from_micros(400);
/// The last part of a wait is spun, not slept.
const SPIN: Duration = Duration::from_micros(80);
/// How many messages are taken between two ticks when ticks are overdue, so that neither starves.
const BATCH: usize = 64;

/// A service's thread.
pub(crate) struct Native {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Native {
    /// Starts the thread; `make` builds the core there, or says that there is nothing to run.
    ///
    /// # Errors
    /// The system's error when it gives no thread.
    pub(crate) fn start<S: Service>(
        make: impl FnOnce() -> Option<(Core<S>, Receiver<Inbound<S>>)> + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name(S::NAME.to_owned())
            .spawn(move || {
                priority::prefer_this_thread(S::NAME);
                if let Some((core, inbox)) = make() {
                    run(core, &inbox, &seen);
                }
            })?;
        Ok(Self {
            thread: Some(thread),
            stop,
        })
    }

    /// Tells the thread to end; `nudge` must wake it if it waits.
    pub(crate) fn stop(&mut self, nudge: impl FnOnce()) {
        self.stop.store(true, Ordering::SeqCst);
        nudge();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a service's thread panicked outside its service");
        }
    }
}

fn run<S: Service>(mut core: Core<S>, inbox: &Receiver<Inbound<S>>, stop: &AtomicBool) {
    core.start();
    while !core.has_ended() {
        if stop.load(Ordering::SeqCst) {
            core.stop();
            break;
        }
        match core.wake() {
            Wake::OnMessage => match inbox.recv() {
                Ok(message) => core.take(message),
                Err(_) => core.stop(),
            },
            Wake::At(secs) => wait_and_tick(&mut core, inbox, stop, secs),
        }
    }
    // The end is known by now: whoever sends later sees it, whoever sent before is told here.
    while inbox.try_recv().is_ok() {}
}

/// Takes messages until the deadline, then ticks.
fn wait_and_tick<S: Service>(
    core: &mut Core<S>,
    inbox: &Receiver<Inbound<S>>,
    stop: &AtomicBool,
    deadline_secs: f64,
) {
    // A deadline that no clock reaches waits for messages only.
    let Some(deadline) = core.clock().instant_at(deadline_secs) else {
        match inbox.recv() {
            Ok(message) => core.take(message),
            Err(_) => core.stop(),
        }
        return;
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
            Ok(message) => core.take(message),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => core.stop(),
        }
        if core.has_ended() || stop.load(Ordering::SeqCst) {
            return;
        }
        if now >= quiet {
            taken += 1;
        }
    }
    sleep_until(deadline);
    core.tick();
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
