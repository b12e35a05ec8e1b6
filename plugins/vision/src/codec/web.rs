//! Encoding and decoding in a browser: WebCodecs.
//!
//! Packets and pictures come between the calls, in the browser's own time; [`Encoder::poll`] and
//! [`Decoder::poll`] hand them out. Everything is bound to the thread that made it.
//!
//! Browsers encode at a rate, none at a quantiser: the quality becomes bits a pixel. They may leave out
//! frames to be quick where they are told that it matters (`latencyMode: "realtime"`), so they are not;
//! H.264's baseline profile keeps them from using frames of the future.

mod decoder;
mod encoder;

pub use decoder::Decoder;
pub use encoder::Encoder;

use wasm_bindgen::JsValue;

use super::CodecError;
use crate::web::binding::{has, said};

/// Which browsers have what is missing here.
const BROWSERS: &str = "this browser has no WebCodecs here: use Chrome or Edge 94, Firefox 130 on a \
                        computer, Safari 16.4, or later ones, on a page with https or on localhost";

/// Checks that the browser has a class.
fn need(class: &str, what: &'static str) -> Result<(), CodecError> {
    match has(class) {
        true => Ok(()),
        false => Err(CodecError::Failed {
            what,
            why: BROWSERS.to_owned(),
        }),
    }
}

/// What the browser says.
fn failed(what: &'static str, error: &JsValue) -> CodecError {
    let (name, why) = said(error);
    CodecError::Failed {
        what,
        why: match name.as_str() {
            "NotSupportedError" => format!("this browser can't do it here ({why}); try another"),
            "QuotaExceededError" => {
                format!("the browser took it away for want of memory ({why}); open it again")
            }
            _ => why,
        },
    }
}
