//! The bar of an episode: play, step, go to any row.

use egui::{Align, Key, Layout, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::browser::{Browser, arrow};
use crate::theme;
use crate::widgets;

/// In a narrower bar the time is left out, points.
const WITH_TIME: f32 = 480.0;
/// Room for half of the handle at the rail's ends.
const RAIL_END: f32 = 7.0;

/// Draws the bar.
pub(super) fn show(ui: &mut Ui, browser: &mut Browser, fps: u32, frames: u32, now_secs: f64) {
    let last = frames.saturating_sub(1);
    let wide = ui.available_width() >= WITH_TIME;
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        if arrow(ui, false, "Previous row").clicked() {
            browser.playing = None;
            browser.frame = browser.frame.saturating_sub(1);
        }
        let (icon, name) = match browser.playing {
            Some(_) => ("⏸", "Pause"),
            None => ("▶", "Play"),
        };
        if widgets::icon_toggle(ui, browser.playing.is_some(), icon, name).clicked() {
            browser.toggle(now_secs, frames);
        }
        if arrow(ui, true, "Next row").clicked() {
            browser.playing = None;
            browser.frame = (browser.frame + 1).min(last);
        }
        let text = place(browser.frame, fps, frames, wide);
        // As wide as the longest, so that the rail does not move.
        let longest = place(last, fps, frames, wide);
        let width = widgets::width_of(ui, &longest, theme::mono_small()) + 8.0;
        let rest = ui.available_rect_before_wrap();
        let label = rest.with_min_x(rest.max.x - width);
        let palette = theme::palette(ui);
        widgets::text_in(
            ui,
            label,
            &text,
            theme::mono_small(),
            palette.text,
            Align::Max,
        );
        let rail = rest.with_max_x(label.min.x - 4.0);
        if let Some(frame) = rail_ui(ui, rail, browser.frame, last) {
            browser.seek(frame, now_secs);
        }
    });
}

/// Where a row is, in words.
fn place(frame: u32, fps: u32, frames: u32, with_time: bool) -> String {
    let last = frames.saturating_sub(1);
    let rows = format!("{frame} / {last}");
    if !with_time {
        return rows;
    }
    let secs = |row: u32| f64::from(row) / f64::from(fps.max(1));
    let (now, end) = (secs(frame), secs(last));
    format!("{now:.2} / {end:.2} s   {rows}")
}

/// Draws the rail; answers with the row that a person wants.
fn rail_ui(ui: &mut Ui, rect: Rect, frame: u32, last: u32) -> Option<u32> {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, ui.id().with("rail"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(true, f64::from(frame), "Row"));
    let rail = Rect::from_center_size(rect.center(), vec2(rect.width() - 2.0 * RAIL_END, 6.0));
    let mut wanted = None;
    if let Some(pointer) = response.interact_pointer_pos()
        && (response.dragged() || response.clicked() || response.is_pointer_button_down_on())
    {
        let part = ((pointer.x - rail.min.x) / rail.width().max(1.0)).clamp(0.0, 1.0);
        wanted = Some((f64::from(part) * f64::from(last)).round() as u32);
    } else if response.has_focus() {
        wanted = step_by_keys(ui, &response, frame, last);
    }
    let shown = wanted.unwrap_or(frame);
    let part = if last > 0 {
        (f64::from(shown) / f64::from(last)) as f32
    } else {
        0.0
    };
    widgets::bar(ui, rail, &[(part, palette.accent)]);
    let x = egui::lerp(rail.min.x..=rail.max.x, part);
    let center = pos2(x, rail.center().y);
    let hot = response.hovered() || response.dragged() || response.has_focus();
    let radius = if hot { 7.0 } else { 6.0 };
    ui.painter().circle_filled(center, radius, palette.strong);
    if response.has_focus() {
        let stroke = Stroke::new(1.5, palette.accent);
        ui.painter().circle_stroke(center, radius + 2.0, stroke);
    }
    response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
    wanted.filter(|wanted| *wanted != frame)
}

/// Steps with the arrow keys when the rail has the keyboard.
fn step_by_keys(ui: &Ui, response: &egui::Response, frame: u32, last: u32) -> Option<u32> {
    ui.memory_mut(|memory| {
        let filter = egui::EventFilter {
            horizontal_arrows: true,
            ..egui::EventFilter::default()
        };
        memory.set_focus_lock_filter(response.id, filter);
    });
    let count = |key| ui.input(|input| input.num_presses(key)) as u32;
    let wanted = frame
        .saturating_add(count(Key::ArrowRight))
        .saturating_sub(count(Key::ArrowLeft))
        .min(last);
    (wanted != frame).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_in_rows_and_seconds() {
        assert_eq!(place(104, 30, 300, true), "3.47 / 9.97 s   104 / 299");
        assert_eq!(place(0, 30, 0, false), "0 / 0");
        assert_eq!(place(5, 0, 9, true), "5.00 / 8.00 s   5 / 8");
    }
}
