//! Recognises what was sent when it comes back: some adapters join the wires of both directions.
//!
//! What comes after a request and equals it byte for byte is its echo. The one packet of which this
//! may be wrong is a ping: a servo with a voltage fault answers it with the very bytes that it was
//! asked with.

/// The longest that is sent at once: goals and a read.
pub(super) const MAX_SENT: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Unknown,
    Echoes,
    Silent,
}

/// What was sent last, and how much of it came back.
#[derive(Debug, Clone)]
pub(super) struct Echo {
    habit: Habit,
    sent: [u8; MAX_SENT],
    len: usize,
    matched: usize,
    /// Whether the next byte may still belong to the echo.
    open: bool,
    ping: bool,
    /// A ping came back and nobody knows whether it was the echo.
    doubtful: bool,
    count: u64,
}

impl Echo {
    pub(super) const fn new() -> Self {
        Self {
            habit: Habit::Unknown,
            sent: [0; MAX_SENT],
            len: 0,
            matched: 0,
            open: false,
            ping: false,
            doubtful: false,
            count: 0,
        }
    }

    /// Forgets what the adapter does: it may be another one.
    pub(super) fn restart(&mut self) {
        *self = Self {
            count: self.count,
            ..Self::new()
        };
    }

    pub(super) fn sent(&mut self, bytes: &[u8], ping: bool) {
        self.len = bytes.len().min(MAX_SENT);
        self.sent[..self.len].copy_from_slice(&bytes[..self.len]);
        self.matched = 0;
        self.open = self.habit != Habit::Silent;
        self.ping = ping;
        self.doubtful = false;
    }

    /// Takes the echo off the front. Answers how many bytes, held back before, were none of an echo
    /// ([`Echo::held`]), and what is left.
    pub(super) fn strip<'a>(&mut self, bytes: &'a [u8]) -> (usize, &'a [u8]) {
        if !self.open {
            return (0, bytes);
        }
        let awaited = &self.sent[self.matched..self.len];
        let same = awaited
            .iter()
            .zip(bytes)
            .take_while(|(sent, got)| sent == got)
            .count();
        if same == awaited.len() {
            self.open = false;
            if self.ping && self.habit == Habit::Unknown {
                self.doubtful = true;
            } else {
                self.habit = Habit::Echoes;
            }
            self.count += 1;
            return (0, &bytes[same..]);
        }
        if same == bytes.len() {
            self.matched += same;
            return (0, &[]);
        }
        self.open = false;
        (self.matched, bytes)
    }

    /// The first bytes of what was sent, which came back.
    pub(super) fn held(&self, count: usize) -> &[u8] {
        &self.sent[..count]
    }

    /// A good reply came. If nothing came back before it, the adapter does not echo.
    pub(super) fn replied(&mut self) {
        if self.doubtful {
            self.habit = Habit::Echoes;
        } else if self.habit == Habit::Unknown {
            self.habit = Habit::Silent;
        }
        self.open = false;
    }

    /// Nothing more is awaited. Answers how many bytes were held back in vain.
    pub(super) fn end(&mut self) -> usize {
        let held = if self.open { self.matched } else { 0 };
        self.open = false;
        held
    }

    /// Whether a packet is the last request again, come back late.
    pub(super) fn is_request(&self, id: u8, code: u8, params: &[u8]) -> bool {
        self.habit != Habit::Silent
            && self.len == params.len() + 6
            && self.sent[2] == id
            && self.sent[4] == code
            && self.sent[5..self.len - 1] == *params
    }

    /// Whether a ping came back and it is open who sent it.
    pub(super) const fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_in_pieces_is_taken_off() {
        let mut echo = Echo::new();
        echo.sent(&[1, 2, 3, 4], false);
        assert_eq!(echo.strip(&[1, 2]), (0, &[][..]));
        assert_eq!(echo.strip(&[3, 4, 9]), (0, &[9][..]));
        assert_eq!(echo.strip(&[1, 2]), (0, &[1, 2][..]), "only once");
        assert_eq!(echo.count(), 1);
    }

    #[test]
    fn what_only_starts_like_an_echo_is_given_back() {
        let mut echo = Echo::new();
        echo.sent(&[1, 2, 3, 4], false);
        assert_eq!(echo.strip(&[1, 2]), (0, &[][..]));
        assert_eq!(echo.strip(&[7, 4]), (2, &[7, 4][..]));
        assert_eq!(echo.held(2), &[1, 2]);
        echo.replied();
        echo.sent(&[1, 2, 3, 4], false);
        assert_eq!(echo.strip(&[1, 2, 3, 4]), (0, &[1, 2, 3, 4][..]), "learnt");
    }

    #[test]
    fn the_reply_to_a_ping_may_look_like_it() {
        let mut echo = Echo::new();
        let ping = [0xFF, 0xFF, 1, 2, 1, 0xFB];
        echo.sent(&ping, true);
        assert_eq!(echo.strip(&ping), (0, &[][..]));
        assert!(echo.is_doubtful());
        assert!(echo.is_request(1, 1, &[]));
        assert!(!echo.is_request(1, 0, &[]));
    }
}
