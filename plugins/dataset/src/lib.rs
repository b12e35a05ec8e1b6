//! LeRobot datasets: written, read, checked, repaired. Bytes go to a [`store::Store`].
//!
//! [`Dataset`] creates and opens datasets of version 3.0 (2.1 is read), adds episodes, reads their rows.
//! [`ops`] deletes, merges and splits, [`check`] looks for everything that LeRobot would stumble over.
//! [`journal`] keeps what an episode in hand has so far, [`resample`] makes regular rows of true times,
//! [`mp4`] puts encoded frames into files and takes them out, [`sidecar`] keeps true times beside,
//! [`repair`] makes episodes of journals, [`zip`] packs a dataset.
//!
//! This crate knows no robot, no camera, no clock, no thread and no file system: names, units and times
//! are its callers', bytes go to a store. It encodes and decodes no pictures.
//!
//! Nothing that a file says is trusted: lengths and counts are checked before memory is asked for, and
//! errors say what is wrong, what was expected and what to do.

mod append;
mod card;
pub mod check;
mod dataset;
mod episodes;
mod error;
mod info;
pub mod json;
pub mod layout;
pub mod ops;
pub mod schema;
pub mod stats;
mod table;
mod tasks;
mod v21;

pub mod journal;
pub mod mp4;
pub mod repair;
pub mod resample;
pub mod sidecar;
pub mod store;
pub mod zip;

pub use append::{NewEpisode, NewVideo};
pub use dataset::{Dataset, EpisodeRows, VideoSpan};
pub use episodes::{Episode, EpisodeVideo};
pub use error::DatasetError;
pub use info::{Info, Version};
pub use schema::{DataType, Feature, Schema, VideoFeature};
pub use table::{Column, Form, Values};
