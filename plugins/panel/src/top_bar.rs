//! The bar at the top: scene, mode, start and stop, units, view, theme, help.

use egui::{Align, Layout, RichText, Stroke, Ui};
use forearm_protocol::control::{Command, Request, TeleopMode};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::settings::{ThemeChoice, ViewPreset, ViewToggle};
use crate::state::PanelState;
use crate::theme;
use crate::units::Units;
use crate::widgets;

/// Width that the views need to stand in the bar; else only the menu has them.
const PRESETS_WIDTH: f32 = 320.0;
/// In a narrower window the bar holds less, points.
const COMPACT_WIDTH: f32 = 1010.0;

/// The modes and their names, in the order of the menu.
pub(crate) const MODES: [(TeleopMode, &str, &str); 6] = [
    (
        TeleopMode::Keyboard,
        "Keyboard",
        "Keys turn joints (F1 lists them)",
    ),
    (TeleopMode::Sliders, "Sliders", "Sliders set joint targets"),
    (
        TeleopMode::GamepadCartesian,
        "Gamepad: tool",
        "Sticks move the tool",
    ),
    (
        TeleopMode::GamepadJoint,
        "Gamepad: joints",
        "Sticks turn joints",
    ),
    (TeleopMode::Gizmo, "Drag", "Drag the handle at the tool"),
    (TeleopMode::Script, "Script", "A motion file plays"),
];

/// A mode's name for people.
pub(crate) fn mode_name(mode: TeleopMode) -> &'static str {
    MODES
        .iter()
        .find(|(other, ..)| *other == mode)
        .map_or("", |(_, name, _)| name)
}

/// Draws the bar.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let compact = ui.available_width() < COMPACT_WIDTH;
    ui.horizontal_centered(|ui| {
        if !compact {
            let palette = theme::palette(ui);
            let name = RichText::new("Forearm").font(egui::FontId::proportional(17.0));
            ui.label(name.color(palette.strong));
            ui.add_space(8.0);
        }
        scene_menu(ui, state, inputs, if compact { 128.0 } else { 184.0 }, out);
        driver_menus(ui, state, inputs, if compact { 124.0 } else { 144.0 }, out);
        drive_button(ui, state, inputs, out);
        let reset = ui.add_enabled(inputs.state.is_some(), egui::Button::new("Reset"));
        if reset
            .on_hover_text("Put objects and simulated arms back (F6)")
            .clicked()
        {
            reset_scene(state, out);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_toggle(ui, state.help_open, "?", "Help and all keys (F1)").clicked() {
                state.help_open = !state.help_open;
            }
            theme_button(ui, state, out);
            view_menu(ui, state, out);
            if !compact {
                units(ui, state);
            }
            if !state.settings.left_open {
                e_stop(ui, state, inputs, out);
            }
            if ui.available_width() >= PRESETS_WIDTH {
                view_presets(ui, out);
            }
        });
    });
}

fn units(ui: &mut Ui, state: &mut PanelState) {
    let units = state.settings.units;
    if let Some(units) = widgets::segments(ui, Some(units), &Units::ALL, "units") {
        state.settings.units = units;
    }
}

/// The emergency stop, while the panel that has the large one is closed.
fn e_stop(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let palette = theme::palette(ui);
    if inputs.state.as_ref().is_some_and(|update| update.e_stopped) {
        let text = RichText::new("Clear E-stop").color(palette.strong);
        if ui
            .add(egui::Button::new(text).stroke(Stroke::new(1.0, palette.danger)))
            .clicked()
        {
            out.request(Request::ClearEStop);
        }
        return;
    }
    let text = RichText::new("E-STOP").color(egui::Color32::WHITE);
    let button = egui::Button::new(text).fill(palette.danger);
    if ui
        .add(button)
        .on_hover_text("Every arm holds where it is, at once (Esc)")
        .clicked()
    {
        state.release_sliders();
        out.commands.push(Command::EStop);
    }
}

/// Starts or stops driving.
pub(crate) fn toggle_driving(state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(update) = &inputs.state else { return };
    if update.active {
        state.release_sliders();
        out.request(Request::Stop);
    } else if !update.e_stopped {
        out.request(Request::Start);
    }
}

/// Puts the scene back.
pub(crate) fn reset_scene(state: &mut PanelState, out: &mut Outbox) {
    state.release_sliders();
    out.request(Request::ResetScene);
}

fn scene_menu(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    width: f32,
    out: &mut Outbox,
) {
    let chosen = inputs
        .scenes
        .iter()
        .find(|scene| Some(&scene.id) == inputs.scene_id.as_ref());
    let name = match (chosen, &inputs.scene) {
        (Some(entry), _) => entry.name.as_str(),
        (None, Some(scene)) => scene.name.as_str(),
        (None, None) => "Choose a scene",
    };
    let (button, picked) = widgets::menu(ui, name, width, |ui| {
        ui.set_width(260.0);
        if inputs.scenes.is_empty() {
            widgets::hint(ui, "No scenes were found.");
        }
        let mut picked = None;
        for scene in &inputs.scenes {
            let on = Some(&scene.id) == inputs.scene_id.as_ref();
            let entry = widgets::menu_entry(ui, on, &scene.name);
            if entry.on_hover_text(&scene.description).clicked() {
                picked = Some(scene.id.clone());
            }
        }
        picked
    });
    button.on_hover_text("Scene");
    if let Some(Some(id)) = picked {
        state.settings.last_scene = Some(id.clone());
        out.actions.push(PanelAction::SelectScene(id));
    }
}

fn driver_menus(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    width: f32,
    out: &mut Outbox,
) {
    let arms = inputs.arms();
    let selected = state.settings.selected_arm;
    if arms.len() > 1 {
        let name = arms.get(selected).map_or("Arm", |arm| arm.name.as_str());
        let (button, picked) = widgets::menu(ui, name, 112.0, |ui| {
            let mut picked = None;
            for (index, arm) in arms.iter().enumerate() {
                if widgets::menu_entry(ui, index == selected, &arm.name).clicked() {
                    picked = Some(index);
                }
            }
            picked
        });
        button.on_hover_text("The arm that keys, gamepad and handle drive");
        if let Some(Some(index)) = picked {
            select_arm(state, index, out);
        }
    }
    let arm_state = inputs
        .state
        .as_ref()
        .and_then(|update| update.arms.get(selected));
    let mode = arm_state.map(|arm| arm.mode);
    let picked = ui.add_enabled_ui(mode.is_some(), |ui| {
        let name = mode.map_or("Mode", mode_name);
        let (button, picked) = widgets::menu(ui, name, width, |ui| {
            let mut picked = None;
            for (other, name, about) in MODES {
                let entry = widgets::menu_entry(ui, mode == Some(other), name);
                if entry.on_hover_text(about).clicked() {
                    picked = Some(other);
                }
            }
            picked
        });
        button.on_hover_text("How the arm is driven");
        picked.flatten()
    });
    if let Some(mode) = picked.inner {
        out.request(Request::SetMode {
            arm: selected,
            mode,
        });
    }
}

/// Makes this the arm that keys, gamepad and handle drive.
pub(crate) fn select_arm(state: &mut PanelState, arm: usize, out: &mut Outbox) {
    if state.settings.selected_arm != arm {
        state.settings.selected_arm = arm;
        out.actions.push(PanelAction::SelectArm(arm));
    }
}

fn drive_button(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let palette = theme::palette(ui);
    let update = inputs.state.as_ref();
    let active = update.is_some_and(|update| update.active);
    let can = update.is_some_and(|update| update.active || !update.e_stopped);
    ui.add_enabled_ui(can, |ui| {
        let button = if active {
            let text = RichText::new("⏹  Stop").color(palette.strong);
            ui.add(egui::Button::new(text).min_size(egui::vec2(88.0, theme::CONTROL_HEIGHT)))
                .on_hover_text("Hold the present position (F5)")
        } else {
            widgets::filled_button(ui, "▶  Start", 88.0, palette.accent)
                .on_hover_text("Drive the arms, softly from where they are (F5)")
                .on_disabled_hover_text("Clear the emergency stop first")
        };
        if button.clicked() {
            toggle_driving(state, inputs, out);
        }
    });
}

fn theme_button(ui: &mut Ui, state: &mut PanelState, out: &mut Outbox) {
    let (icon, name, other) = match state.settings.theme {
        ThemeChoice::Dark => ("☀", "Light theme", ThemeChoice::Light),
        ThemeChoice::Light => ("🌙", "Dark theme", ThemeChoice::Dark),
    };
    if widgets::icon_button(ui, icon, name).clicked() {
        state.settings.theme = other;
        out.actions.push(PanelAction::SetTheme(other));
    }
}

fn view_presets(ui: &mut Ui, out: &mut Outbox) {
    let choices = ViewPreset::ALL.map(|preset| (preset, preset.label()));
    if let Some(preset) = widgets::segments(ui, None, &choices, "views") {
        out.actions.push(PanelAction::SetView(preset));
    }
}

fn view_menu(ui: &mut Ui, state: &mut PanelState, out: &mut Outbox) {
    widgets::menu(ui, "View", 76.0, |ui| {
        ui.set_width(208.0);
        heading(ui, "Look from");
        for (index, preset) in ViewPreset::ALL.into_iter().enumerate() {
            let width = ui.available_width();
            let key = RichText::new((index + 1).to_string()).font(theme::mono_small());
            let button = egui::Button::new(preset.label())
                .right_text(key)
                .min_size(egui::vec2(width, 26.0));
            if ui.add(button).clicked() {
                out.actions.push(PanelAction::SetView(preset));
            }
        }
        ui.separator();
        heading(ui, "Show");
        for toggle in ViewToggle::ALL {
            let mut on = state.settings.toggles.get(toggle);
            if ui.checkbox(&mut on, toggle.label()).clicked() {
                state.settings.toggles.set(toggle, on);
                out.actions.push(PanelAction::Toggle(toggle, on));
            }
        }
        ui.separator();
        heading(ui, "Panels");
        let settings = &mut state.settings;
        ui.checkbox(&mut settings.left_open, "Arms");
        ui.checkbox(&mut settings.right_open, "Cameras and telemetry");
        ui.checkbox(&mut settings.plot_open, "Plot");
        ui.separator();
        heading(ui, "Units of joints");
        units(ui, state);
        ui.separator();
        let settings = &mut state.settings;
        widgets::sides(
            ui,
            |ui| {
                ui.label("Size");
            },
            |ui| {
                for (scale, text) in [(1.5, "150%"), (1.25, "125%"), (1.0, "100%")] {
                    let on = (settings.ui_scale - scale).abs() < 0.01;
                    if ui.selectable_label(on, text).clicked() {
                        settings.ui_scale = scale;
                    }
                }
            },
        );
    });
}

fn heading(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).weak;
    ui.label(RichText::new(text).font(theme::small()).color(color));
}
