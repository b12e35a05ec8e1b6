//! A field of text with a name and an explanation.

use egui::{
    Align, Key, Margin, Rect, Response, RichText, Sense, Stroke, StrokeKind, TextEdit, Ui,
    WidgetInfo, WidgetType, pos2, vec2,
};

use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;

/// More letters than these nobody types by hand.
const MAX_LETTERS: usize = 400;

/// Room around a field's text, points.
pub(crate) const MARGIN: Margin = Margin {
    left: 8,
    right: 8,
    top: 5,
    bottom: 5,
};

/// How a field looks.
pub(crate) struct Look<'a> {
    /// Its name for people who don't see it.
    pub(crate) name: &'a str,
    /// What is shown while it is empty.
    pub(crate) hint: &'a str,
    /// How many lines it has at least; with more than one, it grows with its text.
    pub(crate) rows: usize,
    /// What it is for.
    pub(crate) about: &'a str,
}

/// Draws a field; answers whether a person has left it, or pressed Enter.
pub(crate) fn text(ui: &mut Ui, text: &mut String, look: &Look<'_>) -> bool {
    let weak = theme::palette(ui).weak;
    let width = ui.available_width();
    let field = if look.rows > 1 {
        TextEdit::multiline(text)
            .font(theme::body())
            .desired_rows(look.rows)
            .return_key(None)
    } else {
        TextEdit::singleline(text).font(theme::mono())
    };
    let field = field
        .hint_text(RichText::new(look.hint).color(weak))
        .char_limit(MAX_LETTERS)
        .margin(MARGIN)
        .desired_width(width);
    let shown = ui.add(field);
    let (enabled, name) = (ui.is_enabled(), look.name);
    shown.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, enabled, name));
    let entered = shown.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if entered {
        shown.surrender_focus();
    }
    let left = entered || shown.lost_focus();
    shown.on_hover_text(look.about);
    left
}

/// Draws something that is on or off, with its name.
pub(crate) fn check(ui: &mut Ui, on: &mut bool, name: &str) -> Response {
    let palette = theme::palette(ui);
    let size = vec2(ui.available_width(), CONTROL_HEIGHT);
    let (rect, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let (enabled, shown) = (ui.is_enabled(), *on);
    response.widget_info(|| WidgetInfo::selected(WidgetType::Checkbox, enabled, shown, name));
    check_box(ui, pos2(rect.min.x + 8.0, rect.center().y), *on);
    let text = rect.with_min_x(rect.min.x + 24.0);
    let color = if response.hovered() || response.has_focus() {
        palette.strong
    } else {
        palette.text
    };
    widgets::text_in(ui, text, name, theme::body(), color, Align::Min);
    response
}

/// Draws the box of something that is on or off.
pub(crate) fn check_box(ui: &Ui, center: egui::Pos2, on: bool) {
    let palette = theme::palette(ui);
    let rect = Rect::from_center_size(center, vec2(16.0, 16.0));
    if on {
        ui.painter().rect_filled(rect, 4.0, palette.accent);
        let tick = [vec2(-4.0, 0.0), vec2(-1.0, 3.0), vec2(4.5, -3.5)];
        let tick = tick.map(|point| center + point).to_vec();
        ui.painter().line(tick, Stroke::new(2.0, palette.on_accent));
    } else {
        let stroke = Stroke::new(1.0, palette.weak);
        ui.painter()
            .rect_stroke(rect, 4.0, stroke, StrokeKind::Inside);
    }
}
