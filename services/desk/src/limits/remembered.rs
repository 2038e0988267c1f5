//! A memory that a flood neither grows nor empties.

use std::{collections::HashMap, hash::Hash};

use jiff::Timestamp;

/// What is worth remembering until some moment.
pub(super) trait Ends {
    /// From when on it says nothing any more.
    fn ends(&self) -> Timestamp;
}

/// So many things at most. Beyond, what is over is forgotten; if nothing is, what is over first.
#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    most: usize,
    of: HashMap<K, V>,
}

impl<K: Hash + Eq + Copy, V: Ends> Remembered<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, of: HashMap::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.of.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.of.get_mut(key)
    }

    /// The thing, new if it is not remembered.
    pub(super) fn get_or_insert(&mut self, key: K, now: Timestamp, make: impl FnOnce() -> V) -> &mut V {
        if self.of.len() >= self.most && !self.of.contains_key(&key) {
            self.forget(now);
        }
        self.of.entry(key).or_insert_with(make)
    }

    fn forget(&mut self, now: Timestamp) {
        self.of.retain(|_, value| value.ends() > now);
        if self.of.len() >= self.most {
            let first = self.of.iter().min_by_key(|(_, value)| value.ends()).map(|(key, _)| *key);
            first.and_then(|first| self.of.remove(&first));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    impl Ends for Timestamp {
        fn ends(&self) -> Timestamp {
            *self
        }
    }

    #[test]
    fn beyond_the_most_what_is_over_first_is_forgotten() {
        let at = |seconds: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let mut remembered = Remembered::new(3);
        for (key, ends) in [(1, 30), (2, 10), (3, 20)] {
            remembered.get_or_insert(key, at(0), || at(ends));
        }
        remembered.get_or_insert(4, at(0), || at(40));
        assert!(remembered.get(&2).is_none() && remembered.get(&3).is_some());
        remembered.get_or_insert(5, at(35), || at(50));
        assert_eq!(remembered.of.len(), 2, "what is over goes at once");
    }
}
