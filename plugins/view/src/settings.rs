//! What a person can choose about the picture, and what the app's panels tell the view.

use bevy::light::ShadowFilteringMethod;
use bevy::prelude::*;
use forearm_protocol::control::ArmIndex;

/// Choices about the picture. Change it at any time; the view follows.
#[derive(Resource, Debug, Clone, PartialEq)]
pub struct ViewSettings {
    /// Dark or light surroundings.
    pub theme: Theme,
    /// The grid on the table.
    pub grid: bool,
    /// Shadows.
    pub shadows: bool,
    /// The ghost arm at the commanded pose.
    pub ghost: GhostMode,
    /// The ghost arm where the simulated twin of a real arm is, while the two are apart. An arm with
    /// a twin on show has no ghost at the commanded pose: the two would lie in one another.
    pub twin: bool,
    /// Axes at every joint: X red, Y green, Z blue; joints turn about Z for the built-in arm.
    pub joint_frames: bool,
    /// Axes at the tool, where it is and where it was told to be.
    pub target_frame: bool,
    /// Where the scene's cameras are and what they see.
    pub camera_frames: bool,
    /// The handle at the tool of [`ViewSettings::arm`] that sends
    /// [`Command::ToolTarget`](forearm_protocol::control::Command::ToolTarget) when it is dragged.
    pub tool_gizmo: bool,
    /// The arm that [`ViewSettings::tool_gizmo`] and [`CameraPreset::Wrist`] speak of.
    pub arm: ArmIndex,
    /// How much work a picture may be.
    pub quality: Quality,
    /// The scene's cameras render at most so many images a second, each.
    pub feed_fps: f64,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            grid: true,
            shadows: true,
            ghost: GhostMode::default(),
            twin: true,
            joint_frames: false,
            target_frame: false,
            camera_frames: false,
            tool_gizmo: false,
            arm: 0,
            quality: Quality::default(),
            feed_fps: 15.0,
        }
    }
}

/// The colours of the surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// A dark room.
    #[default]
    Dark,
    /// A bright room.
    Light,
}

/// When the ghost arm is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GhostMode {
    /// Never.
    Off,
    /// While any joint is more than a degree (or 2 mm) from its target.
    #[default]
    WhenApart,
    /// Whatever differs at all.
    Always,
}

/// How much work a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    /// [`Quality::Low`] without a GPU, [`Quality::High`] with one.
    #[default]
    Auto,
    /// For software rendering: no smoothed edges, small shadow map, camera images at half size.
    Low,
    /// Smoothed edges, fine shadows, camera images at full size.
    High,
}

/// Where the main camera should look from. Write it as a message; the camera glides there.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraPreset {
    /// Everything, from the side and above: where the camera starts.
    Overview,
    /// From ahead of the arm.
    Front,
    /// From the arm's right.
    Side,
    /// From straight above.
    Top,
    /// Close to the gripper.
    Wrist,
}

/// Whether a panel has the pointer: while true, the view begins no drag and does not zoom.
/// The app sets it each frame.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PointerCaptured(pub bool);

/// The part of the window that no panel covers, in logical pixels from the top left; `None` for
/// all of it. The main camera draws there and nowhere else. The app sets it each frame.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct ViewportRect(pub Option<Rect>);

/// What [`Quality`] comes to on this machine.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub(crate) struct Detail {
    pub(crate) msaa: Msaa,
    pub(crate) shadow_map: usize,
    pub(crate) shadow_filter: ShadowFilteringMethod,
    pub(crate) feed_scale: f32,
    /// The scene's cameras render at most so many images a second, all together.
    pub(crate) all_feeds_fps: f64,
    /// The second light and the floor.
    pub(crate) extras: bool,
}

impl Detail {
    pub(crate) const LOW: Self = Self {
        msaa: Msaa::Off,
        shadow_map: 1024,
        shadow_filter: ShadowFilteringMethod::Hardware2x2,
        feed_scale: 0.5,
        all_feeds_fps: 5.0,
        extras: false,
    };
    pub(crate) const HIGH: Self = Self {
        msaa: Msaa::Sample4,
        shadow_map: 2048,
        shadow_filter: ShadowFilteringMethod::Gaussian,
        feed_scale: 1.0,
        all_feeds_fps: f64::INFINITY,
        extras: true,
    };
}

impl Default for Detail {
    fn default() -> Self {
        Self::HIGH
    }
}
