//! What the app and the page around it tell each other.
//!
//! The page leaves `globalThis.forearmBoot` before it starts the app, and listens at
//! `globalThis.forearmPage`. A page that does neither is no failure: the app then starts with its
//! defaults and tells nobody.

use bevy::prelude::*;
use forearm_control::Control;
use forearm_protocol::control::Event as ControlEvent;
use forearm_workers::State;
use forearm_workers::web::WorkerFiles;
use js_sys::WebAssembly::Module;
use wasm_bindgen::{JsCast, JsValue};

use super::js;

/// Frames with a scene until the picture has everything in it: meshes and shaders take some.
const FRAMES_UNTIL_COMPLETE: u32 = 2;

/// Tells the page how far the start is.
#[derive(Debug)]
pub(crate) struct PagePlugin;

impl Plugin for PagePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Last, tell_when_ready);
    }
}

/// What the address of the page asks for with `?name=…`.
pub(crate) fn asked(name: &str) -> Option<String> {
    let query = js::get(&js::get(&js_sys::global(), "forearmBoot").ok()?, "query").ok()?;
    let value = js::get(&query, name).ok()?.as_string()?;
    (!value.is_empty()).then_some(value)
}

/// Where Web Workers come from, or why there are none.
///
/// # Errors
/// They were switched off, or the page could not load what they are made of.
pub(crate) fn workers(log: &str) -> Result<WorkerFiles, String> {
    let text = |of: &JsValue, name: &str| js::get(of, name).ok()?.as_string();
    let boot = js::get(&js_sys::global(), "forearmBoot").unwrap_or_default();
    if text(&boot, "workers").as_deref() == Some("off") {
        return Err("workers are switched off in the page's address".to_owned());
    }
    let worker = js::get(&boot, "worker").unwrap_or_default();
    let module = js::get(&worker, "module").unwrap_or_default();
    match (
        text(&worker, "entry"),
        text(&worker, "glue"),
        module.dyn_into::<Module>(),
    ) {
        (Some(entry), Some(glue), Ok(module)) => Ok(WorkerFiles {
            entry,
            glue,
            module,
            log: log.to_owned(),
        }),
        _ => Err(text(&worker, "error")
            .unwrap_or_else(|| "the page brought nothing to make workers of".to_owned())),
    }
}

/// The scene that the fragment of the page's address carries, as `#scene=…`.
pub(crate) fn carried_scene() -> Option<String> {
    let location = js::get(&js_sys::global(), "location").ok()?;
    let fragment = js::get(&location, "hash").ok()?.as_string()?;
    fragment.starts_with("#scene=").then_some(fragment)
}

/// Tells which part of the start has begun, and how much of the app's own start lies behind, 0 to 1.
pub(crate) fn stage(text: &str, fraction: f64) {
    tell("stage", &[text.into(), fraction.into()]);
}

/// Tells that the app can't go on, and why.
pub(crate) fn failed(message: &str) {
    tell("failed", &[message.into()]);
}

/// From now on, the page is told of a panic before the program ends. Whoever sets a panic hook
/// later takes this one's place.
pub(crate) fn tell_of_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        failed(&info.to_string());
    }));
}

fn tell(method: &str, arguments: &[JsValue]) {
    let told = js::get(&js_sys::global(), "forearmPage")
        .ok()
        .filter(JsValue::is_object)
        .map(|page| js::call(&page, method, arguments));
    if let Some(Err(error)) = told {
        warn!("the page does not take `{method}`: {}", js::said(&error));
    }
}

/// The page takes its loading screen away when the first picture of a scene is complete; also when
/// control could not start: the panels say why.
fn tell_when_ready(
    mut events: MessageReader<ControlEvent>,
    control: Res<Control>,
    mut frames: Local<u32>,
) {
    if *frames > FRAMES_UNTIL_COMPLETE {
        events.clear();
        return;
    }
    if *frames > 0
        || events
            .read()
            .any(|event| matches!(event, ControlEvent::State(_)))
        || control.status().state == State::Failed
    {
        if *frames == 0 {
            stage("Drawing the first picture", 0.8);
        }
        *frames += 1;
        if *frames > FRAMES_UNTIL_COMPLETE {
            tell("ready", &[]);
        }
    }
}
