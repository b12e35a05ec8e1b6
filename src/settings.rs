//! Remembers choices and layout between starts, in the person's configuration folder.

use std::path::PathBuf;

use anyhow::Context;
use forearm_panel::PanelSettings;
use forearm_protocol::ron_file;

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

/// The stored settings; the defaults where there are none yet.
///
/// # Errors
/// Says what is wrong with the settings file.
pub fn load() -> anyhow::Result<PanelSettings> {
    let Some(path) = path().filter(|path| path.exists()) else {
        return Ok(PanelSettings::default());
    };
    let text = files::read_text(&path).context("the settings can't be read")?;
    let settings: PanelSettings = ron_file::parse(&path.display().to_string(), &text)?;
    Ok(settings.sanitized())
}

/// Stores the settings. The file is replaced as a whole: a crash leaves the old or the new one.
///
/// # Errors
/// Says which file can't be written, and why.
pub fn store(settings: &PanelSettings) -> anyhow::Result<()> {
    let Some(path) = path() else {
        return Ok(());
    };
    let text = ron::ser::to_string_pretty(settings, ron::ser::PrettyConfig::default())?;
    let failed = || format!("settings can't be stored in {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let fresh = path.with_extension("ron.new");
    std::fs::write(&fresh, text).with_context(failed)?;
    std::fs::rename(&fresh, &path).with_context(failed)
}
