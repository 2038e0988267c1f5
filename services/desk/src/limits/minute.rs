//! A tenant's allowance of one minute, and how its clients share it.
//!
//! Every client that asked in this minute or the last one has an equal share that no other can use up. What is nobody's, and what a
//! client does not use, is for whoever asks first; so a client that is alone has everything. One that comes where another was alone
//! may find nothing left, and has its share from the next minute on.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Client, Left, MINUTE, remembered::Ends, seconds_until};

/// Clients of a tenant that have a share of their own; those beyond share one.
const CLIENTS_MAX: usize = 200;

/// A minute that runs.
#[derive(Debug)]
pub(super) struct Minute {
    limit: Option<u32>,
    ends: Timestamp,
    used: u32,
    /// None: all clients beyond [`CLIENTS_MAX`].
    clients: HashMap<Option<Client>, Used>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Used {
    answered: u32,
    has_asked: bool,
}

impl Minute {
    pub(super) fn new(limit: Option<u32>, now: Timestamp) -> Self {
        Self { limit, ends: now + MINUTE, used: 0, clients: HashMap::new() }
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends
    }

    /// Begins the next one, if this is over: who asked in one that has just ended keeps a share.
    pub(super) fn begin(&mut self, limit: Option<u32>, now: Timestamp) {
        if !self.is_over(now) {
            return;
        }
        let is_next = now < self.ends + MINUTE;
        self.clients.retain(|_, used| is_next && used.has_asked);
        self.clients.values_mut().for_each(|used| *used = Used::default());
        (self.limit, self.ends, self.used) = (limit, now + MINUTE, 0);
    }

    /// Counts a request, unless it is refused. None, if there is no limit.
    pub(super) fn count(&mut self, client: Client, now: Timestamp) -> Option<Left> {
        let limit = self.limit?;
        let is_known = self.clients.contains_key(&Some(client));
        let client = (is_known || self.clients.len() < CLIENTS_MAX).then_some(client);
        self.clients.entry(client).or_default().has_asked = true;
        let free = limit.saturating_sub(self.used).saturating_sub(self.kept_for_others(client, limit));
        if let Some(used) = self.clients.get_mut(&client).filter(|_| free > 0) {
            used.answered += 1;
            self.used += 1;
        }
        let resets_s = seconds_until(self.ends, now);
        Some(Left { limit, remaining: free.saturating_sub(1), resets_s, is_refused: free == 0 })
    }

    /// What the other clients have not used of their shares.
    fn kept_for_others(&self, client: Option<Client>, limit: u32) -> u32 {
        let share = limit / u32::try_from(self.clients.len()).expect("a few hundred").max(1);
        let others = self.clients.iter().filter(|(other, _)| **other != client);
        others.map(|(_, used)| share.saturating_sub(used.answered)).sum()
    }
}

impl Ends for Minute {
    /// Shares are kept for a minute more.
    fn ends(&self) -> Timestamp {
        self.ends + MINUTE
    }
}

#[cfg(test)]
mod tests {
    use schemas::{PersonId, TokenId};

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn client(number: i64) -> Client {
        (PersonId::new(number), Some(TokenId::new(number)))
    }

    /// How many of `asked` requests are answered.
    fn answered(minute: &mut Minute, number: i64, asked: u32) -> u32 {
        let left = (0..asked).filter_map(|_| minute.count(client(number), START));
        u32::try_from(left.filter(|left| !left.is_refused).count()).expect("a few")
    }

    #[test]
    fn a_client_that_is_alone_has_everything_and_then_nothing() {
        let mut minute = Minute::new(Some(10), START);
        let first = minute.count(client(1), START).expect("a limit");
        assert_eq!(first, Left { limit: 10, remaining: 9, resets_s: 60, is_refused: false });
        assert_eq!(answered(&mut minute, 1, 50), 9);
        let refused = minute.count(client(1), START + MINUTE / 2).expect("a limit");
        assert_eq!(refused, Left { limit: 10, remaining: 0, resets_s: 30, is_refused: true });
    }

    #[test]
    fn a_flood_leaves_every_other_client_its_share() {
        let mut minute = Minute::new(Some(90), START);
        for number in 1..=3 {
            assert_eq!(answered(&mut minute, number, 1), 1);
        }
        assert_eq!(answered(&mut minute, 1, 1000), 29, "a third");
        assert_eq!((answered(&mut minute, 2, 10), answered(&mut minute, 3, 1000)), (10, 29));
        assert_eq!(answered(&mut minute, 2, 1000), 19, "and nothing is lost");
    }

    #[test]
    fn who_comes_too_late_has_a_share_in_the_next_minute() {
        let mut minute = Minute::new(Some(10), START);
        assert_eq!((answered(&mut minute, 1, 99), answered(&mut minute, 2, 1)), (10, 0));
        minute.begin(Some(10), START + MINUTE);
        assert_eq!((answered(&mut minute, 1, 99), answered(&mut minute, 2, 99)), (5, 5));
        minute.begin(Some(10), START + MINUTE * 2);
        assert_eq!(answered(&mut minute, 1, 99), 5, "kept for one minute");
        minute.begin(Some(10), START + MINUTE * 3);
        assert_eq!(answered(&mut minute, 1, 99), 10, "and no longer");
    }

    #[test]
    fn a_flood_of_clients_grows_no_memory_and_gets_no_more() {
        let mut minute = Minute::new(Some(400), START);
        let all: u32 = (0..3000).map(|number| answered(&mut minute, number, 1)).sum();
        assert_eq!((all, minute.clients.len()), (400, CLIENTS_MAX + 1));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        assert_eq!(Minute::new(None, START).count(client(1), START), None);
    }
}
