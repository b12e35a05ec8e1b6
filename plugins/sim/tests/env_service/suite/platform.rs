//! What the cases need of their platform: a moment's wait.

/// Lets others work.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn moment() {
    std::thread::yield_now();
}

/// Lets others work.
#[cfg(target_family = "wasm")]
pub(crate) async fn moment() {
    use js_sys::{Function, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};

    let global = js_sys::global();
    let timer = Promise::new(&mut |done, _| {
        let set = Reflect::get(&global, &"setTimeout".into());
        if let Ok(set) = set.and_then(|set| set.dyn_into::<Function>()) {
            set.call2(&JsValue::NULL, &done, &1.0.into()).ok();
        }
    });
    wasm_bindgen_futures::JsFuture::from(timer).await.ok();
}
