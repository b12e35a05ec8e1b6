//! The pool as its owner has it, and what keeps it going.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_protocol::lifecycle::Fault;
use web_time::Instant;

use crate::handle::Host;
use crate::pool::schedule::TaskId;
use crate::pool::state::State;
use crate::pool::{Jobs, PoolEvent, PoolStatus, Task, Ticket, platform};
use crate::supervisor::RestartPolicy;
use crate::timer;

/// The most workers that a pool has unless told otherwise.
const MOST_WORKERS: usize = 6;
/// How often workers are looked after while they work; what they answer is seen at once.
const PACE: Duration = Duration::from_millis(50);
/// How long a slice of work may take that nobody else does. See [`Shared::serve`].
const SERVICE_BUDGET: Duration = Duration::from_millis(8);
/// After this long without a [`Pool::pump`] nobody draws, and work without workers goes on by timers.
const UNATTENDED: Duration = Duration::from_millis(500);
/// How long a slice takes then.
const UNATTENDED_BUDGET: Duration = Duration::from_millis(100);

/// How a pool works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolConfig {
    /// Where its workers run: [`Host::Thread`], or [`Host::Inline`] to do without them.
    pub host: Host,
    /// The most workers, at least one.
    pub size: usize,
    /// How long a worker may be without work before it ends.
    pub idle_after: Duration,
    /// How crashed workers are replaced.
    pub restart: RestartPolicy,
    /// How many results are remembered.
    pub cache_entries: usize,
    /// How many bytes they may take, about.
    pub cache_bytes: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            host: Host::Thread,
            size: default_size(),
            idle_after: Duration::from_secs(60),
            restart: RestartPolicy::default(),
            cache_entries: 256,
            cache_bytes: 64 << 20,
        }
    }
}

/// How many workers suit this machine: one core is left to the main thread; one to six.
#[must_use]
pub fn default_size() -> usize {
    size_for(platform::cores())
}

fn size_for(cores: usize) -> usize {
    cores.saturating_sub(1).clamp(1, MOST_WORKERS)
}

/// Workers for one family of jobs; see the [module](crate::pool). Dropping it stops it.
pub struct Pool<J: Jobs> {
    shared: Arc<Shared<J>>,
}

impl<J: Jobs> Pool<J> {
    /// A pool without workers: they start with the first task.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        let config = match config.host {
            Host::Thread => config,
            Host::Inline | Host::Stepped => PoolConfig {
                host: Host::Inline,
                size: 1,
                ..config
            },
        };
        let shared = Arc::new_cyclic(|weak: &Weak<Shared<J>>| Shared {
            state: Mutex::new(State::new(config)),
            driver: Arc::new(Driver {
                shared: weak.clone(),
                due: AtomicBool::new(false),
            }),
            attended: Mutex::new(Instant::now()),
            alarm: Mutex::new(None),
        });
        Self { shared }
    }

    /// Hands a task in. It is begun at once if a worker is free.
    pub fn submit(&self, task: Task<J::Task>) -> Ticket<J> {
        Shared::submit(&self.shared, task)
    }

    /// Another way in, for whoever can't come to the pool's owner.
    #[must_use]
    pub fn line(&self) -> PoolLine<J> {
        PoolLine {
            shared: Arc::clone(&self.shared),
        }
    }

    /// To be called once a frame by whoever draws. Where there are no workers it does their work,
    /// for up to `budget`; else it does next to nothing.
    pub fn pump(&self, budget: Duration) {
        *lock(&self.shared.attended) = Instant::now();
        self.shared.work_inline(budget);
        self.shared.see_to();
    }

    /// What happened to workers since the last call.
    pub fn events(&self) -> impl Iterator<Item = PoolEvent> + '_ {
        std::iter::from_fn(|| self.shared.with(State::next_event))
    }

    /// How the pool does.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        self.shared.with(|state| state.status())
    }

    /// Workers that were given up may be started again; after a fallback they are tried again too.
    pub fn restart(&self) {
        self.shared.with(State::mend);
        self.shared.see_to();
    }

    /// Makes a worker fail, one at work if there is one, to see that the rest survives it.
    ///
    /// # Errors
    /// There is no worker, or it has no thread or Web Worker and would take its owner's along.
    pub fn inject(&self, fault: Fault) -> Result<(), ServiceError> {
        self.shared.with(|state| state.inject(fault))
    }

    /// Ends all workers; tasks that have not ended fail, and so do later ones.
    pub fn stop(&mut self) {
        let workers = self.shared.with(State::stop);
        // Not under the lock: natively this waits for their threads.
        drop(workers);
    }
}

/// Hands tasks in beside the [`Pool`] itself, wherever its owner is. It does not keep the pool running.
pub struct PoolLine<J: Jobs> {
    shared: Arc<Shared<J>>,
}

impl<J: Jobs> PoolLine<J> {
    /// As [`Pool::submit`].
    pub fn submit(&self, task: Task<J::Task>) -> Ticket<J> {
        Shared::submit(&self.shared, task)
    }

    /// As [`Pool::inject`].
    ///
    /// # Errors
    /// As [`Pool::inject`].
    pub fn inject(&self, fault: Fault) -> Result<(), ServiceError> {
        self.shared.with(|state| state.inject(fault))
    }
}

impl<J: Jobs> Drop for Pool<J> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The pool as its owner, its tickets and its driver share it.
pub(super) struct Shared<J: Jobs> {
    state: Mutex<State<J>>,
    driver: Arc<Driver<J>>,
    /// When the owner last pumped.
    attended: Mutex<Instant>,
    /// When the driver is woken next.
    alarm: Mutex<Option<Instant>>,
}

/// Keeps a pool going when its owner does not: woken by workers' answers and by timers.
struct Driver<J: Jobs> {
    shared: Weak<Shared<J>>,
    /// Whether it is about to run.
    due: AtomicBool,
}

impl<J: Jobs> Wake for Driver<J> {
    fn wake(self: Arc<Self>) {
        // Whoever wakes it may hold the pool, or stand in the middle of a worker: run later.
        if !self.due.swap(true, Ordering::SeqCst) {
            platform::wake_soon(Waker::from(Arc::new(Turn(self))));
        }
    }
}

/// A driver whose turn has come.
struct Turn<J: Jobs>(Arc<Driver<J>>);

impl<J: Jobs> Wake for Turn<J> {
    fn wake(self: Arc<Self>) {
        self.0.due.store(false, Ordering::SeqCst);
        if let Some(shared) = self.0.shared.upgrade() {
            shared.drive();
        }
    }
}

impl<J: Jobs> Shared<J> {
    fn submit(this: &Arc<Self>, task: Task<J::Task>) -> Ticket<J> {
        let (id, result) = this.with(|state| state.submit(task));
        this.see_to();
        Ticket::new(id, result, Arc::clone(this))
    }

    /// Works on the state; afterwards results go out, and workers that are to end are let go of.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut State<J>) -> T) -> T {
        let mut state = lock(&self.state);
        let done = work(&mut state);
        let letters = std::mem::take(&mut state.letters);
        let buried = std::mem::take(&mut state.buried);
        drop(state);
        for (ticket, result) in letters {
            // A ticket that was dropped wants no result.
            drop(ticket.send(result));
        }
        drop(buried);
        done
    }

    /// Sees to everything that has happened, and to being woken for what comes next.
    fn see_to(&self) {
        let waker = Waker::from(Arc::clone(&self.driver));
        let next = self.with(|state| {
            state.see_to(&waker);
            state.next_change(PACE)
        });
        let Some(next) = next else { return };
        let mut alarm = lock(&self.alarm);
        if alarm.is_none_or(|at| next < at || at <= Instant::now()) {
            *alarm = Some(next);
            drop(alarm);
            timer::wake_at(next, waker);
        }
    }

    /// Called when something came back, or time has passed.
    fn drive(&self) {
        if lock(&self.attended).elapsed() > UNATTENDED {
            self.work_inline(UNATTENDED_BUDGET);
        }
        self.see_to();
    }

    /// Where there are no workers: does their work for whoever waits for a result. Answers whether
    /// there is any.
    pub(super) fn serve(&self) -> bool {
        let worked = self.work_inline(SERVICE_BUDGET);
        if worked {
            self.see_to();
        }
        worked
    }

    /// Works in place of workers that have no thread, for up to `budget`; answers whether there are
    /// any with work.
    fn work_inline(&self, budget: Duration) -> bool {
        // Jobs run when nothing is locked: what befalls one stays with it.
        let inline = self.with(|state| state.busy_inline());
        let each = budget / u32::try_from(inline.len().max(1)).unwrap_or(1);
        for worker in &inline {
            worker.pump(each);
        }
        !inline.is_empty()
    }

    /// Calls a task off.
    pub(super) fn cancel(&self, task: TaskId) {
        self.with(|state| state.call_off(task, "whoever asked gave it up"));
        self.see_to();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Services keep their panics inside; nothing of ours is left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_is_left_free_and_six_are_enough() {
        for (cores, size) in [(0, 1), (1, 1), (2, 1), (3, 2), (7, 6), (8, 6), (128, 6)] {
            assert_eq!(size_for(cores), size, "{cores} cores");
        }
    }
}
