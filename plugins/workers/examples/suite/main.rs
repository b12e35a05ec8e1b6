//! The runtime's promises in a browser: the cases of `tests/suite`, run by a page, their services in
//! Web Workers of this same module. Also what a bench of the runtime needs.
//!
//! The page loads `suite.js` (wasm-bindgen, target `web`) and calls `run("thread")`; beside it lie
//! `suite_bg.wasm` and `worker_entry.js`. Natively this is an empty library: `tests/hosts.rs` runs
//! the cases there.
#![cfg(target_family = "wasm")]

mod bench;
#[path = "../../tests/suite/mod.rs"]
mod suite;

use forearm_workers::Host;
use forearm_workers::web::{self, WorkerFiles, entry};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_time::Instant;

use suite::probe::{Calm, Hasty, Probe};

/// Makes this worker the service that the message names.
#[wasm_bindgen]
pub fn start(first: JsValue) {
    web::start(&first, &[entry::<Probe<Calm>>(), entry::<Probe<Hasty>>()]);
}

/// Runs the cases on a host, `thread`, `inline` or `stepped`; only those whose name holds `filter`,
/// if there is one. Answers `[{name, ok, error, skipped, millis}]`: `skipped` says why the host can't
/// have a case.
///
/// # Errors
/// There is no such host.
#[wasm_bindgen]
pub async fn run(host: String, filter: Option<String>) -> Result<Array, JsValue> {
    let wanted = match host.as_str() {
        "thread" => Host::Thread,
        "inline" => Host::Inline,
        "stepped" => Host::Stepped,
        other => return Err(format!("`{other}` is no host: thread, inline, stepped").into()),
    };
    configure();
    let results = Array::new();
    let filter = filter.unwrap_or_default();
    for case in suite::CASES {
        if !case.name.contains(&filter) {
            continue;
        }
        let skipped = case.excuse(wanted);
        let start = Instant::now();
        let outcome = match skipped {
            None => case.run(wanted).await,
            Some(_) => Ok(()),
        };
        let error = outcome.err();
        let word = match (&error, skipped) {
            (Some(error), _) => format!("FAILED: {error}"),
            (None, Some(why)) => format!("skipped: {why}"),
            (None, None) => "ok".to_owned(),
        };
        web_sys::console::log_1(&format!("{host} {}: {word}", case.name).into());
        results.push(&object(&[
            ("name", case.name.into()),
            ("ok", error.is_none().into()),
            ("error", error.map_or(JsValue::NULL, Into::into)),
            ("skipped", skipped.map_or(JsValue::NULL, Into::into)),
            ("millis", (start.elapsed().as_secs_f64() * 1e3).into()),
        ]));
    }
    Ok(results)
}

/// Asks a worker `count` times, one after another. Answers `{count, mean, p50, p99, max}` in
/// milliseconds from question to answer.
///
/// # Errors
/// The worker did not answer.
#[wasm_bindgen]
pub async fn echo_round_trips(count: u32) -> Result<JsValue, JsValue> {
    configure();
    bench::echo_round_trips(count).await.map_err(Into::into)
}

/// Hands a worker a frame of 640 × 480 × 4 bytes `count` times and gets it back. Answers what the
/// hand-over costs the main thread (`cost_mean`, `cost_p50`) and how long a frame is away
/// (`round_trip_p50`, `round_trip_p99`), milliseconds.
///
/// # Errors
/// The worker did not answer.
#[wasm_bindgen]
pub async fn frame_hand_over(count: u32) -> Result<JsValue, JsValue> {
    configure();
    bench::frame_hand_over(count).await.map_err(Into::into)
}

/// Workers are of this module, and their first script lies beside the page.
fn configure() {
    let href = Reflect::get(&js_sys::global(), &"location".into())
        .and_then(|location| Reflect::get(&location, &"href".into()))
        .ok()
        .and_then(|href| href.as_string())
        .unwrap_or_default();
    let page = href.split(['?', '#']).next().unwrap_or_default();
    let folder = page.rfind('/').map_or(page, |end| &page[..=end]);
    let files = WorkerFiles {
        entry: format!("{folder}worker_entry.js"),
        glue: format!("{folder}suite.js"),
        module: wasm_bindgen::module().unchecked_into(),
        log: "error".to_owned(),
    };
    suite::platform::WORKERS.set(Some(files.clone()));
    web::configure(Ok(files));
    web::log_to_console("error");
}

/// A plain object with these fields.
fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a plain object never fails.
        Reflect::set(&object, &JsValue::from_str(name), value).ok();
    }
    object.into()
}
