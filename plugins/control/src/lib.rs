//! The control loop: what drives arms, and the simulated world that goes in step with it.
//!
//! [`ControlService`] is a service of the worker runtime. At every tick (120 a second by default,
//! absolute deadlines) it reads each arm's [`backend`], asks its [teleoperator](teleop) for
//! targets, passes them through the safety chain of `forearm_arm`, writes the result, moves the
//! simulation on by exactly one period, and publishes. Messages are
//! [`forearm_protocol::control`]'s.
//!
//! - Where a new **backend** goes: a file in `backend/`, and its line in
//!   `backend::connect`.
//! - Where a new **teleoperator** goes: a file in `teleop/`, and its line in
//!   [`teleop::Teleoperators`].
//! - [`headless`] runs the same service without a window; `plugin` (feature `bevy`) runs it beside
//!   one. [`motion`] is the format of motion files.
//! - Real arms: [`motors`] are what is at the other end of a servo bus, [`handles`] what a program
//!   holds while it calibrates or teleoperates, [`serve`] arms that are served to other programs.
//! - Every tick goes to whoever records, past the app (`tap`); [`resimulate`] plays what was recorded
//!   of a simulation again.
//! - [`trials`] runs motions in the background, in the worker pool.
//!
//! Not here: how the world is simulated, how limits are applied, anything that draws.
//!
//! Units are radians, metres, seconds; joint vectors are in model order. A tick allocates nothing
//! but what it publishes, 20 times a second.

pub mod backend;
mod calibrate;
pub mod config;
pub mod expectation;
pub mod handles;
pub mod headless;
pub mod jitter;
mod line;
pub mod motion;
pub mod motors;
mod pace;
#[cfg(feature = "bevy")]
pub mod plugin;
mod procedure;
mod publish;
pub mod resimulate;
mod rig;
pub mod serve;
mod service;
mod tap;
pub mod teleop;
pub mod timing;
pub mod trials;

pub use config::{ConfigError, ControlConfig, ControlSetup, OnExit, Startup, Until};
pub use expectation::Expectation;
pub use headless::{HeadlessOptions, HeadlessReport};
pub use jitter::jitter_objects;
pub use line::EMULATED;
#[cfg(feature = "bevy")]
pub use plugin::{Control, ControlPlugin, ControlRequest};
pub use serve::{ServedArm, ServedAt, ServedWire};
pub use service::ControlService;
