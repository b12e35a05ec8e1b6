//! An export on its way into one `Blob`, which a browser keeps wherever it likes.
//!
//! Making a blob copies what it is made of (some 300 MB/s), and one of a thousand parts takes 30 ms. So
//! chunks become blobs in short slices of the page's time, and blobs larger ones, a few at a time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use forearm_protocol::Buffer;
use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_time::{Duration, Instant};

#[wasm_bindgen]
extern "C" {
    /// Bytes that the browser keeps wherever it likes.
    #[derive(Clone, Debug)]
    pub type Blob;
    #[wasm_bindgen(constructor, catch)]
    fn new(parts: &Array, options: &Object) -> Result<Blob, JsValue>;
    /// How many bytes it has.
    #[wasm_bindgen(method, getter)]
    pub fn size(this: &Blob) -> f64;
    /// The bytes from `start` to `end`, of a media type, without a copy.
    #[wasm_bindgen(method)]
    pub fn slice(this: &Blob, start: f64, end: f64, kind: &str) -> Blob;
    /// A promise of its bytes, an `ArrayBuffer`.
    #[wasm_bindgen(method, js_name = arrayBuffer)]
    pub fn bytes(this: &Blob) -> Promise;

    /// Two ends of a line; what goes in at one comes out at the other in a turn of its own.
    type MessageChannel;
    #[wasm_bindgen(constructor)]
    fn new() -> MessageChannel;
    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;
    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    /// What newer browsers' buffers can: giving their memory back at once.
    type Releasable;
    #[wasm_bindgen(method, getter, js_name = transfer)]
    fn can_transfer(this: &Releasable) -> JsValue;
    #[wasm_bindgen(method, catch)]
    fn transfer(this: &Releasable, bytes: u32) -> Result<ArrayBuffer, JsValue>;

    type MessagePort;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &MessagePort, then: &JsValue);
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: &JsValue);
    #[wasm_bindgen(method)]
    fn close(this: &MessagePort);
}

/// What an archive is (RFC 6838).
const ARCHIVE: &str = "application/zip";
/// How long blobs are made before the page has its turn.
const SLICE: Duration = Duration::from_millis(1);
/// So many blobs become one.
const MANY: usize = 32;

/// Takes the chunks of an export, in their order.
pub struct Pieces(Rc<Inner>);

struct Inner {
    /// Is told how many bytes were taken.
    taken: Box<dyn Fn(u32)>,
    waiting: RefCell<VecDeque<ArrayBuffer>>,
    /// Blobs, the smallest first: each of a level is made of [`MANY`] of the level before it.
    levels: RefCell<Vec<Array>>,
    bytes: Cell<f64>,
    working: Cell<bool>,
    failed: RefCell<Option<JsValue>>,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces")
            .field("bytes", &self.0.bytes.get())
            .finish_non_exhaustive()
    }
}

impl Pieces {
    /// None so far. `taken` hears how many bytes there is room for again.
    #[must_use]
    pub fn new(taken: impl Fn(u32) + 'static) -> Self {
        Self(Rc::new(Inner {
            taken: Box::new(taken),
            waiting: RefCell::default(),
            levels: RefCell::default(),
            bytes: Cell::new(0.0),
            working: Cell::new(false),
            failed: RefCell::default(),
        }))
    }

    /// Takes the next chunk.
    pub fn push(&self, chunk: &Buffer) {
        self.0.waiting.borrow_mut().push_back(chunk.as_js().clone());
        if !self.0.working.replace(true) {
            let inner = Rc::clone(&self.0);
            spawn_local(async move { inner.work().await });
        }
    }

    /// How many bytes are in blobs, or could not be put there.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        self.0.bytes.get()
    }

    /// The whole archive. Chunks that still wait are put into it at once.
    ///
    /// # Errors
    /// The browser has no room for it.
    pub fn finish(&self) -> Result<Blob, JsValue> {
        while self.0.step() {}
        if let Some(error) = self.0.failed.take() {
            return Err(error);
        }
        let parts = Array::new();
        for level in self.0.levels.take().iter().rev() {
            for blob in level.iter() {
                parts.push(&blob);
            }
        }
        let options = Object::new();
        Reflect::set(&options, &"type".into(), &ARCHIVE.into())?;
        Blob::new(&parts, &options)
    }
}

impl Inner {
    async fn work(&self) {
        loop {
            let begun = Instant::now();
            while begun.elapsed() < SLICE {
                if !self.step() {
                    self.working.set(false);
                    return;
                }
            }
            if let Err(error) = turn().await {
                self.failed.borrow_mut().get_or_insert(error);
            }
        }
    }

    /// Makes one chunk a blob; whether there was one.
    fn step(&self) -> bool {
        let Some(chunk) = self.waiting.borrow_mut().pop_front() else {
            return false;
        };
        let length = chunk.byte_length();
        if let Err(error) = self.add(&chunk) {
            self.failed.borrow_mut().get_or_insert(error);
        }
        release(chunk);
        self.bytes.set(self.bytes.get() + f64::from(length));
        (self.taken)(length);
        true
    }

    fn add(&self, chunk: &ArrayBuffer) -> Result<(), JsValue> {
        let mut blob = Blob::new(&Array::of1(chunk), &Object::new())?;
        let mut levels = self.levels.borrow_mut();
        for level in levels.iter_mut() {
            level.push(&blob);
            if (level.length() as usize) < MANY {
                return Ok(());
            }
            blob = Blob::new(&std::mem::take(level), &Object::new())?;
        }
        levels.push(Array::of1(&blob));
        Ok(())
    }
}

/// Gives a buffer's memory back without waiting for the collector of garbage, which stops the page.
fn release(chunk: ArrayBuffer) {
    let chunk: Releasable = chunk.unchecked_into();
    if chunk.can_transfer().is_function() {
        // Without it, it is collected some day.
        drop(chunk.transfer(0));
    }
}

/// Lets the page do what else there is, and goes on without waiting for a frame.
async fn turn() -> Result<(), JsValue> {
    let channel = MessageChannel::new();
    let port = channel.port1();
    let told = Promise::new(&mut |resolve, _| {
        let then = Closure::once_into_js(move || {
            resolve.call0(&JsValue::NULL).ok();
        });
        port.set_onmessage(&then);
        channel.port2().post_message(&JsValue::NULL);
    });
    JsFuture::from(told).await?;
    port.close();
    Ok(())
}
