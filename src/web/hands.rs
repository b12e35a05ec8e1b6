//! Keys, wheel and buttons that the browser would take for itself, and the moments when hands leave
//! the page.
//!
//! The window library would keep all of a canvas's events from the browser, or none. Here the app
//! keeps what it uses; what belongs to the browser (reloading, its address bar, its menus, every
//! key with Ctrl, Alt or Meta) stays there.

use std::cell::Cell;

use bevy::prelude::*;
use forearm_protocol::control::Command;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget, HtmlElement, KeyboardEvent, MouseEvent};

use super::{api, js};
use crate::CANVAS;

/// Function keys that the panels use and that browsers would take.
const FUNCTION_KEYS: [&str; 5] = ["F1", "F2", "F3", "F8", "F9"];

/// Listens to the page.
#[derive(Debug)]
pub(crate) struct HandsPlugin;

impl Plugin for HandsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Last, release_after_absence);
        if let Err(error) = listen() {
            warn!("some keys will reach the browser too: {}", js::said(&error));
        }
    }
}

thread_local! {
    /// Whether the tab was hidden since the last frame.
    static WAS_HIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// Keys whose presses were still on their way when the tab was hidden: nobody heard their release.
fn release_after_absence(mut commands: MessageWriter<Command>) {
    if WAS_HIDDEN.take() {
        commands.write(Command::ReleaseKeys);
    }
}

fn listen() -> Result<(), JsValue> {
    let missing = |what: &str| JsValue::from(js_sys::Error::new(&format!("there is no {what}")));
    let document = web_sys::window()
        .and_then(|window| window.document())
        .ok_or_else(|| missing("page"))?;
    let canvas = document
        .query_selector(CANVAS)?
        .ok_or_else(|| missing("canvas"))?;
    let canvas: HtmlElement = canvas.unchecked_into();

    on(&canvas, "keydown", |event: KeyboardEvent| {
        if belongs_to_the_app(&event) {
            event.prevent_default();
        }
    })?;
    // The page neither scrolls nor grows under the wheel, and the right button moves the view.
    on(&canvas, "wheel", |event: Event| event.prevent_default())?;
    on(&canvas, "contextmenu", |event: Event| {
        event.prevent_default()
    })?;
    // The middle button moves the view too, where some browsers would begin to scroll. Without the
    // browser's own doing, the canvas has to be given the keyboard here.
    let focus = canvas.clone();
    on(&canvas, "mousedown", move |event: MouseEvent| {
        if event.button() == 1 {
            event.prevent_default();
            focus.focus().ok();
        }
    })?;
    // Nothing is drawn and no key is heard in a tab that is hidden: let go of everything now.
    let page = document.clone();
    on(&document, "visibilitychange", move |_event: Event| {
        if !page.hidden() {
            return;
        }
        WAS_HIDDEN.set(true);
        if let Err(error) = api::command(Command::ReleaseKeys) {
            warn!("keys are not released: {error}");
        }
    })
}

/// Whether a key is one that the app uses, in a field or for the arm.
fn belongs_to_the_app(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return false;
    }
    let key = event.key();
    // What is typed, such as letters, or `/`, with which some browsers begin to search.
    let typed = key.chars().count() == 1;
    typed
        || key.starts_with("Arrow")
        || FUNCTION_KEYS.contains(&key.as_str())
        || matches!(
            key.as_str(),
            "Tab" | "Enter" | "Backspace" | "Delete" | "Home" | "End" | "PageUp" | "PageDown"
        )
}

/// Listens for as long as the page lives.
fn on<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    target: &EventTarget,
    name: &str,
    listener: impl FnMut(E) + 'static,
) -> Result<(), JsValue> {
    let listener = Closure::<dyn FnMut(E)>::new(listener).into_js_value();
    target.add_event_listener_with_callback(name, listener.unchecked_ref())
}
