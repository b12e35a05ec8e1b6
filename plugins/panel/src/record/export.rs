//! Packing a dataset into a ZIP file: where to, how far, stop.

use egui::{Sense, Ui, vec2};
use forearm_protocol::record::Request;

use crate::actions::{Outbox, PanelAction};
use crate::record::field;
use crate::recording::RecordView;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

/// How many bytes of an export may be under way to the app, where it comes in parts.
const WINDOW_BYTES: u32 = 8 << 20;

/// Why nothing can be exported now; `None` if it can.
pub(crate) fn obstacle(view: &RecordView) -> Option<&'static str> {
    let Some(dataset) = &view.dataset else {
        return Some("No dataset is open");
    };
    if dataset.episodes.is_empty() {
        return Some("There are no episodes yet");
    }
    if view.in_episode() {
        return Some("End the episode in hand first");
    }
    (view.busy.is_some() || view.progress.is_some()).then_some("Something else is being done")
}

/// Begins an export, or asks where to.
pub(crate) fn begin(state: &mut PanelState, view: &RecordView, out: &mut Outbox) {
    if view.in_browser {
        export(None, out);
        return;
    }
    let name = view.dataset.as_ref().map_or("", |dataset| &dataset.name);
    let name = name.trim_end_matches(['/', '\\']);
    state.record.token = None;
    state.record.export = Some(format!("{name}.zip"));
}

fn export(file: Option<String>, out: &mut Outbox) {
    out.actions.push(PanelAction::Record(Request::Export {
        file,
        window_bytes: WINDOW_BYTES,
    }));
}

/// Draws where to write the file, while that is being asked; how far something is; what came of it.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, view: &RecordView, out: &mut Outbox) {
    let palette = theme::palette(ui);
    if let Some((stage, part)) = &view.progress {
        let cancelled = widgets::sides(
            ui,
            |ui| {
                let text = format!("{stage}, {:.0} %", part * 100.0);
                widgets::note(ui, &text, palette.text);
            },
            |ui| ui.button("Cancel").clicked(),
        );
        if cancelled {
            out.actions.push(PanelAction::CancelRecordWork);
        }
        let (rail, _) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
        widgets::bar(ui, rail, &[(*part, palette.accent)]);
        return;
    }
    if let Some(file) = &mut state.record.export {
        widgets::hint(ui, "ZIP file to write");
        let look = field::Look {
            name: "ZIP file",
            hint: "dataset.zip",
            rows: 1,
            about: "A file that is there is replaced when the new one is whole",
        };
        field::text(ui, file, &look);
        let obstacle = obstacle(view).or(file.trim().is_empty().then_some("Name the file"));
        let (write, leave) = widgets::ends(ui, |ui| {
            let write = ui
                .add_enabled_ui(obstacle.is_none(), |ui| {
                    widgets::filled_button(ui, "Write", 72.0, palette.accent)
                })
                .inner;
            let write = match obstacle {
                Some(why) => write.on_disabled_hover_text(why),
                None => write,
            };
            (write.clicked(), ui.button("Cancel").clicked())
        });
        if write {
            export(Some(file.trim().to_owned()), out);
        }
        if write || leave {
            state.record.export = None;
        }
        return;
    }
    if let Some(text) = &view.exported {
        widgets::note(ui, text, palette.good);
    }
}
