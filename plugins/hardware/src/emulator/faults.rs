//! What goes wrong on a bus, on purpose, and how often it did.

/// How often what goes wrong. Shares are chances from 0 to 1 for each packet; a reply has one fault
/// at most.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Share of replies that don't arrive.
    pub drop_replies: f64,
    /// Share of replies with one byte changed.
    pub corrupt_replies: f64,
    /// Share of replies that come `delay_secs` late.
    pub delay_replies: f64,
    /// How late those come.
    pub delay_secs: f64,
    /// Share of replies that say another servo's id, with a right checksum.
    pub wrong_ids: f64,
    /// Share of requests that no servo understands, because they were lost or changed.
    pub drop_requests: f64,
    /// The program reads what it wrote, as with adapters that don't hide it.
    pub echo: bool,
}

/// How often what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Injected {
    /// Replies that did not arrive.
    pub dropped_replies: u64,
    /// Replies with a changed byte.
    pub corrupted_replies: u64,
    /// Replies that came late.
    pub delayed_replies: u64,
    /// Replies with another id.
    pub wrong_ids: u64,
    /// Requests that no servo understood.
    pub dropped_requests: u64,
    /// Requests that were written while a servo still spoke. Nobody injects these: they are the
    /// program's own doing.
    pub collisions: u64,
    /// Replies that were sent, with and without a fault.
    pub replies: u64,
    /// Good requests that arrived, also those that were then dropped.
    pub requests: u64,
}

impl Injected {
    /// Replies that a program can't have got as they were meant.
    #[must_use]
    pub const fn lost_replies(&self) -> u64 {
        self.dropped_replies + self.corrupted_replies + self.wrong_ids
    }
}

/// What happens to one reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ReplyFault {
    None,
    Drop,
    /// Change this byte of it (modulo its length) by these bits.
    Corrupt(u64, u8),
    Delay(f64),
    /// Add this to its id.
    WrongId(u8),
}

/// Decides by chance, counts.
#[derive(Debug, Clone)]
pub(super) struct Injector {
    pub(super) faults: Faults,
    pub(super) injected: Injected,
    state: u64,
}

impl Injector {
    pub(super) const fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            injected: Injected {
                dropped_replies: 0,
                corrupted_replies: 0,
                delayed_replies: 0,
                wrong_ids: 0,
                dropped_requests: 0,
                collisions: 0,
                replies: 0,
                requests: 0,
            },
            state: seed,
        }
    }

    pub(super) fn reply(&mut self) -> ReplyFault {
        self.injected.replies += 1;
        let Faults {
            drop_replies,
            corrupt_replies,
            delay_replies,
            delay_secs,
            wrong_ids,
            ..
        } = self.faults;
        let mut chance = self.chance();
        let mut falls_in = |share: f64| {
            let falls = chance < share;
            chance -= share.max(0.0);
            falls
        };
        if falls_in(drop_replies) {
            self.injected.dropped_replies += 1;
            ReplyFault::Drop
        } else if falls_in(corrupt_replies) {
            self.injected.corrupted_replies += 1;
            ReplyFault::Corrupt(self.next(), (self.next() % 255) as u8 + 1)
        } else if falls_in(wrong_ids) {
            self.injected.wrong_ids += 1;
            ReplyFault::WrongId((self.next() % 200) as u8 + 20)
        } else if falls_in(delay_replies) {
            self.injected.delayed_replies += 1;
            ReplyFault::Delay(delay_secs.max(0.0))
        } else {
            ReplyFault::None
        }
    }

    /// Whether a request is lost.
    pub(super) fn request_is_lost(&mut self) -> bool {
        self.injected.requests += 1;
        let lost = self.chance() < self.faults.drop_requests;
        self.injected.dropped_requests += u64::from(lost);
        lost
    }

    /// From 0 to below 1, evenly.
    fn chance(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `SplitMix64`: good enough for faults, and the same everywhere.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
