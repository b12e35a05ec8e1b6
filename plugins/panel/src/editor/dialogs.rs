//! Opening and saving scene files, and the questions before something is lost.

use egui::{
    Align, Button, Id, Modal, Response, RichText, ScrollArea, Sense, Ui, WidgetInfo, WidgetType,
    vec2,
};

use super::{Answer, EditorAction, EditorView, Question};
use forearm_protocol::control::Command;

use crate::actions::Outbox;
use crate::inputs::PanelInputs;
use crate::record::field::{self, Look};
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

const WIDTH: f32 = 460.0;

/// A dialog about files.
#[derive(Debug)]
pub(super) struct Dialog {
    /// Whether it saves or opens.
    save: bool,
    /// The file as it is being typed.
    path: String,
}

/// Shows the dialog that opens a file.
pub(super) fn open(state: &mut PanelState, view: &EditorView, out: &mut Outbox) {
    out.edit(EditorAction::List(view.folder.path.clone()));
    state.editor.dialog = Some(Dialog {
        save: false,
        path: String::new(),
    });
}

/// Shows the dialog that saves a file.
pub(super) fn save_as(state: &mut PanelState, view: &EditorView, out: &mut Outbox) {
    out.edit(EditorAction::List(view.folder.path.clone()));
    let name = view
        .file
        .clone()
        .unwrap_or_else(|| file_name(&view.scene.name));
    let path = joined(&view.folder.path, &name);
    state.editor.dialog = Some(Dialog { save: true, path });
}

/// Draws what is open over everything.
pub(crate) fn show(ui: &Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.editor else {
        state.editor.dialog = None;
        return;
    };
    if let Some(question) = &view.question {
        ask(ui, state, inputs, view, question, out);
        return;
    }
    let Some(mut dialog) = state.editor.dialog.take() else {
        return;
    };
    let id = Id::new("editor_files");
    let shown = modal(ui, id).show(ui.ctx(), |ui| {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 64.0));
        files(ui, &mut dialog, view, out)
    });
    stop(state, inputs, &shown.backdrop_response, out);
    if !(shown.inner || shown.should_close()) {
        state.editor.dialog = Some(dialog);
    }
}

/// Draws a dialog about files; answers whether it is done.
fn files(ui: &mut Ui, dialog: &mut Dialog, view: &EditorView, out: &mut Outbox) -> bool {
    let palette = theme::palette(ui);
    let folder = &view.folder;
    widgets::title(
        ui,
        if dialog.save {
            "Save the scene as"
        } else {
            "Open a scene"
        },
    );
    ui.add_space(4.0);
    if folder.in_browser {
        widgets::hint(
            ui,
            "Scenes are kept by this browser; Download in the File menu makes a file of one.",
        );
    } else {
        widgets::hint(ui, &folder.path);
    }
    if let Some(problem) = &folder.problem {
        widgets::note(ui, problem, palette.danger);
    }
    let mut chosen = None;
    egui::Frame::new()
        .fill(palette.sunken)
        .corner_radius(theme::RADIUS)
        .inner_margin(4)
        .show(ui, |ui| {
            ScrollArea::vertical()
                .max_height(220.0)
                .min_scrolled_height(160.0)
                .auto_shrink([false, false])
                .show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    if let Some(parent) = &folder.parent
                        && entry(ui, "↑  the folder above", "", false)
                    {
                        out.edit(EditorAction::List(parent.clone()));
                    }
                    for (name, path) in &folder.folders {
                        if entry(ui, &format!("{name}/"), "folder", false) {
                            out.edit(EditorAction::List(path.clone()));
                            if dialog.save {
                                dialog.path = joined(path, &last(&dialog.path));
                            }
                        }
                    }
                    for (name, path) in &folder.files {
                        if entry(ui, name, "", *path == dialog.path) {
                            if *path == dialog.path && !dialog.save {
                                chosen = Some(path.clone());
                            }
                            dialog.path.clone_from(path);
                        }
                    }
                    if folder.files.is_empty() && folder.folders.is_empty() {
                        widgets::hint(ui, "No scene files here.");
                    }
                });
        });
    ui.add_space(4.0);
    let look = Look {
        name: "File",
        hint: "my_scene.ron",
        rows: 1,
        about: "Where the file is; relative to where Forearm was started",
    };
    let left = field::text(ui, &mut dialog.path, &look);
    let entered = left && ui.input(|input| input.key_pressed(egui::Key::Enter));
    ui.add_space(8.0);
    let mut done = false;
    widgets::ends(ui, |ui| {
        let palette = theme::palette(ui);
        let name = if dialog.save { "Save" } else { "Open" };
        let ready = !dialog.path.trim().is_empty();
        let go = ui
            .add_enabled_ui(ready, |ui| {
                widgets::filled_button(ui, name, 88.0, palette.accent)
            })
            .inner;
        if ui.button("Cancel").clicked() {
            done = true;
        }
        if ready && (go.clicked() || entered || chosen.is_some()) {
            let path = chosen
                .take()
                .unwrap_or_else(|| dialog.path.trim().to_owned());
            out.edit(if dialog.save {
                EditorAction::SaveAs(path)
            } else {
                EditorAction::Open(path)
            });
            done = true;
        }
    });
    done
}

fn ask(
    ui: &Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    view: &EditorView,
    question: &Question,
    out: &mut Outbox,
) {
    let mut name_it = false;
    let shown = modal(ui, Id::new("editor_question")).show(ui.ctx(), |ui| {
        ui.set_width(380.0_f32.min(ui.ctx().content_rect().width() - 48.0));
        let palette = theme::palette(ui);
        let (title, text, go_on) = match question {
            Question::Unsaved => (
                "Save the changes?",
                format!(
                    "“{}” has changes that no file has. They would be lost.",
                    view.scene.name
                ),
                "Don't save",
            ),
            Question::Replace(file) => (
                "Replace the file?",
                format!("There is a file {file} already."),
                "Replace",
            ),
        };
        widgets::title(ui, title);
        ui.add_space(4.0);
        ui.add(egui::Label::new(RichText::new(text).color(palette.text)).wrap());
        ui.add_space(12.0);
        widgets::ends(ui, |ui| {
            let named = view.file.is_some();
            let save = if named { "Save" } else { "Save as…" };
            if *question == Question::Unsaved
                && widgets::filled_button(ui, save, 88.0, palette.accent).clicked()
            {
                if named {
                    out.edit(EditorAction::Answer(Answer::Save));
                } else {
                    name_it = true;
                }
            }
            let danger = Button::new(RichText::new(go_on).color(palette.danger));
            if ui.add(danger).clicked() {
                out.edit(EditorAction::Answer(Answer::GoOn));
            }
            if ui.button("Cancel").clicked() {
                out.edit(EditorAction::Answer(Answer::Cancel));
            }
        });
    });
    stop(state, inputs, &shown.backdrop_response, out);
    if name_it || shown.should_close() {
        out.edit(EditorAction::Answer(Answer::Cancel));
    }
    if name_it {
        save_as(state, view, out);
    }
}

fn modal(ui: &Ui, id: Id) -> Modal {
    Modal::new(id).frame(egui::Frame::window(ui.style()).inner_margin(16))
}

/// The emergency stop shines through: a click on it stops as ever.
fn stop(state: &mut PanelState, inputs: &PanelInputs, beside: &Response, out: &mut Outbox) {
    let at = beside
        .interact_pointer_pos()
        .filter(|_| beside.clicked() || beside.is_pointer_button_down_on());
    let stopped = inputs.state.as_ref().is_some_and(|update| update.e_stopped);
    let over = at
        .zip(state.e_stop)
        .is_some_and(|(at, stop)| stop.contains(at));
    if over && !stopped {
        state.release_sliders();
        out.commands.push(Command::EStop);
    }
}

fn entry(ui: &mut Ui, name: &str, note: &str, on: bool) -> bool {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, on, name));
    if on {
        ui.painter().rect_filled(rect, 4.0, palette.accent_soft);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, palette.control_hover);
    }
    let inner = rect.shrink2(vec2(8.0, 0.0));
    widgets::text_in(ui, inner, name, theme::body(), palette.text, Align::Min);
    widgets::text_in(ui, inner, note, theme::small(), palette.weak, Align::Max);
    response.clicked()
}

/// A file name for a scene: `my_scene.ron`.
fn file_name(scene: &str) -> String {
    let name: String = scene
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let name = name.trim_matches('_');
    format!("{}.ron", if name.is_empty() { "scene" } else { name })
}

fn joined(folder: &str, name: &str) -> String {
    match folder.trim_end_matches(['/', '\\']) {
        "" if folder.is_empty() => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

fn last(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_called_as_files_are() {
        assert_eq!(file_name("Pick and place"), "pick_and_place.ron");
        assert_eq!(file_name("!?"), "scene.ron");
        assert_eq!(joined("", "a.ron"), "a.ron");
        assert_eq!(joined("b/", "a.ron"), "b/a.ron");
        assert_eq!(last("b/c/a.ron"), "a.ron");
    }
}
