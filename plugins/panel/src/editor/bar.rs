//! The bar at the top while a scene is edited: its file, its steps, and the way back.

use egui::{Align, Button, Layout, RichText, Ui, vec2};

use super::{EditorAction, EditorView, dialogs, save};
use crate::actions::Outbox;
use crate::function_keys;
use crate::inputs::PanelInputs;
use crate::state::PanelState;
use crate::theme;
use crate::top_bar;
use crate::widgets;

/// Below this width names are left out, points.
const COMPACT_WIDTH: f32 = 900.0;

pub(super) fn show(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    view: &EditorView,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let compact = ui.available_width() < COMPACT_WIDTH;
    ui.horizontal_centered(|ui| {
        if !compact {
            let name = RichText::new("Edit scene").font(egui::FontId::proportional(17.0));
            ui.label(name.color(palette.strong));
            ui.add_space(8.0);
        }
        file_menu(ui, state, view, out);
        steps(ui, view, out);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let done = widgets::filled_button(ui, "Done", 72.0, palette.accent);
            let about = match &view.stays {
                Some(why) => format!("Back to the arms. {why}"),
                None => format!(
                    "Back to driving, with this scene ({})",
                    function_keys::EDIT.1
                ),
            };
            if done.on_hover_text(about).clicked() {
                out.edit(EditorAction::Leave);
            }
            top_bar::e_stop(ui, state, inputs, None, out);
            if !compact {
                top_bar::help_button(ui, state);
                top_bar::theme_button(ui, state, out);
                if ui.available_width() > top_bar::PRESETS_WIDTH + 200.0 {
                    top_bar::view_presets(ui, out);
                }
                title(ui, view);
            }
        });
    });
}

/// What is edited, in what is left between the ends of the bar.
fn title(ui: &mut Ui, view: &EditorView) {
    let palette = theme::palette(ui);
    let room = ui.available_rect_before_wrap();
    if room.width() < 80.0 {
        return;
    }
    let file = view.file.as_deref().unwrap_or("not in a file yet");
    let text = if view.changed {
        format!("{file}  •  unsaved")
    } else {
        file.to_owned()
    };
    let color = if view.changed {
        palette.warning
    } else {
        palette.weak
    };
    widgets::text_in(ui, room, &text, theme::small(), color, Align::Center);
}

fn file_menu(ui: &mut Ui, state: &mut PanelState, view: &EditorView, out: &mut Outbox) {
    let label = if view.changed { "File •" } else { "File" };
    let (button, picked) = widgets::menu(ui, label, 76.0, |ui| {
        ui.set_width(224.0);
        let mut picked = None;
        let mut entry = |ui: &mut Ui, on: bool, text: &str, key: &str, what: Picked| {
            let width = ui.available_width();
            let key = RichText::new(key).font(theme::mono_small());
            let button = Button::new(text)
                .right_text(key)
                .min_size(vec2(width, 26.0));
            if ui.add_enabled(on, button).clicked() {
                picked = Some(what);
            }
        };
        let keys = |key: &'static str| {
            if cfg!(target_family = "wasm") {
                ""
            } else {
                key
            }
        };
        entry(ui, true, "New", "", Picked::New);
        entry(ui, true, "Open…", keys("Ctrl+O"), Picked::Open);
        ui.separator();
        entry(
            ui,
            view.changed || view.file.is_none(),
            "Save",
            keys("Ctrl+S"),
            Picked::Save,
        );
        entry(ui, true, "Save as…", keys("Ctrl+Shift+S"), Picked::SaveAs);
        if view.folder.in_browser {
            ui.separator();
            entry(
                ui,
                true,
                "Open a file of this computer…",
                "",
                Picked::Upload,
            );
            entry(ui, true, "Download", "", Picked::Download);
        }
        picked
    });
    button.on_hover_text("The scene's file");
    match picked.flatten() {
        Some(Picked::New) => out.edit(EditorAction::New),
        Some(Picked::Open) => dialogs::open(state, view, out),
        Some(Picked::Save) => save(state, view, out),
        Some(Picked::SaveAs) => dialogs::save_as(state, view, out),
        Some(Picked::Upload) => out.edit(EditorAction::Upload),
        Some(Picked::Download) => out.edit(EditorAction::Download),
        None => {}
    }
}

#[derive(Clone, Copy)]
enum Picked {
    New,
    Open,
    Save,
    SaveAs,
    Upload,
    Download,
}

fn steps(ui: &mut Ui, view: &EditorView, out: &mut Outbox) {
    let undo = ui.add_enabled(view.undo.is_some(), Button::new("⟲ Undo"));
    let about = view.undo.as_deref().unwrap_or("Nothing to take back");
    if undo
        .on_hover_text(format!("{about} (Ctrl+Z)"))
        .on_disabled_hover_text(about)
        .clicked()
    {
        out.edit(EditorAction::Undo);
    }
    let redo = ui.add_enabled(view.redo.is_some(), Button::new("⟳ Redo"));
    let about = view.redo.as_deref().unwrap_or("Nothing to do again");
    if redo
        .on_hover_text(format!("{about} (Ctrl+Shift+Z)"))
        .on_disabled_hover_text(about)
        .clicked()
    {
        out.edit(EditorAction::Redo);
    }
}
