//! The record service: control's ticks and cameras' frames in, LeRobot datasets out.
//!
//! [`RecordService`] is a service of the worker runtime; its messages are
//! [`forearm_protocol::record`]'s. Control feeds it its ticks past the app; cameras are its own. While
//! an episode is recorded all that comes is in the dataset's journal at once, so that a crash at any
//! moment loses nothing that was accepted; at its end the episode is made of the journal, behind the
//! next one.
//!
//! - [`session`] is LeRobot's flow as a state machine, [`ticks`] keeps control's ticks, [`lane`] takes
//!   one camera into an episode, [`episode`] is all of that together, [`clerk`] changes the dataset.
//! - [`store`] is where datasets are, [`browse`] shows what is in one, [`export`] packs one,
//!   [`upload`] takes one to a hub.
//! - [`plugin`] (feature `bevy`) runs the service beside an app, [`handles`] is what a program holds
//!   while it records.
//!
//! Not here: how files look (`forearm_dataset`), what cameras see and how pictures are encoded
//! (`forearm_vision`), what moves the arm (`forearm_control`).
//!
//! Times are seconds on the clock that the services of a process share; joint values are radians and
//! metres until they become rows, which are in LeRobot's units.

pub mod browse;
mod cameras;
pub mod clerk;
pub mod config;
pub mod episode;
pub mod export;
pub mod handles;
pub mod lane;
mod listing;
#[cfg(feature = "bevy")]
pub mod plugin;
pub mod robot;
mod service;
pub mod session;
pub mod store;
pub mod ticks;
pub mod upload;

pub use config::{MOST_JOURNAL_BYTES, RecordSetup, Stood};
pub use forearm_vision::Pace;
#[cfg(feature = "bevy")]
pub use plugin::{RecordPlugin, RecordRequest, Recorder};
pub use robot::Robot;
pub use service::RecordService;
