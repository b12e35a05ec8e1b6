//! Who goes first.

use std::time::Duration;

/// How urgent a task is: 1 for what a person waits for, to 5 for work in the background.
///
/// Waiting makes up for it: a task goes before every task that is one step more urgent and came more
/// than [`Priority::STEP`] later. So nothing waits for ever, and which task is next depends on
/// nothing but when tasks came and how urgent they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// A person waits for it.
    pub const INTERACTIVE: Self = Self(1);
    /// Neither.
    pub const NORMAL: Self = Self(3);
    /// Nobody waits for it.
    pub const BACKGROUND: Self = Self(5);

    /// How much waiting makes up for one step of urgency.
    pub const STEP: Duration = Duration::from_secs(10);

    /// The priority of this number, 1 to 5; what lies outside counts as the nearest.
    #[must_use]
    pub fn new(number: u8) -> Self {
        Self(number.clamp(1, 5))
    }

    /// Its number, 1 to 5.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Where a task that came at `now` stands in the queue: lower goes first.
    pub(super) fn rank(self, now: Duration) -> Duration {
        now + Self::STEP * u32::from(self.0 - 1)
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}
