//! The kinds of work of a service: how many wait, how long they take.

use egui::{Align, Color32, Rect, Sense, Ui, WidgetInfo, WidgetType, vec2};
use forearm_protocol::telemetry::KindStats;

use crate::figures;
use crate::theme::{self, Palette};
use crate::widgets;
use crate::worker_row::{INDENT, right_aligned, spread};

const LINE: f32 = 20.0;

/// The columns of numbers: name, width beside a name, meaning.
const COLUMNS: [(&str, f32, &str); 6] = [
    ("queued", 56.0, "Jobs that wait"),
    ("running", 60.0, "Jobs that are being done"),
    ("done", 60.0, "Jobs that were done since start"),
    ("mean", 68.0, "How long a job took, mean"),
    ("p99", 68.0, "How long a job took, 99th percentile"),
    ("cached", 60.0, "Jobs that were answered from memory"),
];

/// Their proportions below a name.
const BELOW: [f32; COLUMNS.len()] = [46.0, 54.0, 52.0, 58.0, 54.0, 48.0];

/// Draws the table. In a narrow list (`wide` is false) the numbers stand below the names.
pub(crate) fn show(ui: &mut Ui, kinds: &[KindStats], wide: bool) {
    let palette = theme::palette(ui);
    let start = ui.cursor().min;
    let height = height(kinds, wide);
    let indent = if wide { INDENT } else { 12.0 };
    let back = Rect::from_min_size(start, vec2(ui.available_width(), height));
    let back = back.with_min_x(start.x + indent - 10.0);
    ui.painter().rect_filled(back, theme::RADIUS, palette.panel);
    ui.add_space(4.0);
    let header = line(ui, indent);
    let places = |rect: Rect| match wide {
        true => right_aligned(rect, COLUMNS.map(|(_, width, _)| width)),
        false => spread(rect, BELOW),
    };
    for (place, (name, _, about)) in places(header).into_iter().zip(COLUMNS) {
        let small = theme::small();
        widgets::text_in(ui, place, name, small, palette.weak, Align::Max);
        ui.interact(place, ui.id().with(("kind", name)), Sense::hover())
            .on_hover_text(about);
    }
    for row in kinds {
        let mut rect = line(ui, indent);
        let mut names = rect;
        if wide {
            names.max.x = places(rect)[0].min.x;
        }
        widgets::text_in(
            ui,
            names,
            row.kind,
            theme::small(),
            palette.text,
            Align::Min,
        );
        if !wide {
            rect = line(ui, indent);
        }
        for (place, (text, color)) in places(rect).into_iter().zip(numbers(row, palette)) {
            widgets::text_in(ui, place, &text, theme::mono_small(), color, Align::Max);
        }
        if let Some((text, color)) = losses(row, palette) {
            let rect = line(ui, indent);
            widgets::text_in(ui, rect, &text, theme::small(), color, Align::Min);
        }
    }
    ui.add_space(12.0);
}

/// Height of the table's ground, points.
fn height(kinds: &[KindStats], wide: bool) -> f32 {
    let lines = |row: &KindStats| {
        let lost = usize::from(row.failed + row.cancelled > 0);
        lost + if wide { 1 } else { 2 }
    };
    8.0 + LINE * (1 + kinds.iter().map(lines).sum::<usize>()) as f32
}

fn line(ui: &mut Ui, indent: f32) -> Rect {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    response.widget_info(|| WidgetInfo::new(WidgetType::Label));
    rect.with_min_x(rect.min.x + indent)
        .with_max_x(rect.max.x - 8.0)
}

/// The numbers of a kind, in the order of [`COLUMNS`]; nothing to see is quiet.
fn numbers(row: &KindStats, palette: &Palette) -> [(String, Color32); COLUMNS.len()] {
    let count = |count: u64| {
        let color = if count > 0 {
            palette.text
        } else {
            palette.weak
        };
        (figures::count(count), color)
    };
    let duration = |secs: f64| {
        let color = if secs > 0.0 {
            palette.text
        } else {
            palette.weak
        };
        (figures::duration(secs), color)
    };
    [
        count(row.queued as u64),
        count(row.running as u64),
        count(row.done),
        duration(row.mean_secs),
        duration(row.p99_secs),
        count(row.cache_hits),
    ]
}

/// What came to nothing, in words.
fn losses(row: &KindStats, palette: &Palette) -> Option<(String, Color32)> {
    let failed = format!("{} failed", figures::count(row.failed));
    let cancelled = format!("{} cancelled", figures::count(row.cancelled));
    match (row.failed, row.cancelled) {
        (0, 0) => None,
        (0, _) => Some((cancelled, palette.weak)),
        (_, 0) => Some((failed, palette.warning)),
        (_, _) => Some((format!("{failed}, {cancelled}"), palette.warning)),
    }
}
