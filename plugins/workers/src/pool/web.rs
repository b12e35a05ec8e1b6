//! What the browser offers to pools.

use std::task::Waker;

use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(work: &Function);
}

/// Processor cores that can be used.
pub(super) fn cores() -> usize {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into());
    let cores = navigator.and_then(|it| Reflect::get(&it, &"hardwareConcurrency".into()));
    let cores = cores.ok().and_then(|it| it.as_f64());
    cores.map_or(1, |cores| cores as usize)
}

/// Wakes `waker` soon, but not from within this call: when the browser's present call has returned.
/// Unlike a timer's, this moment comes as soon in a hidden tab.
pub(super) fn wake_soon(waker: Waker) {
    queue_microtask(&Closure::once_into_js(move || waker.wake()).unchecked_into());
}
