//! Web Serial as the browser has it. Objects are taken as they come: a page may bring its own.

use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// `navigator.serial`.
    #[derive(Debug, Clone)]
    pub(super) type Serial;
    #[wasm_bindgen(method, catch, js_name = getPorts)]
    pub(super) fn get_ports(this: &Serial) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = requestPort)]
    pub(super) fn request_port(this: &Serial) -> Result<Promise, JsValue>;

    /// A port that a person has allowed.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) type SerialPort;
    #[wasm_bindgen(method, catch)]
    pub(super) fn open(this: &SerialPort, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn close(this: &SerialPort) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getInfo)]
    pub(super) fn get_info(this: &SerialPort) -> Result<Object, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn readable(this: &SerialPort) -> Option<Readable>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn writable(this: &SerialPort) -> Option<Writable>;

    /// The stream of what comes in.
    pub(super) type Readable;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    pub(super) fn get_reader(this: &Readable) -> Result<Reader, JsValue>;

    #[derive(Debug, Clone)]
    pub(super) type Reader;
    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Reader) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn cancel(this: &Reader) -> Promise;
    #[wasm_bindgen(method, catch, js_name = releaseLock)]
    pub(super) fn release_lock(this: &Reader) -> Result<(), JsValue>;

    /// The stream of what goes out.
    pub(super) type Writable;
    #[wasm_bindgen(method, catch, js_name = getWriter)]
    pub(super) fn get_writer(this: &Writable) -> Result<Writer, JsValue>;

    #[derive(Debug, Clone)]
    pub(super) type Writer;
    #[wasm_bindgen(method)]
    pub(super) fn write(this: &Writer, bytes: &Uint8Array) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Writer) -> Promise;
    #[wasm_bindgen(method, catch, js_name = releaseLock)]
    pub(super) fn release_lock(this: &Writer) -> Result<(), JsValue>;
}

/// `navigator.serial` of this thread; `None` where the browser has none.
pub(super) fn serial() -> Option<Serial> {
    let serial = get(&get(&js_sys::global(), "navigator"), "serial");
    serial.is_object().then(|| serial.unchecked_into())
}

/// Whether the browser trusts this page with devices.
pub(super) fn is_secure() -> bool {
    get(&js_sys::global(), "isSecureContext").is_truthy()
}

/// USB vendor and product of a port; `None` for one that is not on USB.
pub(super) fn usb_of(port: &SerialPort) -> Option<(u16, u16)> {
    let info = port.get_info().ok()?;
    let id = |name| get(&info, name).as_f64().map(|id| id as u16);
    Some((id("usbVendorId")?, id("usbProductId")?))
}

/// A property; undefined for what has none.
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Sets a property of a plain object, which never fails.
pub(super) fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &name.into(), &value.into()).ok();
}

/// What a browser's error is called and says.
pub(super) fn said(error: &JsValue) -> (String, String) {
    let text = |name| get(error, name).as_string().unwrap_or_default();
    match text("message") {
        message if message.is_empty() => (text("name"), format!("{error:?}")),
        message => (text("name"), message),
    }
}
