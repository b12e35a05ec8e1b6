//! One call, made again when the connection breaks or the hub is busy.

use forearm_dataset::store::Store;

use super::error::UploadError;
use super::hub::{Hub, host};
use super::link::{Answer, Broken, CHUNK_BYTES, Head, Link, Method};

/// How often a call is made before it is given up.
const ATTEMPTS: u32 = 6;
/// How long to wait after the first failure, seconds; after each further one twice as long.
const FIRST_WAIT_SECS: f64 = 1.0;
/// The longest wait, seconds, also when the hub asks for a longer one.
const MAX_WAIT_SECS: f64 = 60.0;
/// How soon to look again while a call is under way, seconds.
const LOOK_SECS: f64 = 0.005;

/// What a call sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing.
    None,
    /// These bytes, of this type.
    Bytes(&'static str, Vec<u8>),
    /// A part of a file.
    File {
        path: String,
        offset: u64,
        length: u64,
    },
}

impl Body {
    /// A message as JSON.
    pub(super) fn json(message: &impl serde::Serialize) -> Self {
        Self::json_as("application/json", message)
    }

    /// A message as JSON, of another type.
    pub(super) fn json_as(kind: &'static str, message: &impl serde::Serialize) -> Self {
        // Plain structs with string keys: this can't fail.
        Self::Bytes(kind, serde_json::to_vec(message).unwrap_or_default())
    }

    fn length(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Bytes(_, bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The next chunk, from `at` on.
    fn chunk(&self, at: u64, store: &dyn Store) -> Result<Vec<u8>, UploadError> {
        let length = (self.length() - at).min(CHUNK_BYTES as u64) as usize;
        match self {
            Self::None => Ok(Vec::new()),
            Self::Bytes(_, bytes) => {
                let begin = at as usize;
                Ok(bytes[begin..begin + length].to_vec())
            }
            Self::File { path, offset, .. } => {
                let mut chunk = vec![0; length];
                read_exact(store, path, offset + at, &mut chunk)?;
                Ok(chunk)
            }
        }
    }
}

/// Fills a buffer from a file.
///
/// # Errors
/// [`UploadError::Changed`] when the file ends before.
pub(super) fn read_exact(
    store: &dyn Store,
    path: &str,
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), UploadError> {
    let mut done = 0;
    while done < buffer.len() {
        let read = store.read_at(path, offset + done as u64, &mut buffer[done..])?;
        if read == 0 {
            return Err(UploadError::Changed {
                path: path.to_owned(),
            });
        }
        done += read;
    }
    Ok(())
}

/// A call, and how far it is.
#[derive(Debug)]
pub(super) struct Call {
    what: &'static str,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Body,
    attempts: u32,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Not before this time.
    Waiting(f64),
    /// So many bytes of the body were handed over.
    Sending(u64),
}

/// What came of looking after a call.
#[derive(Debug)]
pub(super) enum Called {
    /// Nothing yet; look again after so many seconds.
    Pending(f64),
    /// The hub answered, be it a refusal.
    Answered(Answer),
}

impl Call {
    /// A call that is made when it is polled first. `what` says what for: "the hub refused to {what}".
    pub(super) fn new(what: &'static str, method: Method, url: String, body: Body) -> Self {
        Self {
            what,
            method,
            url,
            headers: Vec::new(),
            body,
            attempts: 0,
            stage: Stage::Waiting(f64::NEG_INFINITY),
        }
    }

    /// With these headers as well.
    pub(super) fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers = headers;
        self
    }

    /// What the call is for.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// How many bytes of a file were handed over.
    pub(super) fn sent(&self) -> u64 {
        match (&self.stage, &self.body) {
            (Stage::Sending(sent), Body::File { .. }) => *sent,
            _ => 0,
        }
    }

    /// Goes on with the call: begins it, feeds its body, takes its answer, waits before it is made
    /// again. Failures of the connection and a hub that is busy or broken are tried again.
    ///
    /// # Errors
    /// [`UploadError::Connection`] when that did not help; what reading the body fails with.
    pub(super) fn poll(
        &mut self,
        link: &mut impl Link,
        store: &dyn Store,
        hub: &Hub,
        now_secs: f64,
    ) -> Result<Called, UploadError> {
        if let Stage::Waiting(until) = self.stage {
            if now_secs < until {
                return Ok(Called::Pending(until - now_secs));
            }
            link.begin(self.head(hub));
            self.attempts += 1;
            self.stage = Stage::Sending(0);
        }
        if let Some(result) = link.poll() {
            return self.ended(result, now_secs);
        }
        if let Stage::Sending(sent) = &mut self.stage {
            while *sent < self.body.length() && link.has_room() {
                let chunk = self.body.chunk(*sent, store)?;
                *sent += chunk.len() as u64;
                link.feed(chunk);
            }
        }
        Ok(Called::Pending(LOOK_SECS))
    }

    fn head(&self, hub: &Hub) -> Head {
        let mut headers = self.headers.clone();
        if let Some(authorization) = hub.authorization_for(&self.url) {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            headers.push(("Authorization".to_owned(), authorization));
        }
        if let Body::Bytes(kind, _) = &self.body {
            headers.push(("Content-Type".to_owned(), (*kind).to_owned()));
        }
        Head {
            method: self.method,
            url: self.url.clone(),
            headers,
            length: self.body.length(),
        }
    }

    fn ended(
        &mut self,
        result: Result<Answer, Broken>,
        now_secs: f64,
    ) -> Result<Called, UploadError> {
        let asked = match &result {
            Ok(answer) if !is_passing(answer.status) => None,
            Ok(answer) => Some(answer.retry_after_secs.unwrap_or(0.0)),
            Err(_) => Some(0.0),
        };
        match (asked, result) {
            (Some(asked), result) if self.attempts < ATTEMPTS => {
                let wait = FIRST_WAIT_SECS * f64::from(1u32 << (self.attempts - 1));
                let wait = wait.max(asked).min(MAX_WAIT_SECS);
                tracing::debug!("to {} again in {wait} s: {result:?}", self.what);
                self.stage = Stage::Waiting(now_secs + wait);
                Ok(Called::Pending(wait))
            }
            (_, Ok(answer)) => Ok(Called::Answered(answer)),
            (_, Err(Broken(why))) => Err(UploadError::Connection {
                host: host(&self.url),
                what: self.what,
                attempts: self.attempts,
                why,
            }),
        }
    }
}

/// Whether this status may be another one soon.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}
