//! The panels in a window as narrow as a phone: the picture above, one panel at a time below it,
//! and the emergency stop always in the bar at the top.

use egui::{Frame, Margin, Panel, Rect, ScrollArea, Ui};

use crate::actions::Outbox;
use crate::inputs::PanelInputs;
use crate::recording::RightTab;
use crate::settings::Sheet;
use crate::state::PanelState;
use crate::theme;
use crate::{arms, cameras, plot, record, telemetry, top_bar, widgets};

/// A window narrower than this is narrow, points.
pub(crate) const WIDTH: f32 = 800.0;

/// Height of the bar at the top, points.
pub(crate) const BAR: f32 = 76.0;
const TABS: f32 = 44.0;
/// Share of the window's height that a panel takes, and its least and greatest height, points.
const SHARE: f32 = 0.4;
const LEAST: f32 = 140.0;
const MOST: f32 = 360.0;

/// Draws bar, tabs and the chosen panel; answers with what is left for the picture.
pub(crate) fn show(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    out: &mut Outbox,
) -> Rect {
    let palette = theme::palette(ui);
    let bare = Frame::new().fill(palette.panel);
    let height = (SHARE * ui.available_height()).clamp(LEAST, MOST).round();
    Panel::top("narrow_bar")
        .exact_size(BAR)
        .show_separator_line(false)
        .frame(bare.inner_margin(Margin::symmetric(12, 10)))
        .show(ui, |ui| top_bar::show_narrow(ui, state, inputs, out));
    Panel::bottom("tabs")
        .exact_size(TABS)
        .show_separator_line(false)
        .frame(bare.inner_margin(Margin::symmetric(12, 0)))
        .show(ui, |ui| tabs(ui, state, inputs));
    let sheet = state.settings.sheet.filter(|sheet| offered(*sheet, inputs));
    // The browser needs the place.
    if let Some(sheet) = sheet.filter(|_| state.browser.is_none()) {
        let margin = match sheet {
            // Cards bring their own.
            Sheet::Arms => Margin::ZERO,
            _ => Margin {
                top: 8,
                bottom: 0,
                ..Margin::same(12)
            },
        };
        Panel::bottom("sheet")
            .exact_size(height)
            .show_separator_line(false)
            .frame(bare.inner_margin(margin))
            .show(ui, |ui| content(ui, sheet, state, inputs, out));
    }
    record::strip::show(ui, state, inputs, sheet == Some(Sheet::Record), out);
    ui.available_rect_before_wrap()
}

/// Whether a panel has something to show.
fn offered(sheet: Sheet, inputs: &PanelInputs) -> bool {
    sheet != Sheet::Record || inputs.record.is_some()
}

fn tabs(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) {
    ui.add_space(5.0);
    let open = state.settings.sheet;
    let all = Sheet::ALL
        .into_iter()
        .filter(|sheet| offered(*sheet, inputs));
    let choices: Vec<_> = all.map(|sheet| (sheet, sheet.label())).collect();
    if let Some(sheet) = widgets::tabs(ui, open, &choices, "sheets") {
        state.browser = None;
        state.settings.sheet = (open != Some(sheet)).then_some(sheet);
    }
}

fn content(
    ui: &mut Ui,
    sheet: Sheet,
    state: &mut PanelState,
    inputs: &PanelInputs,
    out: &mut Outbox,
) {
    match sheet {
        Sheet::Arms => arms::cards(ui, state, inputs, out),
        Sheet::Cameras => cameras::show(ui, state, inputs),
        Sheet::Record => {
            if state.settings.record.tab == RightTab::Cameras {
                state.settings.record.tab = RightTab::Record;
            }
            record::tabs(ui, state, &record::TABS[1..]);
            ui.add_space(6.0);
            record::show(ui, state, inputs, out);
        }
        Sheet::Plot => {
            if plot::show(ui, state, inputs) {
                state.settings.sheet = None;
            }
        }
        Sheet::Telemetry => {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| telemetry::show(ui, inputs));
        }
    }
}
