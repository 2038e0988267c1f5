//! Decide and evolve: the two functions every aggregate is made of.

use schemas::TenantLogEvent;

/// A thing whose state follows from its events. `Default` is the state before the first event.
pub trait Aggregate: Clone + Default {
    /// What may be asked of it.
    type Command;
    /// What may have happened to it.
    type Event: Clone + Into<TenantLogEvent>;
    /// Why it refuses.
    type Rejection: std::error::Error;

    /// The events a command leads to, all of one audit and in order. None when the command would change nothing.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. It never refuses: what is in the log has happened.
    fn evolve(&mut self, event: &Self::Event);

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
