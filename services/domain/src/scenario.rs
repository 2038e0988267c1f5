//! Given events, when a command, then events or a refusal: how the rules are tested.

use std::fmt::Debug;

use crate::aggregate::Aggregate;

/// An aggregate with a history.
pub(crate) struct Given<A: Aggregate>(A);

/// What came of a command.
pub(crate) struct Outcome<A: Aggregate>(Result<Vec<A::Event>, A::Rejection>);

/// The aggregate after `events`.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let events: Vec<A::Event> = events.into_iter().collect();
    Given(A::after(&events))
}

impl<A: Aggregate> Given<A> {
    /// Decides `command`.
    pub(crate) fn when(self, command: impl Into<A::Command>) -> Outcome<A> {
        Outcome(self.0.decide(&command.into()))
    }
}

impl<A: Aggregate<Event: PartialEq + Debug, Rejection: PartialEq>> Outcome<A> {
    /// Exactly these events.
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = A::Event>) {
        let expected: Vec<A::Event> = events.into_iter().collect();
        // Debug redacts what people wrote, so that the names of the events are all a failure can show.
        assert_eq!(self.0.map_err(|rejection| rejection.to_string()), Ok(expected));
    }

    /// Nothing happened, and nothing was wrong.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    /// This refusal.
    #[track_caller]
    pub(crate) fn then_refused(self, rejection: A::Rejection) {
        let refusal = self.0.expect_err("a refusal");
        assert!(refusal == rejection, "expected: {rejection}, got: {refusal}");
    }

    /// A refusal of a field of the command.
    #[track_caller]
    pub(crate) fn then_refused_field(self, field: &str) {
        let refusal = self.0.expect_err("a refusal").to_string();
        assert!(refusal.starts_with(&format!("{field}: takes ")), "{refusal}");
    }
}
