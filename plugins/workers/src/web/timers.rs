//! Timers of a window or a worker.

use std::task::Waker;

use js_sys::Function;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_time::Instant;

#[wasm_bindgen]
extern "C" {
    // Windows and workers have them under the same names.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(work: &Function, millis: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(number: f64);
    #[wasm_bindgen(js_name = setInterval)]
    fn set_interval(work: &Function, millis: f64) -> f64;
    #[wasm_bindgen(js_name = clearInterval)]
    fn clear_interval(number: f64);
}

/// Calls something again and again, until it is dropped.
pub(crate) struct Interval {
    number: f64,
    _work: Closure<dyn FnMut()>,
}

impl Interval {
    pub(crate) fn new(millis: f64, work: impl FnMut() + 'static) -> Self {
        let work = Closure::<dyn FnMut()>::new(work);
        Self {
            number: set_interval(work.as_ref().unchecked_ref(), millis),
            _work: work,
        }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        clear_interval(self.number);
    }
}

/// Calls something once, after some time.
pub fn after(millis: f64, work: impl FnOnce() + 'static) {
    set_timeout(&Closure::once_into_js(work).unchecked_into(), millis);
}

/// Wakes a future at `deadline`, or a little later.
pub(crate) fn wake_at(deadline: Instant, waker: Waker) {
    let left = deadline.saturating_duration_since(Instant::now());
    after((left.as_secs_f64() * 1e3).ceil(), move || {
        // A browser's timers may ring a little early; nobody would ring again.
        if Instant::now() < deadline {
            wake_at(deadline, waker);
        } else {
            waker.wake();
        }
    });
}

/// A timer that is set again and again, for one piece of work.
#[derive(Debug)]
pub struct Alarm {
    work: Function,
    number: Option<f64>,
}

impl Alarm {
    /// For a JavaScript function; not set yet.
    #[must_use]
    pub fn new(work: &JsValue) -> Self {
        Self {
            work: work.unchecked_ref::<Function>().clone(),
            number: None,
        }
    }

    /// Rings after this time, milliseconds, and not at the time that was set before.
    pub fn set(&mut self, millis: f64) {
        self.clear();
        self.number = Some(set_timeout(&self.work, millis));
    }

    /// Does not ring.
    pub fn clear(&mut self) {
        if let Some(number) = self.number.take() {
            clear_timeout(number);
        }
    }
}
