//! Who holds a value that only one may have: the name of an organization, an id elsewhere, a telephone number.
//!
//! As with addresses ([`crate::email`]) the stream's name is a blind index of what kind of value it is and of the value itself, so neither
//! the commands nor the events know it.

use schemas::{
    TenantLogEvent,
    claim::{ClaimEvent, ValueClaimed, ValueReleased},
};

use crate::aggregate::Aggregate;

/// A value, held by somebody or by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    holder: Option<i64>,
}

impl Claim {
    /// Whose the value is, by number.
    pub const fn holder(&self) -> Option<i64> {
        self.holder
    }
}

/// What may be asked of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Take it.
    Take {
        /// For whom.
        holder: i64,
    },
    /// Give it up.
    Release {
        /// Whose it was.
        holder: i64,
    },
}

/// Why a value refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Another holds it.
    #[error("takes a value that no other has")]
    Taken {
        /// Which.
        holder: i64,
    },
}

impl Aggregate for Claim {
    type Command = Command;
    type Event = ClaimEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<ClaimEvent>, Rejection> {
        match (*command, self.holder) {
            // free -> held
            (Command::Take { holder }, None) => Ok(vec![ValueClaimed { holder }.into()]),
            (Command::Take { holder }, Some(held)) if held != holder => Err(Rejection::Taken { holder: held }),
            // held -> free
            (Command::Release { holder }, Some(held)) if held == holder => Ok(vec![ValueReleased { holder }.into()]),
            // What is another's stays: whoever releases a value never held it then.
            (Command::Take { .. } | Command::Release { .. }, _) => Ok(Vec::new()),
        }
    }

    fn evolve(&mut self, event: &ClaimEvent) {
        self.holder = match event {
            ClaimEvent::ValueClaimed(claimed) => Some(claimed.holder),
            ClaimEvent::ValueReleased(_) => None,
        };
    }

    fn pick(event: TenantLogEvent) -> Option<ClaimEvent> {
        match event {
            TenantLogEvent::Claim(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::given;

    fn claimed(holder: i64) -> ClaimEvent {
        ValueClaimed { holder }.into()
    }

    #[test]
    fn a_value_has_one_holder_until_it_is_given_up() {
        given::<Claim>([]).when(Command::Take { holder: 1 }).then([claimed(1)]);
        given::<Claim>([claimed(1)]).when(Command::Take { holder: 1 }).then_nothing();
        given::<Claim>([claimed(1)]).when(Command::Take { holder: 2 }).then_refused(Rejection::Taken { holder: 1 });
        let released = ClaimEvent::from(ValueReleased { holder: 1 });
        given::<Claim>([claimed(1)]).when(Command::Release { holder: 1 }).then([released.clone()]);
        given::<Claim>([claimed(1)]).when(Command::Release { holder: 2 }).then_nothing();
        given::<Claim>([claimed(1), released]).when(Command::Take { holder: 2 }).then([claimed(2)]);
    }

    proptest! {
        #[test]
        fn nobody_takes_what_is_held(commands in proptest::collection::vec((any::<bool>(), 1..4_i64), 0..20)) {
            let mut claim = Claim::default();
            for (takes, holder) in commands {
                let before = claim.holder();
                let command = if takes { Command::Take { holder } } else { Command::Release { holder } };
                if let Ok(events) = claim.decide(&command) {
                    events.iter().for_each(|event| claim.evolve(event));
                    prop_assert!(before.is_none() || claim.holder().is_none() || claim.holder() == before);
                } else {
                    prop_assert!(takes && before.is_some_and(|held| held != holder));
                }
            }
        }
    }
}
