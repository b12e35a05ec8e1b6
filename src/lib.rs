//! Forearm: teleoperate and simulate a low-cost robot arm, in a window, in a browser tab, or without
//! either.
//!
//! The architecture is the list of plugins in [`app()`]. Everything that keeps time runs in
//! services beside Bevy; the app draws, collects input, and passes messages.

pub mod calibrations;
#[cfg(not(target_family = "wasm"))]
pub mod capture;
pub mod desk;
pub mod devices;
pub mod editor;
pub mod files;
#[cfg(target_os = "linux")]
mod gamepad_linux;
pub mod input;
#[cfg(not(target_family = "wasm"))]
pub mod logging;
pub mod motions;
pub mod recording;
pub mod roster;
pub mod scenes;
pub mod settings;
pub mod trials;
#[cfg(target_family = "wasm")]
pub mod web;

use std::sync::Arc;

use bevy::asset::AssetMetaCheck;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::window::{PresentMode, WindowResolution};
use bevy::winit::WinitSettings;
use bevy_egui::{EguiGlobalSettings, PrimaryEguiContext};
use forearm_control::{ControlConfig, ControlPlugin, Startup as ControlStartup};
use forearm_panel::PanelSettings;
use forearm_protocol::control::Notice;
use forearm_protocol::scene::SceneBundle;

/// What is logged unless told otherwise: our own warnings, but of the libraries that draw only
/// errors, for they warn of things that are of no use to a person with an arm.
pub const DEFAULT_LOG: &str = "warn,bevy_core_pipeline=error,bevy_egui=error,bevy_pbr=error,\
                               bevy_render=error,winit=error,wgpu=error";

/// The canvas that the app draws on in a browser tab: the page's first.
pub const CANVAS: &str = "canvas";

/// What the window opens with.
#[derive(Debug, Clone)]
pub struct AppSetup {
    /// The scene.
    pub bundle: Arc<SceneBundle>,
    /// What `--scene` calls it.
    pub scene_id: String,
    /// Choices and layout to begin with.
    pub settings: PanelSettings,
    /// How the control service runs.
    pub control: ControlConfig,
    /// A log filter, as for `--log`.
    pub log: String,
    /// Width and height of the window, pixels; in a browser tab, the page says.
    pub size: [u32; 2],
    /// Whether every picture must have everything in it; a person sees it arrive.
    pub complete_pictures: bool,
    /// What a person should read first.
    pub notices: Vec<Notice>,
}

/// The app with its window.
pub fn app(setup: AppSetup) -> App {
    let window = Window {
        title: format!("Forearm: {}", setup.bundle.scene.name),
        name: Some("forearm".to_owned()),
        resolution: WindowResolution::new(setup.size[0], setup.size[1]),
        // The picture never waits for the screen: a late frame must not delay the next input.
        present_mode: PresentMode::AutoVsync,
        // In a browser tab: fills its place in the page, which keeps from the browser what the app
        // uses and no more (`web::hands`).
        canvas: Some(CANVAS.to_owned()),
        fit_canvas_to_parent: true,
        prevent_default_event_handling: false,
        ..default()
    };
    let control = ControlPlugin {
        config: setup.control,
        startup: ControlStartup {
            bundle: Some(setup.bundle.clone()),
            script: None,
            start: true,
            resume: None,
            e_stop: false,
        },
    };
    let mut app = App::new();
    app
        // Bevy: window, input, rendering.
        .add_plugins(
            DefaultPlugins
                // The editor closes it: a scene may not be saved yet.
                .set(WindowPlugin { primary_window: Some(window), close_when_requested: false, ..default() })
                .set(LogPlugin { filter: setup.log, level: bevy::log::Level::TRACE, ..default() })
                .set(AssetPlugin { meta_check: AssetMetaCheck::Never, ..default() })
                .set(RenderPlugin {
                    synchronous_pipeline_compilation: setup.complete_pictures,
                    ..default()
                }),
        )
        // Draw at full rate also while another window has the focus: an arm may be moving.
        .insert_resource(WinitSettings::continuous())
        // The control service on its own thread, and its messages.
        .add_plugins(control)
        // The picture: arms, objects, cameras.
        .add_plugins(forearm_view::ViewPlugin)
        // The panels around it.
        .add_plugins(forearm_panel::plugin::PanelPlugin)
        // Which services run and how they do, for the panels.
        .add_plugins(roster::RosterPlugin)
        // Motions tried in the background.
        .add_plugins(trials::TrialsPlugin)
        // Datasets: recorded, looked at, replayed.
        .add_plugins(recording::RecordingPlugin)
        // Keys and gamepads.
        .add_plugins(input::InputPlugin)
        // Scenes: changed, saved, opened.
        .add_plugins(editor::EditorPlugin)
        // Real arms: ports, leaders, calibrations.
        .add_plugins(devices::DevicesPlugin)
        // Which scene and arm a person works with.
        .add_plugins(desk::DeskPlugin { bundle: setup.bundle, scene_id: setup.scene_id,
            settings: setup.settings, notices: setup.notices })
        .add_systems(Startup, spawn_panel_camera);
    app.world_mut()
        .resource_mut::<EguiGlobalSettings>()
        .auto_create_primary_context = false;
    app
}

/// Panels have a camera of their own, above the picture: the picture's own draws only where the
/// panels leave room.
fn spawn_panel_camera(mut commands: Commands) {
    commands.spawn((
        Name::new("Panels"),
        Camera2d,
        Camera {
            order: 100,
            clear_color: ClearColorConfig::None,
            ..default()
        },
        Msaa::Off,
        PrimaryEguiContext,
    ));
}
