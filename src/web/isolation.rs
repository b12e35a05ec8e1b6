//! Whether the page is cross-origin isolated, and so has `SharedArrayBuffer`. Nothing needs it; a page
//! that had it at an earlier visit and lost it says so, once.

use forearm_protocol::control::{Notice, NoticeLevel};
use wasm_bindgen::JsValue;

use super::{js, storage};

/// Under this and its path a page remembers that it was isolated.
const KEY: &str = "forearm/isolated:";

/// Whether the page is isolated.
pub(crate) fn is_isolated() -> bool {
    let isolated = js::get(&js_sys::global(), "crossOriginIsolated");
    isolated.is_ok_and(|it| it.as_bool() == Some(true))
}

/// What to tell a person if the page was isolated at an earlier visit and is not now. The next visit is
/// told nothing. A browser that keeps nothing has no earlier visits.
pub(super) fn lost() -> Option<Notice> {
    match remembered() {
        Ok(true) => Some(Notice {
            level: NoticeLevel::Warning,
            text: "This page has no SharedArrayBuffer any more. Nothing in Forearm needs it: all \
                   goes on as before. To have it back, let the site's host send the headers \
                   Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: \
                   require-corp."
                .to_owned(),
        }),
        Ok(false) => None,
        Err(error) => {
            tracing::debug!("isolation is not remembered: {}", js::said(&error));
            None
        }
    }
}

/// Remembers how it is now; answers whether isolation was lost since the last visit.
fn remembered() -> Result<bool, JsValue> {
    let path = js::get(&js::get(&js_sys::global(), "location")?, "pathname")?;
    let key = format!("{KEY}{}", path.as_string().unwrap_or_default());
    let (was, is) = (storage::read(&key)?.is_some(), is_isolated());
    match (was, is) {
        (false, true) => storage::write(&key, "yes")?,
        (true, false) => storage::remove(&key)?,
        (true, true) | (false, false) => {}
    }
    Ok(was && !is)
}
