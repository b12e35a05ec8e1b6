//! Recording, at the right: the form of a new recording; then buttons, cameras, room; and the list of
//! episodes.

mod camera_list;
pub(crate) mod controls;
mod episodes;
pub(crate) mod export;
pub(crate) mod field;
pub(crate) mod quality;
mod setup;
mod space;
pub(crate) mod strip;
mod upload;

use egui::{
    Align, Color32, Frame, Margin, Panel, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder,
};
use forearm_protocol::record::{Phase, Request};

use crate::actions::{Outbox, PanelAction};
use crate::figures;
use crate::inputs::PanelInputs;
use crate::recording::{RecordView, RightTab};
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

pub(crate) use camera_list::paint;

/// Room for a scroll bar in the margin, points.
const BAR: f32 = 8.0;

/// What the recorder's panels remember while they run.
#[derive(Debug, Default)]
pub(crate) struct RecordPanel {
    /// The ZIP file as it is being typed, while an export is being prepared.
    pub(crate) export: Option<String>,
    /// The token as it is being typed, while an upload is being prepared.
    pub(crate) token: Option<String>,
}

/// The tabs of the panel at the right, with their names.
pub(crate) const TABS: [(RightTab, &str); 3] = [
    (RightTab::Cameras, "Cameras"),
    (RightTab::Record, "Record"),
    (RightTab::Episodes, "Episodes"),
];

/// Draws which part is shown; answers with the one to show.
pub(crate) fn tabs(ui: &mut Ui, state: &mut PanelState, choices: &[(RightTab, &str)]) -> RightTab {
    let tab = &mut state.settings.record.tab;
    if let Some(chosen) = widgets::full_segments(ui, Some(*tab), choices, "right") {
        *tab = chosen;
    }
    *tab
}

/// Draws the recorder, or the episodes.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    match state.settings.record.tab {
        RightTab::Episodes => episodes::show(ui, state, inputs, out),
        RightTab::Cameras | RightTab::Record => recorder(ui, state, inputs, out),
    }
}

fn recorder(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    if view.state.phase == Phase::Closed {
        let line = Stroke::new(1.0, theme::palette(ui).line);
        Panel::bottom("record_open")
            .show_separator_line(false)
            .frame(Frame::new().inner_margin(Margin {
                top: 8,
                bottom: 12,
                ..Margin::ZERO
            }))
            .show(ui, |ui| {
                let top = ui.max_rect().min.y - 8.0;
                ui.painter().hline(ui.max_rect().x_range(), top, line);
                trouble(ui, view);
                setup::open(ui, state, inputs, out);
            });
    }
    scroll(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        recover(ui, view, out);
        if view.state.phase == Phase::Closed {
            setup::form(ui, state, inputs);
        } else {
            trouble(ui, view);
            controls::buttons(ui, state, inputs, out);
            which_keys(ui, state, inputs);
            ui.add_space(4.0);
            setup::task(ui, state, view, out);
            ui.add_space(4.0);
            figures(ui, state, inputs, view);
        }
        ui.add_space(4.0);
        camera_list::show(ui, state, inputs, out);
        ui.add_space(12.0);
    });
}

/// Draws what can be scrolled; the bar lies in the margin at the right.
fn scroll(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    beside_bar(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let width = ui.available_width() - BAR;
            ui.set_max_width(width);
            contents(ui);
        });
    });
}

/// Draws into the place that is left, and into the margin where the bar of a scroll area lies.
fn beside_bar(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let place = ui.available_rect_before_wrap();
    let wider = place.with_max_x(place.max.x + BAR);
    // A child: what it takes must not make the panel wider.
    contents(&mut ui.new_child(UiBuilder::new().max_rect(wider)));
    ui.allocate_rect(place, Sense::hover());
}

/// Draws what went wrong last.
pub(crate) fn trouble(ui: &mut Ui, view: &RecordView) {
    let Some(error) = &view.error else { return };
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.danger_soft)
        .stroke(Stroke::new(1.0, palette.danger))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            widgets::note(ui, error, palette.strong);
        });
    ui.add_space(4.0);
}

/// Offers an episode that a crash left behind, if there is one.
fn recover(ui: &mut Ui, view: &RecordView, out: &mut Outbox) {
    let Some(found) = &view.state.recoverable else {
        return;
    };
    let palette = theme::palette(ui);
    let fps = view.dataset.as_ref().map_or(0, |dataset| dataset.fps);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.warning))
        .corner_radius(8)
        .inner_margin(Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let title = format!("Episode {} was cut off", found.episode);
            ui.label(RichText::new(title).color(palette.warning));
            let length = match fps {
                0 => format!("{} rows", found.frames),
                fps => {
                    let secs = f64::from(found.frames) / f64::from(fps);
                    format!("{} rows, {}", found.frames, figures::duration(secs))
                }
            };
            widgets::note(
                ui,
                &format!(
                    "The recorder ended in the middle of it. All of it that was accepted is there: \
                     {length} of “{}”.",
                    found.task
                ),
                palette.text,
            );
            ui.horizontal(|ui| {
                let gap = ui.spacing().item_spacing.x;
                let half = ((ui.available_width() - gap) / 2.0).floor();
                let mut answer = None;
                if widgets::filled_button(ui, "Keep it", half, palette.accent).clicked() {
                    answer = Some(true);
                }
                let size = egui::vec2(half, theme::CONTROL_HEIGHT);
                let away = ui.add_sized(size, egui::Button::new("Throw it away"));
                if away.on_hover_text("It can't be had back then").clicked() {
                    answer = Some(false);
                }
                if let Some(keep) = answer {
                    let request = Request::Recover(keep);
                    out.actions.push(PanelAction::Record(request));
                }
            });
        });
    ui.add_space(4.0);
}

/// Says which keys work, where that is not what one expects.
fn which_keys(ui: &mut Ui, state: &PanelState, inputs: &PanelInputs) {
    let Some(view) = &inputs.record else { return };
    let under_way = view.in_episode() || view.state.phase == Phase::Resetting;
    let text = match (under_way, controls::has_arrows(state, inputs)) {
        (false, _) => return,
        (true, true) => "Keys as in LeRobot; Esc is the emergency stop.",
        (true, false) => "Arrows and Q drive the arm; N, R, P, F work. Esc is the emergency stop.",
    };
    widgets::hint(ui, text);
}

/// Draws the numbers of a recording: ticks, rows, room.
fn figures(ui: &mut Ui, state: &PanelState, inputs: &PanelInputs, view: &RecordView) {
    let palette = theme::palette(ui);
    let record = &view.state;
    let mut row = |name: &str, value: &str, color: Color32, about: &str| {
        widgets::value_row(ui, name, value, theme::mono(), color).on_hover_text(about);
    };
    let (ticks, color) = match record.ticks_lost {
        0 => (format!("{:.1} Hz", record.tick_hz), palette.strong),
        lost => (
            format!("{:.1} Hz, {lost} lost", record.tick_hz),
            palette.danger,
        ),
    };
    row(
        "Control",
        &ticks,
        color,
        "Ticks of the control loop that come in",
    );
    let rows = record.frames.to_string();
    let name = format!("Rows of episode {}", record.episode);
    row(
        &name,
        &rows,
        palette.strong,
        "What is written of the episode in hand so far",
    );
    if let Some(space) = space::left(&state.settings.record, view, inputs) {
        let color = if space.little {
            palette.warning
        } else {
            palette.weak
        };
        widgets::note(ui, &space.text, color);
    }
    if let Some(dataset) = &view.dataset {
        ui.with_layout(egui::Layout::top_down(Align::Min), |ui| {
            widgets::hint(ui, &dataset.name);
        });
    }
}
