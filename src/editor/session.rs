//! One scene in the editor: its steps, its models, what is selected, where its file is.

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_panel::{EditorAction, EditorTool, EditorView, SceneFolder};
use forearm_protocol::scene::edit::{Edit, Editor, Item};
use forearm_protocol::scene::{ModelRef, Scene, SceneBundle, SceneProblem};

use super::place::{self, Origin, SaveError};
use crate::files::{self, LoadedScene};

/// A scene in the editor.
pub(super) struct Session {
    pub(super) editor: Editor,
    /// The scene as the control service has it.
    pub(super) loaded: Scene,
    /// Where its file is, and what its references are relative to.
    pub(super) origin: Origin,
    pub(super) problem: Option<SceneProblem>,
    /// The files that its models and motions are from.
    files: Arc<SceneBundle>,
    /// The models that its arms may have.
    models: Vec<(ModelRef, Arc<ArmModel>)>,
    /// The scene that is shown with those files, as long as it is the same.
    bundle: Arc<SceneBundle>,
    selected: Option<Item>,
    tool: EditorTool,
    snap: bool,
    folder: SceneFolder,
}

impl Session {
    pub(super) fn new(files: Arc<SceneBundle>, origin: Origin) -> anyhow::Result<Self> {
        let refs = files.scene.arms.iter().map(|arm| arm.model.clone());
        let mut models: Vec<_> = refs.zip(files.arm_models()?).collect();
        if models.iter().all(|(model, _)| *model != ModelRef::So101) {
            models.push((ModelRef::So101, Arc::new(forearm_arm::so101::so101())));
        }
        Ok(Self {
            editor: Editor::new(files.scene.clone(), true),
            loaded: files.scene.clone(),
            folder: place::list(&origin.folder()),
            origin,
            problem: None,
            bundle: Arc::clone(&files),
            files,
            models,
            selected: None,
            tool: EditorTool::default(),
            snap: false,
        })
    }

    /// The scene that is shown, with its files.
    pub(super) fn bundle(&mut self) -> Arc<SceneBundle> {
        let scene = self.editor.scene();
        if self.bundle.scene != **scene {
            self.bundle = Arc::new(SceneBundle {
                scene: (**scene).clone(),
                ..(*self.files).clone()
            });
        }
        Arc::clone(&self.bundle)
    }

    /// The scene without what is held, checked as a file that is opened.
    pub(super) fn whole(&self) -> Result<LoadedScene, SceneProblem> {
        self.check(self.editor.settled())
    }

    fn check(&self, scene: &Scene) -> Result<LoadedScene, SceneProblem> {
        files::with_scene(scene.clone(), &self.files).map_err(|error| SceneProblem {
            field: String::new(),
            problem: format!("{error:#}"),
        })
    }

    pub(super) fn select(&mut self, item: Option<Item>) {
        self.selected = item;
        self.problem = None;
    }

    pub(super) fn hold(&mut self, edit: &Edit) {
        match self.editor.hold(edit) {
            Ok(select) => {
                self.problem = None;
                if let Some(select) = select {
                    self.selected = select;
                }
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Makes what is held a step, if the simulation takes it too.
    pub(super) fn release(&mut self) {
        let held = Arc::clone(self.editor.scene());
        if *held != **self.editor.settled()
            && let Err(problem) = self.check(&held)
        {
            self.editor.cancel();
            self.problem = Some(problem);
            self.forget_missing();
            return;
        }
        self.editor.release();
    }

    /// Does what a person asks for that concerns this scene alone.
    pub(super) fn act(&mut self, action: &EditorAction) -> anyhow::Result<()> {
        match action {
            EditorAction::Select(item) => self.select(*item),
            EditorAction::Tool(tool) => self.tool = *tool,
            EditorAction::Snap(snap) => self.snap = *snap,
            EditorAction::Hold(edit) => self.hold(edit),
            EditorAction::Release => self.release(),
            EditorAction::Apply(edit) => {
                self.release();
                self.hold(edit);
                if self.problem.is_none() {
                    self.release();
                }
            }
            EditorAction::Undo => {
                self.editor.undo();
                self.problem = None;
            }
            EditorAction::Redo => {
                self.editor.redo();
                self.problem = None;
            }
            EditorAction::List(path) => self.folder = place::list(path),
            EditorAction::Download => {
                let name = self
                    .origin
                    .shown()
                    .unwrap_or_else(|| "scene.ron".to_owned());
                place::download(&name, &self.editor.settled().to_ron(&name)?)?;
            }
            // The editor as a whole carries these out.
            EditorAction::Enter
            | EditorAction::Leave
            | EditorAction::New
            | EditorAction::Open(_)
            | EditorAction::Upload
            | EditorAction::Save
            | EditorAction::SaveAs(_)
            | EditorAction::Answer(_) => {}
        }
        self.forget_missing();
        Ok(())
    }

    /// What is not there any more is not selected.
    fn forget_missing(&mut self) {
        let scene = self.editor.scene();
        self.selected = self.selected.filter(|item| scene.has(*item));
    }

    /// Saves the scene under this name.
    pub(super) fn save(&mut self, path: &str, replace: bool) -> Result<(), SaveError> {
        let origin = self.origin.moved(path)?;
        let scene = origin.portable(self.editor.settled(), &self.origin)?;
        let file = origin.shown().unwrap_or_default();
        let text = scene
            .to_ron(&file)
            .map_err(|error| SaveError::Failed(error.into()))?;
        let replace = replace || self.origin.path() == origin.path();
        place::write(&origin, &text, replace)?;
        self.editor.mark_saved();
        self.origin.file = origin.file;
        self.folder = place::list(&self.origin.folder());
        Ok(())
    }

    /// What panels need.
    pub(super) fn view(&self) -> EditorView {
        let scene = Arc::clone(self.editor.scene());
        let model = |wanted: &ModelRef| {
            let known = self.models.iter().find(|(model, _)| model == wanted);
            known
                .or(self.models.first())
                .map(|(_, model)| Arc::clone(model))
        };
        EditorView {
            models: scene
                .arms
                .iter()
                .filter_map(|arm| model(&arm.model))
                .collect(),
            scene,
            selected: self.selected,
            tool: self.tool,
            snap: self.snap,
            undo: self.editor.undo_name().map(str::to_owned),
            redo: self.editor.redo_name().map(str::to_owned),
            file: self.origin.shown(),
            changed: self.editor.is_changed(),
            problem: self.problem.clone(),
            stays: None,
            folder: self.folder.clone(),
            question: None,
        }
    }
}
