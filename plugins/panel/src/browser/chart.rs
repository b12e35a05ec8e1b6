//! What joints were told (dashed) and did (solid) in an episode, with a line at the row on show.

use std::collections::BTreeSet;

use egui::{Rect, ScrollArea, Ui, UiBuilder, vec2};
use egui_plot::{GridInput, GridMark, Line, LineStyle, PlotPoint, PlotPoints, VLine};
use forearm_protocol::record::{DatasetSummary, EpisodeSeries};

use crate::browser::Browser;
use crate::plot;
use crate::theme;
use crate::units;
use crate::widgets;

/// Joints whose lines are drawn when nobody has chosen any.
const DEFAULT_JOINTS: usize = 3;
/// More points than these no line needs, twice the widest chart.
const POINTS: usize = 3000;
/// In a narrower chart the names of joints stand above it, points.
const BESIDE: f32 = 480.0;
const LIST: f32 = 148.0;

/// The lines that are drawn: kept until they show something else.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Episode, rows and joints that they are of.
    of: Option<(u32, u32, BTreeSet<usize>)>,
    lines: Vec<Series>,
    bounds: (f64, f64),
}

#[derive(Debug)]
struct Series {
    name: String,
    joint: usize,
    dashed: bool,
    points: Vec<PlotPoint>,
}

/// Draws the chart; answers with the row that was clicked.
pub(super) fn show(
    ui: &mut Ui,
    browser: &mut Browser,
    dataset: &DatasetSummary,
    series: &EpisodeSeries,
) -> Option<u32> {
    let names = &dataset.state_names;
    let mut chosen = match &browser.joints {
        Some(chosen) => chosen.clone(),
        None => (0..names.len().min(DEFAULT_JOINTS)).collect(),
    };
    let all = ui.available_rect_before_wrap();
    let chart = if all.width() >= BESIDE {
        let list = all.with_max_x(all.min.x + LIST);
        ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
            legend(ui);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                entries(ui, names, &mut chosen);
            });
        });
        all.with_min_x(list.max.x + 8.0)
    } else {
        let shown = ui.scope_builder(UiBuilder::new().max_rect(all), |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(4.0, 0.0);
                entries_in_lines(ui, names, &mut chosen);
            });
            ui.min_rect().max.y
        });
        all.with_min_y(shown.inner + 4.0)
    };
    browser.lines.show(dataset, series, &chosen);
    browser.joints = Some(chosen);
    let chart = chart.with_max_x(chart.max.x - 8.0);
    let builder = UiBuilder::new().max_rect(chart).id_salt("lines");
    let at = ui.scope_builder(builder, |ui| {
        draw(ui, chart, &browser.lines, dataset, series, browser.frame)
    });
    at.inner
}

/// Says what the two kinds of lines are.
fn legend(ui: &mut Ui) {
    let color = theme::palette(ui).text;
    ui.horizontal(|ui| {
        plot::legend(ui, color, false, "state");
        plot::legend(ui, color, true, "action");
    });
}

/// A joint's name without what LeRobot puts behind it.
fn short(name: &str) -> &str {
    name.strip_suffix(".pos").unwrap_or(name)
}

fn entries(ui: &mut Ui, names: &[String], chosen: &mut BTreeSet<usize>) {
    for (joint, name) in names.iter().enumerate() {
        let color = plot::series_color(ui, joint);
        let on = chosen.contains(&joint);
        if plot::joint_entry(ui, short(name), &format!("episode/{name}"), color, on) {
            flip(chosen, joint);
        }
    }
}

fn entries_in_lines(ui: &mut Ui, names: &[String], chosen: &mut BTreeSet<usize>) {
    for (joint, name) in names.iter().enumerate() {
        let color = plot::series_color(ui, joint);
        let on = chosen.contains(&joint);
        let width = widgets::width_of(ui, short(name), theme::body()) + 32.0;
        ui.allocate_ui(vec2(width, 20.0), |ui| {
            ui.set_width(width);
            if plot::joint_entry(ui, short(name), &format!("episode/{name}"), color, on) {
                flip(chosen, joint);
            }
        });
    }
}

fn flip(chosen: &mut BTreeSet<usize>, joint: usize) {
    if !chosen.remove(&joint) {
        chosen.insert(joint);
    }
}

impl Lines {
    /// Makes the lines of these joints, unless they are there.
    fn show(&mut self, dataset: &DatasetSummary, series: &EpisodeSeries, chosen: &BTreeSet<usize>) {
        let of = (series.index, series.frames, chosen.clone());
        if self.of.as_ref() == Some(&of) {
            return;
        }
        self.of = Some(of);
        self.lines.clear();
        for &joint in chosen {
            let Some(name) = dataset.state_names.get(joint) else {
                continue;
            };
            let action = dataset.action_names.iter().position(|its| its == name);
            let sources = [
                (action, &series.actions, dataset.action_names.len(), true),
                (
                    Some(joint),
                    &series.states,
                    dataset.state_names.len(),
                    false,
                ),
            ];
            for (column, values, width, dashed) in sources {
                let Some(column) = column else { continue };
                let kind = if dashed { "action" } else { "state" };
                self.lines.push(Series {
                    name: format!("{} {kind}", short(name)),
                    joint,
                    dashed,
                    points: points(values, width, column, dataset.fps),
                });
            }
        }
        let values = self.lines.iter().flat_map(|line| &line.points);
        let values = values.map(|point| point.y);
        self.bounds = plot::bounds_of(values, 10.0);
    }
}

/// A column as points over seconds. Of a long episode each stretch keeps its least and its greatest
/// value, so that no peak is lost.
fn points(values: &[f32], width: usize, column: usize, fps: u32) -> Vec<PlotPoint> {
    let fps = f64::from(fps.max(1));
    let all = values.chunks_exact(width.max(1));
    let all: Vec<f64> = all
        .filter_map(|row| row.get(column))
        .map(|value| f64::from(*value))
        .collect();
    let point = |row: usize| PlotPoint::new(row as f64 / fps, all[row]);
    if all.len() <= POINTS {
        return (0..all.len()).map(point).collect();
    }
    let stretch = all.len().div_ceil(POINTS / 2);
    let mut kept = Vec::with_capacity(POINTS + 2);
    for first in (0..all.len()).step_by(stretch) {
        let rows = first..(first + stretch).min(all.len());
        let by = |one: &usize, other: &usize| all[*one].total_cmp(&all[*other]);
        let (low, high) = (rows.clone().min_by(by), rows.max_by(by));
        if let (Some(low), Some(high)) = (low, high) {
            kept.push(point(low.min(high)));
            if low != high {
                kept.push(point(low.max(high)));
            }
        }
    }
    kept
}

/// Draws the lines; answers with the row that was clicked.
fn draw(
    ui: &mut Ui,
    chart: Rect,
    lines: &Lines,
    dataset: &DatasetSummary,
    series: &EpisodeSeries,
    frame: u32,
) -> Option<u32> {
    let palette = theme::palette(ui);
    let fps = f64::from(dataset.fps.max(1));
    let end = (f64::from(series.frames.saturating_sub(1)) / fps).max(0.1);
    let (low, high) = lines.bounds;
    let shown = plot::frame(ui, "episode", 2)
        .height(chart.height())
        .x_grid_spacer(seconds_grid)
        .x_axis_formatter(|mark, _| {
            let decimals = usize::from(mark.step_size < 1.0);
            format!("{} s", units::number(mark.value, decimals))
        })
        .show(ui, |plot| {
            plot.set_plot_bounds_x(0.0..=end);
            plot.set_plot_bounds_y(low..=high);
            for line in &lines.lines {
                let color = palette.series[line.joint % palette.series.len()];
                let (style, color) = if line.dashed {
                    let faint = color.lerp_to_gamma(palette.chart, 0.25);
                    (LineStyle::dashed_dense(), faint)
                } else {
                    (LineStyle::Solid, color)
                };
                let points = PlotPoints::Borrowed(&line.points);
                let drawn = Line::new(&line.name, points);
                plot.line(drawn.color(color).width(1.5).style(style));
            }
            let here = VLine::new("row", f64::from(frame) / fps);
            plot.vline(here.color(palette.strong).width(1.5));
            let pressed = plot.response().is_pointer_button_down_on();
            plot.pointer_coordinate().filter(|_| pressed)
        });
    let at = shown.inner?;
    let row = (at.x * fps).round().max(0.0);
    Some((row as u32).min(series.frames.saturating_sub(1)))
}

/// Marks at round seconds, some five of them.
fn seconds_grid(input: GridInput) -> Vec<GridMark> {
    let (first, last) = input.bounds;
    let rough = (last - first) / 5.0;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let steps = [
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    ];
    let step = steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    (0..=(last / step) as i64)
        .map(|index| GridMark {
            value: index as f64 * step,
            step_size: step,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_becomes_points_over_seconds() {
        let values = [0.0, 10.0, 1.0, 11.0, 2.0, 12.0];
        let points = points(&values, 2, 1, 10);
        let at: Vec<_> = points.iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(at, [(0.0, 10.0), (0.1, 11.0), (0.2, 12.0)]);
        assert!(super::points(&[], 0, 0, 0).is_empty());
    }

    #[test]
    fn a_long_episode_keeps_its_peaks() {
        let mut values = vec![0.0_f32; 100_000];
        values[54_321] = 7.0;
        values[54_399] = -7.0;
        let points = points(&values, 1, 0, 30);
        assert!(points.len() <= POINTS + 2, "{}", points.len());
        let low = points.iter().map(|it| it.y).fold(f64::INFINITY, f64::min);
        let high = points
            .iter()
            .map(|it| it.y)
            .fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((low, high), (-7.0, 7.0));
        assert!(points.windows(2).all(|pair| pair[0].x < pair[1].x));
    }
}
