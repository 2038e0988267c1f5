//! Decide and evolve: the two functions every aggregate is made of.

use schemas::{
    TenantLogEvent,
    audit::{ChangeNoted, FieldChange},
};

/// A thing whose state follows from its events. `Default` is the state before the first event.
pub trait Aggregate: Clone + Default {
    /// What may be asked of it.
    type Command: Sync;
    /// What may have happened to it.
    type Event: Clone + Into<TenantLogEvent>;
    /// Why it refuses.
    type Rejection: std::error::Error;

    /// The events a command leads to, all of one audit and in order. None when the command would change nothing.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. It never refuses: what is in the log has happened.
    fn evolve(&mut self, event: &Self::Event);

    /// What an event changes of the tenant's settings, people and keys, seen from before it: for the audit log. Nothing, of what
    /// people do all day.
    fn change(&self, _event: &Self::Event) -> Option<ChangeNoted> {
        None
    }

    /// The event, when it is one of this aggregate's.
    fn pick(event: TenantLogEvent) -> Option<Self::Event>;

    /// The state after `events`, oldest first.
    #[must_use]
    fn after<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self
    where
        Self::Event: 'a,
    {
        events.into_iter().fold(Self::default(), |mut state, event| {
            state.evolve(event);
            state
        })
    }
}

/// A field that held one thing and holds another now.
pub(crate) fn changed<T: ToString>(field: &str, old: Option<T>, new: Option<T>) -> FieldChange {
    let text = |value: Option<T>| value.map(|value| value.to_string());
    FieldChange { field: field.to_owned(), old: text(old), new: text(new) }
}

/// A field of which it is said that it changed, and no more.
pub(crate) fn said(field: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), old: None, new: None }
}
