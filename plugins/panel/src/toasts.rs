//! Notices that come up in a corner and go away by themselves.

use egui::{Align, Align2, Area, Id, Order, RichText, Sense, Ui, vec2};
use forearm_protocol::control::{Notice, NoticeLevel};

use crate::theme;
use crate::widgets;

/// The most that are shown at once; the oldest make room.
const MOST: usize = 5;
const WIDTH: f32 = 320.0;

/// Notices on show.
#[derive(Debug, Default)]
pub struct Toasts {
    items: Vec<Toast>,
    next_id: u64,
}

#[derive(Debug)]
struct Toast {
    id: u64,
    notice: Notice,
    count: u32,
    /// Until when it is shown; set when it is first shown.
    until_secs: Option<f64>,
}

/// How long a notice stays, seconds: long enough to read it and to act on it.
fn stay_secs(level: NoticeLevel) -> f64 {
    match level {
        NoticeLevel::Info => 5.0,
        NoticeLevel::Warning => 10.0,
        NoticeLevel::Error => 30.0,
    }
}

impl Toasts {
    /// Shows a notice. One that is on show already counts up and stays longer.
    pub fn push(&mut self, notice: Notice) {
        if let Some(toast) = self.items.iter_mut().find(|toast| toast.notice == notice) {
            toast.count += 1;
            toast.until_secs = None;
            return;
        }
        if self.items.len() == MOST {
            self.items.remove(0);
        }
        self.items.push(Toast {
            id: self.next_id,
            notice,
            count: 1,
            until_secs: None,
        });
        self.next_id += 1;
    }

    /// Forgets what has been shown long enough. What is new counts from `now_secs`.
    pub fn expire(&mut self, now_secs: f64) {
        self.items.retain_mut(|toast| {
            let stay = stay_secs(toast.notice.level);
            *toast.until_secs.get_or_insert(now_secs + stay) > now_secs
        });
    }

    /// The texts on show, oldest first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|toast| toast.notice.text.as_str())
    }

    /// Draws them into the bottom right corner of `within`.
    pub fn show(&mut self, ui: &Ui, within: egui::Rect) {
        let now_secs = ui.input(|input| input.time);
        self.expire(now_secs);
        if self.items.is_empty() {
            return;
        }
        ui.ctx().request_repaint_after_secs(0.25);
        let mut dismissed = None;
        let width = WIDTH.min(within.width() - 32.0).max(160.0);
        let area = Area::new(Id::new("toasts"))
            .order(Order::Foreground)
            .pivot(Align2::RIGHT_BOTTOM)
            .fixed_pos(within.right_bottom() - vec2(16.0, 16.0))
            .constrain_to(within)
            .show(ui.ctx(), |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
                for toast in &self.items {
                    if toast_ui(ui, toast) {
                        dismissed = Some(toast.id);
                    }
                }
            });
        if area.response.contains_pointer() {
            for toast in &mut self.items {
                toast.until_secs = toast.until_secs.map(|until| until.max(now_secs + 2.0));
            }
        }
        if let Some(id) = dismissed {
            self.items.retain(|toast| toast.id != id);
        }
    }
}

/// Draws one; answers whether a person sent it away.
fn toast_ui(ui: &mut Ui, toast: &Toast) -> bool {
    let palette = theme::palette(ui);
    let (color, icon) = match toast.notice.level {
        NoticeLevel::Info => (palette.accent, "ℹ"),
        NoticeLevel::Warning => (palette.warning, "⚠"),
        NoticeLevel::Error => (palette.danger, "⚠"),
    };
    let mut dismissed = false;
    let frame = egui::Frame::new()
        .fill(palette.raised)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin {
            left: 14,
            right: 8,
            top: 8,
            bottom: 8,
        })
        .shadow(ui.visuals().popup_shadow);
    let shown = frame.show(ui, |ui| {
        ui.horizontal_top(|ui| {
            let (mark, _) =
                ui.allocate_exact_size(vec2(14.0, theme::CONTROL_HEIGHT), Sense::hover());
            widgets::text_in(ui, mark, icon, theme::body(), color, Align::Min);
            let text_width = ui.available_width() - theme::CONTROL_HEIGHT - 8.0;
            ui.vertical(|ui| {
                ui.set_width(text_width);
                ui.add_space(4.0);
                let text = if toast.count > 1 {
                    format!("{} (×{})", toast.notice.text, toast.count)
                } else {
                    toast.notice.text.clone()
                };
                ui.add(egui::Label::new(RichText::new(text).color(palette.strong)).wrap());
            });
            dismissed = widgets::icon_button(ui, widgets::CLOSE, "Dismiss").clicked();
        });
    });
    let rect = shown.response.rect;
    let mark = egui::Rect::from_min_max(
        rect.min + vec2(4.0, 8.0),
        egui::pos2(rect.min.x + 7.0, rect.max.y - 8.0),
    );
    ui.painter().rect_filled(mark, 2.0, color);
    dismissed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(level: NoticeLevel, text: &str) -> Notice {
        Notice {
            level,
            text: text.to_owned(),
        }
    }

    #[test]
    fn notices_expire_by_their_level() {
        let mut toasts = Toasts::default();
        toasts.push(notice(NoticeLevel::Info, "info"));
        toasts.push(notice(NoticeLevel::Error, "error"));
        toasts.expire(100.0);
        assert_eq!(toasts.texts().count(), 2);
        toasts.expire(106.0);
        assert_eq!(toasts.texts().collect::<Vec<_>>(), ["error"]);
        toasts.expire(131.0);
        assert_eq!(toasts.texts().count(), 0);
    }

    #[test]
    fn a_notice_that_comes_again_is_counted_and_stays() {
        let mut toasts = Toasts::default();
        toasts.push(notice(NoticeLevel::Info, "same"));
        toasts.expire(0.0);
        toasts.push(notice(NoticeLevel::Info, "same"));
        toasts.expire(4.0);
        assert_eq!((toasts.items.len(), toasts.items[0].count), (1, 2));
        toasts.expire(6.0);
        assert_eq!(toasts.items.len(), 1, "it stays from its last coming");
    }

    #[test]
    fn the_oldest_make_room() {
        let mut toasts = Toasts::default();
        for index in 0..MOST + 2 {
            toasts.push(notice(NoticeLevel::Info, &index.to_string()));
        }
        assert_eq!(toasts.texts().next(), Some("2"));
        assert_eq!(toasts.items.len(), MOST);
    }
}
