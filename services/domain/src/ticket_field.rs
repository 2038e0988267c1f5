//! Fields that a tenant makes for its tickets: what they are called, what they take, and what a value of them is.
//!
//! ```text
//! nothing --make--> made --change--> … --delete--> deleted   (final)
//! ```
//!
//! Files: `check` is what may be said of a field, `value` what it takes on a ticket.

mod check;
mod value;

use schemas::{
    Personal, TenantLogEvent, TicketFieldId,
    audit::ChangeNoted,
    ticket_field::{FieldDefinition, TicketFieldChanged, TicketFieldDeleted, TicketFieldEvent, TicketFieldMade},
    values::{AuditAction, AuditSource, FieldKind},
};

pub use self::check::OPTIONS_MAX;
use crate::{
    aggregate::{Aggregate, said},
    text::Invalid,
};

/// A field, or the id of one that nobody made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketField {
    known: Option<Known>,
    is_deleted: bool,
}

/// A field that is there: what a ticket's rules need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub field: TicketFieldId,
    /// What its values are.
    pub kind: FieldKind,
    /// What else is said of it.
    pub definition: Personal<FieldDefinition>,
}

impl TicketField {
    /// What is known of it, while it is there.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref().filter(|_| !self.is_deleted)
    }
}

/// What may be asked of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Make(Known),
    /// Say something else of it.
    Change(Personal<FieldDefinition>),
    /// Delete it.
    Delete,
}

/// Why a field refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field of the definition holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// There is no such field.
    #[error("there is no such ticket field")]
    Unknown,
    /// The id is in use.
    #[error("the ticket field was made already")]
    AlreadyExists,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}

impl Aggregate for TicketField {
    type Command = Command;
    type Event = TicketFieldEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<TicketFieldEvent>, Rejection> {
        match (command, self.known()) {
            (Command::Make(_), _) if self.known.is_some() => Err(Rejection::AlreadyExists),
            (Command::Make(Known { field, kind, definition }), _) => {
                let definition = check::definition(*kind, definition.expose())?.into();
                Ok(vec![TicketFieldMade { field: *field, kind: *kind, definition }.into()])
            }
            (_, None) => Err(Rejection::Unknown),
            (Command::Change(definition), Some(known)) => {
                let definition = check::definition(known.kind, definition.expose())?.into();
                let is_other = definition != known.definition;
                Ok(is_other.then(|| TicketFieldChanged { definition }.into()).into_iter().collect())
            }
            (Command::Delete, Some(_)) => Ok(vec![TicketFieldDeleted {}.into()]),
        }
    }

    fn evolve(&mut self, event: &TicketFieldEvent) {
        match event {
            TicketFieldEvent::TicketFieldMade(made) => {
                let TicketFieldMade { field, kind, definition } = made.clone();
                self.known = Some(Known { field, kind, definition });
            }
            TicketFieldEvent::TicketFieldChanged(changed) => {
                if let Some(known) = &mut self.known {
                    known.definition = changed.definition.clone();
                }
            }
            TicketFieldEvent::TicketFieldDeleted(_) => self.is_deleted = true,
        }
    }

    fn change(&self, event: &TicketFieldEvent) -> Option<ChangeNoted> {
        let title = |definition: &Personal<FieldDefinition>| definition.expose().title.clone();
        let before = self.known.as_ref();
        let (action, field, label) = match event {
            TicketFieldEvent::TicketFieldMade(made) => (AuditAction::Create, Some(made.field), title(&made.definition)),
            TicketFieldEvent::TicketFieldChanged(changed) => {
                (AuditAction::Update, before.map(|known| known.field), title(&changed.definition))
            }
            TicketFieldEvent::TicketFieldDeleted(_) => {
                let label = before.map(|known| title(&known.definition)).unwrap_or_default();
                (AuditAction::Destroy, before.map(|known| known.field), label)
            }
        };
        let source_id = field.map(TicketFieldId::get).unwrap_or_default();
        let changes = vec![said("definition")].into();
        Some(ChangeNoted {
            action,
            source: AuditSource::TicketField,
            source_id,
            person: None,
            label: label.into(),
            changes,
        })
    }

    fn pick(event: TenantLogEvent) -> Option<TicketFieldEvent> {
        match event {
            TenantLogEvent::TicketField(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
