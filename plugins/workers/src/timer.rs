//! Wakes futures at their timeouts: natively one thread for all, there only while something waits;
//! in the browser its timers.

use std::task::Waker;

use web_time::Instant;

/// Wakes `waker` at `deadline`, or a little later.
pub(crate) fn wake_at(deadline: Instant, waker: Waker) {
    #[cfg(not(target_family = "wasm"))]
    threaded::wake_at(deadline, waker);
    #[cfg(target_family = "wasm")]
    crate::web::wake_at(deadline, waker);
}

#[cfg(not(target_family = "wasm"))]
mod threaded {
    use std::cmp::Ordering;
    use std::collections::BinaryHeap;
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
    use std::task::Waker;
    use std::thread;
    use std::time::Instant;

    struct Alarm {
        at: Instant,
        waker: Waker,
    }

    // Reversed, so that the heap's top is the earliest.
    impl Ord for Alarm {
        fn cmp(&self, other: &Self) -> Ordering {
            other.at.cmp(&self.at)
        }
    }
    impl PartialOrd for Alarm {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl PartialEq for Alarm {
        fn eq(&self, other: &Self) -> bool {
            self.at == other.at
        }
    }
    impl Eq for Alarm {}

    struct Alarms {
        heap: BinaryHeap<Alarm>,
        running: bool,
    }

    static ALARMS: Mutex<Alarms> = Mutex::new(Alarms {
        heap: BinaryHeap::new(),
        running: false,
    });
    static CHANGED: Condvar = Condvar::new();

    pub(super) fn wake_at(at: Instant, waker: Waker) {
        let mut alarms = lock();
        alarms.heap.push(Alarm { at, waker });
        if alarms.running {
            CHANGED.notify_one();
            return;
        }
        match thread::Builder::new()
            .name("forearm-timer".to_owned())
            .spawn(run)
        {
            Ok(_) => alarms.running = true,
            Err(error) => tracing::warn!("no thread for timeouts ({error}): they may be late"),
        }
    }

    fn run() {
        let mut alarms = lock();
        while let Some(next) = alarms.heap.peek().map(|alarm| alarm.at) {
            let now = Instant::now();
            if next > now {
                alarms = CHANGED
                    .wait_timeout(alarms, next - now)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            } else if let Some(alarm) = alarms.heap.pop() {
                // Not under the lock: a waker may run the future, which may ask for a timer.
                drop(alarms);
                alarm.waker.wake();
                alarms = lock();
            }
        }
        alarms.running = false;
    }

    fn lock() -> MutexGuard<'static, Alarms> {
        ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
