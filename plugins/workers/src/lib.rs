//! The worker runtime: gives a [`Service`] its own thread of time and a [`Handle`] to talk to it.
//!
//! A service is plain Rust that receives typed messages and a deadline to be woken at. It cannot
//! tell which host runs it:
//!
//! - [`Host::Thread`]: natively a named thread, where values move through bounded channels and
//!   nothing is serialised; in the browser a Web Worker, where messages are packed, and their
//!   [`Buffer`](forearm_protocol::Buffer)s transferred;
//! - [`Host::Inline`]: slices of the owner's thread, run by [`Handle::pump`]; also what the first
//!   falls back to where there is no thread or worker to be had ([`Status::host`] tells);
//! - [`Host::Stepped`]: inline, and time moves only when [`Handle::advance_to`] says so. Tests and
//!   faster-than-real-time runs use it; the same messages and times give the same result.
//!
//! Promises, the same on every host: nothing is called before [`Service::ready`] has returned, and
//! what was sent earlier waits in order; each request gets exactly one answer or error, at the
//! latest when its time is over; a crash fails everything in flight and goes no further; a full
//! event queue never blocks the service; dropping the handle stops it. A service that is
//! [`supervise`]d is started again after a crash, from what [`Service::remember`] kept; what was
//! sent meanwhile waits in order.
//!
//! How a message goes: [`Handle`] → `office` (which start of the service, is it alive) → its
//! queue, or `remote` → wire → `station` → `core` → the service; its [`Answer`] → `requests` →
//! [`Pending`].
//!
//! Time is seconds since the service was spawned. What is not here: any knowledge of what a service
//! does.

mod answer;
mod clock;
mod context;
mod core;
mod fault;
mod handle;
mod inline;
#[cfg(all(test, not(target_family = "wasm")))]
mod interleavings;
mod link;
#[cfg(not(target_family = "wasm"))]
mod native;
mod office;
mod outlet;
mod panics;
mod pending;
pub mod pool;
#[cfg(not(target_family = "wasm"))]
mod priority;
#[cfg(any(test, target_family = "wasm"))]
mod remote;
mod requests;
mod service;
#[cfg(any(test, target_family = "wasm"))]
mod station;
mod status;
mod supervisor;
mod telemetry;
mod timer;
#[cfg(target_family = "wasm")]
pub mod web;

use std::sync::atomic::{AtomicBool, Ordering};

pub use answer::Answer;
pub use clock::Clock;
pub use context::Context;
pub use handle::{Handle, Host, Line, spawn, supervise};
pub use office::Lifecycle;
pub use pending::Pending;
#[cfg(not(target_family = "wasm"))]
pub use priority::prefer_this_thread;
pub use service::{Nothing, Service, Wake};
pub use status::{HostKind, Progress, State, Status};
pub use supervisor::RestartPolicy;

/// How many messages may wait for a service before [`forearm_protocol::ServiceError::Busy`].
pub const QUEUE_CAPACITY: usize = 1024;

static DIAGNOSTICS: AtomicBool = AtomicBool::new(false);

/// Switches diagnostics: whether every message is logged (level `info`).
pub fn set_diagnostics(on: bool) {
    DIAGNOSTICS.store(on, Ordering::Relaxed);
}

/// Whether diagnostics are on.
#[must_use]
pub fn diagnostics() -> bool {
    DIAGNOSTICS.load(Ordering::Relaxed)
}
