//! What the panels remember while they run: choices, notices, sliders in the hand.

use std::collections::BTreeSet;

use egui::{Rect, Response, Ui};
use egui_plot::PlotPoint;
use forearm_protocol::control::Notice;

use crate::browser::Browser;
use crate::devices::MoverKind;
use crate::editor::EditorPanel;
use crate::history::History;
use crate::record::RecordPanel;
use crate::settings::{PanelSettings, ThemeChoice};
use crate::sliders::SliderTargets;
use crate::toasts::Toasts;

/// What the panels remember while they run. [`PanelState::settings`] outlives the run.
#[derive(Debug, Default)]
#[cfg_attr(feature = "bevy", derive(bevy::prelude::Resource))]
pub struct PanelState {
    /// Choices and layout, to be stored by the app.
    pub settings: PanelSettings,
    /// Notices on show.
    pub toasts: Toasts,
    /// Whether the help is open.
    pub help_open: bool,
    /// The settings that [`PanelAction::SettingsChanged`](crate::PanelAction) was last sent for.
    pub(crate) announced: Option<PanelSettings>,
    /// The theme that the egui context has.
    pub(crate) applied_theme: Option<ThemeChoice>,
    /// What each arm's card remembers.
    pub(crate) arms: Vec<ArmCard>,
    /// The scene that [`PanelState::arms`] belongs to.
    pub(crate) generation: Option<u64>,
    /// What the plot shows while it is paused.
    pub(crate) frozen: Option<History>,
    /// The plot's lines, kept for their memory.
    pub(crate) lines: Vec<Vec<PlotPoint>>,
    /// The camera that is shown large.
    pub(crate) enlarged: Option<String>,
    /// The services whose kinds of work are shown, by name.
    pub(crate) unfolded: BTreeSet<String>,
    /// What trials are asked for.
    pub(crate) trial: TrialForm,
    /// The dataset browser, while it is open.
    pub(crate) browser: Option<Browser>,
    /// What the scene editor's panels remember.
    pub(crate) editor: EditorPanel,
    /// What the recorder's panels remember.
    pub(crate) record: RecordPanel,
    /// Where the emergency stop was drawn last.
    pub(crate) e_stop: Option<Rect>,
    /// Whether the pointer that pressed the emergency stop is still down.
    pub(crate) e_stop_held: bool,
}

/// What trials of a motion are asked for.
#[derive(Debug)]
pub(crate) struct TrialForm {
    /// The motion, a [`ScriptEntry::id`](crate::ScriptEntry::id); `None` for the selected arm's.
    pub(crate) motion: Option<String>,
    /// How often it is tried.
    pub(crate) runs: u32,
    /// How far objects are moved at most, metres.
    pub(crate) jitter_m: f64,
}

impl Default for TrialForm {
    fn default() -> Self {
        Self {
            motion: None,
            runs: 20,
            jitter_m: 0.02,
        }
    }
}

/// What an arm's card remembers.
#[derive(Debug, Default)]
pub(crate) struct ArmCard {
    /// The targets that a person holds.
    pub(crate) sliders: SliderTargets,
    /// The safety chain's last intervention and until when it is shown, seconds.
    pub(crate) limited: Option<(String, f64)>,
    /// The motion chosen for playing, a [`ScriptEntry::id`](crate::ScriptEntry::id).
    pub(crate) script: Option<String>,
    /// What moves it, and its leader.
    pub(crate) devices: DeviceCard,
}

/// What an arm's card remembers of real arms.
#[derive(Debug, Default)]
pub(crate) struct DeviceCard {
    /// What a person is about to have move the arm, while that is not what moves it.
    pub(crate) tab: Option<MoverKind>,
    /// What was asked for last, shown until it moves the arm, or until then, seconds.
    pub(crate) asked: Option<(MoverKind, f64)>,
    /// Whether a leader is being chosen.
    pub(crate) leader_open: bool,
    /// What is filled in for the arm itself, and for its leader.
    pub(crate) forms: [PortForm; 2],
    /// The motion chosen for a replay, a [`ScriptEntry::id`](crate::ScriptEntry::id).
    pub(crate) replay: Option<String>,
    /// Whether the numbers of the arm's bus are shown, and of its leader's.
    pub(crate) bus_open: [bool; 2],
}

/// Which port a person wants to connect to.
#[derive(Debug, Default)]
pub(crate) struct PortForm {
    /// The port; `None` for the one that was used last, or the only one that looks like an arm.
    pub(crate) port: Option<String>,
    /// A port that is not listed, as it is being typed; `None` for the one that was used last.
    pub(crate) typed: Option<String>,
    /// LeRobot's id of the arm, as it is being typed; `None` for the one that was used last.
    pub(crate) id: Option<String>,
    /// Whether ports that don't look like arms are listed, too.
    pub(crate) all_ports: bool,
    /// When ports are looked for again, seconds.
    pub(crate) look_at: Option<f64>,
}

impl PanelState {
    /// A state with stored settings.
    #[must_use]
    pub fn new(settings: PanelSettings) -> Self {
        Self {
            settings: settings.sanitized(),
            ..Self::default()
        }
    }

    /// Shows a notice.
    pub fn notify(&mut self, notice: Notice) {
        self.toasts.push(notice);
    }

    /// Whether a person wants what the emergency stop's button says: to stop, at once when it goes
    /// down, however long it is held; to go on (`stopped`), with a click that is not the stop's own.
    pub(crate) fn e_stop_used(&mut self, ui: &Ui, response: &Response, stopped: bool) -> bool {
        let (pressed, down) = ui.input(|input| {
            let pointer = &input.pointer;
            (pointer.primary_pressed(), pointer.any_down())
        });
        let clicked = response.clicked() && !self.e_stop_held;
        let at_once = !stopped && pressed && response.is_pointer_button_down_on();
        self.e_stop_held = down && (self.e_stop_held || at_once);
        at_once || clicked
    }

    /// Lets go of all sliders.
    pub(crate) fn release_sliders(&mut self) {
        for card in &mut self.arms {
            card.sliders.release();
        }
    }
}
