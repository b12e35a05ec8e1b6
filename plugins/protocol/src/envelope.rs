//! What surrounds a message on its way between browser threads: version, name, ids. Native hosts
//! move the message itself and build no envelope.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::buffer::Buffer;
use crate::error::ServiceError;

/// The version of all messages. A peer with another version is refused, never guessed at.
pub const PROTOCOL_VERSION: u16 = 2;

/// Names one request; its one answer carries the same id.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);

/// A value that travels between app and services.
pub trait Message: Serialize + DeserializeOwned + Send + 'static {
    /// The message's name on the wire, for instance `teleop/start`. Each variant has its own.
    fn name(&self) -> &'static str;

    /// The large parts of the message, in a fixed order: they travel beside it, without a copy.
    /// The same variant always has the same number of them.
    fn buffers(&mut self) -> Vec<&mut Buffer> {
        Vec::new()
    }
}

/// A message on its way between browser threads.
///
/// Posted as `{v, type, id, traceId, payload, buffers}`: `type` can be read in the browser's tools,
/// `payload` is the message in postcard's format, `buffers` are transferred.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub v: u16,
    /// [`Message::name`] of the payload (`type`).
    pub kind: Cow<'static, str>,
    /// The request this is, or answers; `None` for what expects no answer.
    pub id: Option<RequestId>,
    /// Ties together all that one action of a person caused (`traceId`).
    pub trace_id: u64,
    /// The message without its buffers.
    pub payload: Vec<u8>,
    /// The message's buffers, in their order.
    pub buffers: Vec<Buffer>,
}

impl Packet {
    /// Packs a message of this version.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for a value that the format has no form for.
    pub fn new<M: Message>(
        mut message: M,
        id: Option<RequestId>,
        trace_id: u64,
    ) -> Result<Self, ServiceError> {
        let kind = message.name();
        let buffers = message.buffers().into_iter().map(std::mem::take).collect();
        let payload = postcard::to_allocvec(&message)
            .map_err(|error| refused(kind, &error.to_string(), "send numbers and texts"))?;
        Ok(Self {
            v: PROTOCOL_VERSION,
            kind: kind.into(),
            id,
            trace_id,
            payload,
            buffers,
        })
    }

    /// The message, if the sender speaks this version and its name fits its content.
    ///
    /// # Errors
    /// [`ServiceError::Version`] for another version, [`ServiceError::Refused`] for a wrong name
    /// or a payload that is no such message.
    pub fn open<M: Message>(self) -> Result<M, ServiceError> {
        if self.v != PROTOCOL_VERSION {
            return Err(ServiceError::Version {
                got: self.v,
                expected: PROTOCOL_VERSION,
            });
        }
        let (mut message, rest): (M, _) = postcard::take_from_bytes(&self.payload)
            .map_err(|error| refused(&self.kind, &error.to_string(), RELOAD))?;
        if !rest.is_empty() {
            let why = format!("{} bytes are left over", rest.len());
            return Err(refused(&self.kind, &why, RELOAD));
        }
        if self.kind != message.name() {
            let why = format!("its payload is a `{}`", message.name());
            return Err(refused(&self.kind, &why, RELOAD));
        }
        let mut slots = message.buffers();
        if slots.len() != self.buffers.len() {
            let why = format!("it has {} of {} buffers", self.buffers.len(), slots.len());
            return Err(refused(&self.kind, &why, RELOAD));
        }
        for (slot, buffer) in slots.iter_mut().zip(self.buffers) {
            **slot = buffer;
        }
        Ok(message)
    }

    /// How many bytes travel, names and ids left out.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.payload.len() + self.buffers.iter().map(Buffer::len).sum::<usize>()
    }
}

const RELOAD: &str = "reload, so that app and workers are of one build";

fn refused(kind: &str, why: &str, next: &str) -> ServiceError {
    ServiceError::Refused {
        what: format!("the message `{kind}`"),
        why: why.to_owned(),
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Frame {
        Empty,
        Picture { width: u32, pixels: Buffer },
    }

    impl Message for Frame {
        fn name(&self) -> &'static str {
            match self {
                Self::Empty => "frame/empty",
                Self::Picture { .. } => "frame/picture",
            }
        }

        fn buffers(&mut self) -> Vec<&mut Buffer> {
            match self {
                Self::Empty => Vec::new(),
                Self::Picture { pixels, .. } => vec![pixels],
            }
        }
    }

    fn picture() -> Frame {
        Frame::Picture {
            width: 2,
            pixels: vec![1, 2, 3].into(),
        }
    }

    #[test]
    fn buffers_travel_beside_the_payload() {
        let packet = Packet::new(picture(), Some(RequestId(7)), 1).expect("packs");
        assert_eq!(packet.kind, "frame/picture");
        assert_eq!((packet.payload.len(), packet.bytes()), (2, 5));
        assert_eq!(packet.open::<Frame>(), Ok(picture()));
    }

    #[test]
    fn other_versions_names_and_lengths_are_refused() {
        let good = Packet::new(picture(), None, 0).expect("packs");
        let old = Packet {
            v: 1,
            ..good.clone()
        };
        let error = old.open::<Frame>().expect_err("old");
        assert!(
            error
                .to_string()
                .starts_with("protocol version 1 is not spoken here")
        );
        let misnamed = Packet {
            kind: "frame/empty".into(),
            ..good.clone()
        };
        let bare = Packet {
            buffers: Vec::new(),
            ..good.clone()
        };
        let mut longer = good;
        longer.payload.push(0);
        for wrong in [misnamed, bare, longer] {
            assert!(matches!(
                wrong.open::<Frame>(),
                Err(ServiceError::Refused { .. })
            ));
        }
    }

    proptest! {
        /// Whatever comes from another thread is a message or an error, never a panic.
        #[test]
        fn any_bytes_are_a_message_or_an_error(
            payload in prop::collection::vec(any::<u8>(), 0..200),
            v in 0u16..4,
        ) {
            for kind in ["teleop/load_scene", "teleop/start", "teleop/inspection", "teleop/state_update"] {
                let packet = Packet {
                    v, kind: kind.into(), id: None, trace_id: 0,
                    payload: payload.clone(), buffers: Vec::new(),
                };
                drop(packet.clone().open::<crate::control::Request>());
                drop(packet.clone().open::<crate::control::Reply>());
                drop(packet.clone().open::<crate::control::Command>());
                drop(packet.open::<crate::control::Event>());
            }
        }
    }
}
