//! The plot at the bottom: targets (dashed) and positions (solid) of chosen joints, or how far real
//! joints are from those of their simulated twins.

use std::collections::BTreeSet;

use egui::{
    Align, Color32, Rect, RichText, ScrollArea, Sense, Stroke, Ui, Vec2b, WidgetInfo, vec2,
};
use egui_plot::{GridInput, GridMark, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints};

use crate::history::History;
use crate::inputs::{ArmView, PanelInputs};
use crate::state::PanelState;
use crate::theme;
use crate::units::{self, Scale, Units};
use crate::widgets;

/// The time that the plot shows, seconds.
const WINDOW_SECS: f64 = 10.0;
/// Joints chosen when nobody has chosen any.
const DEFAULT_JOINTS: usize = 3;
/// Width that the name of the unit needs.
const UNIT_WIDTH: f32 = 80.0;
/// Width that the legend needs, of positions and targets, and of errors.
const LEGEND_WIDTH: f32 = 140.0;
const ERROR_WIDTH: f32 = 120.0;
/// Width of the list of joints.
const LIST_WIDTH: f32 = 148.0;

/// What is drawn of a joint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Target,
    Position,
    /// Measured position less that of the simulated twin.
    TwinError,
}

/// Draws the panel's contents; answers whether a person closed it.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) -> bool {
    let closed = header(ui, state, inputs);
    ui.add_space(4.0);
    if inputs.arms().is_empty() {
        widgets::empty(ui, "Nothing to plot", "Joints appear here with a scene.");
        return closed;
    }
    let mut chosen = chosen(state, inputs);
    let rect = ui.available_rect_before_wrap();
    let list = rect.with_max_x(rect.min.x + LIST_WIDTH);
    // Room for half of the last label of the time axis.
    let chart = rect
        .with_min_x(list.max.x + 8.0)
        .with_max_x(rect.max.x - 8.0);
    ui.scope_builder(egui::UiBuilder::new().max_rect(list), |ui| {
        if joint_list(ui, inputs, &mut chosen) {
            state.settings.plot_joints = Some(chosen.clone());
        }
    });
    ui.scope_builder(egui::UiBuilder::new().max_rect(chart), |ui| {
        draw(ui, state, inputs, &chosen);
    });
    closed
}

/// Whether there is a real arm with a simulated twin.
fn has_twin(inputs: &PanelInputs) -> bool {
    let arms = inputs.state.iter().flat_map(|state| &state.arms);
    arms.into_iter().any(|arm| arm.twin.is_some())
}

/// Draws the choice between positions and errors, where there is one.
fn quantity_choice(ui: &mut Ui, error: &mut bool) {
    let choices = [(false, "Positions"), (true, "Error")];
    if let Some(chosen) = widgets::segments(ui, Some(*error), &choices, "plotted") {
        *error = chosen;
    }
}

fn header(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) -> bool {
    let palette = theme::palette(ui);
    let unit = match state.settings.units {
        Units::Degrees => "degrees",
        Units::Radians => "radians",
        Units::LeRobot => "LeRobot units",
    };
    let frozen = &mut state.frozen;
    let twin = has_twin(inputs);
    let error = &mut state.settings.plot_error;
    widgets::sides(
        ui,
        |ui| {
            if twin {
                quantity_choice(ui, error);
            } else {
                widgets::title(ui, "Joints");
            }
            ui.add_space(8.0);
            if twin && *error {
                if ui.available_width() > ERROR_WIDTH {
                    legend(ui, palette.text, false, "measured − twin");
                }
            } else if ui.available_width() > LEGEND_WIDTH {
                legend(ui, palette.text, false, "actual");
                ui.add_space(8.0);
                legend(ui, palette.text, true, "target");
            }
            ui.add_space(8.0);
            if ui.available_width() > UNIT_WIDTH {
                widgets::hint(ui, unit);
            }
        },
        |ui| {
            let closed = widgets::icon_button(ui, widgets::CLOSE, "Close the plot").clicked();
            let paused = frozen.is_some();
            let (icon, name) = if paused {
                ("▶", "Go on")
            } else {
                ("⏸", "Pause")
            };
            if widgets::icon_toggle(ui, paused, icon, name).clicked() {
                *frozen = (!paused).then(|| inputs.history.clone());
            }
            if paused {
                let text = RichText::new("Paused")
                    .font(theme::small())
                    .color(palette.accent);
                ui.label(text);
            }
            closed
        },
    )
}

pub(crate) fn legend(ui: &mut Ui, color: Color32, dashed: bool, name: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(20.0, 16.0), Sense::hover());
    let y = rect.center().y;
    let ends = [egui::pos2(rect.min.x, y), egui::pos2(rect.max.x, y)];
    let stroke = Stroke::new(1.5, color);
    if dashed {
        ui.painter()
            .extend(egui::Shape::dashed_line(&ends, stroke, 4.0, 3.0));
    } else {
        ui.painter().line_segment(ends, stroke);
    }
    widgets::hint(ui, name);
}

/// What a joint is called in the settings.
fn key(arm: &ArmView, joint: usize) -> String {
    format!("{}/{}", arm.name, arm.model.joints[joint].name)
}

fn chosen(state: &PanelState, inputs: &PanelInputs) -> BTreeSet<String> {
    let keys = |arm: &ArmView| {
        (0..arm.model.dof())
            .map(|joint| key(arm, joint))
            .collect::<Vec<_>>()
    };
    let present: BTreeSet<String> = inputs.arms().iter().flat_map(keys).collect();
    if let Some(stored) = &state.settings.plot_joints {
        let known: BTreeSet<String> = stored.intersection(&present).cloned().collect();
        // Joints stored for the arms of another scene don't leave this one's plot empty.
        if !known.is_empty() || stored.is_empty() {
            return known;
        }
    }
    let arms = inputs.arms();
    let selected = arms.get(state.settings.selected_arm).or(arms.first());
    selected
        .map(|arm| keys(arm).into_iter().take(DEFAULT_JOINTS).collect())
        .unwrap_or_default()
}

/// Draws the joints that can be chosen; answers whether the choice changed.
fn joint_list(ui: &mut Ui, inputs: &PanelInputs, chosen: &mut BTreeSet<String>) -> bool {
    let mut changed = false;
    let several = inputs.arms().len() > 1;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut series = 0;
        for arm in inputs.arms() {
            if several {
                widgets::hint(ui, &arm.name);
            }
            for joint in 0..arm.model.dof() {
                let key = key(arm, joint);
                let on = chosen.contains(&key);
                let color = series_color(ui, series);
                series += 1;
                if joint_entry(ui, &arm.model.joints[joint].name, &key, color, on) {
                    changed = true;
                    if on {
                        chosen.remove(&key);
                    } else {
                        chosen.insert(key);
                    }
                }
            }
        }
    });
    changed
}

pub(crate) fn joint_entry(ui: &mut Ui, name: &str, key: &str, color: Color32, on: bool) -> bool {
    let palette = theme::palette(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 20.0));
    let response = ui.interact(rect, ui.id().with(("plot", key)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(egui::WidgetType::Checkbox, true, on, key));
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, palette.control);
    }
    let swatch = Rect::from_center_size(
        egui::pos2(rect.min.x + 10.0, rect.center().y),
        vec2(10.0, 10.0),
    );
    if on {
        ui.painter().rect_filled(swatch, 3.0, color);
    } else {
        let stroke = Stroke::new(1.0, palette.weak);
        ui.painter()
            .rect_stroke(swatch, 3.0, stroke, egui::StrokeKind::Inside);
    }
    let text = rect.with_min_x(rect.min.x + 24.0);
    let color = if on { palette.strong } else { palette.weak };
    widgets::text_in(ui, text, name, theme::body(), color, Align::Min);
    response.clicked()
}

pub(crate) fn series_color(ui: &Ui, series: usize) -> Color32 {
    let colors = &theme::palette(ui).series;
    colors[series % colors.len()]
}

/// A line to be drawn: its points are `lines[index]`.
struct Series {
    name: String,
    color: Color32,
    dashed: bool,
}

fn draw(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, chosen: &BTreeSet<String>) {
    let units = state.settings.units;
    let error = state.settings.plot_error && has_twin(inputs);
    let quantities: &[Quantity] = match error {
        true => &[Quantity::TwinError],
        false => &[Quantity::Target, Quantity::Position],
    };
    let PanelState { frozen, lines, .. } = state;
    let history = frozen.as_ref().unwrap_or(&inputs.history);
    let mut drawn = Vec::new();
    let mut series = 0;
    for (arm_index, arm) in inputs.arms().iter().enumerate() {
        for joint in 0..arm.model.dof() {
            let color = series_color(ui, series);
            series += 1;
            if !chosen.contains(&key(arm, joint)) {
                continue;
            }
            let scale = Scale::new(&arm.model, joint, units);
            let name = &arm.model.joints[joint].name;
            let series = |quantity| {
                let name = match quantity {
                    Quantity::Target => format!("{name} target"),
                    Quantity::Position => name.clone(),
                    Quantity::TwinError => format!("{name} error"),
                };
                Series {
                    name,
                    color,
                    dashed: quantity == Quantity::Target,
                }
            };
            for quantity in quantities {
                let line = series(*quantity);
                if lines.len() == drawn.len() {
                    lines.push(Vec::new());
                }
                fill(
                    &mut lines[drawn.len()],
                    history,
                    (arm_index, joint),
                    scale,
                    *quantity,
                );
                drawn.push(line);
            }
        }
    }
    let step = match (units, error) {
        (Units::Radians, false) => 0.2,
        (Units::Radians, true) => 0.02,
        (_, false) => 10.0,
        (_, true) => 1.0,
    };
    let (low, high) = bounds(&lines[..drawn.len()], step);
    let decimals = match (units, error) {
        (Units::Radians, false) => 3,
        (Units::Radians, true) => 4,
        (_, false) => 1,
        (_, true) => 2,
    };
    let palette = theme::palette(ui);
    let lines = &*lines;
    frame(ui, "joints", decimals)
        .x_grid_spacer(seconds_grid)
        .x_axis_formatter(|mark, _| format!("{} s", units::number(mark.value, 0)))
        .show(ui, |plot| {
            plot.set_plot_bounds_x(-WINDOW_SECS..=0.0);
            plot.set_plot_bounds_y(low..=high);
            for (series, points) in drawn.iter().zip(lines) {
                let style = if series.dashed {
                    LineStyle::dashed_dense()
                } else {
                    LineStyle::Solid
                };
                let color = if series.dashed {
                    series.color.lerp_to_gamma(palette.chart, 0.25)
                } else {
                    series.color
                };
                let line = Line::new(&series.name, PlotPoints::Borrowed(points));
                plot.line(line.color(color).width(1.5).style(style));
            }
        });
}

/// The points of one joint: seconds before the newest sample, and what is drawn of it. Samples
/// without a twin have no error.
fn fill(
    points: &mut Vec<PlotPoint>,
    history: &History,
    (arm, joint): (usize, usize),
    scale: Scale<'_>,
    quantity: Quantity,
) {
    points.clear();
    let Some(last) = history.last_time() else {
        return;
    };
    points.extend(
        history
            .samples(arm, joint)
            .filter(|sample| last - sample.time_secs <= WINDOW_SECS + 1.0)
            .filter_map(|sample| {
                let value = match quantity {
                    Quantity::Target => scale.to_shown(sample.target),
                    Quantity::Position => scale.to_shown(sample.position),
                    Quantity::TwinError => {
                        scale.to_shown(sample.position) - scale.to_shown(sample.twin?)
                    }
                };
                Some(PlotPoint::new(sample.time_secs - last, value))
            }),
    );
}

/// Bounds that hold all lines and move in steps, so that the picture stays calm.
fn bounds(lines: &[Vec<PlotPoint>], step: f64) -> (f64, f64) {
    bounds_of(lines.iter().flatten().map(|point| point.y), step)
}

/// The same for values.
pub(crate) fn bounds_of(values: impl Iterator<Item = f64>, step: f64) -> (f64, f64) {
    let values = values.filter(|value| value.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return (-step * 3.0, step * 3.0);
    }
    let margin = 0.2 * step;
    let low = ((low - margin) / step).floor() * step;
    let high = ((high + margin) / step).ceil() * step;
    (low, high.max(low + 2.0 * step))
}

/// A plot over seconds that nobody drags or zooms, in the panels' colours. `decimals` is how exactly the
/// value under the mouse is told.
pub(crate) fn frame<'a>(ui: &mut Ui, name: &str, decimals: usize) -> Plot<'a> {
    let palette = theme::palette(ui);
    ui.style_mut().visuals.extreme_bg_color = palette.chart;
    ui.style_mut()
        .text_styles
        .insert(egui::TextStyle::Body, theme::mono_small());
    ui.visuals_mut().override_text_color = Some(palette.weak);
    Plot::new(name)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .auto_bounds(Vec2b::FALSE)
        .set_margin_fraction(vec2(0.0, 0.0))
        .show_background(true)
        .grid_color(palette.line)
        .grid_fade(0.0)
        .cursor_color(palette.weak)
        .y_axis_min_width(40.0)
        .y_grid_spacer(value_grid)
        .y_axis_formatter(|mark, _| {
            let decimals = (-mark.step_size.log10().floor()).clamp(0.0, 3.0) as usize;
            units::number(mark.value, decimals)
        })
        .label_formatter(move |at| match at {
            HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name} {} at {} s",
                units::number(position.y, decimals),
                units::number(position.x, 2)
            )),
            HoverPosition::Elsewhere { .. } => None,
        })
}

/// Marks at round values, some three to six of them, none at the rims where labels would touch.
fn value_grid(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let rough = (high - low) / 5.0;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let decade = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * decade);
    let step = steps
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(rough);
    let rim = (high - low) * 0.06;
    let (first, last) = (
        ((low + rim) / step).ceil() as i64,
        ((high - rim) / step).floor() as i64,
    );
    (first..=last)
        .map(|index| GridMark {
            value: index as f64 * step,
            step_size: step,
        })
        .collect()
}

fn seconds_grid(_: GridInput) -> Vec<GridMark> {
    [-8.0, -6.0, -4.0, -2.0, 0.0]
        .map(|value| GridMark {
            value,
            step_size: 2.0,
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_away_from_the_rims() {
        let marks = |low: f64, high: f64| {
            let input = GridInput {
                bounds: (low, high),
                base_step_size: 1.0,
            };
            value_grid(input)
                .iter()
                .map(|mark| mark.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(marks(-50.0, 50.0), [-40.0, -20.0, 0.0, 20.0, 40.0]);
        assert_eq!(marks(-40.0, 60.0), [-20.0, 0.0, 20.0, 40.0]);
        assert_eq!(marks(0.0, 20.0), [5.0, 10.0, 15.0]);
        assert!(marks(f64::NAN, 1.0).is_empty());
    }

    #[test]
    fn bounds_hold_everything_and_never_collapse() {
        assert_eq!(bounds(&[], 10.0), (-30.0, 30.0));
        let flat = vec![PlotPoint::new(0.0, 0.0)];
        assert_eq!(bounds(&[flat], 10.0), (-10.0, 10.0));
        let wide = vec![PlotPoint::new(-1.0, -41.0), PlotPoint::new(0.0, 33.0)];
        assert_eq!(bounds(&[wide], 10.0), (-50.0, 40.0));
        let broken = vec![PlotPoint::new(0.0, f64::NAN)];
        assert_eq!(
            bounds(&[broken], 0.2),
            (-0.6000000000000001, 0.6000000000000001)
        );
    }
}
