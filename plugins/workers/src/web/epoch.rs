//! The clock that a page and its workers share.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now_millis() -> f64;

    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN_MILLIS: f64;
}

/// Seconds since 1970, as the browser counted when it started and counts on since: steady, and the
/// same for page and workers.
pub(crate) fn epoch_secs() -> f64 {
    (TIME_ORIGIN_MILLIS.with(|origin| *origin) + now_millis()) / 1e3
}
