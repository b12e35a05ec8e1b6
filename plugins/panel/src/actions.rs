//! What the panels ask for. They never act themselves.

use forearm_protocol::control::{ArmIndex, Command, Request};
use forearm_protocol::record;
use forearm_protocol::servo::{Device, SerialArm};

use crate::devices::Mover;
use crate::editor::EditorAction;
use crate::settings::{ThemeChoice, ViewPreset, ViewToggle};

/// Something a person asked for that the app carries out.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy::prelude::Message))]
pub enum PanelAction {
    /// Ask the control service.
    Request(Request),
    /// Load the scene with this [`SceneEntry::id`](crate::SceneEntry::id).
    SelectScene(String),
    /// Keys, gamepad and the dragged tool drive this arm from now on.
    SelectArm(ArmIndex),
    /// Look from here.
    SetView(ViewPreset),
    /// Show or hide something in the picture.
    Toggle(ViewToggle, bool),
    /// Use this theme.
    SetTheme(ThemeChoice),
    /// Play the motion with this [`ScriptEntry::id`](crate::ScriptEntry::id).
    PlayScript {
        /// Which arm plays it.
        arm: ArmIndex,
        /// Which motion.
        id: String,
    },
    /// Have something else move an arm: the app adds the calibration or the motion.
    SetMover {
        /// Which arm.
        arm: ArmIndex,
        /// What moves it.
        mover: Mover,
    },
    /// Connect to a leader arm, or leave the present one; the app adds the calibration.
    SetLeader {
        /// Which arm follows it.
        arm: ArmIndex,
        /// The leader.
        leader: Option<SerialArm>,
    },
    /// Write the calibration that is stored for this arm into its motors.
    WriteCalibration(Device),
    /// Have the browser ask its person which more serial ports this page may use; only where
    /// [`DevicesView::can_add`](crate::DevicesView::can_add).
    AddPort,
    /// List the serial ports anew, in [`DevicesView::ports`](crate::DevicesView::ports).
    ListPorts,
    /// Start the service with this [`ServiceRow::name`](crate::ServiceRow::name) again.
    RestartService(String),
    /// Log every message between app and services, or only what matters.
    SetDiagnostics(bool),
    /// Play a motion many times in the background, with the objects moved at random.
    StartTrials {
        /// The motion's [`ScriptEntry::id`](crate::ScriptEntry::id).
        motion: String,
        /// How many times.
        runs: u32,
        /// How far each object is moved at most, along each axis of the table, metres.
        jitter_m: f64,
    },
    /// Give up the trials that are being run.
    CancelTrials,
    /// Ask the record service; what it answers is shown in
    /// [`PanelInputs::record`](crate::PanelInputs::record).
    Record(record::Request),
    /// Stop the export, or whatever else the record service takes its time for.
    CancelRecordWork,
    /// Show the numbers of this episode: [`RecordView::series`](crate::RecordView::series).
    ShowEpisode(u32),
    /// Show this row, in [`RecordView::frame`](crate::RecordView::frame). Of several only the last
    /// matters.
    ShowFrame {
        /// The episode.
        episode: u32,
        /// The row, from 0.
        frame: u32,
    },
    /// Show an episode's first picture in
    /// [`RecordView::thumbnails`](crate::RecordView::thumbnails). It is asked for in every frame
    /// until it is there.
    ShowThumbnail(u32),
    /// Have an arm do what was recorded in an episode.
    ReplayEpisode {
        /// Which arm.
        arm: ArmIndex,
        /// The episode.
        episode: u32,
    },
    /// Edit the scene, or ask the editor for something.
    Editor(EditorAction),
    /// [`PanelState::settings`](crate::PanelState::settings) differ from what was stored last.
    SettingsChanged,
}

/// What one frame of the panels asks for.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the control service; no answer.
    pub commands: Vec<Command>,
    /// For the app.
    pub actions: Vec<PanelAction>,
}

impl Outbox {
    /// Asks the control service, through the app.
    pub fn request(&mut self, request: Request) {
        self.actions.push(PanelAction::Request(request));
    }
}
