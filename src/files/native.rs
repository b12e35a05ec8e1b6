//! Reads scene and model files from disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use forearm_arm::import;
use forearm_protocol::ron_file::MAX_FILE_BYTES;
use forearm_protocol::scene::{Backend, ModelFiles, ModelRef, Scene, SceneBundle};
use forearm_protocol::servo::SerialArm;

use super::{LoadedModel, LoadedScene, MAX_MODEL_BYTES};
use crate::motions::BuiltinMotion;

/// What is asked for in place of what the scene says of its first arm.
#[derive(Debug, Clone, Copy, Default)]
pub struct FirstArm<'a> {
    /// Its model: a URDF or MJCF file.
    pub model: Option<&'a Path>,
    /// What moves it.
    pub backend: Option<&'a Backend>,
    /// The leader that it follows.
    pub leader: Option<&'a SerialArm>,
}

/// Loads the scene that `reference` names: a built-in scene's key, or a file; the default scene
/// if there is none.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub fn load_scene(reference: Option<&str>, first: FirstArm<'_>) -> anyhow::Result<LoadedScene> {
    let key = reference.unwrap_or(super::default_scene());
    let (mut scene, folder) = match super::builtin(key)? {
        Some(scene) => (scene, PathBuf::new()),
        None if super::looks_like_a_file(key) || Path::new(key).is_file() => {
            read_scene(Path::new(key))?
        }
        None => return Err(super::unknown_scene(key)),
    };
    if let Some(arm) = scene.arms.first_mut() {
        if let Some(backend) = first.backend {
            arm.backend = backend.clone();
        }
        if let Some(leader) = first.leader {
            arm.leader = Some(leader.clone());
        }
        if let Some(model) = first.model {
            let model = std::path::absolute(model).context("the model's path can't be used")?;
            arm.model = ModelRef::File(model.to_string_lossy().into_owned());
            arm.home_degrees.clear();
        }
    }
    bundle(scene, &folder, first.model.is_some())
}

/// Loads the scene that a person chose from the list of those that can be opened. `_opened`, the
/// one that the app began with, is read again like any other: its file may have changed.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub fn reload_scene(
    reference: &str,
    _opened: Option<&(String, Arc<SceneBundle>)>,
) -> anyhow::Result<LoadedScene> {
    load_scene(Some(reference), FirstArm::default())
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
    let place = path.display().to_string();
    let bytes = read_bounded(path, MAX_MODEL_BYTES)?;
    let text = super::text(&place, bytes, "a URDF or MJCF file")?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut meshes = BTreeMap::new();
    for name in import::mesh_names(&text) {
        let bytes = read_mesh(folder, &name).with_context(|| format!("{place}: mesh `{name}`"))?;
        meshes.insert(name, bytes);
    }
    super::understand_model(&place, ModelFiles { text, meshes })
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

/// Writes a file, and the folders to it, in place of one that may be there: a crash leaves the old
/// one or the new one.
///
/// # Errors
/// It can't be written.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

/// Reads the models and motions that a scene names, and puts all together.
fn bundle(scene: Scene, folder: &Path, replaced: bool) -> anyhow::Result<LoadedScene> {
    let mut models = BTreeMap::new();
    for file in super::model_files(&scene) {
        models.insert(file.to_owned(), load_model(&folder.join(file))?);
    }
    let mut motions = BTreeMap::new();
    for file in super::motion_files(&scene) {
        let text = match BuiltinMotion::find(file) {
            Some(motion) => motion.text.to_owned(),
            None => read_text(&folder.join(file))
                .with_context(|| format!("motion file {file} can't be read"))?,
        };
        motions.insert(file.to_owned(), text);
    }
    super::bundle(scene, models, motions, replaced)
}

/// Finds a mesh in one of the places where it can be.
fn read_mesh(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let places: Vec<_> = super::mesh_places(name)?
        .into_iter()
        .filter_map(|(up, way)| Some(folder.ancestors().nth(up)?.join(way)))
        .collect();
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

/// LeRobot's folder, found as LeRobot finds it (`lerobot/utils/constants.py`): `HF_LEROBOT_HOME`, else
/// `lerobot` in `HF_HOME`, which is `huggingface` in the person's cache folder unless it is set.
///
/// # Errors
/// There is no home folder.
pub fn lerobot_home() -> anyhow::Result<PathBuf> {
    let given = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    if let Some(folder) = given("HF_LEROBOT_HOME") {
        return Ok(folder);
    }
    let huggingface = given("HF_HOME")
        .or_else(|| Some(given("XDG_CACHE_HOME")?.join("huggingface")))
        .or_else(|| {
            // On every system, as Python does it.
            let folders = directories::BaseDirs::new()?;
            Some(folders.home_dir().join(".cache").join("huggingface"))
        });
    let huggingface = huggingface
        .context("there is no home folder; set HF_LEROBOT_HOME to a folder of your choice")?;
    Ok(huggingface.join("lerobot"))
}
