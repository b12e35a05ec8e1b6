//! Calibrations in LeRobot's folder.

use std::path::PathBuf;

use anyhow::Context;

use crate::files;

/// LeRobot's folder of calibrations, found as LeRobot finds it (`lerobot/utils/constants.py`):
/// `HF_LEROBOT_CALIBRATION`, else `calibration` in `HF_LEROBOT_HOME`, else `lerobot/calibration` in
/// `HF_HOME`, which is `huggingface` in the person's cache folder unless it is set.
fn folder() -> anyhow::Result<PathBuf> {
    let given = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    if let Some(folder) = given("HF_LEROBOT_CALIBRATION") {
        return Ok(folder);
    }
    if let Some(folder) = given("HF_LEROBOT_HOME") {
        return Ok(folder.join("calibration"));
    }
    let huggingface = given("HF_HOME")
        .or_else(|| Some(given("XDG_CACHE_HOME")?.join("huggingface")))
        .or_else(|| {
            // On every system, as Python does it.
            let folders = directories::BaseDirs::new()?;
            Some(folders.home_dir().join(".cache").join("huggingface"))
        });
    let huggingface = huggingface.context(
        "there is no home folder to keep calibrations in; set HF_LEROBOT_CALIBRATION to a folder",
    )?;
    Ok(huggingface.join("lerobot").join("calibration"))
}

/// A calibration's file and text, if it is there.
///
/// # Errors
/// It can't be read.
pub(super) fn read(name: &str) -> anyhow::Result<Option<(String, String)>> {
    let path = folder()?.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let text = files::read_text(&path).context("the calibration can't be read")?;
    Ok(Some((path.display().to_string(), text)))
}

/// Replaces the file as a whole, a crash leaves the old or the new one; answers where it is.
///
/// # Errors
/// Says which file can't be written, and why.
pub(super) fn write(name: &str, text: &str) -> anyhow::Result<String> {
    let path = folder()?.join(name);
    files::replace(&path, text)
        .with_context(|| format!("the calibration can't be stored in {}", path.display()))?;
    Ok(path.display().to_string())
}
