//! Reads scene and model files into what services want: the only reader of such files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use forearm_arm::{ArmModel, import};
use forearm_protocol::ron_file::MAX_FILE_BYTES;
use forearm_protocol::scene::{Backend, CameraMount, ModelFiles, ModelRef, Scene, SceneBundle};

use forearm_sim::World;

use crate::scenes::{BUILTIN_SCENES, BuiltinScene};

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

/// Loads the scene that `reference` names: a built-in scene's key, or a file; the default scene
/// if there is none. `model` takes the place of the first arm's model.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub fn load_scene(
    reference: Option<&str>,
    model: Option<&Path>,
    backend: &Backend,
) -> anyhow::Result<LoadedScene> {
    let (mut scene, folder) = match reference {
        None => (BUILTIN_SCENES[0].scene()?, PathBuf::new()),
        Some(key) => match BuiltinScene::find(key) {
            Some(builtin) => (builtin.scene()?, PathBuf::new()),
            None if looks_like_a_file(key) => read_scene(Path::new(key))?,
            None => {
                let keys: Vec<_> = BUILTIN_SCENES.iter().map(|scene| scene.key).collect();
                bail!(
                    "no scene is called `{key}`; expected one of {}, or a scene file (.ron)",
                    keys.join(", ")
                );
            }
        },
    };
    if let Some(arm) = scene.arms.first_mut() {
        arm.backend = backend.clone();
        if let Some(model) = model {
            let model = std::path::absolute(model).context("the model's path can't be used")?;
            arm.model = ModelRef::File(model.to_string_lossy().into_owned());
            arm.home_degrees.clear();
        }
    }
    bundle(scene, &folder, model.is_some())
}

/// The key of the scene that opens when nothing else is asked for.
#[must_use]
pub fn default_scene() -> &'static str {
    BUILTIN_SCENES[0].key
}

/// Loads a scene file.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub fn load_scene_file(path: &Path) -> anyhow::Result<LoadedScene> {
    let (scene, folder) = read_scene(path)?;
    bundle(scene, &folder, false)
}

/// Loads a URDF or MJCF file and the meshes that it names.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub fn load_model(path: &Path) -> anyhow::Result<LoadedModel> {
    let text = String::from_utf8(read_bounded(path, MAX_MODEL_BYTES)?).map_err(|_error| {
        anyhow!(
            "{}: is not text; expected a URDF or MJCF file",
            path.display()
        )
    })?;
    let at = |error: import::ImportError| anyhow!("{}: {error}", path.display());
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut meshes = BTreeMap::new();
    for name in import::mesh_names(&text) {
        let bytes = read_mesh(folder, &name)
            .with_context(|| format!("{}: mesh `{name}`", path.display()))?;
        meshes.insert(name, bytes);
    }
    let files = ModelFiles { text, meshes };
    let imported = import::model(&files.text, &mut |name| from_files(&files, name)).map_err(at)?;
    let notes = imported
        .notes
        .iter()
        .map(|note| format!("{}: {note}", path.display()))
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

fn looks_like_a_file(reference: &str) -> bool {
    let path = Path::new(reference);
    path.extension().is_some() || path.components().count() > 1 || path.is_file()
}

fn read_scene(path: &Path) -> anyhow::Result<(Scene, PathBuf)> {
    let text =
        read_text(path).with_context(|| format!("scene file {} can't be read", path.display()))?;
    let scene = Scene::from_ron(&path.display().to_string(), &text)?;
    Ok((scene, path.parent().unwrap_or(Path::new("")).to_owned()))
}

/// Reads a file that a person wrote for Forearm: at most [`MAX_FILE_BYTES`] of UTF-8 text.
///
/// # Errors
/// It is missing, no plain file, too long, or no text.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = read_bounded(path, MAX_FILE_BYTES as u64)?;
    String::from_utf8(bytes).map_err(|_error| anyhow!("it is not text (UTF-8)"))
}

/// Reads the models that a scene names and checks what the scene says of them.
fn bundle(mut scene: Scene, folder: &Path, replaced: bool) -> anyhow::Result<LoadedScene> {
    let mut models = BTreeMap::new();
    let mut notes = Vec::new();
    let mut arms = Vec::new();
    for arm in &scene.arms {
        arms.push(match &arm.model {
            ModelRef::So101 => forearm_arm::so101::so101(),
            ModelRef::File(file) => {
                let loaded = load_model(&folder.join(file))?;
                models.insert(file.clone(), loaded.files);
                notes.extend(loaded.notes);
                loaded.model
            }
        });
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
    Ok(LoadedScene {
        bundle: Arc::new(SceneBundle { scene, models }),
        notes,
    })
}

/// Finds a mesh as models name them: beside the model, below one of its parents (`package://`
/// paths), or in the usual folders for meshes.
fn read_mesh(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let plain = name
        .strip_prefix("file://")
        .or_else(|| name.strip_prefix("package://"));
    let relative = Path::new(plain.unwrap_or(name));
    let file_name = relative.file_name().context("names no file")?;
    let without_package: PathBuf = relative.components().skip(1).collect();
    let mut places = vec![folder.join(relative), folder.join(&without_package)];
    for parent in folder.ancestors().skip(1).take(3) {
        places.extend([parent.join(relative), parent.join(&without_package)]);
    }
    places.extend(["meshes", "assets"].map(|usual| folder.join(usual).join(file_name)));
    places.push(folder.join(file_name));
    match places.iter().find(|place| place.is_file()) {
        Some(place) => read_bounded(place, MAX_MODEL_BYTES),
        None => bail!(
            "is missing; looked for {} and in {} other places around the model",
            places[0].display(),
            places.len() - 1
        ),
    }
}

/// Reads a plain file of at most `most` bytes: devices and pipes may never end.
fn read_bounded(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let read = || format!("{} can't be read", path.display());
    if !path.metadata().with_context(read)?.is_file() {
        bail!("{} is no plain file", path.display());
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).with_context(read)?.take(most + 1);
    file.read_to_end(&mut bytes).with_context(read)?;
    if bytes.len() as u64 > most {
        bail!("{} has more than {most} bytes", path.display());
    }
    Ok(bytes)
}
