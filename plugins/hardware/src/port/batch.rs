//! Replies gathered until there is all that was asked for, so that they travel in one piece.
//!
//! For ports that another thread reads: each piece costs a message. How many bytes a request will
//! bring is in the request itself. What does not come in time is not waited for: whoever moves the
//! bytes calls [`Batch::take`] when nothing has come for a while.

use crate::codec::{BROADCAST_ID, Direction, Instruction, Parser};

/// Bytes of a reply without registers.
const STATUS: usize = 6;

/// What was asked and what has come.
#[derive(Debug)]
pub(crate) struct Batch {
    requests: Parser,
    expected: usize,
    held: Vec<u8>,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self {
            requests: Parser::new(Direction::Requests),
            expected: 0,
            held: Vec::new(),
        }
    }

    /// Requests are on their way. What an earlier one lacks does not come any more.
    pub(crate) fn wrote(&mut self, mut bytes: &[u8]) {
        self.expected = 0;
        while !bytes.is_empty() {
            let taken = self.requests.push(bytes);
            bytes = &bytes[taken..];
            while let Some(frame) = self.requests.next_frame() {
                self.expected += replies(frame.id, frame.code, frame.params);
            }
        }
    }

    /// Bytes have come. Answers all that were held, if nothing more is expected.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        (self.held.len() >= self.expected).then(|| self.take())
    }

    /// All that is held, however little.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.expected = 0;
        std::mem::take(&mut self.held)
    }
}

/// Bytes that a request brings; 0 where that can't be known.
fn replies(id: u8, code: u8, params: &[u8]) -> usize {
    let reads = |len: u8| STATUS + usize::from(len);
    match (Instruction::from_code(code), params) {
        (Some(Instruction::SyncRead), [_, len, ids @ ..]) => ids.len() * reads(*len),
        _ if id == BROADCAST_ID => 0,
        (Some(Instruction::Read), [_, len]) => reads(*len),
        (Some(Instruction::SyncWrite) | None, _) => 0,
        (Some(_), _) => STATUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{PacketBuf, StatusBits};

    #[test]
    fn a_cycle_travels_in_one_piece() {
        let mut packet = PacketBuf::new();
        let goal = [0, 8];
        let goals = [1, 2].into_iter().map(|id| (id, &goal[..]));
        packet.sync_write(42, 2, goals).unwrap();
        let mut cycle = packet.as_bytes().to_vec();
        packet.sync_read(56, 2, &[1, 2]).unwrap();
        cycle.extend_from_slice(packet.as_bytes());
        let mut batch = Batch::new();
        batch.wrote(&cycle);
        let mut reply = |id| {
            let bytes = packet.status(id, StatusBits::OK, &[0, 8]).unwrap();
            bytes.to_vec()
        };
        let replies = [reply(1), reply(2)].concat();
        let (first, rest) = replies.split_at(5);
        assert_eq!(batch.read(first), None);
        assert_eq!(batch.read(&rest[..10]), None);
        assert_eq!(batch.read(&rest[10..]), Some(replies));
        assert_eq!(batch.read(&[1]), Some(vec![1]), "nobody asked for that");
    }

    #[test]
    fn what_is_missing_holds_nothing_back() {
        let mut packet = PacketBuf::new();
        packet.read(3, 56, 2);
        let mut batch = Batch::new();
        batch.wrote(packet.as_bytes());
        assert_eq!(batch.read(&[0xFF; 4]), None);
        assert_eq!(batch.take(), [0xFF; 4]);
        batch.wrote(packet.as_bytes());
        assert_eq!(batch.read(&[0xFF; 7]), None);
        packet.ping(BROADCAST_ID);
        batch.wrote(packet.as_bytes());
        assert_eq!(batch.read(&[0xFF]), Some(vec![0xFF; 8]));
    }
}
