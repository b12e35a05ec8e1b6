//! A pool: several workers for one family of jobs.
//!
//! [`Jobs`] says what the jobs are; [`JobService`] does them, one at a time, in a worker; [`Pool`]
//! hands them out. A job works in slices and looks up between them ([`JobContext::checkpoint`]), so
//! that it can be called off on every host: natively and in a Web Worker, where a cancellation is
//! a message that gets in between two slices.
//!
//! - Workers start when work waits and none is free, up to [`PoolConfig::size`]; one that has had
//!   nothing to do for [`PoolConfig::idle_after`] ends.
//! - What a person waits for goes first, and nothing waits for ever: see [`Priority`].
//! - A task whose `control_id` is that of an older one takes its place: the older one ends with
//!   [`ServiceError::Cancelled`](forearm_protocol::ServiceError), also when it is at work.
//! - Results with a [`Jobs::cache_key`] are remembered.
//! - A worker that crashes fails its task (or tries it once more, [`Jobs::may_retry`]), says whose it
//!   was ([`PoolEvent`]), and comes back.
//! - Where no worker can be had, one job at a time is done in slices of the owner's thread. After
//!   [`PoolConfig::idle_after`] without work, or a [restart](Pool::restart), workers are tried again.
//!
//! Results come without anybody pumping: what a worker answers hands out the next task. So a hidden
//! browser tab, which draws nothing, keeps its workers busy.
//!
//! `schedule` decides who does what when (time is its input); `crew` are the workers; `owner` ties
//! both to tickets.

mod cache;
mod context;
mod crew;
mod jobs;
#[cfg(not(target_family = "wasm"))]
mod native;
mod owner;
mod priority;
mod schedule;
mod service;
mod state;
mod ticket;
#[cfg(target_family = "wasm")]
mod web;

pub use context::JobContext;
pub use crew::{Affected, PoolEvent};
pub use jobs::{CacheKey, JobReply, JobRequest, Jobs, Task};
pub use owner::{Pool, PoolConfig, PoolLine, default_size};
pub use priority::Priority;
pub use service::JobService;
pub use state::PoolStatus;
pub use ticket::Ticket;

#[cfg(not(target_family = "wasm"))]
use native as platform;
#[cfg(target_family = "wasm")]
use web as platform;
