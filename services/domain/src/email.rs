//! Who holds an address within a tenant: the reservation that keeps two people from having the same one.
//!
//! The stream's name is a blind index, so neither the commands nor the events know the address.

use schemas::{
    PersonId, TenantLogEvent,
    person::{EmailClaimed, EmailEvent, EmailReleased},
};

use crate::aggregate::Aggregate;

/// An address, held by a person or by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmailClaim {
    holder: Option<PersonId>,
}

impl EmailClaim {
    /// Who holds the address.
    pub const fn holder(&self) -> Option<PersonId> {
        self.holder
    }
}

/// What may be asked of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Take it for a person.
    Claim {
        /// The person.
        person: PersonId,
    },
    /// Give it up for a person.
    Release {
        /// The person.
        person: PersonId,
    },
}

/// Why an address refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Somebody else holds it.
    #[error("email: takes an address that no other person has")]
    Taken {
        /// Who does.
        holder: PersonId,
    },
}

impl Aggregate for EmailClaim {
    type Command = Command;
    type Event = EmailEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<EmailEvent>, Rejection> {
        match (*command, self.holder) {
            // free -> held
            (Command::Claim { person }, None) => Ok(vec![EmailClaimed { person }.into()]),
            // held -> free
            (Command::Release { person }, Some(holder)) if holder == person => {
                Ok(vec![EmailReleased { person }.into()])
            }
            (Command::Claim { person }, Some(holder)) if holder == person => Ok(Vec::new()),
            (Command::Release { .. }, None) => Ok(Vec::new()),
            (Command::Claim { .. } | Command::Release { .. }, Some(holder)) => Err(Rejection::Taken { holder }),
        }
    }

    fn evolve(&mut self, event: &EmailEvent) {
        self.holder = match event {
            EmailEvent::EmailClaimed(claimed) => Some(claimed.person),
            EmailEvent::EmailReleased(_) => None,
        };
    }

    fn pick(event: TenantLogEvent) -> Option<EmailEvent> {
        match event {
            TenantLogEvent::Email(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::given;

    const ADA: PersonId = PersonId::new(1);
    const BOB: PersonId = PersonId::new(2);

    fn claimed(person: PersonId) -> EmailEvent {
        EmailClaimed { person }.into()
    }

    fn released(person: PersonId) -> EmailEvent {
        EmailReleased { person }.into()
    }

    #[test]
    fn a_free_address_is_claimed() {
        given::<EmailClaim>([]).when(Command::Claim { person: ADA }).then([claimed(ADA)]);
        given::<EmailClaim>([claimed(ADA), released(ADA)]).when(Command::Claim { person: BOB }).then([claimed(BOB)]);
    }

    #[test]
    fn an_address_has_one_holder() {
        let taken = Rejection::Taken { holder: ADA };
        given::<EmailClaim>([claimed(ADA)]).when(Command::Claim { person: BOB }).then_refused(taken);
        given::<EmailClaim>([claimed(ADA)]).when(Command::Release { person: BOB }).then_refused(taken);
    }

    #[test]
    fn claiming_or_releasing_twice_changes_nothing() {
        given::<EmailClaim>([claimed(ADA)]).when(Command::Claim { person: ADA }).then_nothing();
        given::<EmailClaim>([claimed(ADA), released(ADA)]).when(Command::Release { person: ADA }).then_nothing();
    }
}
