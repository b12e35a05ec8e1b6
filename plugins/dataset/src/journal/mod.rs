//! The journal of an episode while it is recorded: what was accepted is in it at once, and can be had
//! back after a crash.
//!
//! A journal is a file that is only written on at its end ([`Writer`]): a line that names the format,
//! then records. A record is its length (`u32`), a checksum (`u32`), its kind (`u8`) and its content,
//! all little-endian. The checksum (CRC-32) begins with the one of the record before, so records can
//! neither change nor change places. [`scan`] gives the records back up to the first one that is torn
//! or damaged, and says where that is.
//!
//! The first record is the [`Head`]: with it alone the rest can be turned into an episode
//! ([`crate::repair`]), without the robot, its model or the program that recorded it.
//!
//! Times are seconds on the recording's clock; nothing here reads one.

mod scan;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use scan::{Scan, Stop, scan};
pub use write::Writer;

use crate::resample::Tally;

/// The folder of the journals in a dataset.
pub const FOLDER: &str = ".forearm/journal";

/// What a journal begins with.
pub const MAGIC: &[u8] = b"forearm journal 1\n";

/// The longest record, bytes: a picture of any camera is far below it.
pub const MAX_RECORD: usize = 64 << 20;

/// Where the journal of an episode is, in its dataset. `id` is [`Head::id`].
#[must_use]
pub fn path(id: &str) -> String {
    let name: String = id
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(100)
        .collect();
    format!("{FOLDER}/{name}.journal")
}

/// What is recorded: all that has to be known to make an episode of the other records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// A name that no other recorded episode has: tells after a crash whether this one was saved.
    pub id: String,
    /// Its index in the dataset.
    pub episode: u32,
    /// What the arm is to do, in words.
    pub task: String,
    /// `LeRobot`'s name for what is recorded.
    pub robot_type: String,
    /// Rows a second.
    pub fps: u32,
    /// When row 0 is, seconds.
    pub start_secs: f64,
    /// Time between two control ticks as it was meant, seconds.
    pub tick_secs: f64,
    /// What is where in a tick.
    pub layout: Layout,
    /// The numbers of `action`, from the targets in a tick.
    pub action: Vec<Channel>,
    /// The numbers of `observation.state`, from the measured positions in a tick.
    pub state: Vec<Channel>,
    /// The cameras; records name them by their index here.
    pub cameras: Vec<HeadCamera>,
    /// Texts to be kept beside the episode: `(scene.ron, …)` becomes
    /// `meta/forearm/episode-000000.scene.ron`.
    #[serde(default)]
    pub extras: Vec<(String, String)>,
}

/// What is where in a tick: time, measured positions of all joints, their targets, and position and
/// rotation (quaternion `[x, y, z, w]`) of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Joints of all arms together.
    pub joints: usize,
    /// Objects of the scene.
    pub objects: usize,
}

impl Layout {
    /// Numbers a tick.
    #[must_use]
    pub const fn width(self) -> usize {
        // Counts come from files: nothing may overflow.
        let joints = self.joints.saturating_mul(2);
        let objects = self.objects.saturating_mul(7);
        joints.saturating_add(objects).saturating_add(1)
    }
}

/// One number of a row: `(joint − zero) · scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name in the dataset (`shoulder_pan.pos`).
    pub name: String,
    /// The joint in a tick, from 0.
    pub joint: usize,
    /// The joint's value (radians, metres) that is written as 0.
    pub zero: f64,
    /// Units of the dataset a radian or metre.
    pub scale: f64,
}

/// A camera that is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadCamera {
    /// Its name: `observation.images.<name>` in the dataset.
    pub name: String,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// What its packets are.
    pub codec: crate::mp4::Codec,
}

/// How new the picture of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Freshness {
    /// A frame that no row showed before.
    New,
    /// The frame of the row before again: there was none nearer.
    Repeated,
    /// The camera hung or was gone.
    Stale,
}

/// One encoded picture: row `row` of a camera. Rows of a camera come in order, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet<'a> {
    /// The camera: its index in [`Head::cameras`].
    pub camera: u16,
    /// The row.
    pub row: u32,
    /// Whether it can be decoded alone.
    pub key: bool,
    /// When the picture was taken, seconds.
    pub captured_secs: f64,
    /// How new it is.
    pub freshness: Freshness,
    /// The packet as it is stored in an MP4 file.
    pub bytes: &'a [u8],
}

/// A record of a journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Record<'a> {
    /// What is recorded; always the first record, and only that.
    Head(Box<Head>),
    /// Control ticks in a row.
    Ticks {
        /// The scene that they are of; another number than before: the world was changed or reset.
        generation: u64,
        /// The number of the first one; it counts on by one.
        first: u64,
        /// Tick after tick, [`Layout::width`] numbers each.
        values: Cow<'a, [f64]>,
    },
    /// What a decoder has to know of a camera's packets before the first one.
    Description {
        /// The camera.
        camera: u16,
        /// `avcC` or `av1C` content.
        config: &'a [u8],
    },
    /// A picture.
    Packet(Packet<'a>),
    /// The episode's clock stands from here on.
    Pause {
        /// When, seconds.
        secs: f64,
    },
    /// The episode's clock goes on.
    Resume {
        /// When, seconds.
        secs: f64,
    },
    /// What was counted of a camera so far: a later one replaces it. Written about once a second, so
    /// that a crash loses no more.
    Tally {
        /// The camera.
        camera: u16,
        /// Its frames.
        tally: Tally,
        /// Its pixels: [`crate::stats::PixelStats`], packed. Empty when there are none.
        pixels: Cow<'a, [u8]>,
    },
    /// The episode ended by intent.
    End {
        /// How many rows it has.
        rows: u32,
    },
}
