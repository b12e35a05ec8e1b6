//! Scene files on disk.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, anyhow};
use forearm_panel::SceneFolder;
use forearm_protocol::scene::{Backend, ModelRef, Scene};

use crate::files::{self, LoadedScene};
use crate::motions::BuiltinMotion;
use crate::scenes::{self, BuiltinScene};

/// Where a scene is from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Its file, once it has one.
    pub(super) file: Option<PathBuf>,
    /// The folder that its references are relative to.
    base: PathBuf,
}

/// Why a scene was not saved.
pub(super) enum SaveError {
    /// There is such a file already.
    Exists(String),
    /// Anything else.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for SaveError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

thread_local! {
    /// Files that were opened and are not taken yet.
    static OPENED: RefCell<VecDeque<anyhow::Result<(LoadedScene, Origin)>>> = const { RefCell::new(VecDeque::new()) };
}

/// Where the scene is from that `--scene` calls so.
pub(super) fn origin(reference: &str) -> Origin {
    if BuiltinScene::find(reference).is_some() || !Path::new(reference).is_file() {
        return Origin::default();
    }
    of_file(Path::new(reference))
}

fn of_file(path: &Path) -> Origin {
    Origin {
        file: Some(path.to_owned()),
        base: path.parent().unwrap_or(Path::new("")).to_owned(),
    }
}

impl Origin {
    /// What people call its file.
    pub(super) fn shown(&self) -> Option<String> {
        let name = self.file.as_ref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    /// Its file.
    pub(super) fn path(&self) -> Option<String> {
        Some(self.file.as_ref()?.to_string_lossy().into_owned())
    }

    /// What opens it again.
    pub(super) fn reference(&self) -> Option<String> {
        let absolute = std::path::absolute(self.file.as_ref()?).ok()?;
        Some(absolute.to_string_lossy().into_owned())
    }

    /// The folder that its file is in, or would be.
    pub(super) fn folder(&self) -> String {
        let folder = self
            .file
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""));
        folder.to_string_lossy().into_owned()
    }

    /// The same in this file.
    pub(super) fn moved(&self, path: &str) -> Result<Self, SaveError> {
        let mut path = PathBuf::from(path.trim());
        let Some(name) = path.file_name().map(ToOwned::to_owned) else {
            let error = anyhow!(
                "`{}` names no file; expected something like my_scene.ron",
                path.display()
            );
            return Err(SaveError::Failed(error));
        };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("ron") => {}
            _ => {
                let mut name = name;
                name.push(".ron");
                path.set_file_name(name);
            }
        }
        Ok(of_file(&path))
    }

    /// The scene with its references relative to this file, which were relative to `from`'s folder.
    pub(super) fn portable(&self, scene: &Scene, from: &Self) -> anyhow::Result<Scene> {
        let mut scene = scene.clone();
        let here = std::path::absolute(non_empty(&self.base))
            .context("the folder's path can't be used")?;
        let there = std::path::absolute(non_empty(&from.base))
            .context("the folder's path can't be used")?;
        let rewritten = |file: &str| {
            if here == there || Path::new(file).is_absolute() {
                return file.to_owned();
            }
            relative(&there.join(file), &here)
        };
        for arm in &mut scene.arms {
            if let ModelRef::File(file) = &mut arm.model {
                *file = rewritten(file);
            }
            if let Backend::Replay(file) = &mut arm.backend
                && BuiltinMotion::find(file).is_none()
            {
                *file = rewritten(file);
            }
        }
        Ok(scene)
    }
}

/// The way from a folder to a file; both absolute. On another drive it is the file's own path.
fn relative(file: &Path, folder: &Path) -> String {
    let (file, folder) = (tidy(file), tidy(folder));
    let shared = file
        .components()
        .zip(folder.components())
        .take_while(|(one, other)| one == other)
        .count();
    if shared == 0 {
        return file.to_string_lossy().into_owned();
    }
    let up = folder
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(file.components().skip(shared)).collect();
    // Files are read on every system; `/` is understood on all.
    let parts: Vec<_> = way
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            part => tidy.push(part),
        }
    }
    tidy
}

fn non_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

/// Reads a scene; [`opened`] has it.
pub(super) fn open(path: &str) {
    let path = Path::new(path.trim());
    let loaded = files::load_scene_file(path).map(|loaded| (loaded, of_file(path)));
    OPENED.with_borrow_mut(|opened| opened.push_back(loaded));
}

/// Only a browser has to be asked for files.
pub(super) fn upload() {}

/// The next scene that was opened.
pub(super) fn opened() -> Option<anyhow::Result<(LoadedScene, Origin)>> {
    OPENED.with_borrow_mut(VecDeque::pop_front)
}

/// Writes a scene's file.
pub(super) fn write(origin: &Origin, text: &str, replace: bool) -> Result<(), SaveError> {
    let Some(path) = &origin.file else {
        return Err(SaveError::Failed(anyhow!("there is no file to write to")));
    };
    if let Ok(old) = files::read_text(path)
        && scenes::is_bundled(&old)
    {
        let error = anyhow!(
            "{} is a scene that comes with Forearm; save under another name",
            path.display()
        );
        return Err(SaveError::Failed(error));
    }
    if path.exists() && !replace {
        return Err(SaveError::Exists(path.display().to_string()));
    }
    files::replace(path, text).with_context(|| format!("{} can't be written", path.display()))?;
    Ok(())
}

/// Only browsers have files to be had from them.
pub(super) fn download(_name: &str, _text: &str) -> anyhow::Result<()> {
    Ok(())
}

/// Only a browser's page can be left without the app being asked.
pub(super) fn guard(_changed: bool) {}

/// The scene files and folders in a folder.
pub(super) fn list(folder: &str) -> SceneFolder {
    let shown = std::path::absolute(non_empty(Path::new(folder))).unwrap_or_else(|_| folder.into());
    let mut listed = SceneFolder {
        path: shown.to_string_lossy().into_owned(),
        parent: shown
            .parent()
            .map(|parent| parent.to_string_lossy().into_owned()),
        ..SceneFolder::default()
    };
    let entries = match std::fs::read_dir(&shown) {
        Ok(entries) => entries,
        Err(error) => {
            listed.problem = Some(format!("{} can't be read: {error}", shown.display()));
            return listed;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = path.to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            listed.folders.push((name, place));
        } else if path.extension().is_some_and(|ending| ending == "ron") {
            listed.files.push((name, place));
        }
    }
    listed.folders.sort();
    listed.files.sort();
    listed
}

#[cfg(test)]
mod tests {
    use forearm_protocol::scene::edit::add::empty_scene;

    use super::*;

    #[test]
    fn references_lead_to_the_same_files_from_elsewhere() {
        let mut scene = empty_scene();
        scene.arms[0].model = ModelRef::File("models/arm.urdf".to_owned());
        scene.arms[0].backend = Backend::Replay("wave".to_owned());
        let from = of_file(Path::new("scenes/mine.ron"));
        let to = from.moved("scenes/more/deep/other").ok().unwrap();
        assert_eq!(to.shown().as_deref(), Some("other.ron"));
        let moved = to.portable(&scene, &from).unwrap();
        assert_eq!(
            moved.arms[0].model,
            ModelRef::File("../../models/arm.urdf".to_owned())
        );
        assert_eq!(
            moved.arms[0].backend, scene.arms[0].backend,
            "a motion of the program's own stays"
        );
        let back = from.portable(&moved, &to).unwrap();
        assert_eq!(back, scene);
        let beside = from.moved("scenes/other.ron").ok().unwrap();
        assert_eq!(beside.portable(&scene, &from).unwrap(), scene);
        assert!(from.moved("..").is_err());
    }
}
