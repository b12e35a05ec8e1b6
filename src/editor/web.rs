//! Scene files in a browser: kept in its storage by name, or given to it and had from it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use anyhow::anyhow;
use forearm_panel::SceneFolder;
use forearm_protocol::scene::{Backend, ModelRef, Scene};
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, EventTarget};

use crate::files::{self, LoadedScene, SAVED};
use crate::motions::BuiltinMotion;
use crate::web::js;
use crate::web::storage;

/// Where a scene is from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The name that the browser keeps it under, once it has one.
    pub(super) file: Option<String>,
    /// The address that its references are relative to; the page's if there is none.
    base: Option<String>,
}

/// Why a scene was not saved.
pub(super) enum SaveError {
    /// There is such a scene already.
    Exists(String),
    /// Anything else.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for SaveError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

type Opened = anyhow::Result<(LoadedScene, Origin)>;

thread_local! {
    /// Scenes that were opened and are not taken yet.
    static OPENED: RefCell<VecDeque<Opened>> = const { RefCell::new(VecDeque::new()) };
    /// Whether there are changes that would be lost with the page.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Where the scene is from that the address calls so.
pub(super) fn origin(reference: &str) -> Origin {
    match reference.strip_prefix(SAVED) {
        Some(name) => Origin {
            file: Some(name.to_owned()),
            base: None,
        },
        None => Origin {
            file: None,
            base: files::base_of(reference),
        },
    }
}

impl Origin {
    /// What people call it.
    pub(super) fn shown(&self) -> Option<String> {
        self.file.clone()
    }

    /// Its name.
    pub(super) fn path(&self) -> Option<String> {
        self.file.clone()
    }

    /// What opens it again.
    pub(super) fn reference(&self) -> Option<String> {
        Some(format!("{SAVED}{}", self.file.as_ref()?))
    }

    /// There are no folders.
    pub(super) fn folder(&self) -> String {
        String::new()
    }

    /// The same under this name.
    pub(super) fn moved(&self, name: &str) -> Result<Self, SaveError> {
        let name = name.trim();
        let name = name.strip_suffix(".ron").unwrap_or(name);
        if name.is_empty() {
            return Err(SaveError::Failed(anyhow!(
                "the name is empty; expected something like my_scene"
            )));
        }
        Ok(Self {
            file: Some(format!("{name}.ron")),
            base: None,
        })
    }

    /// The scene with its references as addresses of their own.
    pub(super) fn portable(&self, scene: &Scene, from: &Self) -> anyhow::Result<Scene> {
        let mut scene = scene.clone();
        let Some(base) = &from.base else {
            return Ok(scene);
        };
        for arm in &mut scene.arms {
            if let ModelRef::File(file) = &mut arm.model {
                *file = files::resolve(file, base)?;
            }
            if let Backend::Replay(file) = &mut arm.backend
                && BuiltinMotion::find(file).is_none()
            {
                *file = files::resolve(file, base)?;
            }
        }
        Ok(scene)
    }
}

/// Reads a scene; [`opened`] has it when it and its models have come.
pub(super) fn open(name: &str) {
    let reference = format!("{SAVED}{}", name.trim());
    spawn_local(async move {
        let loaded = files::load_scene(Some(&reference)).await;
        put(loaded.map(|loaded| (loaded, origin(&reference))));
    });
}

/// Has the browser ask its person for a scene file.
pub(super) fn upload() {
    if let Err(error) = choose() {
        put(Err(anyhow!(
            "the browser offers no files: {}",
            js::said(&error)
        )));
    }
}

fn choose() -> Result<(), JsValue> {
    let document = js::get(&js_sys::global(), "document")?;
    let input = js::call(&document, "createElement", &["input".into()])?;
    Reflect::set(&input, &"type".into(), &"file".into())?;
    Reflect::set(&input, &"accept".into(), &".ron".into())?;
    let chosen = input.clone();
    let listener = Closure::<dyn FnMut(Event)>::new(move |_event| {
        let input = chosen.clone();
        spawn_local(async move { put(read(&input).await) });
    });
    let target: &EventTarget = input.unchecked_ref();
    target.add_event_listener_with_callback("change", listener.into_js_value().unchecked_ref())?;
    js::call(&input, "click", &[]).map(drop)
}

/// The scene in the file that was chosen. Models beside it can't be had from there.
async fn read(input: &JsValue) -> Opened {
    let failed = |error: JsValue| anyhow!("the file can't be read: {}", js::said(&error));
    let list = js::get(input, "files").map_err(failed)?;
    let file = js::get(&list, "0").map_err(failed)?;
    let name = js::get(&file, "name")
        .map_err(failed)?
        .as_string()
        .unwrap_or_default();
    let text: Promise = js::call(&file, "text", &[])
        .map_err(failed)?
        .unchecked_into();
    let text = JsFuture::from(text)
        .await
        .map_err(failed)?
        .as_string()
        .unwrap_or_default();
    let loaded = files::load_text(&name, &text).await?;
    Ok((loaded, Origin::default()))
}

fn put(opened: Opened) {
    OPENED.with_borrow_mut(|queue| queue.push_back(opened));
}

/// The next scene that was opened.
pub(super) fn opened() -> Option<Opened> {
    OPENED.with_borrow_mut(VecDeque::pop_front)
}

/// Keeps a scene in the browser's storage.
pub(super) fn write(origin: &Origin, text: &str, replace: bool) -> Result<(), SaveError> {
    let Some(name) = &origin.file else {
        return Err(SaveError::Failed(anyhow!("there is no name to save under")));
    };
    let key = files::saved_key(name);
    let failed = |error: JsValue| anyhow!("the browser keeps nothing: {}", js::said(&error));
    if !replace && storage::read(&key).map_err(failed)?.is_some() {
        return Err(SaveError::Exists(name.clone()));
    }
    storage::write(&key, text).map_err(failed)?;
    Ok(())
}

/// Has the browser save a text as a file.
pub(super) fn download(name: &str, text: &str) -> anyhow::Result<()> {
    save(name, text).map_err(|error| anyhow!("the browser saves no file: {}", js::said(&error)))
}

fn save(name: &str, text: &str) -> Result<(), JsValue> {
    let global = js_sys::global();
    let document = js::get(&global, "document")?;
    let link = js::call(&document, "createElement", &["a".into()])?;
    let encoded = js::call(&global, "encodeURIComponent", &[text.into()])?;
    let address = format!(
        "data:text/plain;charset=utf-8,{}",
        encoded.as_string().unwrap_or_default()
    );
    Reflect::set(&link, &"href".into(), &address.into())?;
    Reflect::set(&link, &"download".into(), &name.into())?;
    js::call(&link, "click", &[]).map(drop)
}

/// Has the browser ask before the page is left, while there are changes.
pub(super) fn guard(changed: bool) {
    CHANGED.set(changed);
    if !changed || GUARDED.replace(true) {
        return;
    }
    let listener = Closure::<dyn FnMut(Event)>::new(|event: Event| {
        if CHANGED.get() {
            event.prevent_default();
        }
    });
    let listener = listener.into_js_value();
    if let Some(window) = web_sys::window() {
        let target: &EventTarget = window.unchecked_ref();
        // Without it the page is left unasked, as ever.
        target
            .add_event_listener_with_callback("beforeunload", listener.unchecked_ref())
            .ok();
    }
}

/// The scenes that the browser keeps.
pub(super) fn list(_folder: &str) -> SceneFolder {
    let prefix = files::saved_key("");
    let mut listed = SceneFolder {
        in_browser: true,
        ..SceneFolder::default()
    };
    match storage::names() {
        Ok(names) => {
            let names = names
                .into_iter()
                .filter_map(|key| Some(key.strip_prefix(&prefix)?.to_owned()));
            listed.files = names.map(|name| (name.clone(), name)).collect();
            listed.files.sort();
        }
        Err(error) => {
            listed.problem = Some(format!(
                "The browser keeps nothing here: {}",
                js::said(&error)
            ))
        }
    }
    listed
}
