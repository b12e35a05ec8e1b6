//! An export on its way from the service to a script: pieces become a `Blob`, or go into a stream.

use forearm_protocol::Buffer;
use forearm_protocol::record::{Command, Request};
use forearm_record::export::{Blob, Pieces};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::super::api::problem;
use super::{DESK, ask, js};

/// So many bytes may be under way: enough that the service never waits for a frame of the app.
const WINDOW_BYTES: u32 = 8 << 20;

/// An export that is under way.
pub(super) struct Export {
    /// What has come, unless it goes into the stream.
    pieces: Pieces,
    /// Where a script wants it written.
    writable: Option<JsValue>,
    pub(super) on_progress: Option<Function>,
    /// How many bytes the stream was given.
    written: f64,
    failed: Option<JsValue>,
}

impl Export {
    fn new(options: &JsValue) -> Self {
        let writable = js::get(options, "writable").ok();
        let on_progress = js::get(options, "onProgress").ok();
        Self {
            pieces: Pieces::new(|bytes| tell(Command::ChunkTaken(bytes))),
            writable: writable.filter(JsValue::is_object),
            on_progress: on_progress.and_then(|call| call.dyn_into().ok()),
            written: 0.0,
            failed: None,
        }
    }

    /// How many bytes have come to where they belong.
    fn bytes(&self) -> f64 {
        self.written + self.pieces.bytes()
    }
}

/// A piece has come.
pub(super) fn take(piece: &Buffer) {
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    let written = DESK.with_borrow_mut(|desk| {
        let export = desk.export.as_mut()?;
        let Some(writable) = &export.writable else {
            export.pieces.push(piece);
            return None;
        };
        export.written += f64::from(length);
        let bytes = Uint8Array::new(piece.as_js());
        Some(js::call(writable, "write", &[bytes.into()]))
    });
    match written {
        None => {}
        Some(Ok(written)) => spawn_local(async move {
            match JsFuture::from(Promise::resolve(&written)).await {
                Ok(_) => tell(Command::ChunkTaken(length)),
                Err(error) => fail(error),
            }
        }),
        Some(Err(error)) => fail(error),
    }
}

fn fail(error: JsValue) {
    DESK.with_borrow_mut(|desk| {
        if let Some(export) = &mut desk.export {
            export.failed.get_or_insert(error);
        }
    });
    tell(Command::Cancel);
}

/// Tells the service something.
pub(crate) fn tell(command: Command) {
    DESK.with_borrow(|desk| {
        if let Some(line) = &desk.line {
            // A service that has ended needs to be told nothing.
            line.send(command).ok();
        }
    });
}

/// Packs the dataset that is open; the archive, unless it went into a stream.
///
/// # Errors
/// Why it could not be packed, or written.
pub(super) async fn archive(options: &JsValue) -> Result<Option<Blob>, JsValue> {
    let is_free = DESK.with_borrow_mut(|desk| match &desk.export {
        Some(_) => false,
        None => {
            desk.export = Some(Export::new(options));
            true
        }
    });
    if !is_free {
        return Err(problem(
            "another export is under way: wait until it is done",
        ));
    }
    let asked = Request::Export {
        file: None,
        window_bytes: WINDOW_BYTES,
    };
    let packed = pack(ask(asked)).await;
    let export = DESK.with_borrow_mut(|desk| desk.export.take());
    let Some(export) = export else {
        return Err(problem("the export was given up"));
    };
    let ended = match (&export.writable, &export.failed, &packed) {
        (Some(writable), None, Ok(())) => js::call(writable, "close", &[]),
        (Some(writable), ..) => js::call(writable, "abort", &[]),
        (None, ..) => Ok(JsValue::UNDEFINED),
    };
    if let Some(error) = export.failed {
        return Err(error);
    }
    packed?;
    JsFuture::from(Promise::resolve(&ended?)).await?;
    match export.writable {
        Some(_) => Ok(None),
        None => export.pieces.finish().map(Some),
    }
}

/// Waits until everything is packed and has come.
async fn pack(asked: Promise) -> Result<(), JsValue> {
    let packed = JsFuture::from(asked).await?;
    let bytes = Reflect::get(&packed, &"bytes".into())?;
    let bytes = bytes.as_f64().unwrap_or_default();
    // The answer may come before the last pieces, which the app reads frame by frame.
    while DESK.with_borrow(|desk| {
        let export = desk.export.as_ref();
        export.is_some_and(|export| export.bytes() < bytes && export.failed.is_none())
    }) {
        frame().await?;
    }
    Ok(())
}

/// Waits for the next frame.
pub(super) async fn frame() -> Result<(), JsValue> {
    let next = Promise::new(&mut |resolve, _| {
        let then = Closure::once_into_js(move || {
            resolve.call0(&JsValue::NULL).ok();
        });
        // Without frames nothing more comes: the promise then stays open.
        js::call(&js_sys::global(), "requestAnimationFrame", &[then]).ok();
    });
    JsFuture::from(next).await.map(drop)
}
