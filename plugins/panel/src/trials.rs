//! Trials: a motion again and again in the background, each time with the objects a little
//! elsewhere; how often it ends as it should, and how long a run takes.

use std::ops::RangeInclusive;

use egui::{Align, Color32, DragValue, Layout, RichText, Sense, Ui, vec2};

use crate::actions::{Outbox, PanelAction};
use crate::figures;
use crate::inputs::{PanelInputs, ScriptEntry};
use crate::state::{PanelState, TrialForm};
use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;
use crate::workers::TrialsView;

/// How many runs can be asked for.
const RUNS: RangeInclusive<u32> = 1..=200;
/// How far objects can be moved, centimetres.
const JITTER_CM: RangeInclusive<f64> = 0.0..=10.0;
/// From this width on the form is one line, points.
const WIDE: f32 = 480.0;
const ABOUT: &str = "Plays the motion in the background, each time with the objects a little \
                     elsewhere.";

/// Draws the form and what came of it.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.workers.trials else {
        return;
    };
    ui.spacing_mut().item_spacing.y = 4.0;
    let closed = widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, "Trials");
        },
        |ui| widgets::icon_button(ui, widgets::CLOSE, "Close the trials").clicked(),
    );
    if closed {
        state.settings.trials_open = false;
    }
    widgets::hint(ui, ABOUT);
    ui.add_space(4.0);
    let Some(chosen) = chosen(state, inputs) else {
        widgets::hint(ui, "No motion files were found.");
        return;
    };
    let form = &mut state.trial;
    if view.running {
        let what = format!("{}, {} runs", chosen.name, view.runs);
        widgets::sides(
            ui,
            |ui| label(ui, &what),
            |ui| {
                let cancel = egui::Button::new("Cancel").min_size(vec2(80.0, CONTROL_HEIGHT));
                if ui.add(cancel).clicked() {
                    out.actions.push(PanelAction::CancelTrials);
                }
            },
        );
    } else if ui.available_width() >= WIDE {
        let fields = |ui: &mut Ui, form: &mut TrialForm| {
            motions(ui, form, chosen, inputs, 140.0);
            ui.add_space(4.0);
            label(ui, "runs");
            runs(ui, form);
            ui.add_space(4.0);
            label(ui, "moved by up to");
            jitter(ui, form);
        };
        widgets::ends(ui, |ui| {
            start(ui, form, chosen, out);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| fields(ui, form));
        });
    } else {
        let width = ui.available_width();
        motions(ui, form, chosen, inputs, width);
        let left = |text: &'static str| move |ui: &mut Ui| label(ui, text);
        widgets::sides(ui, left("Runs"), |ui| runs(ui, form));
        widgets::sides(ui, left("Objects move by up to"), |ui| jitter(ui, form));
        widgets::ends(ui, |ui| start(ui, form, chosen, out));
    }
    outcome(ui, view);
}

/// The motion that is tried: the one that was chosen here, else the selected arm's.
fn chosen<'a>(state: &PanelState, inputs: &'a PanelInputs) -> Option<&'a ScriptEntry> {
    let card = state.arms.get(state.settings.selected_arm);
    let arm = card.and_then(|card| card.script.as_ref());
    let wanted = state.trial.motion.as_ref().or(arm);
    let entry = inputs
        .scripts
        .iter()
        .find(|script| Some(&script.id) == wanted);
    entry.or(inputs.scripts.first())
}

fn label(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).weak;
    ui.label(RichText::new(text).color(color));
}

fn motions(
    ui: &mut Ui,
    form: &mut TrialForm,
    chosen: &ScriptEntry,
    inputs: &PanelInputs,
    width: f32,
) {
    let (button, picked) = widgets::menu(ui, &chosen.name, width, |ui| {
        let mut picked = None;
        for script in &inputs.scripts {
            if widgets::menu_entry(ui, script.id == chosen.id, &script.name).clicked() {
                picked = Some(script.id.clone());
            }
        }
        picked
    });
    button.on_hover_text("The motion that is tried");
    if let Some(Some(id)) = picked {
        form.motion = Some(id);
    }
}

fn runs(ui: &mut Ui, form: &mut TrialForm) {
    let field = DragValue::new(&mut form.runs).range(RUNS).speed(0.2);
    ui.add_sized(vec2(52.0, CONTROL_HEIGHT), field)
        .on_hover_text("How often the motion is tried, 1 to 200");
}

fn jitter(ui: &mut Ui, form: &mut TrialForm) {
    let mut shown = form.jitter_m * 100.0;
    let field = DragValue::new(&mut shown)
        .range(JITTER_CM)
        .speed(0.02)
        .fixed_decimals(1)
        .suffix(" cm");
    let field = ui
        .add_sized(vec2(72.0, CONTROL_HEIGHT), field)
        .on_hover_text("How far each object is moved at random, at most, in each direction");
    if field.changed() {
        form.jitter_m = shown / 100.0;
    }
}

/// Draws the button that starts the trials.
fn start(ui: &mut Ui, form: &TrialForm, chosen: &ScriptEntry, out: &mut Outbox) {
    let accent = theme::palette(ui).accent;
    if widgets::filled_button(ui, "Try", 80.0, accent).clicked() {
        out.actions.push(PanelAction::StartTrials {
            motion: chosen.id.clone(),
            runs: form.runs,
            jitter_m: form.jitter_m,
        });
    }
}

/// Draws how far the trials are and what they have shown.
fn outcome(ui: &mut Ui, view: &TrialsView) {
    let palette = theme::palette(ui);
    if let Some(error) = &view.error {
        ui.add_space(4.0);
        ui.add(egui::Label::new(RichText::new(error).color(palette.danger)).wrap());
    }
    if view.runs == 0 {
        return;
    }
    ui.add_space(8.0);
    let size = vec2(ui.available_width(), 8.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let part = |count: u32| count as f32 / view.runs as f32;
    widgets::bar(
        ui,
        rect,
        &[
            (part(view.succeeded), palette.good),
            (part(view.failed), palette.danger),
        ],
    );
    ui.add_space(2.0);
    let text = |text: &str, color: Color32| RichText::new(text).color(color);
    ui.horizontal_wrapped(|ui| {
        ui.label(text(&result(view), palette.strong));
        if let Some(rest) = rest(view) {
            ui.label(text(&rest, palette.weak));
        }
    });
    if let Some(times) = times(view) {
        widgets::hint(ui, &times);
    }
}

/// How often the motion did what it should, in words.
fn result(view: &TrialsView) -> String {
    match view.done {
        0 => "No run has ended yet".to_owned(),
        done => format!(
            "{} of {done} ended with every object in its tray",
            view.succeeded
        ),
    }
}

/// What is still to come, or was given up; `None` if nothing is.
fn rest(view: &TrialsView) -> Option<String> {
    let left = view.runs.saturating_sub(view.done);
    match (view.running, left) {
        (true, left) => Some(format!("{left} to go")),
        (false, 0) => None,
        (false, left) => Some(format!("{left} not run")),
    }
}

/// How long a run took, in words; `None` before it is known.
fn times(view: &TrialsView) -> Option<String> {
    match view.p50_p95_secs {
        Some((p50, p95)) if p95 > 0.0 => Some(format!(
            "A run took {} (p50), {} (p95)",
            figures::duration(p50),
            figures::duration(p95)
        )),
        _ if view.secs_per_run > 0.0 => Some(format!(
            "A run took {} in the mean",
            figures::duration(view.secs_per_run)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_read_as_sentences() {
        let mut view = TrialsView {
            running: true,
            runs: 20,
            ..TrialsView::default()
        };
        assert_eq!(result(&view), "No run has ended yet");
        assert_eq!(rest(&view).as_deref(), Some("20 to go"));
        assert_eq!(times(&view), None);
        (view.done, view.succeeded, view.failed) = (12, 11, 1);
        view.running = false;
        assert_eq!(
            result(&view),
            "11 of 12 ended with every object in its tray"
        );
        assert_eq!(rest(&view).as_deref(), Some("8 not run"));
        (view.done, view.succeeded, view.failed) = (20, 18, 2);
        view.secs_per_run = 0.84;
        assert_eq!(rest(&view), None);
        assert_eq!(
            times(&view).as_deref(),
            Some("A run took 840 ms in the mean")
        );
        view.p50_p95_secs = Some((0.812, 1.204));
        assert_eq!(
            times(&view).as_deref(),
            Some("A run took 812 ms (p50), 1.20 s (p95)")
        );
    }
}
