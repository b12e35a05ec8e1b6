//! WebCodecs and cameras as browsers have them. Only what is used here; objects are taken as they come.

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    /// A picture somewhere in the browser's or the graphics card's memory.
    #[derive(Debug, Clone)]
    pub(crate) type VideoFrame;
    /// Of bytes, or of another frame or a video element, as `source` is.
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(source: &JsValue, init: &Object) -> Result<VideoFrame, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn timestamp(this: &VideoFrame) -> f64;
    #[wasm_bindgen(method, catch, js_name = clone)]
    pub(crate) fn duplicate(this: &VideoFrame) -> Result<VideoFrame, JsValue>;
    #[wasm_bindgen(method, catch, js_name = copyTo)]
    pub(crate) fn copy_to(
        this: &VideoFrame,
        bytes: &Uint8Array,
        options: &Object,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &VideoFrame);

    /// A piece of encoded video.
    pub(crate) type EncodedVideoChunk;
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(init: &Object) -> Result<EncodedVideoChunk, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn timestamp(this: &EncodedVideoChunk) -> f64;
    #[wasm_bindgen(method, getter, js_name = type)]
    pub(crate) fn kind(this: &EncodedVideoChunk) -> String;
    #[wasm_bindgen(method, getter, js_name = byteLength)]
    pub(crate) fn byte_length(this: &EncodedVideoChunk) -> u32;
    #[wasm_bindgen(method, catch, js_name = copyTo)]
    pub(crate) fn copy_to(this: &EncodedVideoChunk, bytes: &Uint8Array) -> Result<(), JsValue>;

    pub(crate) type VideoEncoder;
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(init: &Object) -> Result<VideoEncoder, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn configure(this: &VideoEncoder, config: &Object) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn encode(
        this: &VideoEncoder,
        frame: &VideoFrame,
        options: &Object,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter, js_name = encodeQueueSize)]
    pub(crate) fn queue_size(this: &VideoEncoder) -> u32;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn flush(this: &VideoEncoder) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn close(this: &VideoEncoder) -> Result<(), JsValue>;

    pub(crate) type VideoDecoder;
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(init: &Object) -> Result<VideoDecoder, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn configure(this: &VideoDecoder, config: &Object) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn decode(this: &VideoDecoder, chunk: &EncodedVideoChunk) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn flush(this: &VideoDecoder) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn close(this: &VideoDecoder) -> Result<(), JsValue>;

    /// `navigator.mediaDevices`.
    pub(super) type MediaDevices;
    #[wasm_bindgen(method, catch, js_name = enumerateDevices)]
    pub(super) fn enumerate_devices(this: &MediaDevices) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getUserMedia)]
    pub(super) fn get_user_media(
        this: &MediaDevices,
        constraints: &Object,
    ) -> Result<Promise, JsValue>;

    /// What a camera sends.
    pub(super) type MediaStream;
    #[wasm_bindgen(method, js_name = getVideoTracks)]
    pub(super) fn video_tracks(this: &MediaStream) -> Array;

    #[derive(Clone)]
    pub(super) type MediaStreamTrack;
    #[wasm_bindgen(method)]
    pub(super) fn stop(this: &MediaStreamTrack);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_onended(this: &MediaStreamTrack, work: Option<&js_sys::Function>);

    pub(super) type MediaStreamTrackProcessor;
    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new(init: &Object) -> Result<MediaStreamTrackProcessor, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn readable(this: &MediaStreamTrackProcessor) -> Readable;

    /// A stream, here of frames.
    pub(super) type Readable;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    pub(super) fn get_reader(this: &Readable) -> Result<Reader, JsValue>;

    #[derive(Clone)]
    pub(super) type Reader;
    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Reader) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn cancel(this: &Reader) -> Promise;

    /// A `<video>`.
    #[derive(Clone)]
    pub(super) type VideoElement;
    #[wasm_bindgen(method, setter, js_name = srcObject)]
    pub(super) fn set_source(this: &VideoElement, stream: Option<&MediaStream>);
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_muted(this: &VideoElement, muted: bool);
    #[wasm_bindgen(method, catch)]
    pub(super) fn play(this: &VideoElement) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = requestVideoFrameCallback)]
    pub(super) fn request_frame(
        this: &VideoElement,
        work: &js_sys::Function,
    ) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, js_name = cancelVideoFrameCallback)]
    pub(super) fn cancel_frame(this: &VideoElement, number: f64);
    #[wasm_bindgen(js_namespace = document, js_name = createElement, catch)]
    pub(super) fn create_element(name: &str) -> Result<VideoElement, JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now_millis() -> f64;
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN_MILLIS: f64;
}

/// Seconds on the clock that a page and its workers share.
pub(crate) fn shared_secs() -> f64 {
    shared_secs_at(now_millis())
}

/// The same for a moment that is told as `performance.now()` tells it, milliseconds.
pub(super) fn shared_secs_at(millis: f64) -> f64 {
    (TIME_ORIGIN_MILLIS.with(|origin| *origin) + millis) / 1e3
}

/// Whether the browser knows a class of this name here.
pub(crate) fn has(class: &str) -> bool {
    get(&js_sys::global(), class).is_function()
}

/// `navigator.mediaDevices`; `None` where there is none, as in pages that are not secure.
pub(super) fn media_devices() -> Option<MediaDevices> {
    let devices = get(&get(&js_sys::global(), "navigator"), "mediaDevices");
    devices.is_object().then(|| devices.unchecked_into())
}

/// A property; undefined for what has none.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A property that is a text; empty for what is none.
pub(crate) fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_default()
}

/// A property that is a number; 0 for what is none.
pub(crate) fn number(object: &JsValue, name: &str) -> f64 {
    get(object, name).as_f64().unwrap_or_default()
}

/// Sets a property of a plain object, which never fails.
pub(crate) fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &name.into(), &value.into()).ok();
}

/// What a browser's error is called and says.
pub(crate) fn said(error: &JsValue) -> (String, String) {
    match text(error, "message") {
        message if message.is_empty() => (text(error, "name"), format!("{error:?}")),
        message => (text(error, "name"), message),
    }
}
