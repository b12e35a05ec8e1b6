//! What the browser keeps for this site between visits: texts by name. Where it is forbidden, as in some
//! private windows, each call fails and nothing is kept.

use wasm_bindgen::JsValue;

use super::js;

/// The text that is kept under this name, if there is one.
///
/// # Errors
/// Nothing may be kept here.
pub(crate) fn read(name: &str) -> Result<Option<String>, JsValue> {
    Ok(call("getItem", &[name.into()])?.as_string())
}

/// Keeps a text under this name.
///
/// # Errors
/// Nothing may be kept here, or nothing more.
pub(crate) fn write(name: &str, text: &str) -> Result<(), JsValue> {
    call("setItem", &[name.into(), text.into()]).map(drop)
}

/// The names of all that is kept.
///
/// # Errors
/// Nothing may be kept here.
pub(crate) fn names() -> Result<Vec<String>, JsValue> {
    let storage = js::get(&js_sys::global(), "localStorage")?;
    let count = js::get(&storage, "length")?.as_f64().unwrap_or(0.0) as u32;
    let name = |index: u32| Ok(call("key", &[index.into()])?.as_string());
    let names: Result<Vec<_>, JsValue> = (0..count).map(name).collect();
    Ok(names?.into_iter().flatten().collect())
}

/// Forgets what is kept under this name.
///
/// # Errors
/// Nothing may be kept here.
pub(super) fn remove(name: &str) -> Result<(), JsValue> {
    call("removeItem", &[name.into()]).map(drop)
}

/// Where the storage is forbidden, asking for it already throws.
fn call(method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    js::call(
        &js::get(&js_sys::global(), "localStorage")?,
        method,
        arguments,
    )
}
