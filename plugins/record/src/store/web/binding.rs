//! The browser's private storage (the origin private file system), as far as it is used here.

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// `navigator.storage`.
    pub(super) type StorageManager;
    #[wasm_bindgen(method, catch, js_name = getDirectory)]
    pub(super) fn get_directory(this: &StorageManager) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn estimate(this: &StorageManager) -> Result<Promise, JsValue>;

    /// A folder.
    #[derive(Clone)]
    pub(super) type DirectoryHandle;
    #[wasm_bindgen(method, catch, js_name = getDirectoryHandle)]
    pub(super) fn directory(
        this: &DirectoryHandle,
        name: &str,
        options: &Object,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getFileHandle)]
    pub(super) fn file(
        this: &DirectoryHandle,
        name: &str,
        options: &Object,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEntry)]
    pub(super) fn remove(this: &DirectoryHandle, name: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn keys(this: &DirectoryHandle) -> Result<Names, JsValue>;

    /// Names of a folder, one after another.
    pub(super) type Names;
    #[wasm_bindgen(method, catch)]
    pub(super) fn next(this: &Names) -> Result<Promise, JsValue>;

    /// A file that is not open.
    pub(super) type FileHandle;
    #[wasm_bindgen(method, catch, js_name = createSyncAccessHandle)]
    pub(super) fn open(this: &FileHandle) -> Result<Promise, JsValue>;

    /// An open file. Nobody else can have it open.
    pub(super) type AccessHandle;
    #[wasm_bindgen(method, catch, js_name = getSize)]
    pub(super) fn size(this: &AccessHandle) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn read(
        this: &AccessHandle,
        buffer: &mut [u8],
        options: &Object,
    ) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn write(
        this: &AccessHandle,
        bytes: &[u8],
        options: &Object,
    ) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn truncate(this: &AccessHandle, size: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn flush(this: &AccessHandle) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &AccessHandle);

    #[wasm_bindgen(js_name = encodeURIComponent)]
    pub(super) fn encode(text: &str) -> String;
    #[wasm_bindgen(catch, js_name = decodeURIComponent)]
    pub(super) fn decode(text: &str) -> Result<String, JsValue>;
}

/// `navigator.storage`; `None` where there is none, as in pages that are not secure.
pub(super) fn storage() -> Option<StorageManager> {
    let storage = get(&get(&js_sys::global(), "navigator"), "storage");
    let usable = get(&storage, "getDirectory").is_function();
    usable.then(|| storage.unchecked_into())
}

/// A property; undefined for what has none.
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// `{ [name]: value }`.
pub(super) fn with(name: &str, value: impl Into<JsValue>) -> Object {
    let object = Object::new();
    Reflect::set(&object, &name.into(), &value.into()).ok();
    object
}

/// What a browser's error is called and says.
pub(super) fn said(error: &JsValue) -> (String, String) {
    let text = |name| get(error, name).as_string().unwrap_or_default();
    match text("message") {
        message if message.is_empty() => (text("name"), format!("{error:?}")),
        message => (text("name"), message),
    }
}
