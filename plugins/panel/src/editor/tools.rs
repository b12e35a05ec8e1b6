//! What floats in the picture's upper left corner: which tool the handles are.

use egui::{Align2, Area, Frame, Id, Margin, Order, Rect, Ui, vec2};

use super::{EditorAction, EditorTool, EditorView};
use crate::actions::Outbox;
use crate::theme;
use crate::widgets;

pub(crate) fn show(ui: &Ui, view: &EditorView, within: Rect, out: &mut Outbox) {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.card)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(8)
        .inner_margin(Margin::same(6))
        .shadow(ui.visuals().popup_shadow);
    Area::new(Id::new("editor_tools"))
        .order(Order::Middle)
        .pivot(Align2::LEFT_TOP)
        .fixed_pos(within.left_top() + vec2(12.0, 12.0))
        .constrain_to(within)
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.horizontal(|ui| {
                    let tools = [
                        (
                            EditorTool::Move,
                            "Move",
                            "Arrows move along axes, the square on the table's plane (W)",
                        ),
                        (EditorTool::Turn, "Turn", "Rings turn about axes (E)"),
                        (
                            EditorTool::Scale,
                            "Resize",
                            "Arrows change lengths, the square all of them (R)",
                        ),
                    ];
                    for (tool, name, about) in tools {
                        let on = view.tool == tool;
                        let button = egui::Button::selectable(on, name)
                            .min_size(vec2(56.0, theme::CONTROL_HEIGHT));
                        if ui.add(button).on_hover_text(about).clicked() {
                            out.edit(EditorAction::Tool(tool));
                        }
                    }
                    ui.add_space(4.0);
                    let snap = widgets::switch(ui, view.snap, "Snap");
                    let about = "Steps of 5 mm, 15°, sizes of 1 mm; with Ctrl the other way round";
                    if snap.on_hover_text(about).clicked() {
                        out.edit(EditorAction::Snap(!view.snap));
                    }
                });
            });
        });
    hint(ui, view, within);
}

/// How to begin, at the picture's lower rim.
fn hint(ui: &Ui, view: &EditorView, within: Rect) {
    let text = match view.selected {
        None => "Click something to select it. The scene stands still while it is edited.",
        Some(_) => "Drag a handle; right button while dragging: never mind.",
    };
    let palette = theme::palette(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::small(), palette.text);
    let size = galley.size() + vec2(16.0, 8.0);
    if size.x > within.width() - 24.0 {
        return;
    }
    let center = within.center_bottom() - vec2(0.0, 12.0 + 0.5 * size.y);
    let body = Rect::from_center_size(center, size);
    ui.painter()
        .rect_filled(body, 6.0, palette.card.gamma_multiply(0.85));
    ui.painter()
        .galley(body.center() - 0.5 * galley.size(), galley, palette.text);
}
