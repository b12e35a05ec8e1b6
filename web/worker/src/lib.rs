//! The module of all Web Workers: one small WASM file that becomes the service which its first
//! message names. No rendering is in it.
//!
//! `web/page/worker_entry.js` loads it and calls `start`.
#![cfg(target_family = "wasm")]

use forearm_control::ControlService;
use forearm_control::trials::Trials;
use forearm_record::RecordService;
use forearm_sim::env::service::{EnvService, Worlds};
use forearm_workers::pool::JobService;
use forearm_workers::web::{self, entry};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Makes this worker the service that the message names.
#[wasm_bindgen]
pub fn start(first: JsValue) {
    web::start(
        &first,
        &[
            entry::<ControlService>(),
            entry::<RecordService>(),
            entry::<EnvService<Worlds>>(),
            entry::<JobService<Trials>>(),
        ],
    );
}
