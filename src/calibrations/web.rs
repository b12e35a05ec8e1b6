//! Calibrations in the browser's storage.

use anyhow::anyhow;

use crate::web::{js, storage};

/// What the storage knows a calibration by.
fn key(name: &str) -> String {
    format!("forearm/calibration/{name}")
}

/// What stands for a file's name in messages.
fn place(name: &str) -> String {
    format!("the browser's storage, {name}")
}

/// A calibration's place and text, if it is there.
pub(super) fn read(name: &str) -> anyhow::Result<Option<(String, String)>> {
    let text = storage::read(&key(name)).unwrap_or_default();
    Ok(text.map(|text| (place(name), text)))
}

/// Replaces a calibration; answers where it is.
///
/// # Errors
/// The browser keeps nothing for this page.
pub(super) fn write(name: &str, text: &str) -> anyhow::Result<String> {
    storage::write(&key(name), text).map_err(|error| {
        anyhow!(
            "the browser does not keep the calibration ({}); it is lost when the page is closed: \
             leave private browsing, or allow this site to store data",
            js::said(&error)
        )
    })?;
    Ok(place(name))
}
