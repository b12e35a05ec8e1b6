//! Every message between the app and its services, and the scene format: the only serde boundary.
//!
//! - [`env`]: environments to learn in: tasks, configurations, what they observe; what their service is
//!   asked, answers and tells (`env/…`).
//! - [`envelope`]: what surrounds each message: version, name, request id, trace id.
//! - [`lifecycle`]: what the worker runtime itself says (`worker/…`); [`error`]: how things fail.
//! - [`buffer`]: large parts of messages, moved without a copy.
//! - [`control`]: what the control service is asked, told and tells (`teleop/…`).
//! - [`keys`]: the keyboard's names and LeRobot.js's key map.
//! - [`record`]: what the record service is asked, told and tells (`record/…`).
//! - [`ron_file`]: reads files that people write, with errors that name line and field.
//! - [`scene`]: scene files (RON): arms and their backends, objects, cameras, lights.
//! - [`servo`]: real arms: ports, motors, calibrations.
//! - [`telemetry`]: what is counted of a service's work.
//!
//! No behaviour, no IO, no clock. With the feature `bevy` (default) messages also derive Bevy's
//! `Message`, so that the app's plugins pass them on without wrapping.
//!
//! Units are radians, metres, seconds; frames are right-handed, Z up; quaternions are `[x, y, z, w]`.

pub mod buffer;
pub mod control;
pub mod env;
pub mod envelope;
pub mod error;
pub mod keys;
pub mod lifecycle;
pub mod record;
pub mod ron_file;
pub mod scene;
pub mod servo;
pub mod telemetry;

pub use buffer::Buffer;
pub use envelope::{Message, PROTOCOL_VERSION, Packet, RequestId};
pub use error::ServiceError;

/// A pose: where a frame is in the world (or in what the field's name says).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Pose {
    /// The frame's origin, metres.
    pub position: [f64; 3],
    /// The frame's orientation, a unit quaternion `[x, y, z, w]`.
    pub rotation: [f64; 4],
}

impl Pose {
    /// The pose that changes nothing.
    pub const IDENTITY: Self = Self {
        position: [0.0; 3],
        rotation: [0.0, 0.0, 0.0, 1.0],
    };
}
