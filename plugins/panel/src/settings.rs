//! What is remembered between starts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::recording::RecordSettings;
use crate::units::Units;

/// Choices and layout. Fields missing in a stored file take their defaults; unknown ones are
/// skipped, so that a file of another version still loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PanelSettings {
    /// Dark or light.
    pub theme: ThemeChoice,
    /// The unit of joint positions.
    pub units: Units,
    /// Size of everything, 1 is normal.
    pub ui_scale: f32,
    /// Whether the arms' panel is open.
    pub left_open: bool,
    /// Whether the panel with cameras and telemetry is open.
    pub right_open: bool,
    /// Whether the plot is open.
    pub plot_open: bool,
    /// The panel that is open in a window as narrow as a phone.
    pub sheet: Option<Sheet>,
    /// Whether the list of workers is open.
    pub workers_open: bool,
    /// Whether the trials of a motion are open.
    pub trials_open: bool,
    /// Width that a person gave the arms' panel, points.
    pub left_width: Option<f32>,
    /// Width that a person gave the panel with cameras and telemetry, points.
    pub right_width: Option<f32>,
    /// Height that a person gave the plot, points.
    pub plot_height: Option<f32>,
    /// What the picture shows beside the scene.
    pub toggles: ViewToggles,
    /// Joints in the plot, `arm/joint`; `None` for the first three joints of the selected arm.
    pub plot_joints: Option<BTreeSet<String>>,
    /// The arm that keys, gamepad and dragged tool drive.
    pub selected_arm: usize,
    /// [`SceneEntry::id`](crate::SceneEntry::id) of the scene that was open last.
    pub last_scene: Option<String>,
    /// Whether the plot shows how far real arms are from their simulated twins.
    pub plot_error: bool,
    /// The real arms that were connected last, by `arm/Follower` or `arm/Leader`.
    pub devices: BTreeMap<String, KnownDevice>,
    /// What a person chose to record.
    pub record: RecordSettings,
}

/// A real arm as it was connected last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownDevice {
    /// Its port.
    pub port: String,
    /// The USB device's serial number, which stays when the port's name changes.
    pub serial_number: Option<String>,
    /// LeRobot's id, if it has one of its own.
    pub id: Option<String>,
}

impl Default for PanelSettings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            units: Units::default(),
            ui_scale: 1.0,
            left_open: true,
            right_open: true,
            plot_open: true,
            sheet: Some(Sheet::Arms),
            workers_open: false,
            trials_open: false,
            left_width: None,
            right_width: None,
            plot_height: None,
            toggles: ViewToggles::default(),
            plot_joints: None,
            selected_arm: 0,
            last_scene: None,
            plot_error: false,
            devices: BTreeMap::new(),
            record: RecordSettings::default(),
        }
    }
}

impl PanelSettings {
    /// The same settings with sizes brought back to what can be used; files can hold anything.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        self.ui_scale = within(self.ui_scale, 0.5..=3.0).unwrap_or(1.0);
        self.left_width = self.left_width.and_then(|width| within(width, LEFT_WIDTH));
        self.right_width = self
            .right_width
            .and_then(|width| within(width, RIGHT_WIDTH));
        self.plot_height = self
            .plot_height
            .and_then(|height| within(height, PLOT_HEIGHT));
        self.record = self.record.sanitized();
        self
    }
}

/// Widths that the arms' panel can have, points.
pub(crate) const LEFT_WIDTH: RangeInclusive<f32> = 296.0..=480.0;
/// Widths that the panel with cameras and telemetry can have, points.
pub(crate) const RIGHT_WIDTH: RangeInclusive<f32> = 240.0..=720.0;
/// Heights that the plot can have, points.
pub(crate) const PLOT_HEIGHT: RangeInclusive<f32> = 140.0..=480.0;

fn within(value: f32, range: RangeInclusive<f32>) -> Option<f32> {
    value
        .is_finite()
        .then(|| value.clamp(*range.start(), *range.end()))
}

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// Light text on dark panels.
    #[default]
    Dark,
    /// Dark text on light panels.
    Light,
}

/// A panel of a window that is so narrow that only one is open at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sheet {
    /// The arms' cards.
    Arms,
    /// Camera images.
    Cameras,
    /// The recorder and the episodes.
    Record,
    /// The plot of joints.
    Plot,
    /// How well time is kept.
    Telemetry,
}

impl Sheet {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [
        Self::Arms,
        Self::Cameras,
        Self::Record,
        Self::Plot,
        Self::Telemetry,
    ];

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Arms => "Arms",
            Self::Cameras => "Cameras",
            Self::Record => "Record",
            Self::Plot => "Plot",
            Self::Telemetry => "Timing",
        }
    }
}

/// Where the camera of the picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ViewPreset {
    /// Everything, from the front right above.
    Overview,
    /// From the front.
    Front,
    /// From the side.
    Side,
    /// From above.
    Top,
    /// From the wrist.
    Wrist,
}

impl ViewPreset {
    /// All of them, in the order of their number keys 1 to 5.
    pub const ALL: [Self; 5] = [
        Self::Overview,
        Self::Front,
        Self::Side,
        Self::Top,
        Self::Wrist,
    ];

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Front => "Front",
            Self::Side => "Side",
            Self::Top => "Top",
            Self::Wrist => "Wrist",
        }
    }
}

/// Something in the picture that can be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ViewToggle {
    /// The grid on the floor.
    Grid,
    /// The transparent arm at the commanded pose.
    Ghost,
    /// The transparent arm where the simulated twin of a real arm is.
    Twin,
    /// Axes at each joint.
    Frames,
    /// The handle at the tool that can be dragged.
    ToolHandle,
}

impl ViewToggle {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Grid,
        Self::Ghost,
        Self::Twin,
        Self::Frames,
        Self::ToolHandle,
    ];

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Grid => "Grid",
            Self::Ghost => "Ghost at the target",
            Self::Twin => "Twin of a real arm",
            Self::Frames => "Joint frames",
            Self::ToolHandle => "Tool handle",
        }
    }
}

/// What the picture shows beside the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewToggles {
    /// [`ViewToggle::Grid`].
    pub grid: bool,
    /// [`ViewToggle::Ghost`].
    pub ghost: bool,
    /// [`ViewToggle::Twin`].
    pub twin: bool,
    /// [`ViewToggle::Frames`].
    pub frames: bool,
    /// [`ViewToggle::ToolHandle`].
    pub tool_handle: bool,
}

impl Default for ViewToggles {
    fn default() -> Self {
        Self {
            grid: true,
            ghost: true,
            twin: true,
            frames: false,
            tool_handle: true,
        }
    }
}

impl ViewToggles {
    /// Whether this is shown.
    #[must_use]
    pub fn get(&self, toggle: ViewToggle) -> bool {
        match toggle {
            ViewToggle::Grid => self.grid,
            ViewToggle::Ghost => self.ghost,
            ViewToggle::Twin => self.twin,
            ViewToggle::Frames => self.frames,
            ViewToggle::ToolHandle => self.tool_handle,
        }
    }

    /// Shows or hides this.
    pub fn set(&mut self, toggle: ViewToggle, on: bool) {
        match toggle {
            ViewToggle::Grid => self.grid = on,
            ViewToggle::Ghost => self.ghost = on,
            ViewToggle::Twin => self.twin = on,
            ViewToggle::Frames => self.frames = on,
            ViewToggle::ToolHandle => self.tool_handle = on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_settings_come_back() {
        let mut settings = PanelSettings {
            units: Units::LeRobot,
            ..PanelSettings::default()
        };
        settings.plot_joints = Some(["left/gripper".to_owned()].into());
        settings.toggles.set(ViewToggle::Frames, true);
        let device = KnownDevice {
            port: "/dev/ttyACM0".to_owned(),
            serial_number: Some("5A46083222".to_owned()),
            id: None,
        };
        settings.devices.insert("left/Leader".to_owned(), device);
        let text = ron::to_string(&settings).unwrap();
        assert_eq!(ron::from_str::<PanelSettings>(&text).unwrap(), settings);
    }

    #[test]
    fn a_file_of_another_version_loads() {
        let text = r#"(units: Radians, a_field_of_the_future: "x", toggles: (frames: true))"#;
        let settings: PanelSettings = ron::from_str(text).unwrap();
        assert_eq!(settings.units, Units::Radians);
        assert!(settings.toggles.frames && settings.toggles.grid);
        assert_eq!(settings.left_width, None);
    }

    #[test]
    fn useless_sizes_are_mended() {
        let settings = PanelSettings {
            left_width: Some(f32::NAN),
            right_width: Some(1e9),
            plot_height: Some(-4.0),
            ui_scale: f32::INFINITY,
            ..PanelSettings::default()
        }
        .sanitized();
        assert_eq!(settings.left_width, None);
        assert_eq!(settings.right_width, Some(720.0));
        assert_eq!(settings.plot_height, Some(140.0));
        assert_eq!(settings.ui_scale, 1.0);
    }
}
