//! One service in the list of workers: a line of numbers, and below it, unfolded, its kinds of work.
//!
//! In a wide list a service is one line of a table; in a narrow one its numbers stand below its
//! name, in the same columns for all services.

use std::collections::BTreeSet;

use egui::{Align, Color32, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::actions::{Outbox, PanelAction};
use crate::figures;
use crate::kind_table;
use crate::theme::{self, Palette};
use crate::widgets;
use crate::workers::{ServiceRow, ServiceState};

/// A service that should beat and was not heard of for longer than this is called out, seconds.
const LATE_SECS: f64 = 2.0;
/// From this width on a service is one line, points.
const WIDE: f32 = 560.0;
/// Room for the triangle and the light before a name, points.
pub(crate) const INDENT: f32 = 32.0;
const LINE: f32 = 26.0;
/// Height of the numbers below the name in a narrow list, points.
const NUMBERS: f32 = 18.0;
const HOST: f32 = 88.0;
const STATE: f32 = 80.0;
const HEADER: f32 = 20.0;

/// The columns of numbers: name, width in a wide list, meaning.
const COLUMNS: [(&str, f32, &str); 5] = [
    ("beat", 52.0, "How long ago the service was last heard of"),
    (
        "restarts",
        60.0,
        "How often it was started again after a failure",
    ),
    ("queue", 52.0, "Messages and jobs that wait for it"),
    ("msg/s", 56.0, "Messages to and from it, a second"),
    (
        "data/s",
        72.0,
        "Bytes of its messages, a second; none where they are handed over without a copy",
    ),
];

/// Where the columns are.
pub(crate) struct Grid {
    wide: bool,
}

impl Grid {
    /// The columns of a list of this width, points.
    pub(crate) fn new(width: f32) -> Self {
        Self {
            wide: width >= WIDE,
        }
    }

    /// Whether numbers stand below names.
    pub(crate) fn stacked(&self) -> bool {
        !self.wide
    }

    fn row_height(&self) -> f32 {
        if self.wide {
            LINE
        } else {
            LINE + NUMBERS + 4.0
        }
    }

    /// The numbers' places in a row.
    fn numbers(&self, row: Rect) -> [Rect; COLUMNS.len()] {
        if self.wide {
            right_aligned(row, COLUMNS.map(|(_, width, _)| width))
        } else {
            let below = row.with_min_x(row.min.x + INDENT);
            spread(below, COLUMNS.map(|(_, width, _)| width))
        }
    }
}

/// Places of these widths at the right end of `rect`, from left to right.
pub(crate) fn right_aligned<const N: usize>(rect: Rect, widths: [f32; N]) -> [Rect; N] {
    let mut left = rect.max.x - widths.iter().sum::<f32>();
    widths.map(|width| {
        let place = Rect::from_min_max(pos2(left, rect.min.y), pos2(left + width, rect.max.y));
        left += width;
        place
    })
}

/// Places whose widths are in this proportion and that fill `rect`, from left to right.
pub(crate) fn spread<const N: usize>(rect: Rect, widths: [f32; N]) -> [Rect; N] {
    let scale = rect.width() / widths.iter().sum::<f32>();
    right_aligned(rect, widths.map(|width| width * scale))
}

/// Draws the names of the columns.
pub(crate) fn header(ui: &mut Ui, grid: &Grid) {
    let weak = theme::palette(ui).weak;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEADER), Sense::hover());
    let numbers = grid.numbers(rect);
    if grid.wide {
        let [host, state] = words(numbers[0]);
        let name = rect.with_min_x(rect.min.x + INDENT);
        for (place, text) in [(name, "service"), (host, "runs on"), (state, "state")] {
            widgets::text_in(ui, place, text, theme::small(), weak, Align::Min);
        }
    }
    for (place, (name, _, about)) in numbers.into_iter().zip(COLUMNS) {
        widgets::text_in(ui, place, name, theme::small(), weak, Align::Max);
        ui.interact(place, ui.id().with(name), Sense::hover())
            .on_hover_text(about);
    }
    widgets::hairline(ui);
}

/// Where the words of a wide row are, left of its first number.
fn words(first: Rect) -> [Rect; 2] {
    let state = first.translate(vec2(-STATE, 0.0)).with_max_x(first.min.x);
    let host = Rect::from_min_max(
        pos2(state.min.x - HOST, first.min.y),
        pos2(state.min.x - 4.0, first.max.y),
    );
    [host, state]
}

/// Whether a service that should beat has not been heard of for long.
pub(crate) fn late(row: &ServiceRow) -> bool {
    row.state == ServiceState::Running && row.beat_age_secs.is_some_and(|age| age > LATE_SECS)
}

fn light(state: ServiceState, palette: &Palette) -> Color32 {
    match state {
        ServiceState::Starting => palette.accent,
        ServiceState::Running => palette.good,
        ServiceState::Restarting => palette.warning,
        ServiceState::Idle | ServiceState::Stopped => palette.weak,
        ServiceState::Failed => palette.danger,
    }
}

/// Draws a service and, unfolded, what it does. `unfolded` holds the names of those unfolded.
pub(crate) fn show(
    ui: &mut Ui,
    grid: &Grid,
    row: &ServiceRow,
    unfolded: &mut BTreeSet<String>,
    out: &mut Outbox,
) {
    let open = unfolded.contains(&row.name);
    let size = vec2(ui.available_width(), grid.row_height());
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let about = format!("{}, {}, {}", row.name, row.host.label(), row.state.label());
    response.widget_info(|| {
        WidgetInfo::selected(WidgetType::CollapsingHeader, true, open, about.as_str())
    });
    if response.hovered() || response.has_focus() {
        let fill = theme::palette(ui).control;
        ui.painter()
            .rect_filled(rect.expand2(vec2(6.0, 0.0)), theme::RADIUS, fill);
    }
    line(ui, grid, row, rect, open);
    if response.clicked() {
        if open {
            unfolded.remove(&row.name);
        } else {
            unfolded.insert(row.name.clone());
        }
    }
    notes(ui, row, open);
    if open && !row.kinds.is_empty() {
        kind_table::show(ui, &row.kinds, grid.wide);
    }
    if open || matches!(row.state, ServiceState::Failed | ServiceState::Stopped) {
        restart(ui, row, out);
    }
}

fn line(ui: &Ui, grid: &Grid, row: &ServiceRow, rect: Rect, open: bool) {
    let palette = theme::palette(ui);
    let first = rect.with_max_y(rect.min.y + LINE);
    widgets::fold(ui, pos2(rect.min.x + 5.0, first.center().y), open);
    let dot = pos2(rect.min.x + 20.0, first.center().y);
    let color = light(row.state, palette);
    if row.state == ServiceState::Stopped {
        ui.painter()
            .circle_stroke(dot, 3.5, Stroke::new(1.0, color));
    } else {
        ui.painter().circle_filled(dot, 4.0, color);
    }
    let second = if grid.wide {
        first
    } else {
        Rect::from_min_size(first.left_bottom(), vec2(rect.width(), NUMBERS))
    };
    let numbers = grid.numbers(second);
    let [host, state] = if grid.wide {
        words(numbers[0])
    } else {
        let end = first.max.x;
        [
            Rect::from_min_max(
                pos2(end - STATE - HOST, first.min.y),
                pos2(end - STATE, first.max.y),
            ),
            first.with_min_x(end - STATE),
        ]
    };
    let name = Rect::from_min_max(
        pos2(rect.min.x + INDENT, first.min.y),
        pos2(host.min.x - 8.0, first.max.y),
    );
    let strong = palette.strong;
    widgets::text_in(ui, name, &row.name, theme::body(), strong, Align::Min);
    let side = if grid.wide { Align::Min } else { Align::Max };
    let color = match (&row.fallback, grid.wide) {
        (Some(_), _) => palette.warning,
        (None, true) => palette.text,
        (None, false) => palette.weak,
    };
    widgets::text_in(ui, host, row.host.label(), theme::small(), color, side);
    if let Some(why) = &row.fallback {
        ui.interact(host, ui.id().with((&row.name, "host")), Sense::hover())
            .on_hover_text(why);
    }
    let color = match row.state {
        ServiceState::Restarting => palette.warning,
        ServiceState::Failed => palette.danger,
        ServiceState::Idle | ServiceState::Stopped => palette.weak,
        ServiceState::Starting | ServiceState::Running => palette.text,
    };
    widgets::text_in(ui, state, row.state.label(), theme::small(), color, side);
    for (place, (text, color)) in numbers.into_iter().zip(figures_of(row, palette)) {
        let font = if grid.wide {
            theme::mono()
        } else {
            theme::mono_small()
        };
        widgets::text_in(ui, place, &text, font, color, Align::Max);
    }
}

/// The numbers of a service, in the order of [`COLUMNS`]; nothing to see is quiet.
fn figures_of(row: &ServiceRow, palette: &Palette) -> [(String, Color32); COLUMNS.len()] {
    let busy = |busy: bool| if busy { palette.text } else { palette.weak };
    let beat = match row.beat_age_secs {
        Some(age) if late(row) => (figures::age(age), palette.warning),
        Some(age) => (figures::age(age), palette.text),
        None => (figures::UNKNOWN.to_owned(), palette.weak),
    };
    let restarts = if row.restarts > 0 {
        palette.warning
    } else {
        palette.weak
    };
    let rate = figures::rate(row.messages_per_sec);
    let data = figures::bytes(row.bytes_per_sec);
    let (rates, moves) = (busy(rate != "0"), busy(data != "0"));
    [
        beat,
        (figures::count(u64::from(row.restarts)), restarts),
        (figures::count(row.queue as u64), busy(row.queue > 0)),
        (rate, rates),
        (data, moves),
    ]
}

/// Draws what a person must know beside the numbers: progress, failure, and unfolded why it runs
/// where it does.
fn notes(ui: &mut Ui, row: &ServiceRow, open: bool) {
    let palette = theme::palette(ui);
    if let Some((stage, fraction)) = &row.progress {
        let part = fraction.clamp(0.0, 1.0);
        let text = format!("{stage}, {:.0} %", part * 100.0);
        note(ui, &text, palette.weak);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
        let rail = rect
            .with_min_x(rect.min.x + INDENT)
            .with_max_y(rect.min.y + 4.0);
        widgets::bar(ui, rail, &[(part, palette.accent)]);
    }
    if let Some(failure) = &row.failure {
        let color = match row.state {
            ServiceState::Failed => palette.danger,
            ServiceState::Restarting => palette.warning,
            _ => palette.weak,
        };
        note(ui, failure, color);
    }
    if let (Some(why), true) = (&row.fallback, open) {
        note(ui, why, palette.warning);
    }
}

fn note(ui: &mut Ui, text: &str, color: Color32) {
    let text = egui::RichText::new(text).font(theme::small()).color(color);
    ui.horizontal(|ui| {
        ui.add_space(INDENT);
        ui.vertical(|ui| {
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(4.0);
        });
    });
}

fn restart(ui: &mut Ui, row: &ServiceRow, out: &mut Outbox) {
    let can = !matches!(row.state, ServiceState::Starting | ServiceState::Restarting);
    let name = format!("Restart {}", row.name);
    let clicked = widgets::sides(
        ui,
        |ui| {
            if row.state == ServiceState::Running {
                ui.add_space(INDENT);
                widgets::hint(ui, "What is in flight ends with an error.");
            }
        },
        |ui| {
            if row.state == ServiceState::Failed {
                let accent = theme::palette(ui).accent;
                return widgets::filled_button(ui, &name, 0.0, accent).clicked();
            }
            ui.add_enabled(can, egui::Button::new(&name)).clicked()
        },
    );
    ui.add_space(8.0);
    if clicked {
        out.actions
            .push(PanelAction::RestartService(row.name.clone()));
    }
}
