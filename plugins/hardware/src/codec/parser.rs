//! Finds packets in a stream of bytes, whatever is between them.
//!
//! A header may be garbage and its length a lie. So the parser never waits for the end of one packet
//! while a whole one with a right checksum lies behind it: the first whole packet is taken, and what
//! is before it is skipped and counted. A wrong header can therefore hold nothing back.

use super::{BROADCAST_ID, HEADER, Instruction, MAX_ID, MAX_LENGTH, checksum};

/// Room for two packets of the greatest length, so that there is always room while one is awaited.
const CAPACITY: usize = 512;

/// Who speaks in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The servos: status packets.
    Replies,
    /// The host: instruction packets.
    Requests,
}

/// One packet, in the parser's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who answers, or who is asked.
    pub id: u8,
    /// A reply's status bits, or a request's instruction.
    pub code: u8,
    /// What is between the code and the checksum; at most 248 bytes.
    pub params: &'a [u8],
}

/// What was not a packet, since the parser was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParseErrors {
    /// Whole packets with a wrong checksum.
    pub checksum: u64,
    /// Bytes that belong to no good packet, those of corrupt ones among them.
    pub skipped_bytes: u64,
}

/// Resynchronising parser. Push bytes, then take frames until there is none.
#[derive(Debug, Clone)]
pub struct Parser {
    direction: Direction,
    bytes: [u8; CAPACITY],
    /// The part of `bytes` that is still to be looked at.
    start: usize,
    end: usize,
    /// Where the last packet began, while it is still in the buffer.
    last: Option<usize>,
    errors: ParseErrors,
}

/// What stands at one place of the stream.
enum Candidate {
    /// Can't be the start of a packet.
    Nothing,
    /// May be one, if more bytes come.
    Unfinished,
    /// Would be one of this length, but the checksum is wrong.
    Corrupt,
    /// A good one of this length.
    Whole(usize),
}

impl Parser {
    /// A parser of what is said in one direction.
    #[must_use]
    pub const fn new(direction: Direction) -> Self {
        Self {
            direction,
            bytes: [0; CAPACITY],
            start: 0,
            end: 0,
            last: None,
            errors: ParseErrors {
                checksum: 0,
                skipped_bytes: 0,
            },
        }
    }

    /// Takes bytes in; answers how many. After [`Parser::next_frame`] said `None` it is at least
    /// 250, so that a loop of both takes everything in and loses nothing.
    #[must_use = "bytes that were not taken have to be pushed again after frames were taken"]
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.last = None;
        let taken = bytes.len().min(CAPACITY - self.end);
        self.bytes[self.end..self.end + taken].copy_from_slice(&bytes[..taken]);
        self.end += taken;
        taken
    }

    /// The next good packet; `None` when there is none yet.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let (at, length) = loop {
            match self.candidate(self.start) {
                Candidate::Whole(length) => break (self.start, length),
                Candidate::Nothing if self.start < self.end => self.skip_to(self.start + 1),
                Candidate::Nothing => return None,
                Candidate::Corrupt => {
                    self.errors.checksum += 1;
                    self.skip_to(self.start + 1);
                }
                Candidate::Unfinished => break self.whole_after(self.start + 1)?,
            }
        };
        self.skip_to(at);
        self.last = Some(at);
        self.start += length;
        Some(Frame {
            id: self.bytes[at + 2],
            code: self.bytes[at + 4],
            params: &self.bytes[at + 5..at + length - 1],
        })
    }

    /// The packet that was taken last is none, whatever its checksum says: looks for packets from its
    /// second byte on. A length byte that came out one too high always does this: the checksum and the
    /// first byte of the next header then make a right checksum.
    pub fn refuse(&mut self) {
        if let Some(at) = self.last.take() {
            self.start = at;
            self.skip_to(at + 1);
        }
    }

    /// Hands every packet of these bytes to `take`, and keeps what may be the start of another.
    pub fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Frame<'_>)) {
        while !bytes.is_empty() {
            let taken = self.push(bytes);
            bytes = &bytes[taken..];
            while let Some(frame) = self.next_frame() {
                take(frame);
            }
        }
    }

    /// Bytes that may be the start of a packet.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.end - self.start
    }

    /// What was not a packet so far.
    #[must_use]
    pub const fn errors(&self) -> ParseErrors {
        self.errors
    }

    /// Forgets what may be the start of a packet; it counts as skipped.
    pub fn clear(&mut self) {
        self.skip_to(self.end);
    }

    fn skip_to(&mut self, at: usize) {
        self.errors.skipped_bytes += (at - self.start) as u64;
        self.start = at;
    }

    /// Where the first good packet from `from` on begins, and its length.
    fn whole_after(&self, from: usize) -> Option<(usize, usize)> {
        (from..self.end).find_map(|at| match self.candidate(at) {
            Candidate::Whole(length) => Some((at, length)),
            _ => None,
        })
    }

    fn candidate(&self, at: usize) -> Candidate {
        let bytes = &self.bytes[at..self.end];
        let known = |index: usize, allowed: &dyn Fn(u8) -> bool| {
            bytes.get(index).is_none_or(|byte| allowed(*byte))
        };
        let possible = !bytes.is_empty()
            && known(0, &|byte| byte == HEADER[0])
            && known(1, &|byte| byte == HEADER[1])
            && known(2, &|id| self.allows_id(id))
            && known(3, &|length| (2..=MAX_LENGTH).contains(&length))
            && known(4, &|code| self.allows_code(code));
        if !possible {
            return Candidate::Nothing;
        }
        let Some(length) = bytes.get(3) else {
            return Candidate::Unfinished;
        };
        let total = usize::from(*length) + 4;
        match bytes.get(..total) {
            None => Candidate::Unfinished,
            Some(packet) if checksum(&packet[2..total - 1]) == packet[total - 1] => {
                Candidate::Whole(total)
            }
            Some(_) => Candidate::Corrupt,
        }
    }

    const fn allows_id(&self, id: u8) -> bool {
        match self.direction {
            // As the SDK does it; one above what a servo may have.
            Direction::Replies => id <= MAX_ID + 1,
            Direction::Requests => id <= BROADCAST_ID,
        }
    }

    const fn allows_code(&self, code: u8) -> bool {
        match self.direction {
            Direction::Replies => code <= 0x7F,
            Direction::Requests => Instruction::from_code(code).is_some(),
        }
    }
}
