//! Scene and model files: what their readers share. They are read from disk ([`native`]) or fetched
//! ([`web`]), understood and checked here.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use forearm_arm::{ArmModel, import};
use forearm_protocol::scene::{Backend, CameraMount, ModelFiles, ModelRef, Scene, SceneBundle};
use forearm_sim::World;

use crate::calibrations;
use crate::scenes::{BUILTIN_SCENES, BuiltinScene};

#[cfg(not(target_family = "wasm"))]
pub use native::{
    FirstArm, lerobot_home, load_model, load_scene, load_scene_file, read_text, reload_scene,
    replace,
};
#[cfg(target_family = "wasm")]
pub(crate) use web::{SAVED, base_of, load_text, resolve, saved_key};
#[cfg(target_family = "wasm")]
pub use web::{load_scene, reload_scene};

/// A model's text may have at most this many bytes, a mesh as well.
const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A scene that can be used, and what its reader should be told about it.
#[derive(Debug, Clone)]
pub struct LoadedScene {
    /// The scene with its models' files.
    pub bundle: Arc<SceneBundle>,
    /// What was read but not understood, one line each.
    pub notes: Vec<String>,
}

/// A model file, its meshes, and the arm they describe.
#[derive(Debug, Clone)]
pub struct LoadedModel {
    /// The files.
    pub files: Arc<ModelFiles>,
    /// The arm.
    pub model: ArmModel,
    /// What was read but not understood, one line each.
    pub notes: Vec<String>,
}

/// The key of the scene that opens when nothing else is asked for.
#[must_use]
pub fn default_scene() -> &'static str {
    BUILTIN_SCENES[0].key
}

/// A scene that was made of another one, with the files of that: checked as one that is read.
///
/// # Errors
/// Says what is wrong with it, and what was expected.
pub(crate) fn with_scene(scene: Scene, files: &SceneBundle) -> anyhow::Result<LoadedScene> {
    let mut models = BTreeMap::new();
    for file in model_files(&scene) {
        let known = files.models.get(file);
        let known = known.with_context(|| format!("the model `{file}` was not read"))?;
        models.insert(
            file.to_owned(),
            understand_model(file, ModelFiles::clone(known))?,
        );
    }
    let wanted: Vec<_> = motion_files(&scene).collect();
    let motions = files.motions.clone().into_iter();
    let motions = motions
        .filter(|(file, _)| wanted.contains(&file.as_str()))
        .collect();
    bundle(scene, models, motions, false)
}

/// The built-in scene with this key.
fn builtin(key: &str) -> anyhow::Result<Option<Scene>> {
    let scene = BuiltinScene::find(key).map(BuiltinScene::scene);
    Ok(scene.transpose()?)
}

/// What to say of a reference that is neither a built-in scene's key nor a file.
fn unknown_scene(key: &str) -> anyhow::Error {
    let keys: Vec<_> = BUILTIN_SCENES.iter().map(|scene| scene.key).collect();
    anyhow!(
        "no scene is called `{key}`; expected one of {}, or a scene file (.ron)",
        keys.join(", ")
    )
}

/// Whether a reference that is no built-in scene's key can be a file.
fn looks_like_a_file(reference: &str) -> bool {
    let path = Path::new(reference);
    path.extension().is_some() || path.components().count() > 1
}

/// The model files that a scene names, each once.
fn model_files(scene: &Scene) -> impl Iterator<Item = &str> {
    let file = |index: usize| match &scene.arms[index].model {
        ModelRef::So101 => None,
        ModelRef::File(file) => Some(file.as_str()),
    };
    (0..scene.arms.len()).filter_map(move |index| {
        file(index).filter(|name| (0..index).all(|before| file(before) != Some(name)))
    })
}

/// The motion files that a scene's arms replay.
fn motion_files(scene: &Scene) -> impl Iterator<Item = &str> {
    scene.arms.iter().filter_map(|arm| match &arm.backend {
        Backend::Replay(file) => Some(file.as_str()),
        Backend::Sim | Backend::Serial(_) => None,
    })
}

/// The text of a file from `place`.
fn text(place: &str, bytes: Vec<u8>, expected: &str) -> anyhow::Result<String> {
    String::from_utf8(bytes).map_err(|_error| anyhow!("{place}: is not text; expected {expected}"))
}

/// Understands a model from `place`, with all its meshes.
fn understand_model(place: &str, files: ModelFiles) -> anyhow::Result<LoadedModel> {
    let imported = import::model(&files.text, &mut |name| from_files(&files, name))
        .map_err(|error| anyhow!("{place}: {error}"))?;
    let notes = imported
        .notes
        .iter()
        .map(|note| format!("{place}: {note}"))
        .collect();
    Ok(LoadedModel {
        files: Arc::new(files),
        model: imported.model,
        notes,
    })
}

/// Looks up a mesh among a model's files.
///
/// # Errors
/// Says which mesh is missing.
fn from_files(files: &ModelFiles, name: &str) -> Result<Vec<u8>, String> {
    files
        .meshes
        .get(name)
        .cloned()
        .ok_or_else(|| format!("mesh `{name}` was not read"))
}

/// Where to look for a mesh as models name them: beside the model, below one of its parents
/// (`package://` paths), or in the usual folders for meshes. Each is a number of folders to go up
/// from the model's, and the way down from there.
fn mesh_places(name: &str) -> anyhow::Result<Vec<(usize, PathBuf)>> {
    let plain = name
        .strip_prefix("file://")
        .or_else(|| name.strip_prefix("package://"));
    let relative = Path::new(plain.unwrap_or(name));
    let file_name = relative.file_name().context("names no file")?;
    let without_package: PathBuf = relative.components().skip(1).collect();
    let mut places = Vec::new();
    for up in 0..=3 {
        places.extend([(up, relative.to_owned()), (up, without_package.clone())]);
    }
    places.extend(["meshes", "assets"].map(|usual| (0, Path::new(usual).join(file_name))));
    places.push((0, file_name.into()));
    Ok(places)
}

/// Puts a scene, the models and motions that it names, and the calibrations of its real arms
/// together, and checks what the scene says of them.
/// `replaced` tells that an arm's model is not the one that the scene was written for.
fn bundle(
    mut scene: Scene,
    loaded: BTreeMap<String, LoadedModel>,
    motions: BTreeMap<String, String>,
    replaced: bool,
) -> anyhow::Result<LoadedScene> {
    // What was asked for in place of what the file says was not checked with it.
    scene
        .check()
        .with_context(|| format!("scene `{}`", scene.name))?;
    let mut notes = Vec::new();
    let mut arms = Vec::new();
    for arm in &scene.arms {
        arms.push(match &arm.model {
            ModelRef::So101 => forearm_arm::so101::so101(),
            ModelRef::File(file) => {
                let loaded = loaded
                    .get(file)
                    .with_context(|| format!("the model `{file}` was not read"))?;
                loaded.model.clone()
            }
        });
    }
    for file in model_files(&scene) {
        notes.extend(
            loaded
                .get(file)
                .into_iter()
                .flat_map(|loaded| loaded.notes.clone()),
        );
    }
    let mut lost = Vec::new();
    scene.cameras.retain(|camera| match &camera.mount {
        CameraMount::World { .. } => true,
        CameraMount::Link { arm, link, .. } => {
            let index = scene.arms.iter().position(|known| known.name == *arm);
            let rides = index.is_some_and(|index| arms[index].link_index(link).is_some());
            if !rides {
                lost.push((camera.name.clone(), arm.clone(), link.clone()));
            }
            rides
        }
    });
    for (camera, arm, link) in lost {
        let problem = format!("camera `{camera}` rides on link `{link}`, which arm `{arm}` lacks");
        if replaced {
            notes.push(format!("{problem}: left out"));
        } else {
            bail!("scene `{}`: {problem}", scene.name);
        }
    }
    for (spec, model) in scene.arms.iter().zip(&arms) {
        if let Some(name) = spec
            .home_degrees
            .keys()
            .find(|name| model.joint_index(name).is_none())
        {
            let joints: Vec<_> = model
                .joints
                .iter()
                .map(|joint| joint.name.as_str())
                .collect();
            bail!(
                "scene `{}`: arm `{}` has no joint `{name}` (field `home_degrees`); expected: {}",
                scene.name,
                spec.name,
                joints.join(", ")
            );
        }
    }
    // What only the simulation can judge, such as shapes without volume.
    let arms: Vec<_> = arms.into_iter().map(Arc::new).collect();
    World::new(&scene, &arms).with_context(|| format!("scene `{}`", scene.name))?;
    let models = loaded
        .into_iter()
        .map(|(file, loaded)| (file, loaded.files))
        .collect();
    Ok(LoadedScene {
        bundle: Arc::new(SceneBundle {
            models,
            motions,
            calibrations: calibrations::of_scene(&scene)?,
            scene,
        }),
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mesh_is_looked_for_beside_its_model_first() {
        let places = mesh_places("package://arm_description/meshes/base.stl").unwrap();
        assert_eq!(places[0], (0, "arm_description/meshes/base.stl".into()));
        assert_eq!(places[1], (0, "meshes/base.stl".into()));
        assert_eq!(places[2], (1, "arm_description/meshes/base.stl".into()));
        assert_eq!(places.last(), Some(&(0, "base.stl".into())));
        assert!(mesh_places("package://").is_err());
    }

    #[test]
    fn a_file_has_an_ending_or_a_folder() {
        for file in ["a.ron", "folder/a", "https://example.org/a.ron"] {
            assert!(looks_like_a_file(file), "{file}");
        }
        assert!(!looks_like_a_file("pick_and_place"));
        let unknown = unknown_scene("pick").to_string();
        assert!(unknown.contains("pick_and_place"), "{unknown}");
    }
}
