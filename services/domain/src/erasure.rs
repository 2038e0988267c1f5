//! The erasure list of a tenant: which keys are destroyed, and why. It only grows; whether something may be erased is decided
//! where that thing is.

use schemas::{
    TenantLogEvent,
    erasure::{DestroyedKey, ErasureEvent, KeysDestroyed},
    values::ErasureReason,
};

use crate::aggregate::Aggregate;

/// How many keys one event names at most: payloads stay small, however many comments a ticket has.
pub const KEYS_PER_EVENT_MAX: usize = 500;

/// The list; what decides looks only at the command, so an empty one serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erasures {
    keys_destroyed: usize,
}

impl Erasures {
    /// How many keys the list names.
    pub const fn keys_destroyed(&self) -> usize {
        self.keys_destroyed
    }
}

/// Puts keys on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroy {
    /// Why.
    pub reason: ErasureReason,
    /// Which keys.
    pub keys: Vec<DestroyedKey>,
}

/// Nothing refuses an erasure here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {}

impl Aggregate for Erasures {
    type Command = Destroy;
    type Event = ErasureEvent;
    type Rejection = Rejection;

    fn decide(&self, destroy: &Destroy) -> Result<Vec<ErasureEvent>, Rejection> {
        let parts = destroy.keys.chunks(KEYS_PER_EVENT_MAX);
        Ok(parts.map(|keys| KeysDestroyed { reason: destroy.reason, keys: keys.to_vec() }.into()).collect())
    }

    fn evolve(&mut self, event: &ErasureEvent) {
        let ErasureEvent::KeysDestroyed(destroyed) = event;
        self.keys_destroyed += destroyed.keys.len();
    }

    fn pick(event: TenantLogEvent) -> Option<ErasureEvent> {
        match event {
            TenantLogEvent::Erasure(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::KeyId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn many_keys_are_several_events_and_all_are_named_once() {
        let key =
            |number: u128| DestroyedKey { key_id: KeyId::new(Uuid::from_u128(number)), scope: number.to_string() };
        let keys: Vec<_> = (0..1_201).map(key).collect();
        let destroy = Destroy { reason: ErasureReason::TicketErased, keys: keys.clone() };
        let events = Erasures::default().decide(&destroy).expect("nothing refuses");
        let mut list = Erasures::default();
        let named = events.iter().flat_map(|event| {
            list.evolve(event);
            let ErasureEvent::KeysDestroyed(destroyed) = event;
            destroyed.keys.clone()
        });
        assert_eq!((named.collect::<Vec<_>>(), events.len()), (keys, 3));
        assert_eq!(list.keys_destroyed(), 1_201);
    }

    #[test]
    fn no_keys_are_no_event() {
        let destroy = Destroy { reason: ErasureReason::PersonErased, keys: Vec::new() };
        assert_eq!(Erasures::default().decide(&destroy), Ok(Vec::new()));
    }
}
