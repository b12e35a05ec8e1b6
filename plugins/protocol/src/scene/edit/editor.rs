//! A scene that is being edited: what it is now, and every step that led there.

use std::sync::Arc;

use super::{Applied, Edit, Item};
use crate::scene::{Scene, SceneProblem};

/// A scene and its steps. An edit is either done at once ([`Editor::apply`]) or held, as by a hand
/// that drags: shown, but no step before it is released.
#[derive(Debug, Clone)]
pub struct Editor {
    scene: Arc<Scene>,
    held: Option<Held>,
    /// The scene as it is in its file; `None` if it has none.
    saved: Option<Arc<Scene>>,
    undo: Vec<Step>,
    redo: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Held {
    scene: Arc<Scene>,
    name: String,
}

/// A step, and the scene on its other side.
#[derive(Debug, Clone)]
struct Step {
    name: String,
    scene: Arc<Scene>,
}

impl Editor {
    /// Begins with a scene; `saved` if a file has it as it is.
    #[must_use]
    pub fn new(scene: Scene, saved: bool) -> Self {
        let scene = Arc::new(scene);
        Self {
            saved: saved.then(|| Arc::clone(&scene)),
            scene,
            held: None,
            undo: Vec::new(),
            redo: Vec::new(),
        }
    }

    /// The scene as it should be shown.
    #[must_use]
    pub fn scene(&self) -> &Arc<Scene> {
        self.held.as_ref().map_or(&self.scene, |held| &held.scene)
    }

    /// The scene without what is held.
    #[must_use]
    pub fn settled(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// Shows the scene with this edit in place of the last one that was held. Answers with what
    /// should be chosen, if that changes.
    ///
    /// # Errors
    /// The edit makes no good scene: all stays as it was.
    pub fn hold(&mut self, edit: &Edit) -> Result<Option<Option<Item>>, SceneProblem> {
        let Applied {
            scene,
            name,
            select,
        } = edit.apply(&self.scene)?;
        self.held = Some(Held {
            scene: Arc::new(scene),
            name,
        });
        Ok(select)
    }

    /// Makes what is held a step; answers whether there was anything.
    pub fn release(&mut self) -> bool {
        let Some(held) = self.held.take() else {
            return false;
        };
        if held.scene == self.scene {
            return false;
        }
        let before = std::mem::replace(&mut self.scene, held.scene);
        self.undo.push(Step {
            name: held.name,
            scene: before,
        });
        self.redo.clear();
        true
    }

    /// Lets go of what is held, as if it had never been.
    pub fn cancel(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Makes an edit a step.
    ///
    /// # Errors
    /// The edit makes no good scene: all stays as it was.
    pub fn apply(&mut self, edit: &Edit) -> Result<Option<Option<Item>>, SceneProblem> {
        let select = self.hold(edit)?;
        self.release();
        Ok(select)
    }

    /// Goes a step back; answers with its name.
    pub fn undo(&mut self) -> Option<String> {
        self.cancel();
        go(&mut self.scene, &mut self.undo, &mut self.redo)
    }

    /// Goes a step forward again; answers with its name.
    pub fn redo(&mut self) -> Option<String> {
        self.cancel();
        go(&mut self.scene, &mut self.redo, &mut self.undo)
    }

    /// What [`Editor::undo`] would take back.
    #[must_use]
    pub fn undo_name(&self) -> Option<&str> {
        self.undo.last().map(|step| step.name.as_str())
    }

    /// What [`Editor::redo`] would do again.
    #[must_use]
    pub fn redo_name(&self) -> Option<&str> {
        self.redo.last().map(|step| step.name.as_str())
    }

    /// Whether the scene differs from its file. One that never had a file differs as soon as there
    /// is a step.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        match &self.saved {
            Some(saved) => saved != &self.scene,
            None => !self.undo.is_empty(),
        }
    }

    /// The scene without what is held is in its file now.
    pub fn mark_saved(&mut self) {
        self.saved = Some(Arc::clone(&self.scene));
    }
}

fn go(scene: &mut Arc<Scene>, from: &mut Vec<Step>, to: &mut Vec<Step>) -> Option<String> {
    let step = from.pop()?;
    let left = std::mem::replace(scene, step.scene);
    to.push(Step {
        name: step.name.clone(),
        scene: left,
    });
    Some(step.name)
}
