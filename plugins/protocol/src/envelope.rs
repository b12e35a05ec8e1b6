//! What surrounds a message on its way: version, name, ids; and how a request fails.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of all messages. A peer with another version is refused, never guessed at.
pub const PROTOCOL_VERSION: u16 = 1;

/// Names one request; its one answer carries the same id.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);

/// A value that travels between app and services.
pub trait Message: Serialize + DeserializeOwned + Send + 'static {
    /// The message's name on the wire, for instance `teleop/start`. Each variant has its own.
    fn name(&self) -> &'static str;
}

/// What is posted where values must be serialised (between browser threads). Native hosts move
/// the payload itself and build no envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<P> {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub v: u16,
    /// [`Message::name`] of the payload.
    #[serde(rename = "type")]
    pub kind: String,
    /// The request this is, or answers; `None` for what expects no answer.
    pub id: Option<RequestId>,
    /// Ties together all that one action of a person caused.
    #[serde(rename = "traceId")]
    pub trace_id: u64,
    /// The message.
    pub payload: P,
}

impl<P: Message> Envelope<P> {
    /// Wraps a message of this version.
    pub fn new(payload: P, id: Option<RequestId>, trace_id: u64) -> Self {
        Self {
            v: PROTOCOL_VERSION,
            kind: payload.name().to_owned(),
            id,
            trace_id,
            payload,
        }
    }

    /// The payload, if the sender speaks this version and its name fits its content.
    ///
    /// # Errors
    /// [`ServiceError::Version`] for another version, [`ServiceError::Refused`] for a wrong name.
    pub fn open(self) -> Result<P, ServiceError> {
        if self.v != PROTOCOL_VERSION {
            return Err(ServiceError::Version {
                got: self.v,
                expected: PROTOCOL_VERSION,
            });
        }
        if self.kind != self.payload.name() {
            return Err(ServiceError::Refused {
                what: format!("a message named `{}`", self.kind),
                why: format!("its payload is a `{}`", self.payload.name()),
                next: "send the name that belongs to the payload".to_owned(),
            });
        }
        Ok(self.payload)
    }
}

/// How a request, or a whole service, fails. Every message says what happened and what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ServiceError {
    /// The service refused the request; it goes on.
    #[error("{what} was refused: {why}; {next}")]
    Refused {
        /// What was asked.
        what: String,
        /// Why it can't be done.
        why: String,
        /// What to try.
        next: String,
    },
    /// No answer came in time.
    #[error(
        "`{request}` got no answer from the service `{service}` within {timeout_ms} ms; \
         try again, or restart the service if it happens twice"
    )]
    Timeout {
        /// The service's name.
        service: String,
        /// The request's name.
        request: String,
        /// How long was waited, milliseconds.
        timeout_ms: u64,
    },
    /// The service is gone: it was stopped, or it panicked.
    #[error("the service `{service}` is gone ({why}); start it again")]
    Gone {
        /// The service's name.
        service: String,
        /// How it ended.
        why: String,
    },
    /// The service could not start.
    #[error("the service `{service}` did not start: {why}")]
    Start {
        /// The service's name.
        service: String,
        /// What failed.
        why: String,
    },
    /// Its queue is full: it is not keeping up.
    #[error("the service `{service}` is not keeping up: {queued} messages wait; try again shortly")]
    Busy {
        /// The service's name.
        service: String,
        /// How many messages wait.
        queued: usize,
    },
    /// The other side speaks another version of the protocol.
    #[error(
        "protocol version {got} is not spoken here (expected {expected}); \
         reload, so that app and workers are of one build"
    )]
    Version {
        /// The version received.
        got: u16,
        /// The version spoken here.
        expected: u16,
    },
}
