//! The browser's hosts: Web Workers, and what runs inside them.
//!
//! The page compiles the worker's module once and hands it to the app, which hands it to
//! [`configure`]. Each service then gets a worker of its own: `owner` is the app's end of it,
//! [`start`] what the worker calls when it has come up. Messages are
//! [`Packet`](forearm_protocol::Packet)s; services that feed each other do so through a
//! `MessageChannel`, past the main thread. No `SharedArrayBuffer` is needed.

mod epoch;
mod files;
mod log;
mod owner;
mod packet;
mod page;
mod port;
mod station;
mod stay;
mod timers;

pub(crate) use epoch::epoch_secs;
pub use files::{WorkerFiles, configure};
pub use log::log_to_console;
pub(crate) use owner::Owner;
pub use page::{ask_page, offer};
pub(crate) use port::{LinkPort, PortTarget, feed_from_port};
pub use station::{Entry, entry, start};
pub use stay::Stay;
pub(crate) use timers::wake_at;
pub use timers::{Alarm, after};
