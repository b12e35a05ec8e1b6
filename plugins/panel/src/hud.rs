//! What floats in the picture's upper right corner: the list of workers, and trials of a motion.
//!
//! It stays within the picture, so that it never covers the emergency stop.

use egui::{Align2, Area, Frame, Id, Margin, Order, Rect, ScrollArea, Ui};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::state::PanelState;
use crate::theme;
use crate::trials;
use crate::widgets;
use crate::worker_row::{self, Grid};
use crate::workers::{HostLabel, ServiceState, WorkersView};

/// Between it and the picture's rim, points.
const GAP: f32 = 8.0;
/// Room around its contents, points.
const MARGIN: i8 = 12;
/// It gets no wider than this, points.
const WIDEST: f32 = 656.0;
/// Trials alone need less.
const WIDEST_TRIALS: f32 = 544.0;

/// Draws what is open into the upper right corner of `within`.
pub(crate) fn show(
    ui: &Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    within: Rect,
    out: &mut Outbox,
) {
    let workers = state.settings.workers_open;
    let trials = state.settings.trials_open && inputs.workers.trials.is_some();
    let room = within.shrink(GAP);
    if !(workers || trials) || !room.is_positive() {
        return;
    }
    let palette = theme::palette(ui);
    let widest = if workers { WIDEST } else { WIDEST_TRIALS };
    let margin = f32::from(MARGIN);
    let outer = room.width().min(widest);
    let frame = Frame::new()
        .fill(palette.card)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(8)
        .inner_margin(Margin {
            right: 0,
            ..Margin::same(MARGIN)
        })
        .shadow(ui.visuals().window_shadow);
    Area::new(Id::new("hud"))
        .order(Order::Middle)
        .pivot(Align2::RIGHT_TOP)
        .fixed_pos(room.right_top())
        .constrain_to(within)
        .default_size(room.size())
        .show(ui.ctx(), |ui| {
            // An area offers no more than it took last; this one has to grow with its contents.
            ui.set_max_height(room.height());
            frame.show(ui, |ui| {
                ui.set_width(outer - margin - 2.0);
                ScrollArea::vertical()
                    .max_height(room.height() - 2.0 * margin - 2.0)
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        // The bar of the scroll area lies in the margin.
                        ui.set_width(outer - 2.0 * margin - 2.0);
                        if workers {
                            list(ui, state, &inputs.workers, out);
                        }
                        if workers && trials {
                            ui.add_space(8.0);
                            widgets::hairline(ui);
                            ui.add_space(8.0);
                        }
                        if trials {
                            trials::show(ui, state, inputs, out);
                        }
                    });
            });
        });
}

/// Draws the list of services.
fn list(ui: &mut Ui, state: &mut PanelState, view: &WorkersView, out: &mut Outbox) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let closed = widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, "Workers");
        },
        |ui| {
            let closed = widgets::icon_button(ui, widgets::CLOSE, "Close the workers (F2)");
            if !view.services.is_empty() {
                log_switch(ui, view.diagnostics, out);
            }
            closed.clicked()
        },
    );
    if closed {
        state.settings.workers_open = false;
    }
    if view.services.is_empty() {
        widgets::empty(
            ui,
            "No service runs",
            "They are listed here as soon as they start.",
        );
        return;
    }
    ui.add_space(4.0);
    let grid = Grid::new(ui.available_width());
    worker_row::header(ui, &grid);
    for (index, row) in view.services.iter().enumerate() {
        if index > 0 && grid.stacked() {
            widgets::hairline(ui);
        }
        worker_row::show(ui, &grid, row, &mut state.unfolded, out);
    }
    widgets::hairline(ui);
    ui.add_space(8.0);
    footer(ui, view);
}

fn log_switch(ui: &mut Ui, on: bool, out: &mut Outbox) {
    let switch = widgets::switch(ui, on, "Log every message");
    let flipped = switch
        .on_hover_text("Write each message between app and services to the log; it costs time")
        .clicked();
    if flipped {
        out.actions.push(PanelAction::SetDiagnostics(!on));
    }
}

/// Says what the machine, or the page, has to offer.
fn footer(ui: &mut Ui, view: &WorkersView) {
    widgets::hint(ui, &place(view)).on_hover_text(if view.isolated {
        "The page is cross-origin isolated."
    } else {
        "Services hand over messages and buffers; none of them shares memory with another."
    });
}

/// What the machine, or the page, has to offer, in words.
fn place(view: &WorkersView) -> String {
    let mut parts = Vec::new();
    match view.cores {
        0 => {}
        1 => parts.push("1 core".to_owned()),
        cores => parts.push(format!("{cores} cores")),
    }
    // Threads share memory anyway; the question is one of browsers.
    let native = view
        .services
        .iter()
        .any(|row| row.host == HostLabel::Thread);
    if !native {
        parts.push(format!(
            "SharedArrayBuffer: not needed; {} here",
            if view.shared_memory {
                "available"
            } else {
                "not available"
            }
        ));
    }
    parts.join("  ·  ")
}

/// How bad the worst of all services is, for the button that opens the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    /// All is well.
    None,
    /// One does not run as it should, or does not run now.
    Some,
    /// One has failed.
    Failure,
}

impl Concern {
    pub(crate) fn of(view: &WorkersView) -> Self {
        let of = |row: &crate::workers::ServiceRow| match row.state {
            ServiceState::Failed => Self::Failure,
            ServiceState::Restarting => Self::Some,
            _ if row.fallback.is_some() || worker_row::late(row) => Self::Some,
            _ => Self::None,
        };
        view.services.iter().map(of).max().unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workers::ServiceRow;

    fn view(rows: &[ServiceRow]) -> WorkersView {
        WorkersView {
            services: rows.to_vec(),
            cores: 4,
            ..WorkersView::default()
        }
    }

    fn row(host: HostLabel, state: ServiceState) -> ServiceRow {
        ServiceRow {
            host,
            state,
            ..ServiceRow::default()
        }
    }

    #[test]
    fn shared_memory_is_a_question_of_browsers() {
        let mut view = view(&[row(HostLabel::Worker, ServiceState::Running)]);
        assert_eq!(
            place(&view),
            "4 cores  ·  SharedArrayBuffer: not needed; not available here"
        );
        view.shared_memory = true;
        assert!(place(&view).ends_with("not needed; available here"));
        view.services[0].host = HostLabel::Thread;
        assert_eq!(place(&view), "4 cores");
    }

    #[test]
    fn the_worst_service_counts() {
        let running = row(HostLabel::Thread, ServiceState::Running);
        let restarting = row(HostLabel::Thread, ServiceState::Restarting);
        let failed = row(HostLabel::Thread, ServiceState::Failed);
        let fallen = ServiceRow {
            fallback: Some("workers are forbidden here".to_owned()),
            ..running.clone()
        };
        let silent = ServiceRow {
            beat_age_secs: Some(9.0),
            ..running.clone()
        };
        let concern = |rows: &[ServiceRow]| Concern::of(&view(rows));
        assert_eq!(concern(&[]), Concern::None);
        assert_eq!(concern(std::slice::from_ref(&running)), Concern::None);
        assert_eq!(concern(&[running.clone(), fallen]), Concern::Some);
        assert_eq!(concern(&[running.clone(), silent]), Concern::Some);
        assert_eq!(concern(&[failed, restarting, running]), Concern::Failure);
    }
}
