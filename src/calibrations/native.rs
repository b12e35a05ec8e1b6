//! Calibrations in LeRobot's folder.

use std::path::PathBuf;

use anyhow::Context;

use crate::files;

/// LeRobot's folder of calibrations: `HF_LEROBOT_CALIBRATION`, else `calibration` in its folder.
fn folder() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("HF_LEROBOT_CALIBRATION").filter(|value| !value.is_empty());
    if let Some(folder) = given {
        return Ok(PathBuf::from(folder));
    }
    let home = files::lerobot_home().context("there is no place for calibrations")?;
    Ok(home.join("calibration"))
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
