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
mod browser;
mod bus_table;
mod calibration;
mod cameras;
mod device_section;
pub mod devices;
pub mod editor;
mod figures;
mod function_keys;
mod help;
pub mod history;
mod hud;
pub mod inputs;
mod joint_row;
mod kind_table;
pub mod layout;
pub mod meter;
mod narrow;
mod plot;
#[cfg(feature = "bevy")]
pub mod plugin;
mod port_form;
mod record;
pub mod recording;
pub mod settings;
mod sliders;
pub mod state;
mod telemetry;
pub mod theme;
pub mod toasts;
mod top_bar;
mod trials;
pub mod units;
mod widgets;
mod worker_row;
pub mod workers;

pub use actions::{Outbox, PanelAction};
pub use devices::{DevicesView, Mover, Ports};
pub use editor::{Answer, EditorAction, EditorTool, EditorView, Question, SceneFolder};
pub use egui;
pub use inputs::{ArmView, CameraFeed, PanelInputs, SceneEntry, SceneView, ScriptEntry};
pub use layout::PanelOutput;
pub use meter::Meter;
pub use recording::{RecordSettings, RecordView, RightTab, Shown, ShownFrame};
pub use settings::{KnownDevice, PanelSettings, Sheet, ThemeChoice, ViewPreset, ViewToggle};
pub use state::PanelState;
pub use units::Units;
pub use workers::{HostLabel, ServiceRow, ServiceState, TrialsView, WorkersView};
