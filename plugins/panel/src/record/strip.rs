//! The strip above the picture while a recording is open: what is going on, to be read from across
//! the room.

use egui::{Align, Color32, FontId, Frame, Layout, Margin, Panel, Rect, Ui, UiBuilder, pos2, vec2};
use forearm_protocol::record::{CameraHealth, Phase, RecordState};

use crate::actions::Outbox;
use crate::inputs::PanelInputs;
use crate::record::controls;
use crate::recording::RightTab;
use crate::state::PanelState;
use crate::theme::{self, Palette};
use crate::widgets;

/// Height of the bar at its lower rim, points.
const BAR: f32 = 6.0;

/// In a strip this wide everything is as large as it gets, in one this wide it is smaller, points.
const FULL: f32 = 600.0;
const HALF: f32 = 400.0;

/// Sizes of its parts, points.
struct Sizes {
    height: f32,
    word: f32,
    digits: f32,
    limit: f32,
    note: f32,
}

const WIDE: Sizes = Sizes {
    height: 76.0,
    word: 28.0,
    digits: 50.0,
    limit: 22.0,
    note: 16.0,
};
const MIDDLE: Sizes = Sizes {
    height: 66.0,
    word: 20.0,
    digits: 40.0,
    limit: 16.0,
    note: 14.0,
};
const NARROW: Sizes = Sizes {
    height: 56.0,
    word: 18.0,
    digits: 34.0,
    limit: 14.0,
    note: 13.0,
};

/// What is going on, in few words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Headline {
    /// One word.
    pub(crate) word: &'static str,
    /// The time that matters: gone by, or still to wait.
    pub(crate) time: String,
    /// When the phase ends.
    pub(crate) limit: String,
    /// How much of the phase is over, 0 to 1; of a reset, how much of it is left.
    pub(crate) part: Option<f32>,
}

/// Says how a recording stands.
pub(crate) fn headline(state: &RecordState) -> Headline {
    let over = state
        .phase_limit_secs
        .filter(|limit| *limit > 0.0)
        .map(|limit| (state.phase_secs / limit).clamp(0.0, 1.0) as f32);
    let clock = |word: &'static str| Headline {
        word,
        time: clock(state.phase_secs),
        limit: state
            .phase_limit_secs
            .map(|limit| format!("/ {}", self::clock(limit)))
            .unwrap_or_default(),
        part: over,
    };
    let plain = |word: &'static str| Headline {
        word,
        time: String::new(),
        limit: String::new(),
        part: None,
    };
    match state.phase {
        Phase::Closed => plain(""),
        Phase::Ready => plain("READY"),
        Phase::Recording => clock("REC"),
        Phase::Paused => clock("PAUSED"),
        Phase::Saving => plain("SAVING"),
        Phase::Resetting => {
            let left = |limit: f64| (limit - state.phase_secs).max(0.0);
            let (time, limit) = match state.phase_limit_secs.map(left) {
                Some(secs) if secs < 99.5 => (format!("{:.0}", secs.ceil()), "s"),
                Some(secs) => (self::clock(secs), ""),
                None => (String::new(), ""),
            };
            Headline {
                word: "RESET",
                time,
                limit: limit.to_owned(),
                part: over.map(|part| 1.0 - part),
            }
        }
        Phase::Finished => plain("DONE"),
    }
}

/// A time as a clock shows it, minutes and seconds.
pub(crate) fn clock(secs: f64) -> String {
    let secs = secs.max(0.0) as u64;
    match secs {
        0..3600 => format!("{:02}:{:02}", secs / 60, secs % 60),
        _ => format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60),
    }
}

/// The ground and the ink of a phase.
fn colors(phase: Phase, palette: &Palette) -> (Color32, Color32) {
    let dark = Color32::from_rgb(0x1b, 0x14, 0x05);
    match phase {
        // Bright red is the emergency stop's.
        Phase::Recording => (Color32::from_rgb(0x72, 0x1a, 0x26), Color32::WHITE),
        Phase::Resetting => (Color32::from_rgb(0xf0, 0xb4, 0x42), dark),
        Phase::Saving => (palette.accent, palette.on_accent),
        Phase::Paused => (palette.control_active, palette.strong),
        Phase::Closed | Phase::Ready | Phase::Finished => (palette.control, palette.strong),
    }
}

/// Draws the strip, if a recording is open. `panel_open` tells whether the panel is open that has the
/// recorder's buttons, if that is what it shows.
pub(crate) fn show(
    ui: &mut Ui,
    state: &PanelState,
    inputs: &PanelInputs,
    panel_open: bool,
    out: &mut Outbox,
) {
    let Some(view) = inputs.record.as_ref().filter(|view| view.in_session()) else {
        return;
    };
    let sizes = match ui.available_width() {
        width if width >= FULL => &WIDE,
        width if width >= HALF => &MIDDLE,
        _ => &NARROW,
    };
    let palette = theme::palette(ui);
    let (ground, ink) = colors(view.state.phase, palette);
    Panel::top("record_strip")
        .exact_size(sizes.height)
        .show_separator_line(false)
        .frame(
            Frame::new()
                .fill(ground)
                .inner_margin(Margin::symmetric(16, 0)),
        )
        .show(ui, |ui| {
            let all = ui.max_rect();
            let line = all.with_max_y(all.max.y - BAR);
            let left = state_text(ui, line, sizes, &view.state, ink);
            let rest = line.with_min_x(left + 16.0);
            let buttons = !(panel_open && state.settings.record.tab == RightTab::Record);
            aside(ui, rest, sizes, state, inputs, ink, buttons, out);
            if let Some(part) = headline(&view.state).part {
                bar(ui, all.expand2(vec2(16.0, 0.0)), part, ink);
            }
        });
}

/// Draws word and time; answers where they end.
fn state_text(ui: &Ui, line: Rect, sizes: &Sizes, state: &RecordState, ink: Color32) -> f32 {
    let headline = headline(state);
    let mut left = line.min.x;
    let middle = line.center().y;
    if matches!(state.phase, Phase::Recording | Phase::Paused) {
        let radius = sizes.word * 0.36;
        let center = pos2(left + radius, middle);
        // It blinks while time is running.
        let dim = state.phase == Phase::Recording && state.phase_secs.fract() > 0.6;
        let color = match state.phase {
            Phase::Paused => ink,
            _ => Color32::from_rgb(0xff, 0x5a, 0x5f).gamma_multiply(if dim { 0.35 } else { 1.0 }),
        };
        if state.phase == Phase::Paused {
            for side in [-0.55, 0.55] {
                let bar = Rect::from_center_size(
                    center + vec2(side * radius, 0.0),
                    vec2(radius * 0.6, radius * 2.0),
                );
                ui.painter().rect_filled(bar, 1.0, color);
            }
        } else {
            ui.painter().circle_filled(center, radius, color);
        }
        left += 2.0 * radius + sizes.word * 0.4;
    }
    let mut write = |text: &str, font: FontId, gap: f32, ink: Color32| {
        if text.is_empty() {
            return;
        }
        let galley = ui.painter().layout_no_wrap(text.to_owned(), font, ink);
        let size = galley.size();
        ui.painter()
            .galley(pos2(left, middle - size.y / 2.0), galley, ink);
        left += size.x + gap;
    };
    write(
        headline.word,
        FontId::proportional(sizes.word),
        sizes.word * 0.6,
        ink,
    );
    write(
        &headline.time,
        FontId::monospace(sizes.digits),
        sizes.limit * 0.5,
        ink,
    );
    let faint = ink.gamma_multiply(0.8);
    write(&headline.limit, FontId::monospace(sizes.limit), 0.0, faint);
    left
}

/// Draws which episode it is, its task, and buttons where there are no others.
fn aside(
    ui: &mut Ui,
    rest: Rect,
    sizes: &Sizes,
    state: &PanelState,
    inputs: &PanelInputs,
    ink: Color32,
    buttons: bool,
    out: &mut Outbox,
) {
    let Some(view) = &inputs.record else { return };
    let record = &view.state;
    let roomy = sizes.height > NARROW.height;
    let buttons = buttons && roomy;
    let episode = (record.made + 1).min(record.wanted);
    let font = FontId::proportional(sizes.note);
    let text = match record.phase {
        Phase::Finished => format!("{} episodes", record.made),
        _ => format!("Episode {episode} of {}", record.wanted),
    };
    let text = if widgets::width_of(ui, &text, font.clone()) <= rest.width() {
        text
    } else {
        format!("{episode} / {}", record.wanted)
    };
    if rest.width() < 40.0 {
        return;
    }
    let alarm = alarm(record);
    let below = alarm.as_deref().unwrap_or(&record.task);
    let two_lines = buttons || (roomy && !below.is_empty());
    let height = sizes.note + 6.0;
    let upper = match (two_lines, buttons) {
        (false, _) => rest,
        (true, true) => rest.with_max_y(rest.min.y + 10.0 + height),
        (true, false) => Rect::from_min_max(
            pos2(rest.min.x, rest.center().y - height),
            pos2(rest.max.x, rest.center().y),
        ),
    };
    widgets::text_in(ui, upper, &text, font, ink, Align::Max);
    if buttons {
        let builder = UiBuilder::new()
            .max_rect(rest.with_min_y(upper.max.y))
            .layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| controls::quick(ui, state, inputs, out));
    } else if two_lines {
        let lower = upper.translate(vec2(0.0, height));
        match alarm.is_some() {
            true => {
                let font = FontId::proportional(sizes.note);
                let loud = Color32::from_rgb(0xff, 0xd8, 0x4d);
                widgets::text_in(ui, lower, below, font, loud, Align::Max);
            }
            false => {
                let faint = ink.gamma_multiply(0.85);
                widgets::text_in(ui, lower, below, theme::body(), faint, Align::Max);
            }
        }
    }
}

/// What goes wrong while an episode is being recorded, in few words.
fn alarm(state: &RecordState) -> Option<String> {
    if state.phase != Phase::Recording {
        return None;
    }
    let camera = state.cameras.iter().find_map(|camera| {
        let name = &camera.name;
        match camera.health {
            CameraHealth::Frozen => Some(format!("{name} is frozen")),
            CameraHealth::Lost(_) => Some(format!("{name} is lost")),
            CameraHealth::Opening | CameraHealth::Live => None,
        }
    });
    camera.or_else(|| match state.ticks_lost {
        0 => None,
        lost => Some(format!("{lost} ticks lost")),
    })
}

fn bar(ui: &Ui, strip: Rect, part: f32, ink: Color32) {
    let rail = strip.with_min_y(strip.max.y - BAR);
    ui.painter()
        .rect_filled(rail, 0.0, Color32::from_black_alpha(90));
    let filled = rail.with_max_x(egui::lerp(rail.min.x..=rail.max.x, part));
    ui.painter().rect_filled(filled, 0.0, ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(phase: Phase, secs: f64, limit: Option<f64>) -> RecordState {
        RecordState {
            phase,
            phase_secs: secs,
            phase_limit_secs: limit,
            ..RecordState::default()
        }
    }

    #[test]
    fn phases_read_at_a_glance() {
        let told = headline(&state(Phase::Recording, 12.9, Some(60.0)));
        assert_eq!((told.word, told.time.as_str()), ("REC", "00:12"));
        assert_eq!(told.limit, "/ 01:00");
        assert_eq!(told.part, Some(0.215));
        let told = headline(&state(Phase::Resetting, 0.4, Some(5.0)));
        assert_eq!((told.word, told.time.as_str()), ("RESET", "5"));
        assert_eq!(told.part, Some(0.92));
        let told = headline(&state(Phase::Resetting, 7.0, Some(5.0)));
        assert_eq!((told.time.as_str(), told.part), ("0", Some(0.0)));
        let told = headline(&state(Phase::Recording, 4000.0, None));
        assert_eq!((told.time.as_str(), told.limit.as_str()), ("1:06:40", ""));
    }
}
