//! Results that may be given again: the least recently used go first.

use std::collections::BTreeMap;

use crate::pool::CacheKey;

/// Results by their keys, bounded in number and bytes.
pub(super) struct Cache<R> {
    kept: BTreeMap<CacheKey, Kept<R>>,
    /// Keys by their last use.
    by_use: BTreeMap<u64, CacheKey>,
    uses: u64,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

struct Kept<R> {
    result: R,
    bytes: usize,
    used: u64,
}

impl<R: Clone> Cache<R> {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            bytes: 0,
            most,
            most_bytes,
        }
    }

    /// The result of this name, if it is still kept.
    pub(super) fn get(&mut self, key: &CacheKey) -> Option<R> {
        let kept = self.kept.get_mut(key)?;
        self.by_use.remove(&kept.used);
        self.uses += 1;
        kept.used = self.uses;
        self.by_use.insert(self.uses, *key);
        Some(kept.result.clone())
    }

    /// Keeps a result, and lets go of others until it fits. One that never fits is not kept.
    pub(super) fn put(&mut self, key: CacheKey, result: &R, bytes: usize) {
        self.remove(&key);
        if self.most == 0 || bytes > self.most_bytes {
            return;
        }
        while self.kept.len() >= self.most || self.bytes + bytes > self.most_bytes {
            let Some((_, oldest)) = self.by_use.first_key_value() else {
                break;
            };
            let oldest = *oldest;
            self.remove(&oldest);
        }
        self.uses += 1;
        let used = self.uses;
        self.by_use.insert(used, key);
        self.bytes += bytes;
        let result = result.clone();
        self.kept.insert(
            key,
            Kept {
                result,
                bytes,
                used,
            },
        );
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(kept) = self.kept.remove(key) {
            self.by_use.remove(&kept.used);
            self.bytes -= kept.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: u8) -> CacheKey {
        [number; 32]
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(2, 100);
        cache.put(key(1), &"one", 1);
        cache.put(key(2), &"two", 1);
        assert_eq!(cache.get(&key(1)), Some("one"));
        cache.put(key(3), &"three", 1);
        assert_eq!(cache.get(&key(2)), None);
        assert_eq!(cache.get(&key(1)), Some("one"));
        assert_eq!(cache.get(&key(3)), Some("three"));
    }

    #[test]
    fn large_results_push_out_several_or_are_not_kept() {
        let mut cache = Cache::new(10, 100);
        for number in 0..4 {
            cache.put(key(number), &number, 25);
        }
        cache.put(key(9), &9, 60);
        assert_eq!(cache.get(&key(2)), None);
        assert_eq!(cache.get(&key(3)), Some(3));
        cache.put(key(8), &8, 101);
        assert_eq!(cache.get(&key(8)), None);
        assert_eq!(cache.get(&key(9)), Some(9));
        assert_eq!(Cache::<u8>::new(0, 100).get(&key(0)), None);
    }

    proptest! {
        /// As a list that is kept in the order of use.
        #[test]
        fn it_is_what_a_simple_list_would_be(
            steps in prop::collection::vec((any::<bool>(), 0u8..12, 0usize..40), 0..200),
        ) {
            let (most, most_bytes) = (5, 100);
            let mut cache = Cache::new(most, most_bytes);
            let mut list: Vec<(u8, usize)> = Vec::new();
            for (put, number, bytes) in steps {
                let place = list.iter().position(|(kept, _)| *kept == number);
                if put {
                    cache.put(key(number), &(number, bytes), bytes);
                    if let Some(place) = place {
                        list.remove(place);
                    }
                    list.push((number, bytes));
                    while list.len() > most
                        || list.iter().map(|(_, bytes)| bytes).sum::<usize>() > most_bytes
                    {
                        list.remove(0);
                    }
                } else {
                    prop_assert_eq!(cache.get(&key(number)), place.map(|place| list[place]));
                    if let Some(place) = place {
                        let kept = list.remove(place);
                        list.push(kept);
                    }
                }
                let bytes: usize = list.iter().map(|(_, bytes)| bytes).sum();
                prop_assert_eq!((cache.kept.len(), cache.bytes), (list.len(), bytes));
                prop_assert_eq!(cache.by_use.len(), list.len());
            }
        }
    }
}
