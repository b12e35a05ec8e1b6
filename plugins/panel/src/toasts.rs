//! Notices that come up in a corner and go away by themselves.

use egui::text::LayoutJob;
use egui::{Align, Align2, Area, Id, Order, Sense, Ui, vec2};
use forearm_protocol::control::{Notice, NoticeLevel};

use crate::theme;
use crate::widgets;

/// The most that are shown at once; the oldest make room.
const MOST: usize = 5;
const WIDTH: f32 = 320.0;
/// More lines than these are not shown at once.
const LINES: usize = 8;

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

/// Whether two texts are equal but for decimal numbers. Whole numbers may be names and count.
fn same_but_measured(one: &str, other: &str) -> bool {
    fn measurement(word: &str) -> bool {
        let number = word.trim_matches(|c: char| !c.is_ascii_digit());
        number.contains('.') && number.parse::<f64>().is_ok()
    }
    let (mut words, mut others) = (one.split(' '), other.split(' '));
    loop {
        match (words.next(), others.next()) {
            (None, None) => return true,
            (Some(word), Some(other))
                if word == other || (measurement(word) && measurement(other)) => {}
            _ => return false,
        }
    }
}

impl Toasts {
    /// Shows a notice. One that is on show already counts up and becomes the newest again, so that
    /// what is read last is what happened last. Texts that differ in measurements only (`0.4 s`,
    /// `1.2 s`) are the same notice, of which the latest is shown.
    pub fn push(&mut self, notice: Notice) {
        let same = |toast: &Toast| {
            toast.notice.level == notice.level
                && same_but_measured(&toast.notice.text, &notice.text)
        };
        if let Some(index) = self.items.iter().position(same) {
            let mut toast = self.items.remove(index);
            toast.notice = notice;
            toast.count += 1;
            toast.until_secs = None;
            self.items.push(toast);
            return;
        }
        if self.items.len() == MOST {
            self.make_room();
        }
        self.items.push(Toast {
            id: self.next_id,
            notice,
            count: 1,
            until_secs: None,
        });
        self.next_id += 1;
    }

    /// Forgets the oldest of those that matter least.
    fn make_room(&mut self) {
        let least = self.items.iter().map(|toast| toast.notice.level).min();
        let oldest = |toast: &Toast| Some(toast.notice.level) == least;
        if let Some(index) = self.items.iter().position(oldest) {
            self.items.remove(index);
        }
    }

    /// Forgets what has been shown long enough. What is new counts from `now_secs`. What came after
    /// a trouble stays as long as the trouble: nobody should read that something crashed, and no
    /// more that it is back.
    pub fn expire(&mut self, now_secs: f64) {
        let mut trouble_until = now_secs;
        self.items.retain_mut(|toast| {
            let stay = stay_secs(toast.notice.level);
            let until = toast.until_secs.get_or_insert(now_secs + stay);
            if toast.notice.level == NoticeLevel::Error {
                trouble_until = trouble_until.max(*until);
            }
            until.max(trouble_until) > now_secs
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
        NoticeLevel::Info => (palette.accent, "i"),
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
                ui.add(egui::Label::new(shortened(&toast.notice.text, palette.strong)).wrap());
                if toast.count > 1 {
                    widgets::hint(ui, &format!("{} times", toast.count));
                }
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

/// The text, in a few lines; the rest is told when the pointer rests on it.
fn shortened(text: &str, color: egui::Color32) -> LayoutJob {
    let mut job = LayoutJob::simple(text.to_owned(), theme::body(), color, f32::INFINITY);
    job.wrap.max_rows = LINES;
    job
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
    fn the_last_word_is_the_newest_and_stays_beside_its_trouble() {
        let (crash, back) = ("control crashed", "control is back");
        let mut toasts = Toasts::default();
        for _ in 0..2 {
            toasts.push(notice(NoticeLevel::Error, crash));
            toasts.push(notice(NoticeLevel::Info, back));
            toasts.expire(0.0);
        }
        assert_eq!(toasts.texts().collect::<Vec<_>>(), [crash, back]);
        toasts.push(notice(NoticeLevel::Error, crash));
        toasts.expire(10.0);
        assert_eq!(toasts.texts().collect::<Vec<_>>(), [crash]);
        assert_eq!(toasts.items[0].count, 3);
        toasts.push(notice(NoticeLevel::Info, back));
        toasts.expire(10.5);
        toasts.expire(30.0);
        assert_eq!(toasts.texts().collect::<Vec<_>>(), [crash, back]);
        toasts.expire(41.0);
        assert_eq!(toasts.texts().count(), 0);
    }

    #[test]
    fn measurements_do_not_make_another_notice() {
        let mut toasts = Toasts::default();
        for text in [
            "Control is back after 0.4 s.",
            "Control is back after 1.2 s.",
        ] {
            toasts.push(notice(NoticeLevel::Info, text));
        }
        assert_eq!(
            toasts.texts().collect::<Vec<_>>(),
            ["Control is back after 1.2 s."]
        );
        assert_eq!(toasts.items[0].count, 2);
        for text in [
            "Arm 1 is limited to 1.69.",
            "Arm 2 is limited to 1.69.",
            "Arm 2 is",
        ] {
            toasts.push(notice(NoticeLevel::Info, text));
        }
        assert_eq!(toasts.items.len(), 4, "whole numbers may be names");
    }

    #[test]
    fn trouble_is_not_crowded_out() {
        let mut toasts = Toasts::default();
        toasts.push(notice(NoticeLevel::Error, "trouble"));
        for index in 0..MOST {
            toasts.push(notice(NoticeLevel::Info, &index.to_string()));
        }
        assert_eq!(
            toasts.texts().collect::<Vec<_>>(),
            ["trouble", "1", "2", "3", "4"]
        );
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
