//! The desk: which scene and arm a person works with. Carries out what the panels ask for, and
//! tells panels and picture what only the app knows.

use std::collections::HashMap;
use std::sync::Arc;

use bevy::input::gamepad::Gamepad;
use bevy::math::Rect;
use bevy::prelude::*;
use bevy::time::Real;
use bevy_egui::{EguiTextureHandle, EguiUserTextures};
use forearm_control::{Control, ControlRequest};
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{
    CameraFeed, PanelAction, PanelInputs, PanelOutput, PanelSettings, PanelState, SceneEntry,
    ScriptEntry, ThemeChoice, ViewPreset,
};
use forearm_protocol::control::{
    Event as ControlEvent, Notice, NoticeLevel, Request, StateUpdate, TeleopMode,
};
use forearm_protocol::scene::SceneBundle;
use forearm_view::{
    CameraFeeds, CameraPreset, GhostMode, PointerCaptured, Theme, ViewSettings, ViewSystems,
    ViewportRect,
};

use crate::editor::SceneEditor;
use crate::motions::{BUILTIN_MOTIONS, BuiltinMotion};
use crate::scenes::BUILTIN_SCENES;
use crate::{files, settings};

/// Connects panels, picture and control service.
#[derive(Debug)]
pub struct DeskPlugin {
    /// The scene to begin with.
    pub bundle: Arc<SceneBundle>,
    /// What `--scene` calls it.
    pub scene_id: String,
    /// Choices and layout to begin with.
    pub settings: PanelSettings,
    /// What a person should read first.
    pub notices: Vec<Notice>,
}

impl Plugin for DeskPlugin {
    fn build(&self, app: &mut App) {
        let scenes = list_scenes(&self.scene_id, &self.bundle);
        let mut panel = PanelState::new(self.settings.clone());
        for notice in &self.notices {
            panel.notify(notice.clone());
        }
        app.insert_resource(Desk {
            scene_id: self.scene_id.clone(),
            opened: Some((self.scene_id.clone(), self.bundle.clone())),
            scenes,
            ..Desk::default()
        })
        .insert_resource(panel)
        .add_systems(Startup, (fill_lists, apply_choices))
        .add_systems(
            Update,
            (
                (remember_state, carry_out, apply_choices)
                    .chain()
                    .before(ViewSystems::Receive),
                (show_cameras, show_service).after(PanelSystems::Receive),
                free_the_scene.before(ViewSystems::Steer),
            ),
        );
    }
}

/// Which arm a person drives, and its latest state.
#[derive(Debug, Default, Resource)]
pub struct Desk {
    /// The arm that keys, gamepad and dragged tool drive.
    pub selected_arm: usize,
    /// The latest state of everything.
    pub state: Option<Box<StateUpdate>>,
    /// The scene that is loaded or loading, as `--scene` would call it.
    scene_id: String,
    /// The scene that the app began with, and what it is called.
    opened: Option<(String, Arc<SceneBundle>)>,
    scenes: Vec<SceneEntry>,
}

impl Desk {
    /// The scene that is loaded or loading, as `--scene` would call it.
    #[must_use]
    pub fn scene_id(&self) -> &str {
        &self.scene_id
    }

    /// The control service loads a scene that is no built-in one: it is listed, if it can be opened
    /// again as `id`.
    pub(crate) fn adopt(
        &mut self,
        id: Option<String>,
        bundle: Arc<SceneBundle>,
        inputs: &mut PanelInputs,
    ) {
        inputs.scene_id.clone_from(&id);
        self.selected_arm = 0;
        let Some(id) = id else { return };
        let entry = SceneEntry {
            id: id.clone(),
            name: bundle.scene.name.clone(),
            description: bundle.scene.description.clone(),
        };
        match self.scenes.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = entry,
            None => self.scenes.push(entry),
        }
        inputs.scenes.clone_from(&self.scenes);
        self.opened = Some((id.clone(), bundle));
        self.scene_id = id;
    }

    /// How the selected arm is driven.
    #[must_use]
    pub fn mode(&self) -> Option<TeleopMode> {
        Some(self.state.as_ref()?.arms.get(self.selected_arm)?.mode)
    }
}

/// The built-in scenes, and the one from a file if there is one.
fn list_scenes(scene_id: &str, bundle: &SceneBundle) -> Vec<SceneEntry> {
    let mut entries = Vec::new();
    for builtin in BUILTIN_SCENES {
        match builtin.scene() {
            Ok(scene) => entries.push(SceneEntry {
                id: builtin.key.to_owned(),
                name: scene.name,
                description: scene.description,
            }),
            Err(error) => error!("a built-in scene can't be read: {error}"),
        }
    }
    if entries.iter().all(|entry| entry.id != scene_id) {
        entries.push(SceneEntry {
            id: scene_id.to_owned(),
            name: bundle.scene.name.clone(),
            description: bundle.scene.description.clone(),
        });
    }
    entries
}

fn fill_lists(desk: Res<Desk>, mut inputs: ResMut<PanelInputs>) {
    inputs.scenes.clone_from(&desk.scenes);
    inputs.scene_id = Some(desk.scene_id.clone());
    inputs.scripts = BUILTIN_MOTIONS
        .iter()
        .map(|motion| ScriptEntry {
            id: motion.key.to_owned(),
            name: motion.name.to_owned(),
        })
        .collect();
}

fn remember_state(mut events: MessageReader<ControlEvent>, mut desk: ResMut<Desk>) {
    for event in events.read() {
        match event {
            ControlEvent::State(state) => desk.state = Some(state.clone()),
            ControlEvent::SceneLoaded { .. } => desk.state = None,
            _ => {}
        }
    }
}

/// Does what the panels ask for.
fn carry_out(
    mut actions: MessageReader<PanelAction>,
    mut desk: ResMut<Desk>,
    mut panel: ResMut<PanelState>,
    mut inputs: ResMut<PanelInputs>,
    mut requests: MessageWriter<ControlRequest>,
    mut presets: MessageWriter<CameraPreset>,
    mut editor: ResMut<SceneEditor>,
) {
    for action in actions.read() {
        match action {
            PanelAction::Request(request) => {
                requests.write(ControlRequest(request.clone()));
            }
            // The editor asks about what is not saved, and says it again.
            PanelAction::SelectScene(id) if !editor.may_select(id) => {}
            PanelAction::SelectScene(id) => match files::reload_scene(id, desk.opened.as_ref()) {
                Ok(loaded) => {
                    desk.scene_id.clone_from(id);
                    desk.selected_arm = 0;
                    inputs.scene_id = Some(id.clone());
                    requests.write(ControlRequest(Request::LoadScene(loaded.bundle)));
                    requests.write(ControlRequest(Request::Start));
                }
                Err(error) => panel.notify(trouble(format!("{error:#}"))),
            },
            PanelAction::SelectArm(arm) => desk.selected_arm = *arm,
            PanelAction::SetView(preset) => {
                presets.write(camera_preset(*preset));
            }
            PanelAction::PlayScript { arm, id } => match BuiltinMotion::find(id) {
                Some(motion) => {
                    let text = motion.text.to_owned();
                    requests.write(ControlRequest(Request::PlayScript { arm: *arm, text }));
                }
                None => panel.notify(trouble(format!("no motion is called `{id}`"))),
            },
            // The choices themselves are in the panels' settings: `apply_choices` follows them.
            PanelAction::Toggle(..) | PanelAction::SetTheme(_) => {}
            // What is asked of services: the roster carries it out.
            PanelAction::RestartService(_) | PanelAction::SetDiagnostics(_) => {}
            // `devices` carries these out.
            PanelAction::SetMover { .. }
            | PanelAction::SetLeader { .. }
            | PanelAction::WriteCalibration(_)
            | PanelAction::ListPorts => {}
            // Only in a browser, and there `web` carries it out.
            PanelAction::AddPort => {}
            // `recording` carries these out.
            PanelAction::Record(_)
            | PanelAction::CancelRecordWork
            | PanelAction::ShowEpisode(_)
            | PanelAction::ShowFrame { .. }
            | PanelAction::ShowThumbnail(_)
            | PanelAction::ReplayEpisode { .. } => {}
            // `editor` carries it out.
            PanelAction::Editor(_) => {}
            // `trials` carries these out.
            PanelAction::StartTrials { .. } | PanelAction::CancelTrials => {}
            PanelAction::SettingsChanged => {
                if let Err(error) = settings::store(&panel.settings) {
                    panel.notify(trouble(format!("{error:#}")));
                }
            }
        }
    }
}

fn trouble(text: String) -> Notice {
    Notice {
        level: NoticeLevel::Error,
        text,
    }
}

fn camera_preset(preset: ViewPreset) -> CameraPreset {
    match preset {
        ViewPreset::Overview => CameraPreset::Overview,
        ViewPreset::Front => CameraPreset::Front,
        ViewPreset::Side => CameraPreset::Side,
        ViewPreset::Top => CameraPreset::Top,
        ViewPreset::Wrist => CameraPreset::Wrist,
    }
}

/// The picture follows the panels' choices.
fn apply_choices(panel: Res<PanelState>, desk: Res<Desk>, mut view: ResMut<ViewSettings>) {
    let toggles = &panel.settings.toggles;
    let wanted = ViewSettings {
        theme: match panel.settings.theme {
            ThemeChoice::Dark => Theme::Dark,
            ThemeChoice::Light => Theme::Light,
        },
        grid: toggles.grid,
        ghost: if toggles.ghost {
            GhostMode::WhenApart
        } else {
            GhostMode::Off
        },
        twin: toggles.twin,
        joint_frames: toggles.frames,
        target_frame: toggles.frames,
        tool_gizmo: toggles.tool_handle,
        arm: desk.selected_arm,
        ..view.clone()
    };
    view.set_if_neq(wanted);
}

/// The picture keeps to what the panels leave free, and leaves the pointer to them.
fn free_the_scene(
    output: Res<PanelOutput>,
    mut captured: ResMut<PointerCaptured>,
    mut viewport: ResMut<ViewportRect>,
) {
    captured.set_if_neq(PointerCaptured(output.pointer_captured));
    let free = output.free_rect;
    let rect = Rect::new(free.min.x, free.min.y, free.max.x, free.max.y);
    let usable = free.is_positive() && free.is_finite();
    viewport.set_if_neq(ViewportRect(usable.then_some(rect)));
}

/// When a camera's latest image came, and the smoothed time between images, seconds.
type ImageTimes = HashMap<String, (f64, f64)>;

/// Hands the cameras' images to the panels, with the rate at which they really come.
fn show_cameras(
    feeds: Res<CameraFeeds>,
    time: Res<Time<Real>>,
    mut times: Local<ImageTimes>,
    mut textures: ResMut<EguiUserTextures>,
    mut inputs: ResMut<PanelInputs>,
) {
    inputs.cameras.clear();
    for feed in &feeds.feeds {
        let known = textures.image_id(&feed.image);
        let texture = known
            .unwrap_or_else(|| textures.add_image(EguiTextureHandle::Strong(feed.image.clone())));
        let age = feed
            .last_render_secs
            .map(|at| (time.elapsed_secs_f64() - at) as f32);
        let fps = feed
            .last_render_secs
            .map_or(0.0, |at| measured_fps(&mut times, &feed.name, at));
        inputs.cameras.push(CameraFeed {
            name: feed.name.clone(),
            texture: age.is_some().then_some(texture),
            size: feed.size.to_array(),
            fps,
            age_secs: age.unwrap_or(0.0),
        });
    }
}

/// Images a second of a camera whose latest image came at `at`, seconds.
fn measured_fps(times: &mut ImageTimes, camera: &str, at: f64) -> f32 {
    let Some((last, interval)) = times.get_mut(camera) else {
        times.insert(camera.to_owned(), (at, 0.0));
        return 0.0;
    };
    if at > *last {
        let latest = at - *last;
        *interval = if *interval > 0.0 {
            *interval + 0.2 * (latest - *interval)
        } else {
            latest
        };
        *last = at;
    }
    if *interval > 0.0 {
        (1.0 / *interval) as f32
    } else {
        0.0
    }
}

/// Tells the panels how the control service does.
fn show_service(
    control: Res<Control>,
    gamepads: Query<(), With<Gamepad>>,
    mut inputs: ResMut<PanelInputs>,
) {
    inputs.control_host = control.status().to_string();
    inputs.gamepads = gamepads.iter().count();
}
