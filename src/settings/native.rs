//! Settings in a file.

use std::path::PathBuf;

use anyhow::Context;

use crate::files;

/// The settings file: `forearm/settings.ron` in the platform's configuration folder, or the file
/// that the environment variable `FOREARM_SETTINGS` names.
fn path() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("FOREARM_SETTINGS") {
        return Some(file.into());
    }
    let folders = directories::ProjectDirs::from("", "", "forearm")?;
    Some(folders.config_dir().join("settings.ron"))
}

/// The file's name and text, if there is one.
///
/// # Errors
/// It can't be read.
pub(super) fn read() -> anyhow::Result<Option<(String, String)>> {
    let Some(path) = path().filter(|path| path.exists()) else {
        return Ok(None);
    };
    let text = files::read_text(&path).context("the settings can't be read")?;
    Ok(Some((path.display().to_string(), text)))
}

/// Replaces the file as a whole: a crash leaves the old or the new one.
///
/// # Errors
/// Says which file can't be written, and why.
pub(super) fn write(text: &str) -> anyhow::Result<()> {
    let Some(path) = path() else {
        return Ok(());
    };
    files::replace(&path, text)
        .with_context(|| format!("settings can't be stored in {}", path.display()))
}
