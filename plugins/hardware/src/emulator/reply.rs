//! Replies on their way to the program: when each can be read.

use crate::codec::MAX_PACKET;
use std::collections::VecDeque;

/// More never are on their way: a bus answers one request at a time.
const MAX_WAITING: usize = 64;

/// Bytes on their way.
#[derive(Debug, Clone)]
struct Outgoing {
    /// When they can be read.
    due: f64,
    /// When their last bit is on the wire.
    wire_end: f64,
    bytes: [u8; MAX_PACKET],
    len: usize,
}

/// All that is on its way to the program, in the order in which it was said.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
    /// What [`Outbox::take`] answered last.
    taken: [u8; MAX_PACKET],
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::with_capacity(MAX_WAITING),
            taken: [0; MAX_PACKET],
        }
    }

    /// Adds bytes; what would be too much is lost, as in an adapter's buffer.
    pub(super) fn bytes(&mut self, due: f64, wire_end: f64, bytes: &[u8]) {
        if self.waiting.len() == MAX_WAITING {
            return;
        }
        let mut outgoing = Outgoing {
            // Bytes can't overtake each other.
            due: self.waiting.back().map_or(due, |last| last.due.max(due)),
            wire_end,
            bytes: [0; MAX_PACKET],
            len: bytes.len().min(MAX_PACKET),
        };
        outgoing.bytes[..outgoing.len].copy_from_slice(&bytes[..outgoing.len]);
        self.waiting.push_back(outgoing);
    }

    /// Spoils what is on the wire at or after this time. Answers whether there was anything.
    pub(super) fn collide(&mut self, at: f64) -> bool {
        let mut any = false;
        for outgoing in self.waiting.iter_mut().filter(|out| out.wire_end > at) {
            outgoing.bytes[outgoing.len / 2] ^= 0x55;
            any = true;
        }
        any
    }

    /// When the next bytes can be read.
    pub(super) fn due(&self) -> Option<f64> {
        self.waiting.front().map(|outgoing| outgoing.due)
    }

    /// The next bytes, if they can be read now.
    pub(super) fn take(&mut self, now: f64) -> Option<&[u8]> {
        if self.due()? > now {
            return None;
        }
        let outgoing = self.waiting.pop_front()?;
        self.taken = outgoing.bytes;
        Some(&self.taken[..outgoing.len])
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
