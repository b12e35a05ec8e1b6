//! The loaded scene: models resolved, and one entity that everything of the scene hangs under.

use std::sync::Arc;

use bevy::prelude::*;
use forearm_arm::{ArmModel, import, so101};
use forearm_protocol::control::Event;
use forearm_protocol::scene::{ModelRef, SceneBundle};

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

/// Resolves the models of a scene; arms of the same model share it.
///
/// # Errors
/// Names the arm whose model is missing or can't be read, and why.
pub fn resolve_models(bundle: &SceneBundle) -> Result<Vec<Arc<ArmModel>>, String> {
    let mut known: Vec<(&ModelRef, Arc<ArmModel>)> = Vec::new();
    bundle
        .scene
        .arms
        .iter()
        .map(|arm| {
            if let Some((_, model)) = known.iter().find(|(name, _)| **name == arm.model) {
                return Ok(Arc::clone(model));
            }
            let model = match &arm.model {
                ModelRef::So101 => so101::so101(),
                ModelRef::File(name) => {
                    let files = bundle.models.get(name).ok_or_else(|| {
                        format!(
                            "arm `{}`: its model `{name}` did not come with the scene",
                            arm.name
                        )
                    })?;
                    let mut meshes =
                        |mesh: &str| {
                            files.meshes.get(mesh).cloned().ok_or_else(|| {
                                format!("the mesh `{mesh}` did not come with the scene")
                            })
                        };
                    import::model(&files.text, &mut meshes)
                        .map_err(|error| format!("arm `{}`: `{name}`: {error}", arm.name))?
                        .model
                }
            };
            let model = Arc::new(model);
            known.push((&arm.model, Arc::clone(&model)));
            Ok(model)
        })
        .collect()
}

/// Takes a loaded scene from the control service's events.
pub(crate) fn receive(mut events: MessageReader<Event>, mut commands: Commands) -> Result {
    let loaded = events.read().filter_map(|event| match event {
        Event::SceneLoaded { generation, bundle } => Some((*generation, bundle)),
        _ => None,
    });
    // Two scenes in one frame: only the last is worth drawing.
    if let Some((generation, bundle)) = loaded.last() {
        let models = resolve_models(bundle)?;
        commands.insert_resource(LoadedScene {
            generation,
            bundle: Arc::clone(bundle),
            models,
        });
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
