//! Settings in the browser's storage. A browser that keeps nothing for this page, as in a private
//! window, is no failure: every start is then the first.

use wasm_bindgen::JsValue;

use crate::web::js;

/// What the storage knows the settings by.
const KEY: &str = "forearm/settings";

/// What stands for a file's name in messages about the settings.
const NAME: &str = "the browser's stored settings";

/// The settings' name and text, if there are any.
pub(super) fn read() -> anyhow::Result<Option<(String, String)>> {
    let text = storage("getItem", &[KEY.into()]).ok();
    Ok(text
        .and_then(|text| text.as_string())
        .map(|text| (NAME.to_owned(), text)))
}

/// Replaces the settings.
pub(super) fn write(text: &str) -> anyhow::Result<()> {
    if let Err(error) = storage("setItem", &[KEY.into(), text.into()]) {
        tracing::debug!("settings are not kept: {}", js::said(&error));
    }
    Ok(())
}

/// Calls the storage. Where it is forbidden, asking for it already throws.
fn storage(method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    js::call(
        &js::get(&js_sys::global(), "localStorage")?,
        method,
        arguments,
    )
}
