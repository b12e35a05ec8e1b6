//! The egui panels: what a person sees around the picture, and what they can press.
//!
//! Panels are plain functions over egui. They read [`PanelInputs`] (what the control service told,
//! camera images, scenes), change [`PanelState`] (choices, notices, sliders in the hand), and put
//! what a person asked for into an [`Outbox`]: [`Command`](forearm_protocol::control::Command)s for
//! the control service and [`PanelAction`]s for the app. [`layout::show`] draws all of them and
//! answers with the [`PanelOutput`]: the free rectangle, and whether egui wants pointer and keys.
//!
//! With the feature `bevy` (default) `plugin::PanelPlugin` shows them in the primary window.
//!
//! What is not here: files, clocks, services, 3D. The app stores [`PanelSettings`] and carries the
//! actions out. Units inside are radians, metres and seconds; [`units`] converts for the eye only.

pub mod actions;
mod arms;
mod cameras;
mod help;
pub mod history;
pub mod inputs;
mod joint_row;
pub mod layout;
mod plot;
#[cfg(feature = "bevy")]
pub mod plugin;
pub mod settings;
mod sliders;
pub mod state;
mod telemetry;
pub mod theme;
pub mod toasts;
mod top_bar;
pub mod units;
mod widgets;

pub use actions::{Outbox, PanelAction};
pub use egui;
pub use inputs::{ArmView, CameraFeed, PanelInputs, SceneEntry, SceneView, ScriptEntry};
pub use layout::PanelOutput;
pub use settings::{PanelSettings, ThemeChoice, ViewPreset, ViewToggle};
pub use state::PanelState;
pub use units::Units;
