//! A place for the newest value of something, from one thread to others.

use std::sync::{Mutex, PoisonError};

use crossbeam_queue::ArrayQueue;

/// Writers never wait. Readers wait for each other at most, never for a writer.
#[derive(Debug)]
pub(super) struct Newest<T> {
    arriving: ArrayQueue<T>,
    seen: Mutex<Option<T>>,
}

impl<T: Copy> Newest<T> {
    pub(super) fn new() -> Self {
        Self {
            arriving: ArrayQueue::new(1),
            seen: Mutex::new(None),
        }
    }

    /// Replaces what nobody has taken yet.
    pub(super) fn put(&self, value: T) {
        let _too_old = self.arriving.force_push(value);
    }

    /// The newest value, as often as one asks.
    pub(super) fn get(&self) -> Option<T> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.arriving.pop() {
            *seen = Some(value);
        }
        *seen
    }

    /// The newest value, if it was not taken before. Without a lock: for one reader.
    pub(super) fn take(&self) -> Option<T> {
        self.arriving.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_counts() {
        let newest = Newest::new();
        assert_eq!(newest.get(), None);
        newest.put(1);
        newest.put(2);
        assert_eq!((newest.get(), newest.get()), (Some(2), Some(2)));
        newest.put(3);
        assert_eq!((newest.take(), newest.take()), (Some(3), None));
    }
}
