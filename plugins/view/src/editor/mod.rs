//! The scene while it is edited: drawn as the app's [`EditedScene`] says, standing still, with
//! handles to move, turn and resize what is selected.
//!
//! In: [`EditedScene`]. Out: [`EditorHand`] messages: what was clicked, and edits while a handle is
//! dragged. The control service's scene goes on unseen and is shown again when the edit ends.

mod follow;
mod handle;
mod marks;
mod math;
mod pick;

use std::sync::Arc;

use bevy::prelude::*;
use forearm_arm::ArmModel;
use forearm_protocol::scene::SceneBundle;
use forearm_protocol::scene::edit::{Edit, Item};

use crate::scene::LoadedScene;

pub(crate) use follow::{LiveScene, follow};
pub(crate) use handle::{EditHandle, draw as draw_handle, interact};
pub(crate) use marks::{EditLines, choose_feeds, outline, setup};
pub(crate) use pick::pick;

/// [`LoadedScene::generation`] of a scene that is edited: no state of the control service is its.
pub(crate) const EDITED: u64 = u64::MAX;

/// The scene that is edited, if one is. The app sets it.
#[derive(Resource, Debug, Clone, Default)]
pub struct EditedScene {
    /// What to show in place of the control service's scene.
    pub shown: Option<Edited>,
    /// Whether the edited scene stays in sight, when `shown` has gone, until the control service
    /// has loaded it.
    pub keep: bool,
}

/// A scene that is edited.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The scene and its files.
    pub bundle: Arc<SceneBundle>,
    /// One model for each of its arms.
    pub models: Vec<Arc<ArmModel>>,
    /// What is selected.
    pub selected: Option<Item>,
    /// What the handles do.
    pub tool: EditTool,
    /// Whether they snap; the Ctrl key is the other way round.
    pub snap: bool,
}

/// What the handles do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditTool {
    /// Move along axes, or on the plane of the table.
    #[default]
    Move,
    /// Turn about axes.
    Turn,
    /// Change sizes.
    Scale,
}

/// What a hand does in the picture while a scene is edited.
#[derive(Message, Debug, Clone, PartialEq)]
pub enum EditorHand {
    /// This was clicked; `None` for nothing.
    Pick(Option<Item>),
    /// A handle is dragged: the scene as it was when the drag began should be changed like this.
    Hold(Box<Edit>),
    /// The handle was let go of.
    Release,
    /// The drag was given up: all as it was when it began.
    Cancel,
}

/// Whether the scene on show is one that is edited.
pub(crate) fn is_edited(scene: &LoadedScene) -> bool {
    scene.generation == EDITED
}

/// Run condition: a scene is edited.
pub(crate) fn editing(edited: Res<EditedScene>, scene: Option<Res<LoadedScene>>) -> bool {
    edited.shown.is_some() && scene.is_some_and(|scene| is_edited(&scene))
}
