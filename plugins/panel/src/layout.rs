//! The panels together: where each one is, and what is left for the picture.

use std::ops::RangeInclusive;

use egui::{Frame, Key, LayerId, Margin, Order, Panel, Rect, Stroke, StrokeKind, Ui, Vec2};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::recording::RightTab;
use crate::settings::{LEFT_WIDTH, PLOT_HEIGHT, PanelSettings, RIGHT_WIDTH, Sheet, ViewPreset};
use crate::state::{ArmCard, PanelState};
use crate::{
    arms, browser, calibration, cameras, editor, function_keys, help, hud, narrow, plot, record,
    telemetry, theme, top_bar,
};

/// The least width that side panels leave for the picture, points.
const LEAST_PICTURE: f32 = 360.0;
const BAR_HEIGHT: f32 = 44.0;
const ARMS: &str = "arms";
const CAMERAS: &str = "cameras";
const PLOT: &str = "plot";

/// What the rest of the app needs to know about a frame of the panels.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "bevy", derive(bevy::prelude::Resource))]
pub struct PanelOutput {
    /// Whether the pointer belongs to the panels: it is over one of them, or drags something, or an
    /// arm is being calibrated.
    pub pointer_captured: bool,
    /// Whether keys belong to the panels: a field has the keyboard. Escape stays the app's.
    pub keyboard_captured: bool,
    /// Whether the left and right arrow and Q belong to a recording, and not to the arm.
    pub record_keys: bool,
    /// What is left for the picture, in logical pixels of the window, from its top left corner.
    pub free_rect: Rect,
}

impl Default for PanelOutput {
    fn default() -> Self {
        Self {
            pointer_captured: false,
            keyboard_captured: false,
            record_keys: false,
            free_rect: Rect::ZERO,
        }
    }
}

/// Draws all panels into `ui`, which covers the window.
pub fn show(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    out: &mut Outbox,
) -> PanelOutput {
    prepare(ui, state, inputs, out);
    state.e_stop = None;
    shortcuts(ui, state, inputs, out);
    let free = if let Some(view) = &inputs.editor {
        editor::show(ui, state, inputs, view, out)
    } else if ui.available_width() < narrow::WIDTH {
        narrow::show(ui, state, inputs, out)
    } else {
        wide(ui, state, inputs, out)
    };
    let line = Stroke::new(1.0, theme::palette(ui).line);
    ui.painter()
        .rect_stroke(free, 0.0, line, StrokeKind::Outside);
    if let Some(view) = &inputs.editor {
        editor::tools(ui, view, free, out);
    } else {
        cameras::show_enlarged(ui, state, inputs, free);
        browser::show(ui, state, inputs, free, out);
    }
    hud::show(ui, state, inputs, free, out);
    calibration::show(ui, inputs, free, out);
    state.toasts.show(ui, free);
    editor::dialogs(ui, state, inputs, out);
    help::show(ui, state, inputs, out);
    announce(ui, state, out);
    let output = output(ui, free, inputs.devices.calibration.is_some());
    let editing = inputs.editor.is_some();
    PanelOutput {
        record_keys: !editing && record::controls::has_arrows(state, inputs),
        // Keys are the editor's: none drives an arm that the picture does not show.
        keyboard_captured: output.keyboard_captured || editing,
        ..output
    }
}

/// Draws panels at all sides of the picture; answers with what is left for it.
fn wide(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) -> Rect {
    let palette = theme::palette(ui);
    let window = ui.available_size();
    let bare = Frame::new().fill(palette.panel);

    Panel::top("top_bar")
        .exact_size(BAR_HEIGHT)
        .show_separator_line(false)
        .frame(bare.inner_margin(Margin::symmetric(12, 0)))
        .show(ui, |ui| {
            top_bar::show(ui, state, inputs, out);
        });

    let most = ((window.x - LEAST_PICTURE) / 2.0).max(120.0);
    let width = state.settings.left_width.unwrap_or(default_left(window.x));
    let side = Panel::left(ARMS)
        .default_size(width)
        .size_range(capped(LEFT_WIDTH, most))
        .show_separator_line(false)
        .frame(bare);
    let mut open = state.settings.left_open;
    side.show_collapsible(ui, &mut open, |ui| arms::show(ui, state, inputs, out));
    state.settings.left_open = open;

    let width = state
        .settings
        .right_width
        .unwrap_or(default_right(window.x));
    let side = Panel::right(CAMERAS)
        .default_size(width)
        .size_range(capped(RIGHT_WIDTH, most))
        .show_separator_line(false)
        .frame(bare);
    let mut open = state.settings.right_open;
    side.show_collapsible(ui, &mut open, |ui| {
        if inputs.record.is_some() && right_tab(ui, state) != RightTab::Cameras {
            let margin = Margin {
                bottom: 0,
                ..Margin::same(12)
            };
            Frame::new()
                .inner_margin(margin)
                .show(ui, |ui| record::show(ui, state, inputs, out));
            return;
        }
        Panel::bottom("telemetry")
            .exact_size(telemetry::HEIGHT)
            .show_separator_line(false)
            .frame(bare.inner_margin(Margin::same(12)))
            .show(ui, |ui| {
                let line = Stroke::new(1.0, palette.line);
                ui.painter()
                    .hline(ui.max_rect().x_range(), ui.max_rect().min.y - 11.5, line);
                telemetry::show(ui, inputs);
            });
        Frame::new().inner_margin(Margin::same(12)).show(ui, |ui| {
            cameras::show(ui, state, inputs);
        });
    });
    state.settings.right_open = open;

    record::strip::show(ui, state, inputs, open, out);
    if state.browser.is_some() {
        // It has the plot's place.
        remember_sizes(ui, state, window);
        return ui.available_rect_before_wrap();
    }
    let tallest = (window.y - BAR_HEIGHT - 200.0).max(*PLOT_HEIGHT.start());
    let height = state.settings.plot_height.unwrap_or(default_plot(window.y));
    let low = Panel::bottom(PLOT)
        .resizable(true)
        .default_size(height)
        .size_range(capped(PLOT_HEIGHT, tallest))
        .show_separator_line(false)
        .frame(bare.inner_margin(Margin {
            left: 12,
            right: 12,
            top: 8,
            bottom: 4,
        }));
    let mut open = state.settings.plot_open;
    let mut closed = false;
    low.show_collapsible(ui, &mut open, |ui| closed = plot::show(ui, state, inputs));
    state.settings.plot_open = open && !closed;

    remember_sizes(ui, state, window);
    ui.available_rect_before_wrap()
}

/// Draws which part of the panel at the right is shown; answers with it.
fn right_tab(ui: &mut Ui, state: &mut PanelState) -> RightTab {
    let margin = Margin {
        bottom: 0,
        ..Margin::same(12)
    };
    let choices = &record::TABS;
    Frame::new()
        .inner_margin(margin)
        .show(ui, |ui| record::tabs(ui, state, choices))
        .inner
}

/// Brings what is remembered in line with the scene and the context.
fn prepare(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    if state.applied_theme != Some(state.settings.theme) {
        state.applied_theme = Some(state.settings.theme);
        theme::apply(ui.ctx(), state.settings.theme);
        // This frame's root was made with the style of before.
        let style = ui.ctx().global_style();
        ui.set_style(style);
    }
    if (ui.ctx().zoom_factor() - state.settings.ui_scale).abs() > 1e-3 {
        ui.ctx().set_zoom_factor(state.settings.ui_scale);
    }
    let generation = inputs.scene.as_ref().map(|scene| scene.generation);
    if state.generation != generation || state.arms.len() != inputs.arms().len() {
        state.generation = generation;
        state.arms.clear();
        state
            .arms
            .resize_with(inputs.arms().len(), ArmCard::default);
        state.frozen = None;
        if state.settings.selected_arm >= inputs.arms().len() {
            state.settings.selected_arm = 0;
        }
        if generation.is_some() {
            out.actions
                .push(PanelAction::SelectArm(state.settings.selected_arm));
        }
    }
}

/// Keys of the app, but not while a field has the keyboard.
fn shortcuts(ui: &Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if pressed(Key::F1) {
        state.help_open = !state.help_open;
    }
    if pressed(Key::F2) {
        state.settings.workers_open = !state.settings.workers_open;
    }
    if pressed(function_keys::EDIT.0) {
        editor::toggle(inputs, out);
    }
    if let Some(view) = &inputs.editor {
        if !ui.ctx().egui_wants_keyboard_input() {
            editor::keys(ui, state, view, out);
            view_keys(ui, out);
        }
        return;
    }
    if pressed(function_keys::RECORD.0) && inputs.record.is_some() {
        toggle_recorder(&mut state.settings);
    }
    if pressed(function_keys::DRIVE.0) {
        top_bar::toggle_driving(state, inputs, out);
    }
    if pressed(function_keys::RESET.0) && inputs.state.is_some() {
        top_bar::reset_scene(state, out);
    }
    if ui.ctx().egui_wants_keyboard_input() {
        return;
    }
    record::controls::keys(ui, state, inputs, out);
    view_keys(ui, out);
}

/// Keys that look from elsewhere.
fn view_keys(ui: &Ui, out: &mut Outbox) {
    let keys = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5];
    for (key, preset) in keys.into_iter().zip(ViewPreset::ALL) {
        if ui.input(|input| input.key_pressed(key)) {
            out.actions.push(PanelAction::SetView(preset));
        }
    }
}

/// Whether the recorder is in sight.
pub(crate) fn shows_recorder(settings: &PanelSettings) -> bool {
    settings.record.tab == RightTab::Record
        && settings.right_open
        && settings.sheet == Some(Sheet::Record)
}

/// Opens the recorder, or puts it away.
pub(crate) fn toggle_recorder(settings: &mut PanelSettings) {
    if shows_recorder(settings) {
        settings.record.tab = RightTab::Cameras;
        settings.sheet = None;
    } else {
        settings.record.tab = RightTab::Record;
        settings.right_open = true;
        settings.sheet = Some(Sheet::Record);
    }
}

fn capped(range: RangeInclusive<f32>, most: f32) -> RangeInclusive<f32> {
    range.start().min(most)..=range.end().min(most)
}

fn default_left(window_width: f32) -> f32 {
    (0.18 * window_width).clamp(304.0, 352.0).round()
}

fn default_right(window_width: f32) -> f32 {
    (0.22 * window_width).clamp(304.0, 424.0).round()
}

fn default_plot(window_height: f32) -> f32 {
    (0.26 * window_height).clamp(196.0, 288.0).round()
}

/// Keeps the sizes that a person gave the panels.
fn remember_sizes(ui: &Ui, state: &mut PanelState, window: Vec2) {
    let size = |id| egui::containers::panel::PanelState::load(ui.ctx(), egui::Id::new(id));
    let given = |size: f32, default: f32| (size.round() != default).then_some(size.round());
    let settings = &mut state.settings;
    if let Some(panel) = size(ARMS) {
        settings.left_width = given(panel.size().x, default_left(window.x));
    }
    if let Some(panel) = size(CAMERAS) {
        settings.right_width = given(panel.size().x, default_right(window.x));
    }
    if let Some(panel) = size(PLOT) {
        settings.plot_height = given(panel.size().y, default_plot(window.y));
    }
}

/// Says once that the settings are other than they were, when the pointer has come to rest.
fn announce(ui: &Ui, state: &mut PanelState, out: &mut Outbox) {
    // Nobody wants a file written for each letter.
    if ui.input(|input| input.pointer.any_down()) || ui.ctx().egui_wants_keyboard_input() {
        return;
    }
    match &state.announced {
        Some(announced) if *announced == state.settings => return,
        Some(_) => out.actions.push(PanelAction::SettingsChanged),
        None => {}
    }
    state.announced = Some(state.settings.clone());
}

/// What the rest of the app needs to know; `busy` if nobody should work in the picture.
fn output(ui: &Ui, free: Rect, busy: bool) -> PanelOutput {
    let ctx = ui.ctx();
    let over_panel = ctx
        .input(|input| input.pointer.interact_pos())
        .is_some_and(|pointer| {
            let floating = ctx
                .layer_id_at(pointer)
                .is_some_and(|layer: LayerId| layer.order != Order::Background);
            floating || !free.contains(pointer)
        });
    let zoom = ctx.zoom_factor();
    PanelOutput {
        pointer_captured: ctx.egui_is_using_pointer() || over_panel || busy,
        keyboard_captured: ctx.egui_wants_keyboard_input(),
        record_keys: false,
        free_rect: Rect::from_min_max(
            (free.min.to_vec2() * zoom).to_pos2(),
            (free.max.to_vec2() * zoom).to_pos2(),
        ),
    }
}
