//! What the panels show: what the control service told last, cameras, scenes.
//!
//! [`PanelInputs::receive`] takes the control service's events; the app fills in the rest.

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::control::{Event, Notice, NoticeLevel, StateUpdate};
use forearm_protocol::scene::{ArmSpec, SceneBundle};

use crate::devices::DevicesView;
use crate::editor::EditorView;
use crate::history::History;
use crate::recording::RecordView;
use crate::workers::WorkersView;

/// What the panels show.
#[derive(Debug, Default)]
#[cfg_attr(feature = "bevy", derive(bevy::prelude::Resource))]
pub struct PanelInputs {
    /// The scene that is loaded, after the control service said so.
    pub scene: Option<SceneView>,
    /// The latest state of everything, of this scene.
    pub state: Option<StateUpdate>,
    /// The last seconds of all joints.
    pub history: History,
    /// Camera images, in the order in which they are shown.
    pub cameras: Vec<CameraFeed>,
    /// The scenes that can be chosen.
    pub scenes: Vec<SceneEntry>,
    /// [`SceneEntry::id`] of the scene that is loaded or loading.
    pub scene_id: Option<String>,
    /// The motions that can be played.
    pub scripts: Vec<ScriptEntry>,
    /// Pictures drawn a second.
    pub frame_rate: f32,
    /// Where the control service runs and how it does, in words.
    pub control_host: String,
    /// How many gamepads are connected.
    pub gamepads: usize,
    /// The services and trials of a motion; the app fills it in.
    pub workers: WorkersView,
    /// Real arms, beside what the state says of them.
    pub devices: DevicesView,
    /// Whether scenes can be edited.
    pub can_edit: bool,
    /// The scene that is being edited; `None` while none is.
    pub editor: Option<EditorView>,
    /// Recording and datasets; `None` where nothing can be recorded, and nothing is offered.
    pub record: Option<RecordView>,
}

/// The parts of a scene that panels need.
#[derive(Debug, Clone)]
pub struct SceneView {
    /// [`StateUpdate::scene_generation`] of its states.
    pub generation: u64,
    /// Its name.
    pub name: String,
    /// Its arms.
    pub arms: Vec<ArmView>,
}

/// An arm of the scene.
#[derive(Debug, Clone)]
pub struct ArmView {
    /// Its name, unique in the scene.
    pub name: String,
    /// What moves it, as the scene says.
    pub backend: String,
    /// Its joints and limits.
    pub model: Arc<ArmModel>,
}

/// A camera's latest image.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraFeed {
    /// Its name, unique in the scene.
    pub name: String,
    /// The image; `None` until the first one.
    pub texture: Option<egui::TextureId>,
    /// Width and height of the image, pixels.
    pub size: [u32; 2],
    /// Images a second, measured.
    pub fps: f32,
    /// Age of the latest image, seconds.
    pub age_secs: f32,
}

/// A scene that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneEntry {
    /// What the app knows it by, for instance its file.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// One sentence about it.
    pub description: String,
}

/// A motion that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptEntry {
    /// What the app knows it by, for instance its file.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

impl PanelInputs {
    /// Takes an event of the control service; answers with what a person should read about it.
    pub fn receive(&mut self, event: &Event) -> Option<Notice> {
        let of_devices = self.devices.receive(event);
        match event {
            Event::State(update) => {
                if self
                    .scene
                    .as_ref()
                    .is_some_and(|s| s.generation != update.scene_generation)
                {
                    return of_devices;
                }
                self.history.push(update);
                self.state = Some(StateUpdate::clone(update));
                of_devices
            }
            Event::SceneLoaded { generation, bundle } => {
                let (scene, problem) = SceneView::new(*generation, bundle);
                self.scene = Some(scene);
                self.state = None;
                problem.map(|text| Notice {
                    level: NoticeLevel::Error,
                    text,
                })
            }
            Event::ScriptDone { arm } => {
                let name = self.arm(*arm).map_or("The arm", |view| view.name.as_str());
                Some(Notice {
                    level: NoticeLevel::Info,
                    text: format!("{name} has finished its motion."),
                })
            }
            Event::Notice(notice) => Some(notice.clone()),
            Event::DevicesChanged { .. }
            | Event::Calibration(_)
            | Event::CalibrationDone { .. } => of_devices,
        }
    }

    /// An arm of the loaded scene.
    #[must_use]
    pub fn arm(&self, index: usize) -> Option<&ArmView> {
        self.scene.as_ref()?.arms.get(index)
    }

    /// The arms of the loaded scene.
    #[must_use]
    pub fn arms(&self) -> &[ArmView] {
        self.scene.as_ref().map_or(&[], |scene| &scene.arms)
    }
}

impl SceneView {
    /// What panels need of a loaded scene, and what went wrong: the control service loads no scene
    /// whose models can't be read, so a problem here means that the two are of different builds.
    #[must_use]
    pub fn new(generation: u64, bundle: &SceneBundle) -> (Self, Option<String>) {
        let (models, problem) = match bundle.arm_models() {
            Ok(models) => (models, None),
            Err(problem) => (Vec::new(), Some(problem.to_string())),
        };
        let view = |(spec, model): (&ArmSpec, Arc<ArmModel>)| ArmView {
            name: spec.name.clone(),
            backend: spec.backend.to_string(),
            model,
        };
        let arms = bundle.scene.arms.iter().zip(models).map(view).collect();
        (
            Self {
                generation,
                name: bundle.scene.name.clone(),
                arms,
            },
            problem,
        )
    }
}
