//! HTTP in the browser: `fetch`, which a worker has too.
//!
//! A body is put together from its chunks as a `Blob`: browsers send no streams to storage that wants
//! to know the length. The hub has to allow it (CORS); the Hugging Face Hub does.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::link::{Answer, Broken, Head, Link, MAX_ANSWER_BYTES};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch(url: &str, init: &Object) -> Result<Promise, JsValue>;

    type Response;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Response) -> u16;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Response) -> Headers;
    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    fn array_buffer(this: &Response) -> Result<Promise, JsValue>;

    type Headers;
    #[wasm_bindgen(method)]
    fn get(this: &Headers, name: &str) -> Option<String>;

    type Blob;
    #[wasm_bindgen(constructor)]
    fn new(parts: &Array) -> Blob;

    type AbortController;
    #[wasm_bindgen(constructor)]
    fn new() -> AbortController;
    #[wasm_bindgen(method)]
    fn abort(this: &AbortController);
    #[wasm_bindgen(method, getter)]
    fn signal(this: &AbortController) -> JsValue;
}

type Outcome = Rc<RefCell<Option<Result<Answer, Broken>>>>;

/// Makes calls by `fetch`.
#[derive(Default)]
pub struct HttpLink {
    job: Option<SendWrapper<Job>>,
}

struct Job {
    head: Head,
    parts: Array,
    fed: u64,
    begun: bool,
    outcome: Outcome,
    abort: AbortController,
}

impl HttpLink {
    /// A link without a call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clone for HttpLink {
    /// One that makes its own calls.
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for HttpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpLink").finish_non_exhaustive()
    }
}

impl Link for HttpLink {
    fn begin(&mut self, head: Head) {
        let mut job = Job {
            head,
            parts: Array::new(),
            fed: 0,
            begun: false,
            outcome: Outcome::default(),
            abort: AbortController::new(),
        };
        job.begin_when_whole();
        self.job = Some(SendWrapper::new(job));
    }

    fn has_room(&self) -> bool {
        self.job.as_ref().is_some_and(|job| !job.begun)
    }

    fn feed(&mut self, chunk: Vec<u8>) {
        if let Some(job) = &mut self.job {
            job.fed += chunk.len() as u64;
            job.parts.push(&Uint8Array::from(chunk.as_slice()));
            job.begin_when_whole();
        }
    }

    fn poll(&mut self) -> Option<Result<Answer, Broken>> {
        let result = self.job.as_ref()?.outcome.borrow_mut().take()?;
        self.job = None;
        Some(result)
    }
}

impl Job {
    fn begin_when_whole(&mut self) {
        if self.begun || self.fed < self.head.length {
            return;
        }
        self.begun = true;
        let outcome = Rc::clone(&self.outcome);
        match self.call() {
            Ok(promise) => spawn_local(async move {
                let result = answer(promise).await;
                let result = result.map_err(|error| Broken(words(&error)));
                *outcome.borrow_mut() = Some(result);
            }),
            Err(error) => *outcome.borrow_mut() = Some(Err(Broken(words(&error)))),
        }
    }

    fn call(&self) -> Result<Promise, JsValue> {
        let headers = Object::new();
        for (name, value) in &self.head.headers {
            Reflect::set(&headers, &name.into(), &value.into())?;
        }
        let init = Object::new();
        let set = |name: &str, value: &JsValue| Reflect::set(&init, &name.into(), value);
        set("method", &self.head.method.name().into())?;
        set("headers", &headers)?;
        set("credentials", &"omit".into())?;
        set("cache", &"no-store".into())?;
        set("signal", &self.abort.signal())?;
        if self.head.length > 0 {
            set("body", &Blob::new(&self.parts))?;
        }
        fetch(&self.head.url, &init)
    }
}

impl Drop for Job {
    /// Ends the call if it is still under way.
    fn drop(&mut self) {
        self.abort.abort();
    }
}

async fn answer(promise: Promise) -> Result<Answer, JsValue> {
    let response: Response = JsFuture::from(promise).await?.unchecked_into();
    let headers = response.headers();
    let body = JsFuture::from(response.array_buffer()?).await?;
    let body = Uint8Array::new(&body.unchecked_into::<ArrayBuffer>());
    if body.length() as usize > MAX_ANSWER_BYTES {
        return Err("the answer is too long".into());
    }
    Ok(Answer {
        status: response.status(),
        etag: headers.get("etag"),
        link: headers.get("link"),
        retry_after_secs: headers
            .get("retry-after")
            .and_then(|value| value.trim().parse().ok()),
        body: body.to_vec(),
    })
}

/// What went wrong, without address and headers: a browser tells no more than a few words.
fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    message
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "the browser refused the call".to_owned())
}
