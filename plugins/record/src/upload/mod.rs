//! Uploads a dataset to a hub that speaks the HTTP calls of the Hugging Face Hub.
//!
//! [`Upload`] knows the calls and their order; it does no HTTP and asks for no time: calls go through a
//! [`Link`] ([`HttpLink`] natively and in the browser, a part of a test otherwise), files come from the
//! dataset's store. It is polled, each time for some milliseconds.
//!
//! All changes are one commit, on top of what was seen there: the dataset on the hub is the one here or
//! the one that was there before, never a mixture. Files that the hub has, by their hash, are not sent;
//! parts of large files are remembered (`saved`) and not sent twice. Files of a dataset that are there
//! and not here are deleted there. A tag with the format's version is put on the commit: loaders look
//! for it.
//!
//! The token goes to the hub's own address and nowhere else. It is in no message, log or file.

mod call;
mod card;
mod error;
mod files;
mod hub;
mod link;
#[cfg(not(target_family = "wasm"))]
mod native;
mod run;
mod saved;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
mod transfer;
#[cfg(target_family = "wasm")]
mod web;
mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forearm_dataset::store::Store;
use forearm_protocol::record::UploadConfig;
use serde::de::DeserializeOwned;

pub use error::UploadError;
pub use link::{Answer, Broken, Head, Link, Method};
#[cfg(not(target_family = "wasm"))]
pub use native::HttpLink;
pub use run::Upload;
#[cfg(target_family = "wasm")]
pub use web::HttpLink;

use hub::Hub;

/// How many files are sent at once.
const LANES: usize = 4;
/// How much of a refusal's text is shown.
const MAX_SAID: usize = 300;

/// An upload by HTTP.
pub type HttpUpload = Upload<HttpLink>;

/// Prepares the upload of what is in the store. Nothing is sent before it is polled.
///
/// # Errors
/// What is wrong with the address, the name, the token, or the dataset.
pub fn start(config: &UploadConfig, store: &dyn Store) -> Result<HttpUpload, UploadError> {
    let link = HttpLink::new();
    Upload::new(config, store, vec![link; LANES])
}

/// What came of polling an [`Upload`].
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It goes on; it has to be polled again in so many seconds, 0 for at once.
    Working {
        /// When.
        again_secs: f64,
    },
    /// It is done.
    Done(Uploaded),
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is done, for people.
    pub stage: &'static str,
    /// 0 to 1.
    pub fraction: f64,
}

/// What was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// How many files the dataset has.
    pub files: u32,
    /// How many bytes they have together.
    pub bytes: u64,
    /// Where it is now, for people.
    pub to: String,
}

/// An answer's message.
fn parse<T: DeserializeOwned>(what: &'static str, answer: &Answer) -> Result<T, UploadError> {
    serde_json::from_slice(&answer.body).map_err(|error| UploadError::Answer {
        what,
        why: error.to_string(),
    })
}

/// What a refusal by the hub means.
fn refusal(hub: &Hub, what: &'static str, answer: &Answer) -> UploadError {
    let said = said(hub, answer);
    match answer.status {
        401 => UploadError::Token { said },
        403 => UploadError::Forbidden { what, said },
        _ => refused(hub, what, answer),
    }
}

/// A refusal as it is.
fn refused(hub: &Hub, what: &'static str, answer: &Answer) -> UploadError {
    UploadError::Refused {
        what,
        status: answer.status,
        said: said(hub, answer),
    }
}

/// The reason for a refusal, in the hub's words.
fn said(hub: &Hub, answer: &Answer) -> String {
    let told: Result<wire::ErrorReply, _> = serde_json::from_slice(&answer.body);
    let said = match told {
        Ok(reply) => reply.error,
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let said: String = hub.redact(said.trim()).chars().take(MAX_SAID).collect();
    match said.is_empty() {
        true => "without a reason".to_owned(),
        false => said,
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
