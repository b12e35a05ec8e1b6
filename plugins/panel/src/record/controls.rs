//! What a person can do with a recording: buttons and keys, and why not, where not.
//!
//! Keys are LeRobot's arrows and letters that drive no joint. The arrows, and Q, are the recorder's
//! only while keys don't drive the selected arm. Escape stays the emergency stop.

use egui::{Event, Key, RichText, Ui, vec2};
use forearm_protocol::control::TeleopMode;
use forearm_protocol::record::{Phase, Request};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::recording::{RecordView, RightTab};
use crate::state::PanelState;
use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;

/// Something to do with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin an episode, end it early, or end the reset time.
    Forward,
    /// Throw the episode away and record it again.
    Rerecord,
    /// Stop the episode's clock, or let it go on.
    Pause,
    /// End the recording.
    Finish,
    /// Leave dataset and cameras.
    Close,
}

impl Step {
    /// Those that have keys.
    const WITH_KEYS: [Self; 4] = [Self::Forward, Self::Rerecord, Self::Pause, Self::Finish];

    /// The keys that always work; how the first one is written is in [`Step::caps`].
    fn letters(self) -> &'static [Key] {
        match self {
            Self::Forward => &[Key::N],
            Self::Rerecord => &[Key::R],
            Self::Pause => &[Key::P, Key::Space],
            Self::Finish => &[Key::F],
            Self::Close => &[],
        }
    }

    /// The key that works while keys don't drive the arm: LeRobot's.
    fn arrow(self) -> Option<Key> {
        match self {
            Self::Forward => Some(Key::ArrowRight),
            Self::Rerecord => Some(Key::ArrowLeft),
            Self::Finish => Some(Key::Q),
            Self::Pause | Self::Close => None,
        }
    }

    /// The keys that work, as they are written.
    pub(crate) fn caps(self, arrows: bool) -> &'static str {
        match (self, arrows) {
            (Self::Forward, true) => "→ N",
            (Self::Forward, false) => "N",
            (Self::Rerecord, true) => "← R",
            (Self::Rerecord, false) => "R",
            (Self::Pause, _) => "P",
            (Self::Finish, true) => "Q F",
            (Self::Finish, false) => "F",
            (Self::Close, _) => "",
        }
    }

    /// What it is called in a phase.
    pub(crate) fn label(self, view: &RecordView) -> String {
        let phase = view.state.phase;
        match (self, phase) {
            (Self::Forward, Phase::Recording | Phase::Paused | Phase::Saving) => {
                "End episode".to_owned()
            }
            (Self::Forward, Phase::Resetting) => "Start now".to_owned(),
            (Self::Forward, Phase::Finished) => "Record one more".to_owned(),
            (Self::Forward, _) => "Start recording".to_owned(),
            (Self::Rerecord, _) => "Re-record".to_owned(),
            (Self::Pause, Phase::Paused) => "Go on".to_owned(),
            (Self::Pause, _) => "Pause".to_owned(),
            (Self::Finish, _) => "Finish".to_owned(),
            (Self::Close, _) => "Close".to_owned(),
        }
    }

    /// What it does, for the pointer that rests on it.
    fn about(self, phase: Phase) -> &'static str {
        match (self, phase) {
            (Self::Forward, Phase::Recording | Phase::Paused) => "End this episode now and keep it",
            (Self::Forward, Phase::Resetting) => "Don't wait: begin the next episode",
            (Self::Forward, Phase::Finished) => "Begin an episode more than were wanted",
            (Self::Forward, _) => "Begin the first episode",
            (Self::Rerecord, Phase::Resetting | Phase::Finished) => {
                "Throw the episode that was just recorded away and record it again"
            }
            (Self::Rerecord, _) => "Throw this episode away and record it again",
            (Self::Pause, Phase::Paused) => "Let the episode's clock go on",
            (Self::Pause, _) => "Stop the episode's clock; what happens meanwhile is left out",
            (Self::Finish, _) => "End the recording; the episode in hand is kept",
            (Self::Close, _) => "Close the dataset and the cameras",
        }
    }

    /// Why it can't be done now; `None` if it can.
    pub(crate) fn obstacle(self, view: &RecordView) -> Option<&'static str> {
        let phase = view.state.phase;
        if phase == Phase::Closed {
            return Some("No dataset is open");
        }
        if phase == Phase::Saving {
            return Some("The episode is being written");
        }
        let recording = matches!(phase, Phase::Recording | Phase::Paused);
        match self {
            Self::Forward if view.state.recoverable.is_some() && !recording => {
                Some("Decide first what becomes of the episode that was cut off")
            }
            Self::Rerecord if phase == Phase::Ready => Some("No episode was recorded yet"),
            Self::Pause if !recording => Some("No episode is being recorded"),
            Self::Finish if matches!(phase, Phase::Ready | Phase::Finished) => {
                Some("Nothing is being recorded: Close leaves")
            }
            Self::Close if recording || phase == Phase::Resetting => {
                Some("Finish the recording first")
            }
            _ => None,
        }
    }

    /// What the record service is asked.
    fn request(self, phase: Phase) -> Request {
        match (self, phase) {
            (Self::Forward, Phase::Ready | Phase::Finished) => Request::Start,
            (Self::Forward, _) => Request::NextEpisode,
            (Self::Rerecord, _) => Request::Rerecord,
            (Self::Pause, phase) => Request::Pause(phase != Phase::Paused),
            (Self::Finish, _) => Request::Finish,
            (Self::Close, _) => Request::Close,
        }
    }
}

/// Does it, if it can be done.
fn go(step: Step, view: &RecordView, out: &mut Outbox) {
    if step.obstacle(view).is_none() {
        let request = step.request(view.state.phase);
        out.actions.push(PanelAction::Record(request));
    }
}

/// Whether arrows, and Q, are the recorder's: a recording is under way, and keys don't drive the
/// selected arm.
pub(crate) fn has_arrows(state: &PanelState, inputs: &PanelInputs) -> bool {
    let under_way = inputs
        .record
        .as_ref()
        .is_some_and(|view| view.in_episode() || matches!(view.state.phase, Phase::Resetting));
    let arm = state.settings.selected_arm;
    let update = inputs.state.as_ref();
    let mode = update.and_then(|update| Some(update.arms.get(arm)?.mode));
    under_way && mode != Some(TeleopMode::Keyboard)
}

/// Does what keys ask for. Nobody calls this while a field has the keyboard.
pub(crate) fn keys(ui: &Ui, state: &PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    let under_way = view.in_episode() || view.state.phase == Phase::Resetting;
    // Before the first episode only what is in sight has keys.
    let still = matches!(view.state.phase, Phase::Ready | Phase::Finished);
    let ready = still && state.settings.record.tab == RightTab::Record;
    if !(under_way || ready) {
        return;
    }
    // A key that is held must not end one episode after the other.
    let pressed = |wanted: Key| {
        ui.input(|input| {
            input.events.iter().any(|event| {
                matches!(event, Event::Key { key, pressed: true, repeat: false, modifiers, .. }
                    if *key == wanted && !modifiers.ctrl && !modifiers.alt && !modifiers.command)
            })
        })
    };
    // Space also presses the button that has the keyboard.
    let free = ui.memory(|memory| memory.focused().is_none());
    let arrows = has_arrows(state, inputs);
    for step in Step::WITH_KEYS {
        let mut letters = step.letters().iter();
        let letter = letters.any(|key| (free || *key != Key::Space) && pressed(*key));
        let arrow = arrows && step.arrow().is_some_and(pressed);
        if letter || arrow {
            go(step, view, out);
            return;
        }
    }
}

/// Draws all buttons, in a place of their own each.
pub(crate) fn buttons(ui: &mut Ui, state: &PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    let arrows = has_arrows(state, inputs);
    let palette = theme::palette(ui);
    let width = ui.available_width();
    let fill = palette.accent;
    button(
        ui,
        Step::Forward,
        view,
        arrows,
        vec2(width, 40.0),
        Some(fill),
        out,
    );
    let gap = ui.spacing().item_spacing.x;
    let half = vec2(((width - gap) / 2.0).floor(), 30.0);
    for pair in [[Step::Rerecord, Step::Pause], [Step::Finish, Step::Close]] {
        ui.horizontal(|ui| {
            for step in pair {
                button(ui, step, view, arrows, half, None, out);
            }
        });
    }
}

/// Draws the buttons that matter most, small, from right to left.
pub(crate) fn quick(ui: &mut Ui, state: &PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    let arrows = has_arrows(state, inputs);
    let steps = match view.state.phase {
        Phase::Finished => [Some(Step::Close), Some(Step::Forward)],
        Phase::Ready => [Some(Step::Forward), None],
        _ => [Some(Step::Forward), Some(Step::Rerecord)],
    };
    for step in steps.into_iter().flatten() {
        let text = step.label(view);
        let caps = widgets::width_of(ui, step.caps(arrows), theme::mono_small());
        let width = widgets::width_of(ui, &text, theme::body()) + caps + 36.0;
        if width > ui.available_width() {
            continue;
        }
        button(
            ui,
            step,
            view,
            arrows,
            vec2(width, CONTROL_HEIGHT + 2.0),
            (step == Step::Forward).then_some(theme::palette(ui).accent),
            out,
        );
    }
}

fn button(
    ui: &mut Ui,
    step: Step,
    view: &RecordView,
    arrows: bool,
    size: egui::Vec2,
    fill: Option<egui::Color32>,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let obstacle = step.obstacle(view);
    let enabled = obstacle.is_none();
    let phase = view.state.phase;
    let color = match fill {
        Some(_) if enabled => palette.on_accent,
        _ => palette.text,
    };
    let mut button = egui::Button::new(RichText::new(step.label(view)).color(color)).min_size(size);
    if let Some(fill) = fill.filter(|_| enabled) {
        button = button.fill(fill);
    }
    if step != Step::Close {
        let caps = RichText::new(step.caps(arrows)).font(theme::mono_small());
        button = button.right_text(caps.color(color));
    }
    let shown = ui.add_enabled(enabled, button);
    let shown = match obstacle {
        Some(why) => shown.on_disabled_hover_text(why),
        None => shown.on_hover_text(step.about(phase)),
    };
    if shown.clicked() {
        go(step, view, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Step; 5] = [
        Step::Forward,
        Step::Rerecord,
        Step::Pause,
        Step::Finish,
        Step::Close,
    ];

    fn possible(phase: Phase) -> Vec<Step> {
        let mut view = RecordView::default();
        view.state.phase = phase;
        ALL.into_iter()
            .filter(|step| step.obstacle(&view).is_none())
            .collect()
    }

    #[test]
    fn each_phase_has_what_can_be_done_in_it() {
        use Step::{Close, Finish, Forward, Pause, Rerecord};
        assert_eq!(possible(Phase::Closed), []);
        assert_eq!(possible(Phase::Ready), [Forward, Close]);
        let running = [Forward, Rerecord, Pause, Finish];
        assert_eq!(possible(Phase::Recording), running);
        assert_eq!(possible(Phase::Paused), running);
        assert_eq!(possible(Phase::Saving), []);
        assert_eq!(possible(Phase::Resetting), [Forward, Rerecord, Finish]);
        assert_eq!(possible(Phase::Finished), [Forward, Rerecord, Close]);
    }

    #[test]
    fn no_key_that_always_works_drives_a_joint() {
        use forearm_protocol::keys::KEY_BINDINGS;
        for step in Step::WITH_KEYS {
            for key in step.letters() {
                let name = key.name();
                let drives = KEY_BINDINGS.iter().any(|binding| binding.label == name);
                assert!(!drives, "{name} drives a joint");
            }
            assert_eq!(step.caps(false), step.letters()[0].name());
        }
    }

    #[test]
    fn keys_are_written_as_they_work() {
        assert_eq!(Step::Forward.caps(true), "→ N");
        assert_eq!(Step::Forward.caps(false), "N");
        assert_eq!(Step::Pause.caps(true), "P");
    }
}
