//! Settings in the browser's storage. A browser that keeps nothing for this page, as in a private
//! window, is no failure: every start is then the first.

use crate::web::{js, storage};

/// What the storage knows the settings by.
const KEY: &str = "forearm/settings";

/// What stands for a file's name in messages about the settings.
const NAME: &str = "the browser's stored settings";

/// The settings' name and text, if there are any.
pub(super) fn read() -> anyhow::Result<Option<(String, String)>> {
    let text = storage::read(KEY).unwrap_or_default();
    Ok(text.map(|text| (NAME.to_owned(), text)))
}

/// Replaces the settings.
pub(super) fn write(text: &str) -> anyhow::Result<()> {
    if let Err(error) = storage::write(KEY, text) {
        tracing::debug!("settings are not kept: {}", js::said(&error));
    }
    Ok(())
}
