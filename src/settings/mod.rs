//! Remembers choices and layout between starts: in the person's configuration folder, or in the
//! browser's storage.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use forearm_panel::PanelSettings;
use forearm_protocol::ron_file;

#[cfg(not(target_family = "wasm"))]
use native as place;
#[cfg(target_family = "wasm")]
use web as place;

/// The stored settings; the defaults where there are none yet.
///
/// # Errors
/// Says what is wrong with the stored settings.
pub fn load() -> anyhow::Result<PanelSettings> {
    let Some((name, text)) = place::read()? else {
        return Ok(PanelSettings::default());
    };
    let settings: PanelSettings = ron_file::parse(&name, &text)?;
    Ok(settings.sanitized())
}

/// Stores the settings.
///
/// # Errors
/// Says where they can't be written, and why.
pub fn store(settings: &PanelSettings) -> anyhow::Result<()> {
    let text = ron::ser::to_string_pretty(settings, ron::ser::PrettyConfig::default())?;
    place::write(&text)
}
