//! The bar at the top: scene, mode, start and stop, units, view, theme, help.

use egui::{Align, Layout, RichText, Stroke, Ui, UiBuilder, Vec2, vec2};
use forearm_protocol::control::{Command, Request, TeleopMode};

use crate::actions::{Outbox, PanelAction};
use crate::devices::leader_obstacle;
use crate::editor;
use crate::function_keys;
use crate::hud::Concern;
use crate::inputs::PanelInputs;
use crate::layout;
use crate::narrow;
use crate::settings::{ThemeChoice, ViewPreset, ViewToggle};
use crate::state::PanelState;
use crate::theme;
use crate::units::Units;
use crate::widgets;

/// Width that the views need to stand in the bar; else only the menu has them.
pub(crate) const PRESETS_WIDTH: f32 = 320.0;
/// In a narrower window the bar holds less, points.
const COMPACT_WIDTH: f32 = 1010.0;

/// Width of the menu of modes where there is room, points.
const MODE_WIDTH: f32 = 144.0;
/// Width of the emergency stop in a narrow window, points.
const STOP_WIDTH: f32 = 76.0;

/// The modes and their names, in the order of the menu.
pub(crate) const MODES: [(TeleopMode, &str, &str); 7] = [
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
    (TeleopMode::Leader, "Leader", "The leader arm is followed"),
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
        scene_menu(ui, state, inputs, if compact { 124.0 } else { 184.0 }, out);
        driver_menus(
            ui,
            state,
            inputs,
            if compact { 108.0 } else { MODE_WIDTH },
            out,
        );
        drive_button(ui, state, inputs, 88.0, out);
        reset_button(ui, state, inputs, out);
        editor::enter_button(ui, inputs, out);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            help_button(ui, state);
            theme_button(ui, state, out);
            workers_button(ui, state, inputs);
            view_menu(ui, state, inputs, out);
            if !compact {
                units(ui, state);
            }
            if !state.settings.left_open {
                e_stop(ui, state, inputs, None, out);
            }
            if ui.available_width() >= PRESETS_WIDTH {
                view_presets(ui, out);
            }
        });
    });
}

/// Draws the bar of a narrow window: two lines, and an emergency stop as high as both.
pub(crate) fn show_narrow(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    out: &mut Outbox,
) {
    let all = ui.available_rect_before_wrap();
    let stop = all.with_min_x(all.max.x - STOP_WIDTH);
    let rest = all.with_max_x(stop.min.x - 8.0);
    let size = stop.size();
    ui.scope_builder(UiBuilder::new().max_rect(stop), |ui| {
        e_stop(ui, state, inputs, Some(size), out);
    });
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        widgets::ends(ui, |ui| {
            workers_button(ui, state, inputs);
            view_menu(ui, state, inputs, out);
            let width = ui.available_width();
            scene_menu(ui, state, inputs, width, out);
        });
        widgets::ends(ui, |ui| {
            editor::enter_button(ui, inputs, out);
            reset_button(ui, state, inputs, out);
            drive_button(ui, state, inputs, 72.0, out);
            let width = ui.available_width();
            mode_menu(ui, state, inputs, width, out);
        });
    });
}

pub(crate) fn help_button(ui: &mut Ui, state: &mut PanelState) {
    if widgets::icon_toggle(ui, state.help_open, "?", "Help and all keys (F1)").clicked() {
        state.help_open = !state.help_open;
    }
}

fn reset_button(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let reset = ui.add_enabled(inputs.state.is_some(), egui::Button::new("Reset"));
    if reset
        .on_hover_text(format!(
            "Put objects and simulated arms back ({})",
            function_keys::RESET.1
        ))
        .clicked()
    {
        reset_scene(state, out);
    }
}

fn units(ui: &mut Ui, state: &mut PanelState) {
    let units = state.settings.units;
    if let Some(units) = widgets::segments(ui, Some(units), &Units::ALL, "units") {
        state.settings.units = units;
    }
}

/// The emergency stop, where the panel that has the large one is closed; large if it gets a size.
pub(crate) fn e_stop(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    size: Option<Vec2>,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let stopped = inputs.state.as_ref().is_some_and(|update| update.e_stopped);
    let button = match (stopped, size) {
        (false, _) => {
            let text = RichText::new("E-STOP").color(egui::Color32::WHITE);
            egui::Button::new(text).fill(palette.danger)
        }
        (true, size) => {
            let text = size.map_or("Clear E-stop", |_| "Clear\nE-stop");
            egui::Button::new(RichText::new(text).color(palette.strong))
                .stroke(Stroke::new(1.0, palette.danger))
        }
    };
    let button = match size {
        Some(size) => ui.add_sized(size, button),
        None => ui.add(button),
    };
    state.e_stop = Some(button.rect);
    let used = state.e_stop_used(ui, &button, stopped);
    match (used, stopped) {
        (true, true) => out.request(Request::ClearEStop),
        (true, false) => {
            state.release_sliders();
            out.commands.push(Command::EStop);
        }
        (false, _) => {}
    }
    if !stopped {
        button.on_hover_text("Every arm holds where it is, at once (Esc)");
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
        let arms_width = if width < MODE_WIDTH { 80.0 } else { 112.0 };
        let name = arms.get(selected).map_or("Arm", |arm| arm.name.as_str());
        let (button, picked) = widgets::menu(ui, name, arms_width, |ui| {
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
    mode_menu(ui, state, inputs, width, out);
}

fn mode_menu(ui: &mut Ui, state: &PanelState, inputs: &PanelInputs, width: f32, out: &mut Outbox) {
    let selected = state.settings.selected_arm;
    let arm_state = inputs
        .state
        .as_ref()
        .and_then(|update| update.arms.get(selected));
    let mode = arm_state.map(|arm| arm.mode);
    let picked = ui.add_enabled_ui(mode.is_some(), |ui| {
        let name = mode.map_or("Mode", mode_name);
        let (button, picked) = widgets::menu(ui, name, width, |ui| {
            let mut picked = None;
            let leader = arm_state.is_some_and(|arm| arm.leader.is_some());
            for (other, name, about) in MODES {
                let on = mode == Some(other);
                let follows = other == TeleopMode::Leader;
                if follows && !leader && !on {
                    continue;
                }
                let obstacle = arm_state.filter(|_| follows).and_then(leader_obstacle);
                let entry =
                    ui.add_enabled_ui(obstacle.is_none(), |ui| widgets::menu_entry(ui, on, name));
                let entry = entry.inner.on_hover_text(about);
                let entry = match obstacle {
                    Some(why) => entry.on_disabled_hover_text(why),
                    None => entry,
                };
                if entry.clicked() {
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

fn drive_button(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    width: f32,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let update = inputs.state.as_ref();
    let active = update.is_some_and(|update| update.active);
    let can = update.is_some_and(|update| update.active || !update.e_stopped);
    let drive = function_keys::DRIVE.1;
    ui.add_enabled_ui(can, |ui| {
        let button = if active {
            let text = RichText::new("⏹  Stop").color(palette.strong);
            ui.add(egui::Button::new(text).min_size(vec2(width, theme::CONTROL_HEIGHT)))
                .on_hover_text(format!("Hold the present position ({drive})"))
        } else {
            widgets::filled_button(ui, "▶  Start", width, palette.accent)
                .on_hover_text(format!(
                    "Drive the arms, softly from where they are ({drive})"
                ))
                .on_disabled_hover_text("Clear the emergency stop first")
        };
        if button.clicked() {
            toggle_driving(state, inputs, out);
        }
    });
}

pub(crate) fn theme_button(ui: &mut Ui, state: &mut PanelState, out: &mut Outbox) {
    let (icon, name, _) = theme_choice(state.settings.theme);
    if widgets::icon_button(ui, icon, name).clicked() {
        toggle_theme(state, out);
    }
}

/// The other theme: its symbol, its name, itself.
fn theme_choice(present: ThemeChoice) -> (&'static str, &'static str, ThemeChoice) {
    match present {
        ThemeChoice::Dark => ("☀", "Light theme", ThemeChoice::Light),
        ThemeChoice::Light => ("◑", "Dark theme", ThemeChoice::Dark),
    }
}

fn toggle_theme(state: &mut PanelState, out: &mut Outbox) {
    let (.., other) = theme_choice(state.settings.theme);
    state.settings.theme = other;
    out.actions.push(PanelAction::SetTheme(other));
}

/// The button that opens the list of workers; a light on it tells of trouble.
fn workers_button(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) {
    let open = &mut state.settings.workers_open;
    let button = widgets::icon_toggle(ui, *open, widgets::PULSE, "Workers (F2)");
    let palette = theme::palette(ui);
    let color = match Concern::of(&inputs.workers) {
        Concern::None => None,
        Concern::Some => Some(palette.warning),
        Concern::Failure => Some(palette.danger),
    };
    if let Some(color) = color {
        let corner = button.rect.right_top() + vec2(-5.0, 5.0);
        ui.painter().circle_filled(corner, 5.0, palette.panel);
        ui.painter().circle_filled(corner, 3.5, color);
    }
    if button.clicked() {
        *open = !*open;
    }
}

pub(crate) fn view_presets(ui: &mut Ui, out: &mut Outbox) {
    let choices = ViewPreset::ALL.map(|preset| (preset, preset.label()));
    if let Some(preset) = widgets::segments(ui, None, &choices, "views") {
        out.actions.push(PanelAction::SetView(preset));
    }
}

fn view_menu(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    widgets::menu(ui, "View", 76.0, |ui| {
        ui.set_width(208.0);
        heading(ui, "Look from");
        for (index, preset) in ViewPreset::ALL.into_iter().enumerate() {
            let width = ui.available_width();
            let key = RichText::new((index + 1).to_string()).font(theme::mono_small());
            let button = egui::Button::new(preset.label())
                .right_text(key)
                .min_size(vec2(width, 26.0));
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
        if ui.ctx().content_rect().width() >= narrow::WIDTH {
            ui.checkbox(&mut settings.left_open, "Arms");
            ui.checkbox(&mut settings.right_open, "Cameras and telemetry");
            ui.checkbox(&mut settings.plot_open, "Plot");
        }
        if inputs.record.is_some() {
            let mut shown = layout::shows_recorder(settings);
            if ui.checkbox(&mut shown, "Recorder").clicked() {
                layout::toggle_recorder(settings);
            }
        }
        ui.checkbox(&mut settings.workers_open, "Workers");
        if inputs.workers.trials.is_some() {
            ui.checkbox(&mut settings.trials_open, "Trials");
        }
        ui.separator();
        heading(ui, "Units of joints");
        units(ui, state);
        ui.separator();
        if ui.ctx().content_rect().width() < narrow::WIDTH {
            let theme = theme_choice(state.settings.theme).1;
            if ui.button(theme).clicked() {
                toggle_theme(state, out);
            }
            if ui.button("Help").clicked() {
                state.help_open = true;
            }
            ui.separator();
        }
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
