//! One question on the bus and the replies to it, whatever comes instead.
//!
//! Motors answer a sync read in the order in which they were asked, and no adapter lets bytes
//! overtake each other. That is what tells replies to this question from others:
//!
//! - a reply that was left out is known to be missing as soon as a later one is there;
//! - a reply that comes after a later one is from an earlier question or under a wrong id: what was
//!   taken from its place on is not believed any more;
//! - a reply right after an unexplained gap may be the missing one under a wrong id: it is not
//!   believed either. What is not believed is asked for again.

use super::job::{IdSet, places};
use super::{MAX_SERVOS, PerServo};
use crate::codec::StatusBits;

/// Room for the replies to one question.
const DATA: usize = 256;
/// Bytes of a packet without parameters.
const OVERHEAD: usize = 6;

/// A question, and what came.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    ids: [u8; MAX_SERVOS],
    count: usize,
    len: usize,
    /// Everybody may answer, in any order (a broadcast ping).
    open: bool,
    found: IdSet,
    /// Bit a motor of the question: some reply of it came.
    heard: u16,
    /// Its reply is there.
    got: u16,
    /// Its reply is there and not believed.
    doubted: u16,
    /// The first place of which nothing later came yet.
    next: usize,
    out_of_turn: u32,
    strangers: u32,
    skipped: u64,
    data: [u8; DATA],
    status: PerServo<StatusBits>,
    sent_at: f64,
    asked_secs: f64,
    reply_secs: f64,
    first_at: Option<f64>,
    last_at: f64,
    longest_gap: f64,
    deadline: f64,
    limit: f64,
}

/// What became of a packet that came while a question was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is a reply to the question.
    Reply,
    /// It is of nobody who was asked, or out of turn.
    Stranger,
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self {
            ids: [0; MAX_SERVOS],
            count: 0,
            len: 0,
            open: false,
            found: IdSet::default(),
            heard: 0,
            got: 0,
            doubted: 0,
            next: 0,
            out_of_turn: 0,
            strangers: 0,
            skipped: 0,
            data: [0; DATA],
            status: [StatusBits::OK; MAX_SERVOS],
            sent_at: 0.0,
            asked_secs: 0.0,
            reply_secs: 0.0,
            first_at: None,
            last_at: 0.0,
            longest_gap: 0.0,
            deadline: 0.0,
            limit: 0.0,
        }
    }

    /// A new question to these motors, each of which answers with `len` bytes. No ids: everybody.
    pub(super) fn ask(&mut self, ids: &[u8], len: usize) {
        self.count = ids.len().min(MAX_SERVOS);
        self.ids[..self.count].copy_from_slice(&ids[..self.count]);
        self.len = len;
        self.open = ids.is_empty();
        self.found = IdSet::default();
        (self.heard, self.got, self.doubted) = (0, 0, 0);
        (self.next, self.out_of_turn, self.strangers) = (0, 0, 0);
        self.skipped = 0;
        self.first_at = None;
        self.longest_gap = 0.0;
    }

    /// It was handed to the system: `asked` bytes, the first reply within `patience` of its time on
    /// the wire, nothing at all after `limit`.
    pub(super) fn sent(
        &mut self,
        now: f64,
        asked: usize,
        byte_secs: f64,
        patience: f64,
        limit: f64,
    ) {
        self.sent_at = now;
        self.asked_secs = asked as f64 * byte_secs;
        self.reply_secs = (self.len + OVERHEAD) as f64 * byte_secs;
        self.last_at = now;
        self.deadline = now + self.asked_secs + self.reply_secs + patience;
        let replies = self.count.max(1) as f64 * self.reply_secs;
        self.limit = now + self.asked_secs + replies + limit;
    }

    /// Whether a reply to the question may have so many bytes.
    pub(super) const fn may_have(&self, len: usize) -> bool {
        self.len == len
    }

    /// A packet came; `skipped` bytes were none of one since the question.
    pub(super) fn hear(
        &mut self,
        now: f64,
        id: u8,
        status: StatusBits,
        params: &[u8],
        skipped: u64,
    ) -> Heard {
        self.skipped = skipped;
        if self.open {
            self.found.insert(id);
            return Heard::Reply;
        }
        let place = self.ids[..self.count].iter().position(|asked| *asked == id);
        let Some(place) = place else {
            self.strangers += 1;
            return Heard::Stranger;
        };
        let bit = 1_u16 << place;
        let in_turn = place >= self.next;
        if in_turn {
            let missing = self.unheard_before(place);
            let gap = place > 0 && self.heard & (bit >> 1) == 0;
            if gap && missing > self.broken() {
                self.doubted |= bit;
            }
        } else {
            self.out_of_turn += 1;
            self.got &= bit - 1;
            self.doubted &= self.got;
            self.doubted |= bit;
        }
        self.heard |= bit;
        self.got |= bit;
        self.next = place + 1;
        self.status[place] = status;
        let start = place * self.len;
        if let Some(room) = self.data.get_mut(start..start + self.len) {
            room.copy_from_slice(params);
        }
        if self.first_at.is_none() {
            self.first_at = Some(now);
        } else {
            self.longest_gap = self.longest_gap.max(now - self.last_at - self.reply_secs);
        }
        self.last_at = now;
        if in_turn {
            Heard::Reply
        } else {
            Heard::Stranger
        }
    }

    /// Bytes came: the rest is waited for from now on.
    pub(super) fn progress(&mut self, now: f64, gap: f64, skipped: u64) {
        self.skipped = skipped;
        if !self.open {
            let left = (self.count - self.next.min(self.count)) as f64;
            let at_most = self.limit + 3.0 * (self.limit - self.sent_at);
            self.deadline = (now + left * self.reply_secs + gap).min(at_most);
        }
    }

    /// Whether nothing more has to be waited for. If replies to earlier questions may still come
    /// (`uncertain`) that is so only when all are there.
    pub(super) fn is_over(&self, uncertain: bool) -> bool {
        if self.open {
            return false;
        }
        let all = self.believed() == self.all();
        // Two bytes of a broken packet may look like the start of another.
        let whole = (self.skipped as usize + 2) / (self.len + OVERHEAD);
        let strangers = if self.count > 1 {
            self.strangers as usize
        } else {
            0
        };
        let accounted = self.heard.count_ones() as usize + whole + strangers >= self.count;
        let last = self.count > 1 && self.next == self.count;
        all || (!uncertain && (accounted || last))
    }

    /// Bit a motor of the question.
    const fn all(&self) -> u16 {
        ((1_u32 << self.count) - 1) as u16
    }

    /// Bit a motor of the question whose reply is there and in order.
    pub(super) const fn believed(&self) -> u16 {
        self.got & !self.doubted
    }

    /// Whether every reply is there and in order.
    pub(super) const fn is_complete(&self) -> bool {
        !self.open && self.believed() == self.all()
    }

    /// Whether the question ended so that it is clear what came: nothing under a wrong id, nothing
    /// from earlier, at most one reply left out.
    pub(super) fn is_clear(&self) -> bool {
        let (lost, _) = self.missing();
        self.strangers == 0 && self.out_of_turn == 0 && lost <= 1
    }

    /// How many replies did not come at all, and how many came broken.
    pub(super) fn missing(&self) -> (u64, u64) {
        if self.open {
            return (0, 0);
        }
        let unheard = self.count as u64 - u64::from(self.heard.count_ones());
        let broken = (self.broken() as u64).min(unheard);
        (unheard - broken, broken)
    }

    /// Packets that came in another form than they should.
    fn broken(&self) -> usize {
        let packets = (self.skipped as usize).div_ceil(self.len + OVERHEAD);
        packets + (self.strangers + self.out_of_turn) as usize
    }

    fn unheard_before(&self, place: usize) -> usize {
        let before = (1_u16 << place) - 1;
        (before & !self.heard).count_ones() as usize
    }

    /// Whether anything was heard.
    pub(super) const fn is_silent(&self) -> bool {
        self.heard == 0 && self.strangers == 0 && self.skipped == 0
    }

    /// Id, bytes and status of a believed reply.
    pub(super) fn reply(&self, place: usize) -> (u8, &[u8], StatusBits) {
        let start = place * self.len;
        let data = self.data.get(start..start + self.len).unwrap_or(&[]);
        (self.ids[place], data, self.status[place])
    }

    /// Ids and replies that are believed.
    pub(super) fn replies(&self) -> impl Iterator<Item = (u8, &[u8], StatusBits)> {
        places(self.believed()).map(|place| self.reply(place))
    }

    /// Who answered a question to everybody.
    pub(super) const fn found(&self) -> IdSet {
        self.found
    }

    /// When waiting ends.
    pub(super) const fn deadline(&self) -> f64 {
        self.deadline
    }

    /// Waits this long in all, whatever comes.
    pub(super) fn set_deadline(&mut self, secs: f64) {
        self.deadline = self.sent_at + self.asked_secs + secs;
    }

    /// When no reply can come any more.
    pub(super) const fn limit(&self) -> f64 {
        self.limit
    }

    /// Middle of the time between the request's end on the wire and the last reply.
    pub(super) fn middle(&self) -> f64 {
        (self.sent_at + self.asked_secs).midpoint(self.last_at)
    }

    /// How long the first reply and the longest pause between two took beyond their time on the
    /// wire, if there were any.
    pub(super) fn delays(&self) -> Option<(f64, Option<f64>)> {
        let first = self.first_at? - self.sent_at - self.asked_secs - self.reply_secs;
        let gap = (self.count > 1).then_some(self.longest_gap.max(0.0));
        Some((first.max(0.0), gap))
    }
}
