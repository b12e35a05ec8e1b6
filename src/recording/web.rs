//! Recording in the browser: datasets are in its storage, and an export is a download.

use std::cell::RefCell;

use forearm_protocol::Buffer;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::web::js;

/// Whether datasets are kept in the browser's storage.
pub(super) const IN_BROWSER: bool = true;

/// Where a dataset called so is offered to be kept.
pub(super) fn default_place(name: &str) -> String {
    name.to_owned()
}

/// The token for a dataset hub: a page knows none.
pub(super) fn token() -> Option<String> {
    None
}

thread_local! {
    /// The parts of an export that have come, as one. It belongs to the page's thread, as all of
    /// JavaScript does.
    static WHOLE: RefCell<Option<JsValue>> = const { RefCell::new(None) };
}

/// Takes an export that comes in parts. The browser may keep them on the disk.
#[derive(Debug)]
pub(super) struct Download(());

impl Default for Download {
    /// An export of which nothing has come yet.
    fn default() -> Self {
        WHOLE.set(None);
        Self(())
    }
}

impl Download {
    /// Takes the next part.
    pub(super) fn push(&mut self, part: Buffer) {
        let parts = Array::new();
        if let Some(before) = WHOLE.take() {
            parts.push(&before);
        }
        parts.push(&part.into_js());
        WHOLE.set(blob(&parts).ok());
    }

    /// Hands the whole to the person; `name` is what the file is called.
    ///
    /// # Errors
    /// What the browser said.
    pub(super) fn finish(self, name: &str) -> Result<(), String> {
        let Some(whole) = WHOLE.take() else {
            return Err("the export is empty; try again".to_owned());
        };
        click(&whole, name).map_err(|error| js::said(&error))
    }
}

/// What can be of any size, made of these parts.
fn blob(parts: &Array) -> Result<JsValue, JsValue> {
    let class: js_sys::Function = js::get(&js_sys::global(), "Blob")?.dyn_into()?;
    let options = Object::new();
    Reflect::set(&options, &"type".into(), &"application/zip".into())?;
    let arguments = Array::of2(parts, &options);
    Reflect::construct(&class, &arguments).map(JsValue::from)
}

/// Downloads it, as a click on a link does.
fn click(blob: &JsValue, name: &str) -> Result<(), JsValue> {
    let global = js_sys::global();
    let url_class = js::get(&global, "URL")?;
    let address = js::call(&url_class, "createObjectURL", &[blob.clone()])?;
    let document = js::get(&global, "document")?;
    let link = js::call(&document, "createElement", &["a".into()])?;
    Reflect::set(&link, &"href".into(), &address)?;
    Reflect::set(&link, &"download".into(), &name.into())?;
    js::call(&link, "click", &[])?;
    // The browser needs the address until it has begun to read.
    let revoke = js::get(&url_class, "revokeObjectURL")?;
    let revoke = js::call(&revoke, "bind", &[url_class, address])?;
    js::call(&global, "setTimeout", &[revoke, 60_000.into()])?;
    Ok(())
}
