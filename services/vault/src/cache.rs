//! A bounded memory for unwrapped keys: the oldest leave first, and none stays longer than it may.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// At most `length_max` entries, each for at most `age_max`.
pub(crate) struct Cache<K, V> {
    length_max: usize,
    age_max: Duration,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K, V> {
    by_key: HashMap<K, (V, Instant)>,
    /// Oldest first. An entry that was renewed is in it once more; its older place is then skipped.
    by_age: VecDeque<(K, Instant)>,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub(crate) fn new(length_max: usize, age_max: Duration) -> Self {
        Self { length_max, age_max, entries: Mutex::new(Entries { by_key: HashMap::new(), by_age: VecDeque::new() }) }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.get_at(Instant::now(), key)
    }

    pub(crate) fn put(&self, key: K, value: V) {
        self.put_at(Instant::now(), key, value);
    }

    /// Drops an entry now.
    pub(crate) fn forget(&self, key: &K) {
        self.entries().by_key.remove(key);
    }

    /// Drops the entries that `is_gone` says are.
    pub(crate) fn forget_where(&self, is_gone: impl Fn(&K, &V) -> bool) {
        self.entries().by_key.retain(|key, (value, _)| !is_gone(key, value));
    }

    fn get_at(&self, now: Instant, key: &K) -> Option<V> {
        let mut entries = self.entries();
        entries.drop_older_than(self.age_max, now);
        entries.by_key.get(key).map(|(value, _)| value.clone())
    }

    fn put_at(&self, now: Instant, key: K, value: V) {
        let mut entries = self.entries();
        entries.by_age.push_back((key.clone(), now));
        entries.by_key.insert(key, (value, now));
        while entries.by_age.len() > self.length_max {
            entries.drop_oldest();
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Entries<K, V> {
    fn drop_older_than(&mut self, age_max: Duration, now: Instant) {
        while self.by_age.front().is_some_and(|(_, since)| now.duration_since(*since) >= age_max) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((key, since)) = self.by_age.pop_front() else { return };
        if self.by_key.get(&key).is_some_and(|(_, current)| *current == since) {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn the_oldest_leaves_when_there_is_no_room() {
        let (cache, now) = (Cache::new(2, AN_HOUR), Instant::now());
        for number in 1..=3 {
            cache.put_at(now, number, number * 10);
        }
        assert_eq!([1, 2, 3].map(|number| cache.get_at(now, &number)), [None, Some(20), Some(30)]);
    }

    #[test]
    fn nothing_stays_longer_than_it_may() {
        let (cache, start) = (Cache::new(2, AN_HOUR), Instant::now());
        cache.put_at(start, "old", 1);
        cache.put_at(start + AN_HOUR / 2, "new", 2);
        assert_eq!(cache.get_at(start + AN_HOUR / 2, &"old"), Some(1));
        let later = start + AN_HOUR;
        assert_eq!((cache.get_at(later, &"old"), cache.get_at(later, &"new")), (None, Some(2)));
    }

    #[test]
    fn a_renewed_entry_stays_as_long_as_a_new_one() {
        let (cache, start) = (Cache::new(4, AN_HOUR), Instant::now());
        cache.put_at(start, "key", 1);
        cache.put_at(start + AN_HOUR / 2, "key", 2);
        assert_eq!(cache.get_at(start + AN_HOUR, &"key"), Some(2));
        assert_eq!(cache.get_at(start + AN_HOUR * 3 / 2, &"key"), None);
    }
}
