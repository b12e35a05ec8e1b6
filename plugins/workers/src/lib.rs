//! The worker runtime: gives a [`Service`] its own thread of time and a [`Handle`] to talk to it.
//!
//! A service is plain Rust that receives typed messages and a deadline to be woken at. It cannot
//! tell which host runs it:
//!
//! - [`Host::Thread`]: a named thread; values move through bounded channels, nothing is serialised;
//! - [`Host::Inline`]: slices of the owner's thread, run by [`Handle::pump`]; also what a thread
//!   falls back to where none can be created ([`Status::host`] tells);
//! - [`Host::Stepped`]: inline, and time moves only when [`Handle::advance_to`] says so. Tests and
//!   faster-than-real-time runs use it; the same messages and times give the same result.
//!
//! Promises, the same on every host: nothing is called before [`Service::ready`] has returned, and
//! what was sent earlier waits in order; each request gets exactly one answer or error; a panic
//! fails everything in flight and the panic goes no further; a full event queue never blocks the
//! service; dropping the handle stops it.
//!
//! Time is seconds since the service was spawned. What is not here: pools, restarts, any knowledge
//! of what a service does.

mod clock;
mod context;
mod core;
mod handle;
mod inline;
mod native;
mod outlet;
mod pending;
mod priority;
mod service;
mod status;
mod timer;

pub use clock::Clock;
pub use context::Context;
pub use handle::{Handle, Host, spawn};
pub use pending::Pending;
pub use service::{Service, Wake};
pub use status::{HostKind, Progress, State, Status};

/// How many messages may wait for a service before [`forearm_protocol::ServiceError::Busy`].
pub const QUEUE_CAPACITY: usize = 1024;
