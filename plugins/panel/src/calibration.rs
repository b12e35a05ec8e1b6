//! The guided calibration: what to do now, and how far every joint was moved.
//!
//! It stands above picture, plot and cameras, but never above the arms' panel or the bar: the
//! emergency stop stays in reach.

use egui::{
    Align, Area, Color32, Frame, Id, Margin, Order, Rect, RichText, ScrollArea, Sense, Stroke, Ui,
    WidgetInfo, WidgetType, pos2, vec2,
};
use forearm_arm::calibration::LAST_TICK;
use forearm_protocol::control::Request;
use forearm_protocol::servo::{
    CalibrationJoint, CalibrationStage, CalibrationStep, CalibrationUpdate, Role,
};

use crate::actions::Outbox;
use crate::inputs::PanelInputs;
use crate::narrow;
use crate::theme::{self, CONTROL_HEIGHT, Palette};
use crate::widgets;
use crate::worker_row::right_aligned;

/// A joint that was moved by less has hardly been moved, ticks: 45 degrees.
const ENOUGH: i32 = 512;
/// It gets no wider than this, points.
const WIDEST: f32 = 560.0;
const GAP: f32 = 8.0;
const MARGIN: f32 = 16.0;
const LINE: f32 = 26.0;
/// Width of a joint's name.
const NAME: f32 = 92.0;
/// Width of a column of ticks.
const TICKS: f32 = 38.0;
/// In a narrower one the steps stand below the title, points.
const ONE_LINE: f32 = 420.0;
/// Height of all but the table.
const AROUND: f32 = 232.0;

/// What a person goes through, and the stages that belong to it.
const STEPS: [(&str, &[CalibrationStage]); 3] = [
    (
        "Middle",
        &[CalibrationStage::Preparing, CalibrationStage::Middle],
    ),
    (
        "Ranges",
        &[CalibrationStage::Homing, CalibrationStage::Ranges],
    ),
    ("Store", &[CalibrationStage::Storing]),
];

/// Draws the calibration that is under way, if one is. `picture` is what the panels leave free.
pub(crate) fn show(ui: &Ui, inputs: &PanelInputs, picture: Rect, out: &mut Outbox) {
    let Some(update) = &inputs.devices.calibration else {
        return;
    };
    let palette = theme::palette(ui);
    ui.painter()
        .rect_filled(picture, 0.0, Color32::from_black_alpha(120));
    let screen = ui.ctx().content_rect();
    let room = if screen.width() < narrow::WIDTH {
        screen.with_min_y(screen.min.y + narrow::BAR)
    } else {
        Rect::from_min_max(picture.min, screen.max)
    };
    let room = room.shrink(GAP);
    let width = room.width().min(WIDEST);
    // In the middle of the picture, as far as it fits.
    let left = (picture.center().x - width / 2.0).clamp(room.min.x, room.max.x - width);
    let frame = Frame::new()
        .fill(palette.raised)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(10)
        .inner_margin(Margin::same(MARGIN as i8))
        .shadow(ui.visuals().window_shadow);
    Area::new(Id::new("calibration"))
        .order(Order::Foreground)
        .fixed_pos(pos2(left, room.min.y))
        .constrain_to(room)
        .default_size(vec2(width, room.height()))
        .show(ui.ctx(), |ui| {
            ui.set_max_height(room.height());
            frame.show(ui, |ui| {
                ui.set_width(width - 2.0 * MARGIN - 2.0);
                contents(ui, update, inputs, room.height(), out);
            });
        });
}

fn contents(
    ui: &mut Ui,
    update: &CalibrationUpdate,
    inputs: &PanelInputs,
    height: f32,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let arm = inputs.arm(update.device.arm);
    let arm = arm.map_or("the arm", |arm| arm.name.as_str());
    let title = match update.device.role {
        Role::Follower => format!("Calibrate {arm}"),
        Role::Leader => format!("Calibrate {arm}'s leader"),
    };
    if ui.available_width() < ONE_LINE {
        widgets::title(ui, &title);
        widgets::sides(ui, |ui| steps(ui, update.stage, palette), |_| ());
    } else {
        widgets::sides(
            ui,
            |ui| {
                widgets::title(ui, &title);
            },
            |ui| steps(ui, update.stage, palette),
        );
    }
    ui.add_space(8.0);
    // Names in the text are quoted for terminals.
    let instruction = update.instruction.replace('`', "");
    let instruction = RichText::new(instruction).font(egui::FontId::proportional(15.0));
    ui.add(egui::Label::new(instruction.color(palette.strong)).wrap());
    ui.add_space(4.0);
    widgets::hint(ui, about(update.stage));
    ui.add_space(8.0);
    let tallest = (height - AROUND).max(2.0 * LINE);
    ScrollArea::vertical()
        .max_height(tallest)
        .min_scrolled_height(tallest)
        .auto_shrink([false, true])
        .show(ui, |ui| table(ui, update, palette));
    ui.add_space(8.0);
    widgets::hairline(ui);
    ui.add_space(8.0);
    buttons(ui, update, palette, out);
}

/// What is good to know in a stage, beside the instruction.
fn about(stage: CalibrationStage) -> &'static str {
    match stage {
        CalibrationStage::Preparing => "The motors are being switched off: hold the arm.",
        CalibrationStage::Middle | CalibrationStage::Ranges => {
            "The motors are off: hold the arm, or it sags."
        }
        CalibrationStage::Homing => "The middle is being stored in the motors.",
        CalibrationStage::Storing => "Ranges are being stored in the motors.",
    }
}

/// Draws which steps there are, and which of them it is now.
fn steps(ui: &mut Ui, stage: CalibrationStage, palette: &Palette) {
    let present = STEPS.iter().position(|(_, stages)| stages.contains(&stage));
    let present = present.unwrap_or(0);
    ui.spacing_mut().item_spacing.x = 6.0;
    let order = match ui.layout().prefer_right_to_left() {
        true => [2, 1, 0],
        false => [0, 1, 2],
    };
    for (place, index) in order.into_iter().enumerate() {
        let (name, _) = STEPS[index];
        let color = match index.cmp(&present) {
            std::cmp::Ordering::Less => palette.good,
            std::cmp::Ordering::Equal => palette.accent,
            std::cmp::Ordering::Greater => palette.weak,
        };
        if place > 0 {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 1.0), Sense::hover());
            let line = Stroke::new(1.0, palette.line);
            ui.painter().hline(rect.x_range(), rect.center().y, line);
        }
        let text = format!("{} {name}", index + 1);
        ui.label(RichText::new(text).font(theme::small()).color(color));
    }
}

/// Whether a joint's range is being measured and it has hardly been moved.
fn wanting(joint: &CalibrationJoint) -> bool {
    joint.measured && joint.max - joint.min < ENOUGH
}

/// The range of a joint: what was seen of it, or the whole turn where that is not measured.
fn seen(joint: &CalibrationJoint) -> (i32, i32) {
    if joint.measured {
        (joint.min, joint.max)
    } else {
        (0, LAST_TICK)
    }
}

fn table(ui: &mut Ui, update: &CalibrationUpdate, palette: &Palette) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let ranges = matches!(
        update.stage,
        CalibrationStage::Ranges | CalibrationStage::Storing
    );
    let (header, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    for (place, name) in numbers(header, ranges).zip(["pos", "min", "max"]) {
        widgets::text_in(ui, place, name, theme::small(), palette.weak, Align::Max);
    }
    widgets::text_in(
        ui,
        header,
        "joint",
        theme::small(),
        palette.weak,
        Align::Min,
    );
    for joint in &update.joints {
        row(ui, joint, ranges, palette);
    }
}

/// Where position, least and greatest tick of a row are; only the position without `ranges`.
fn numbers(row: Rect, ranges: bool) -> impl Iterator<Item = Rect> {
    let [min, position, max] = right_aligned(row, [TICKS; 3]);
    let places = match ranges {
        true => [position, min, max],
        false => [max; 3],
    };
    places.into_iter().take(if ranges { 3 } else { 1 })
}

fn row(ui: &mut Ui, joint: &CalibrationJoint, ranges: bool, palette: &Palette) {
    let size = vec2(ui.available_width(), LINE);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let position = joint.position;
    let (min, max) = seen(joint);
    let waits = ranges && wanting(joint);
    let label = match (ranges, waits) {
        (false, _) => format!("{}: at {position}", joint.name),
        (true, false) => format!("{}: {min} to {max}, at {position}", joint.name),
        (true, true) => format!("{}: not moved enough, at {position}", joint.name),
    };
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, label.as_str()));
    let color = if waits { palette.warning } else { palette.text };
    let name = rect.with_max_x(rect.min.x + NAME);
    widgets::text_in(ui, name, &joint.name, theme::body(), color, Align::Min);
    let colors = [palette.strong, color, color];
    let values = [position, min, max].into_iter().zip(colors);
    let mut end = rect.max.x;
    for (place, (value, color)) in numbers(rect, ranges).zip(values) {
        let text = value.to_string();
        widgets::text_in(ui, place, &text, theme::mono_small(), color, Align::Max);
        end = end.min(place.min.x);
    }
    let middle = rect.center().y;
    let rail = Rect::from_x_y_ranges(name.max.x..=end - 2.0, middle - 3.0..=middle + 3.0);
    bar(ui, rail, joint, ranges, palette);
    response.on_hover_text(match (joint.measured, waits) {
        (false, _) => "Its range is not measured: it can turn all the way round",
        (true, true) => "Move it from one end of its range to the other",
        (true, false) => "The range that was seen, of the 4096 ticks of a turn",
    });
}

/// Draws the turn of a motor: what was seen of it, and where it is.
fn bar(ui: &Ui, rail: Rect, joint: &CalibrationJoint, ranges: bool, palette: &Palette) {
    if rail.width() < 16.0 {
        return;
    }
    let x_of = |ticks: i32| {
        let part = (f64::from(ticks) / f64::from(LAST_TICK)).clamp(0.0, 1.0) as f32;
        egui::lerp(rail.min.x..=rail.max.x, part)
    };
    ui.painter().rect_filled(rail, 3.0, palette.control_hover);
    if ranges {
        let color = match (joint.measured, wanting(joint)) {
            (false, _) => palette.weak,
            (true, true) => palette.warning,
            (true, false) => palette.good,
        };
        let (low, high) = seen(joint);
        let (low, high) = (x_of(low), x_of(high));
        let seen = Rect::from_x_y_ranges(low..=high.max(low + 1.0), rail.y_range());
        ui.painter().rect_filled(seen, 3.0, color);
    }
    let here = pos2(x_of(joint.position), rail.center().y);
    let mark = Rect::from_center_size(here, vec2(2.0, 16.0));
    ui.painter().rect_filled(mark, 1.0, palette.strong);
}

fn buttons(ui: &mut Ui, update: &CalibrationUpdate, palette: &Palette, out: &mut Outbox) {
    let (progress, color) = progress(update, palette);
    let may = next(update);
    let step = widgets::sides(
        ui,
        |ui| {
            widgets::note(ui, &progress, color);
        },
        |ui| {
            let next = ui
                .add_enabled_ui(may.is_ok(), |ui| {
                    widgets::filled_button(ui, "Go on", 80.0, palette.accent)
                })
                .inner;
            let next = match &may {
                Ok(about) => next.on_hover_text(*about),
                Err(why) => next.on_disabled_hover_text(why),
            };
            let cancel = egui::Button::new("Cancel").min_size(vec2(64.0, CONTROL_HEIGHT));
            let about = "Leave it; the motors get back what they stored before";
            let cancel = ui.add(cancel).on_hover_text(about);
            match (next.clicked(), cancel.clicked()) {
                (true, _) => Some(CalibrationStep::Next),
                (_, true) => Some(CalibrationStep::Cancel),
                _ => None,
            }
        },
    );
    if let Some(step) = step {
        out.request(Request::CalibrationStep(step));
    }
}

/// What the button that goes on does, or why it can't be pressed now.
fn next(update: &CalibrationUpdate) -> Result<&'static str, String> {
    match update.stage {
        CalibrationStage::Preparing | CalibrationStage::Homing => {
            Err("Wait until the motors are ready".to_owned())
        }
        CalibrationStage::Middle => Ok("The arm is in the middle: store that"),
        CalibrationStage::Ranges => {
            let unmoved = |joint: &&CalibrationJoint| joint.measured && joint.max <= joint.min;
            match update.joints.iter().find(unmoved) {
                None => Ok("All joints were moved: store their ranges"),
                Some(joint) => Err(format!("{} was not moved at all", joint.name)),
            }
        }
        CalibrationStage::Storing => Err("It is being stored".to_owned()),
    }
}

/// What is still to be done, in a few words.
fn progress(update: &CalibrationUpdate, palette: &Palette) -> (String, Color32) {
    match update.stage {
        CalibrationStage::Ranges => {
            let waiting: Vec<_> = update
                .joints
                .iter()
                .filter(|joint| wanting(joint))
                .map(|joint| joint.name.as_str())
                .collect();
            match waiting.as_slice() {
                [] => ("All joints were moved".to_owned(), palette.good),
                [one] => (format!("Still to move: {one}"), palette.warning),
                many => (
                    format!("{} joints are still to move", many.len()),
                    palette.warning,
                ),
            }
        }
        _ => ("Esc stops every arm".to_owned(), palette.weak),
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::servo::Device;

    use super::*;

    fn update(stage: CalibrationStage, ranges: &[(i32, i32, bool)]) -> CalibrationUpdate {
        CalibrationUpdate {
            device: Device {
                arm: 0,
                role: Role::Follower,
            },
            stage,
            instruction: String::new(),
            joints: ranges
                .iter()
                .enumerate()
                .map(|(index, (min, max, measured))| CalibrationJoint {
                    name: format!("joint_{index}"),
                    position: *min,
                    min: *min,
                    max: *max,
                    measured: *measured,
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_still_to_move_is_told() {
        let told = |ranges: &[(i32, i32, bool)]| {
            progress(&update(CalibrationStage::Ranges, ranges), &theme::DARK).0
        };
        let (moved, still) = ((1000, 3000, true), (2000, 2100, true));
        assert_eq!(told(&[moved, (0, 0, false)]), "All joints were moved");
        assert_eq!(told(&[moved, still]), "Still to move: joint_1");
        assert_eq!(told(&[still, still]), "2 joints are still to move");
    }

    #[test]
    fn a_range_of_nothing_is_not_stored() {
        let obstacle = |stage, ranges: &[(i32, i32, bool)]| next(&update(stage, ranges)).err();
        assert_eq!(
            obstacle(CalibrationStage::Ranges, &[(9, 9, true)]).as_deref(),
            Some("joint_0 was not moved at all")
        );
        assert_eq!(obstacle(CalibrationStage::Ranges, &[(9, 90, true)]), None);
        assert_eq!(obstacle(CalibrationStage::Ranges, &[(9, 9, false)]), None);
        assert_eq!(obstacle(CalibrationStage::Middle, &[(9, 9, true)]), None);
        assert!(obstacle(CalibrationStage::Storing, &[]).is_some());
    }
}
