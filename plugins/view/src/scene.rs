//! The loaded scene: models resolved, and one entity that everything of the scene hangs under.

use std::sync::Arc;

use bevy::prelude::*;
use forearm_arm::ArmModel;
use forearm_protocol::control::Event;
use forearm_protocol::scene::SceneBundle;

use crate::editor::{EditedScene, LiveScene};
use crate::frames::WorldRoot;

/// The scene that is drawn. Replaced as a whole when another is loaded.
#[derive(Resource, Debug, Clone)]
pub struct LoadedScene {
    /// Counts loaded scenes; states of another generation are not drawn.
    pub generation: u64,
    /// The scene and its files.
    pub bundle: Arc<SceneBundle>,
    /// One model for each of the scene's arms.
    pub models: Vec<Arc<ArmModel>>,
}

/// The entity that the present scene's things hang under, itself below the [`WorldRoot`].
#[derive(Resource, Debug, Clone, Copy)]
pub(crate) struct SceneRoot(pub(crate) Entity);

/// Takes a loaded scene from the control service's events.
pub(crate) fn receive(
    mut events: MessageReader<Event>,
    edited: Res<EditedScene>,
    mut live: ResMut<LiveScene>,
    mut commands: Commands,
) -> Result {
    let loaded = events.read().filter_map(|event| match event {
        Event::SceneLoaded { generation, bundle } => Some((*generation, bundle)),
        _ => None,
    });
    // Two scenes in one frame: only the last is worth drawing.
    if let Some((generation, bundle)) = loaded.last() {
        let models = bundle.arm_models()?;
        let loaded = LoadedScene {
            generation,
            bundle: Arc::clone(bundle),
            models,
        };
        live.0 = Some(loaded.clone());
        // What a person edits stays in sight.
        if edited.shown.is_none() {
            commands.insert_resource(loaded);
        }
    }
    Ok(())
}

/// Sweeps the last scene away.
pub(crate) fn begin(
    mut commands: Commands,
    world: Single<Entity, With<WorldRoot>>,
    old: Option<Res<SceneRoot>>,
) {
    if let Some(old) = old {
        commands.entity(old.0).despawn();
    }
    let root = commands
        .spawn((
            Name::new("Scene"),
            Transform::default(),
            Visibility::default(),
            ChildOf(*world),
        ))
        .id();
    commands.insert_resource(SceneRoot(root));
}
