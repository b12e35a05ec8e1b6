//! What the machine offers to pools, natively.

use std::task::Waker;

use web_time::Instant;

use crate::timer;

/// Processor cores that can be used.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Wakes `waker` soon, but not from within this call: on the timers' thread.
pub(super) fn wake_soon(waker: Waker) {
    timer::wake_at(Instant::now(), waker);
}
