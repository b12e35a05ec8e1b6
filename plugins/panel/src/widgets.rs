//! Small pieces that the panels share: buttons, switches, menus, fields of numbers.

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Align2, Button, Color32, CornerRadius, FontId, Frame, Layout, Margin, Popup, Rect,
    Response, RichText, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use crate::theme::{self, CONTROL_HEIGHT, RADIUS};

/// A frame that holds what belongs together.
pub(crate) fn card(ui: &Ui) -> Frame {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(8)
        .inner_margin(Margin::same(12))
}

/// The title of a panel or of a part of it.
pub(crate) fn title(ui: &mut Ui, text: &str) -> Response {
    let color = theme::palette(ui).strong;
    ui.label(RichText::new(text).font(theme::title()).color(color))
}

/// A line of explanation.
pub(crate) fn hint(ui: &mut Ui, text: &str) -> Response {
    let color = theme::palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(text).font(theme::small()).color(color)).wrap())
}

/// A line of explanation in a colour that tells how serious it is.
pub(crate) fn note(ui: &mut Ui, text: &str, color: Color32) -> Response {
    ui.add(egui::Label::new(RichText::new(text).font(theme::small()).color(color)).wrap())
}

/// A line as wide as its place.
pub(crate) fn hairline(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    let line = Stroke::new(1.0, theme::palette(ui).line);
    ui.painter().hline(rect.x_range(), rect.center().y, line);
}

/// What is shown where there is nothing to show yet.
pub(crate) fn empty(ui: &mut Ui, what: &str, next: &str) {
    let palette = theme::palette(ui);
    ui.add_space(16.0);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new(what).color(palette.text));
        ui.label(RichText::new(next).font(theme::small()).color(palette.weak));
    });
    ui.add_space(16.0);
}

/// The symbol of a button that closes something; it is drawn, not written.
pub(crate) const CLOSE: &str = "×";

/// The symbol of what works in the background: a heartbeat; it is drawn, not written.
pub(crate) const PULSE: &str = "♥";

/// A square button with a symbol; its name shows when the pointer rests on it.
pub(crate) fn icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    icon_toggle(ui, false, icon, name)
}

/// A square button with a symbol that is on or off.
pub(crate) fn icon_toggle(ui: &mut Ui, on: bool, icon: &str, name: &str) -> Response {
    let size = vec2(CONTROL_HEIGHT, CONTROL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let visuals = ui.style().interact_selectable(&response, on);
    let hot = on || response.hovered() || response.has_focus();
    if hot {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(RADIUS), visuals.weak_bg_fill);
    }
    let color = if on {
        theme::palette(ui).accent
    } else {
        visuals.text_color()
    };
    if icon == CLOSE {
        let stroke = Stroke::new(1.5, color);
        for arm in [vec2(4.5, 4.5), vec2(4.5, -4.5)] {
            ui.painter()
                .line_segment([rect.center() - arm, rect.center() + arm], stroke);
        }
    } else if icon == PULSE {
        let beat = [
            vec2(-7.0, 0.5),
            vec2(-3.0, 0.5),
            vec2(-1.0, -5.0),
            vec2(2.0, 5.0),
            vec2(3.8, 0.5),
            vec2(7.0, 0.5),
        ];
        let line = beat.map(|point| rect.center() + point).to_vec();
        ui.painter().line(line, Stroke::new(1.5, color));
    } else {
        let font = FontId::proportional(14.0);
        ui.painter()
            .text(rect.center(), Align2::CENTER_CENTER, icon, font, color);
    }
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, enabled, on, name));
    response.on_hover_text(name)
}

/// A button that stands out, unless it is disabled; as wide as its text needs if `width` is 0.
pub(crate) fn filled_button(ui: &mut Ui, text: &str, width: f32, fill: Color32) -> Response {
    let button = if ui.is_enabled() {
        let text = RichText::new(text).color(theme::palette(ui).on_accent);
        Button::new(text).fill(fill)
    } else {
        let line = theme::palette(ui).line;
        Button::new(text).stroke(Stroke::new(1.0, line))
    };
    if width > 0.0 {
        ui.add_sized(vec2(width, CONTROL_HEIGHT), button)
    } else {
        ui.add(button)
    }
}

/// A button as wide as its place.
pub(crate) fn wide_button(ui: &mut Ui, text: &str) -> Response {
    let size = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.add_sized(size, Button::new(text))
}

/// A button that opens a menu below it.
pub(crate) fn menu<R>(
    ui: &mut Ui,
    text: &str,
    width: f32,
    entries: impl FnOnce(&mut Ui) -> R,
) -> (Response, Option<R>) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, CONTROL_HEIGHT), Sense::click());
    let open = Popup::is_id_open(ui.ctx(), Popup::default_response_id(&response));
    let visuals = if open {
        ui.visuals().widgets.open
    } else {
        *ui.visuals().widgets.style(&response)
    };
    ui.painter()
        .rect_filled(rect, visuals.corner_radius, visuals.weak_bg_fill);
    let inner = rect.shrink2(vec2(10.0, 0.0)).with_max_x(rect.max.x - 24.0);
    text_in(
        ui,
        inner,
        text,
        theme::body(),
        visuals.text_color(),
        Align::Min,
    );
    let tip = pos2(rect.max.x - 13.0, rect.center().y + 2.0);
    let color = ui.visuals().weak_text_color();
    ui.painter().line(
        vec![tip - vec2(4.0, 4.0), tip, tip + vec2(4.0, -4.0)],
        Stroke::new(1.5, color),
    );
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, enabled, text));
    let shown = Popup::menu(&response).style(theme::menu_style).show(|ui| {
        ui.set_width(width - 14.0);
        entries(ui)
    });
    (response, shown.map(|shown| shown.inner))
}

/// An entry of a menu, marked if it is the chosen one.
pub(crate) fn menu_entry(ui: &mut Ui, chosen: bool, text: &str) -> Response {
    let width = ui.available_width();
    ui.add(Button::selectable(chosen, text).min_size(vec2(width, 26.0)))
}

/// Buttons side by side of which one is chosen; answers with the one that was clicked.
pub(crate) fn segments<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: Option<T>,
    choices: &[(T, &str)],
    name: &str,
) -> Option<T> {
    let color = theme::palette(ui).text;
    let widths: Vec<f32> = choices
        .iter()
        .map(|(_, text)| {
            let galley = ui
                .painter()
                .layout_no_wrap((*text).to_owned(), theme::body(), color);
            (galley.size().x + 20.0).max(32.0).round()
        })
        .collect();
    segments_of(ui, chosen, choices, name, &widths, CONTROL_HEIGHT)
}

/// Buttons of one width that fill the line, of which one is chosen; answers with the one that was
/// clicked.
pub(crate) fn full_segments<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: Option<T>,
    choices: &[(T, &str)],
    name: &str,
) -> Option<T> {
    let whole = ui.available_width();
    let width = (whole / choices.len().max(1) as f32).floor();
    let mut widths = vec![width; choices.len()];
    if let Some((last, others)) = widths.split_last_mut() {
        *last = whole - others.iter().sum::<f32>();
    }
    segments_of(ui, chosen, choices, name, &widths, CONTROL_HEIGHT)
}

/// Tabs that share the full width, high enough for fingers; answers with the one that was clicked.
pub(crate) fn tabs<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: Option<T>,
    choices: &[(T, &str)],
    name: &str,
) -> Option<T> {
    let width = (ui.available_width() / choices.len().max(1) as f32).floor();
    let widths = vec![width; choices.len()];
    segments_of(ui, chosen, choices, name, &widths, 34.0)
}

fn segments_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: Option<T>,
    choices: &[(T, &str)],
    name: &str,
    widths: &[f32],
    height: f32,
) -> Option<T> {
    let palette = theme::palette(ui);
    let font = theme::body();
    let size = vec2(widths.iter().sum(), height);
    let (_, rect) = ui.allocate_space(size);
    let rect = Rect::from_min_size(rect.min, size);
    ui.painter()
        .rect_filled(rect, CornerRadius::same(RADIUS), palette.control);
    let mut clicked = None;
    let mut left = rect.min.x;
    for ((value, text), width) in choices.iter().zip(widths) {
        let part = Rect::from_min_size(pos2(left, rect.min.y), vec2(*width, rect.height()));
        left += width;
        let response = ui.interact(part, ui.id().with((name, *text)), Sense::click());
        let on = chosen == Some(*value);
        let enabled = ui.is_enabled();
        response
            .widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, enabled, on, *text));
        if on {
            ui.painter()
                .rect_filled(part.shrink(2.0), 4.0, palette.accent_soft);
        } else if response.hovered() || response.has_focus() {
            ui.painter()
                .rect_filled(part.shrink(2.0), 4.0, palette.control_hover);
        }
        let color = if on {
            ui.visuals().selection.stroke.color
        } else {
            ui.style().interact(&response).text_color()
        };
        ui.painter().text(
            part.center(),
            Align2::CENTER_CENTER,
            *text,
            font.clone(),
            color,
        );
        if response.clicked() {
            clicked = Some(*value);
        }
    }
    clicked
}

/// A switch with its name to the left; answers whether it was flipped.
pub(crate) fn switch(ui: &mut Ui, on: bool, name: &str) -> Response {
    let palette = theme::palette(ui);
    let font = theme::small();
    let galley = ui
        .painter()
        .layout_no_wrap(name.to_owned(), font, Color32::PLACEHOLDER);
    let knob = vec2(30.0, 16.0);
    let size = vec2(galley.size().x + 8.0 + knob.x, CONTROL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(WidgetType::Checkbox, enabled, on, name));
    let text = pos2(rect.min.x, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(text, galley, palette.weak);
    let center = pos2(rect.max.x - knob.x / 2.0, rect.center().y);
    let body = Rect::from_center_size(center, knob);
    let how = ui.ctx().animate_bool_responsive(response.id, on);
    let off = if response.hovered() {
        palette.control_active
    } else {
        palette.control_hover
    };
    let fill = egui::lerp(
        egui::Rgba::from(off)..=egui::Rgba::from(palette.accent),
        how,
    );
    ui.painter().rect_filled(body, 8.0, Color32::from(fill));
    if response.has_focus() {
        let stroke = Stroke::new(1.0, palette.strong);
        ui.painter()
            .rect_stroke(body.expand(2.0), 10.0, stroke, StrokeKind::Outside);
    }
    let x = egui::lerp(body.min.x + 8.0..=body.max.x - 8.0, how);
    ui.painter()
        .circle_filled(pos2(x, center.y), 6.0, Color32::WHITE);
    response
}

/// A rail filled from its left end by parts of these sizes (of 1) and colours.
pub(crate) fn bar(ui: &Ui, rail: Rect, parts: &[(f32, Color32)]) {
    let radius = rail.height() / 2.0;
    let ground = theme::palette(ui).control_hover;
    ui.painter().rect_filled(rail, radius, ground);
    let mut left = rail.min.x;
    for (part, color) in parts {
        let right = (left + part * rail.width()).min(rail.max.x);
        if right - left > 0.5 {
            let filled = Rect::from_x_y_ranges(left..=right, rail.y_range());
            ui.painter().rect_filled(filled, radius, *color);
        }
        left = right;
    }
}

/// Draws a triangle that points at what is folded, or down to what is unfolded.
pub(crate) fn fold(ui: &Ui, center: egui::Pos2, open: bool) {
    let color = theme::palette(ui).weak;
    let tip = if open { vec2(0.0, 2.5) } else { vec2(2.5, 0.0) };
    let side = if open { vec2(4.0, 0.0) } else { vec2(0.0, 4.0) };
    let stroke = Stroke::new(1.5, color);
    ui.painter().line(
        vec![
            center - tip / 1.2 - side,
            center + tip / 1.2,
            center - tip / 1.2 + side,
        ],
        stroke,
    );
}

/// A small round light.
pub(crate) fn dot(ui: &mut Ui, color: Color32, meaning: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(8.0, CONTROL_HEIGHT), Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.0, color);
    response.on_hover_text(meaning)
}

/// Width that [`tag`] needs.
pub(crate) fn tag_width(ui: &Ui, text: &str) -> f32 {
    width_of(ui, text, theme::mono_small()) + 12.0
}

/// Width of a text in one line.
pub(crate) fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    let color = Color32::PLACEHOLDER;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, color);
    galley.size().x
}

/// A word in a frame, for instance the kind of something.
pub(crate) fn tag(ui: &mut Ui, text: &str) -> Response {
    let palette = theme::palette(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::mono_small(), palette.weak);
    let size = vec2(galley.size().x + 12.0, CONTROL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let body = Rect::from_center_size(rect.center(), vec2(size.x, 18.0));
    ui.painter().rect_filled(body, 4.0, palette.control);
    ui.painter()
        .galley(body.center() - galley.size() / 2.0, galley, palette.weak);
    response
}

/// Text within a rectangle, in one line, shortened with an ellipsis if it must be.
pub(crate) fn text_in(ui: &Ui, rect: Rect, text: &str, font: FontId, color: Color32, align: Align) {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(rect.width().max(0.0));
    let galley = ui.painter().layout_job(job);
    let x = match align {
        Align::Min => rect.min.x,
        Align::Center => rect.center().x - galley.size().x / 2.0,
        Align::Max => rect.max.x - galley.size().x,
    };
    let y = rect.center().y - galley.size().y / 2.0;
    ui.painter().galley(pos2(x, y), galley, color);
}

/// A row with a name at its left and a value at its right.
pub(crate) fn value_row(
    ui: &mut Ui,
    name: &str,
    value: &str,
    font: FontId,
    color: Color32,
) -> Response {
    let size = vec2(ui.available_width(), 20.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let palette = theme::palette(ui);
    let value_width = ui
        .painter()
        .layout_no_wrap(value.to_owned(), font.clone(), color)
        .size()
        .x
        .min(rect.width() - 64.0);
    let names = rect.with_max_x(rect.max.x - value_width - 8.0);
    text_in(ui, names, name, theme::body(), palette.weak, Align::Min);
    let values = rect.with_min_x(rect.max.x - value_width - 1.0);
    text_in(ui, values, value, font, color, Align::Max);
    response
        .widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{name}: {value}")));
    response
}

/// A row of the panel's full width, laid out from right to left.
pub(crate) fn ends<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let size = vec2(ui.available_width(), CONTROL_HEIGHT);
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(size, layout, contents).inner
}

/// Runs `contents` in a row of the panel's full width, laid out from right to left after `left`.
pub(crate) fn sides<R>(
    ui: &mut Ui,
    left: impl FnOnce(&mut Ui),
    right: impl FnOnce(&mut Ui) -> R,
) -> R {
    let size = vec2(ui.available_width(), CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_height(CONTROL_HEIGHT);
        let answer = right(ui);
        let rest = ui.available_size();
        ui.allocate_ui_with_layout(rest, Layout::left_to_right(Align::Center), left);
        answer
    })
    .inner
}
