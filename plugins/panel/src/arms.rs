//! The panel at the left: a card for each arm, and the emergency stop below them.

use egui::{
    Align, Color32, CornerRadius, Panel, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, vec2,
};
use forearm_protocol::control::{ArmState, Command, Request, StateUpdate, TeleopMode};
use forearm_protocol::servo::{CalibrationStatus, Connection};

use crate::actions::{Outbox, PanelAction};
use crate::device_section;
use crate::devices::short_port;
use crate::inputs::{ArmView, PanelInputs};
use crate::joint_row::{self, JointRow};
use crate::state::{ArmCard, PanelState};
use crate::theme::{self, CONTROL_HEIGHT, Palette};
use crate::top_bar;
use crate::units::Scale;
use crate::widgets;

/// How long an intervention of the safety chain stays readable, seconds.
const LIMITED_SECS: f64 = 2.0;
/// The tag beside an arm's name has at most so many letters.
const TAG_LETTERS: usize = 10;
/// A longer name is shortened before that tag is left out, points.
const NAME_WIDTH: f32 = 96.0;

/// Draws the panel's contents.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let stopped = inputs.state.as_ref().is_some_and(|update| update.e_stopped);
    Panel::bottom("e_stop")
        .exact_size(if stopped { 96.0 } else { 64.0 })
        .show_separator_line(false)
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 8)))
        .show(ui, |ui| e_stop(ui, state, stopped, out));
    cards(ui, state, inputs, out);
}

/// Draws the arms' cards.
pub(crate) fn cards(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        egui::Frame::new()
            .inner_margin(egui::Margin {
                left: 12,
                right: 12,
                top: 12,
                bottom: 4,
            })
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 8.0;
                if inputs.arms().is_empty() {
                    widgets::empty(ui, "No scene is loaded", "Choose one in the bar above.");
                }
                for (index, view) in inputs.arms().iter().enumerate() {
                    ui.push_id(index, |ui| arm(ui, state, inputs, index, view, out));
                }
            });
    });
}

fn e_stop(ui: &mut Ui, state: &mut PanelState, stopped: bool, out: &mut Outbox) {
    let palette = theme::palette(ui);
    if stopped {
        let text = RichText::new("Emergency stop: arms hold their position.");
        ui.label(text.color(palette.danger));
        ui.add_space(4.0);
    }
    let size = vec2(ui.available_width(), 48.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    state.e_stop = Some(rect);
    let radius = CornerRadius::same(8);
    let name = if stopped {
        "Clear emergency stop"
    } else {
        "Emergency stop"
    };
    response.widget_info(|| WidgetInfo::labeled(egui::WidgetType::Button, true, name));
    if stopped {
        let fill = if response.hovered() {
            palette.control_hover
        } else {
            palette.control
        };
        ui.painter().rect(
            rect,
            radius,
            fill,
            Stroke::new(1.0, palette.danger),
            StrokeKind::Inside,
        );
        let font = egui::FontId::proportional(15.0);
        widgets::text_in(
            ui,
            rect,
            "Clear emergency stop",
            font,
            palette.strong,
            Align::Center,
        );
        if state.e_stop_used(ui, &response, true) {
            out.request(Request::ClearEStop);
        }
        return;
    }
    let fill = if response.hovered() {
        palette.danger_hover
    } else {
        palette.danger
    };
    ui.painter().rect_filled(rect, radius, fill);
    let white = egui::Color32::WHITE;
    let font = egui::FontId::proportional(17.0);
    widgets::text_in(ui, rect, "E-STOP", font, white, Align::Center);
    let hint = rect.shrink2(vec2(16.0, 0.0));
    widgets::text_in(ui, hint, "Esc", theme::mono(), white, Align::Max);
    let response = response.on_hover_text("Every arm holds where it is, at once");
    if state.e_stop_used(ui, &response, false) {
        state.release_sliders();
        out.commands.push(Command::EStop);
    }
}

fn arm(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    index: usize,
    view: &ArmView,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let several = inputs.arms().len() > 1;
    let selected = state.settings.selected_arm == index;
    let update = inputs.state.as_ref();
    let arm_state = update.and_then(|update| update.arms.get(index));
    let mut frame = widgets::card(ui);
    if several && selected {
        frame = frame.stroke(Stroke::new(1.0, palette.accent));
    }
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        if header(ui, view, index, arm_state, out) && several {
            top_bar::select_arm(state, index, out);
        }
        let Some(card) = state.arms.get_mut(index) else {
            return;
        };
        let calibrating = inputs.devices.calibrating(index);
        status(ui, card, update, arm_state, inputs.gamepads, calibrating);
        if arm_state.is_some_and(|arm| arm.mode == TeleopMode::Script) {
            script(ui, card, inputs, index, out);
            if inputs.workers.trials.is_some() {
                let open = &mut state.settings.trials_open;
                trials_link(ui, open);
            }
        }
        if view.model.dof() > 0 {
            joint_row::columns(ui);
        }
        let obstacle = match inputs.devices.calibrating(index) {
            true => Some("It is being calibrated"),
            false => obstacle(update, arm_state),
        };
        let now_secs = ui.input(|input| input.time);
        if let Some(arm_state) = arm_state {
            card.sliders
                .update(index, arm_state, obstacle.is_none(), now_secs, out);
        }
        for joint in 0..view.model.dof() {
            let row = JointRow {
                model: &view.model,
                joint,
                scale: Scale::new(&view.model, joint, state.settings.units),
                state: arm_state,
                obstacle,
            };
            let Some(position) = row.show(ui, card) else {
                continue;
            };
            if let Some(arm_state) = arm_state {
                card.sliders
                    .drag(index, arm_state, joint, position, now_secs, out);
            }
        }
        if view.model.dof() == 0 {
            widgets::hint(ui, "Its model could not be read.");
        }
        if let Some(arm_state) = arm_state {
            let settings = &mut state.settings;
            let card = &mut card.devices;
            device_section::show(ui, card, settings, inputs, index, arm_state, out);
        }
    });
}

/// Draws name, backend and torque switch; answers whether the name was clicked.
fn header(
    ui: &mut Ui,
    view: &ArmView,
    index: usize,
    arm_state: Option<&ArmState>,
    out: &mut Outbox,
) -> bool {
    let palette = theme::palette(ui);
    let connected = arm_state.is_some_and(|arm| arm.connected);
    let mut clicked = false;
    let flipped = widgets::sides(
        ui,
        |ui| {
            let lost = arm_state
                .and_then(|arm| arm.bus.as_ref())
                .is_some_and(|bus| matches!(bus.connection, Connection::Lost(_)));
            let (color, meaning) = match (lost, connected) {
                (true, _) => (palette.danger, "Connection lost"),
                (false, true) => (palette.good, "Connected"),
                (false, false) => (palette.weak, "Not connected"),
            };
            widgets::dot(ui, color, meaning);
            let backend = arm_state.map_or(view.backend.as_str(), |arm| arm.backend.as_str());
            let shown = shortened(short_port(backend), TAG_LETTERS);
            let tag_width = widgets::tag_width(ui, &shown) + 8.0;
            let name_width = widgets::width_of(ui, &view.name, theme::title());
            // In a narrow card the name matters more; what moves the arm is told below, too.
            let tagged = ui.available_width() >= name_width.min(NAME_WIDTH) + tag_width;
            let tag_width = if tagged { tag_width } else { 0.0 };
            let text = RichText::new(&view.name)
                .font(theme::title())
                .color(palette.strong);
            ui.scope(|ui| {
                ui.set_max_width((ui.available_width() - tag_width).max(32.0));
                let name = egui::Label::new(text).truncate().sense(Sense::click());
                clicked = ui.add(name).clicked();
            });
            if tagged {
                let about = format!("Moved by {backend}; model {}", view.model.name);
                widgets::tag(ui, &shown).on_hover_text(about);
            }
        },
        |ui| {
            let on = arm_state.is_some_and(|arm| arm.torque);
            ui.add_enabled_ui(connected, |ui| {
                widgets::switch(ui, on, "Torque")
                    .on_hover_text(if on {
                        "Motors hold; off lets the arm sag"
                    } else {
                        "Motors are off; on starts at the present position"
                    })
                    .on_disabled_hover_text("The arm is not connected")
            })
            .inner
            .clicked()
            .then_some(!on)
        },
    );
    if let Some(on) = flipped {
        out.request(Request::SetTorque { arm: index, on });
    }
    clicked
}

/// A text of at most so many letters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Draws what the arm is doing, or what the safety chain did to it last.
fn status(
    ui: &mut Ui,
    card: &mut ArmCard,
    update: Option<&StateUpdate>,
    arm_state: Option<&ArmState>,
    gamepads: usize,
    calibrating: bool,
) {
    let palette = theme::palette(ui);
    let now_secs = ui.input(|input| input.time);
    if let Some(text) = arm_state.and_then(|arm| arm.limited.as_ref()) {
        card.limited = Some((text.clone(), now_secs + LIMITED_SECS));
    }
    card.limited.take_if(|(_, until)| *until < now_secs);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    if let Some((text, _)) = &card.limited {
        let shown = format!("⚠ {text}");
        widgets::text_in(
            ui,
            rect,
            &shown,
            theme::small(),
            palette.warning,
            Align::Min,
        );
        response.on_hover_text(text);
        return;
    }
    let (text, color) = match (update, arm_state) {
        _ if calibrating => ("Being calibrated".to_owned(), palette.accent),
        (Some(update), Some(arm)) if arm.connected => doing(update, arm, gamepads, palette),
        (_, Some(arm)) => unconnected(arm, palette),
        _ => ("Waiting for the control service".to_owned(), palette.weak),
    };
    widgets::text_in(ui, rect, &text, theme::small(), color, Align::Min);
}

/// How an arm that does not answer stands, in words.
fn unconnected(arm: &ArmState, palette: &Palette) -> (String, Color32) {
    match arm.bus.as_ref().map(|bus| &bus.connection) {
        Some(Connection::Lost(_)) => ("Connection lost: see below".to_owned(), palette.danger),
        Some(Connection::Connecting) => ("Connecting".to_owned(), palette.accent),
        _ => (
            "Not connected: waiting for it to answer".to_owned(),
            palette.weak,
        ),
    }
}

/// What a connected arm is doing, in words.
fn doing(
    update: &StateUpdate,
    arm: &ArmState,
    gamepads: usize,
    palette: &Palette,
) -> (String, Color32) {
    let mode = top_bar::mode_name(arm.mode);
    let by_gamepad = matches!(
        arm.mode,
        TeleopMode::GamepadCartesian | TeleopMode::GamepadJoint
    );
    if by_gamepad && gamepads == 0 {
        return (format!("{mode}, but none is connected"), palette.warning);
    }
    let uncalibrated = arm.bus.as_ref().is_some_and(|bus| {
        let calibration = &bus.calibration;
        matches!(
            calibration,
            CalibrationStatus::Missing | CalibrationStatus::Differs(_)
        )
    });
    if uncalibrated {
        return ("Not calibrated: see below".to_owned(), palette.warning);
    }
    let doing = match (update.e_stopped, arm.torque, update.active) {
        (true, ..) => "stopped",
        (_, false, _) => "torque off",
        (_, _, true) => "driving",
        _ => "holding",
    };
    (format!("{mode}, {doing}"), palette.weak)
}

/// Draws the choice of a motion and the button that plays it.
fn script(ui: &mut Ui, card: &mut ArmCard, inputs: &PanelInputs, index: usize, out: &mut Outbox) {
    if inputs.scripts.is_empty() {
        widgets::hint(ui, "No motion files were found.");
        return;
    }
    let chosen = inputs
        .scripts
        .iter()
        .find(|script| Some(&script.id) == card.script.as_ref())
        .unwrap_or(&inputs.scripts[0]);
    ui.horizontal(|ui| {
        let width = ui.available_width() - 80.0;
        let (_, picked) = widgets::menu(ui, &chosen.name, width, |ui| {
            let mut picked = None;
            for script in &inputs.scripts {
                if widgets::menu_entry(ui, script.id == chosen.id, &script.name).clicked() {
                    picked = Some(script.id.clone());
                }
            }
            picked
        });
        let play = egui::Button::new("▶  Play").min_size(vec2(72.0, CONTROL_HEIGHT));
        if ui.add(play).clicked() {
            out.actions.push(PanelAction::PlayScript {
                arm: index,
                id: chosen.id.clone(),
            });
        }
        if let Some(Some(id)) = picked {
            card.script = Some(id);
        }
    });
}

/// Draws the way to the trials.
fn trials_link(ui: &mut Ui, open: &mut bool) {
    let text = if *open {
        "Close the trials"
    } else {
        "Try it many times"
    };
    let about = "How often does it succeed when the objects lie elsewhere?";
    let size = vec2(ui.available_width(), CONTROL_HEIGHT);
    let button = ui.add_sized(size, egui::Button::new(text));
    if button.on_hover_text(about).clicked() {
        *open = !*open;
    }
}

/// Why joints can't be moved now; `None` if they can.
fn obstacle(update: Option<&StateUpdate>, arm: Option<&ArmState>) -> Option<&'static str> {
    let (Some(update), Some(arm)) = (update, arm) else {
        return Some("Waiting for the control service");
    };
    if !arm.connected {
        Some("The arm is not connected")
    } else if update.e_stopped {
        Some("Clear the emergency stop to move the joints")
    } else if !arm.torque {
        Some("Switch torque on to move the joints")
    } else if !update.active {
        Some("Press Start to move the joints")
    } else {
        None
    }
}
