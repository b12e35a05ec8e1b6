//! The driver of one bus, without IO and without a clock: what to send when, what came back, what to
//! make of it.
//!
//! [`Bus`] alternates **cycles** and **jobs**. A cycle writes the newest goals, if there are new
//! ones, and reads all positions; both go out together, since a sync write has no reply (where motors
//! turn out not to understand that, with a pause between). About ten
//! times a second the read is a long one and brings velocity, load, voltage, temperature and
//! current too. What is missing is asked for again within the cycle; a motor that still does not
//! answer keeps its last position and is marked. One that is silent for [`ABSENT_AFTER`] cycles is
//! left out and only looked for now and then, so that the others keep their pace. A [`Job`] is
//! anything else that is asked of motors: it gets one question at a time between two cycles, and
//! exactly one answer.
//!
//! Goals are repeated [`REFRESH_SECS`] apart while somebody commands, since nobody acknowledges a
//! sync write; after `silence_secs` without a sign of life they are not. The motors then hold. A
//! motor whose torque was switched off by a job gets no goals until a job switches it on again.
//!
//! Replies are told apart by id, length and order (`exchange`): a reply from an earlier question is
//! never taken for one to another question, as long as it comes within `reply_timeout_secs`. After
//! that the bus waits for silence before it goes on.
//!
//! The caller moves bytes and tells the time, in seconds that only grow:
//! [`Bus::transmit`] until it is `None` (telling [`Bus::sent`] after each), then [`Bus::receive`]
//! what comes until [`Bus::wait_until`], else [`Bus::on_time`]. Nothing allocates in a cycle.

mod config;
mod counters;
mod cycle;
mod echo;
mod errand;
mod error;
mod exchange;
mod job;
mod machine;
mod names;
mod patience;
mod sample;

pub use config::BusConfig;
pub use counters::{Counters, Timing, WINDOW};
pub use errand::JobId;
pub use error::BusError;
pub use job::{Block, IdSet, Job, JobReply, MAX_BLOCK};
pub use machine::Bus;
pub use names::Motor;
pub use sample::{Goals, Sample, SlowSample};

/// The most motors that one bus has.
pub const MAX_SERVOS: usize = 16;

/// One of something for each motor, in the order of the bus's motors.
pub type PerServo<T> = [T; MAX_SERVOS];

/// Cycles without an answer after which a motor is left out.
pub const ABSENT_AFTER: u8 = 10;

/// Time between two looks for a motor that was left out, seconds.
pub const PROBE_SECS: f64 = 0.25;

/// Time between two long reads, seconds.
pub const SLOW_SECS: f64 = 0.1;

/// Time after which goals are written again though they are the same, seconds.
pub const REFRESH_SECS: f64 = 0.05;

/// How many jobs may wait.
pub const MAX_JOBS: usize = 64;

/// How long a broadcast ping waits: the SDK gives each of 252 ids 3 ms.
pub const BROADCAST_SECS: f64 = 0.8;
