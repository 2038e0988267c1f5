//! Tickets: somebody wants something, people talk about it, and it has a status until it is closed.
//!
//! What moves a ticket when nobody sets a status:
//!
//! ```text
//!   new --an agent's public reply, an assignee--> open <--a public comment of the requester-- pending, solved
//! ```
//!
//! An agent may set any status at any time, except that nothing returns to new and nothing leaves closed. The requester
//! may set solved. Whatever is solved or closed has an assignee.
//!
//! ```text
//!   there <--restore-- deleted --erase--> erased
//!         --delete-->                     (final: to everybody as if it had never been)
//! ```
//!
//! Files: [`Command`] is what may be asked, [`Rejection`] why it is refused, `decide` the rules in between, `access` what an
//! end user may ask, [`fired`] what the tenant's triggers do because of it, `evolve` what the events make of a ticket.

mod access;
mod command;
mod decide;
mod evolve;
mod rejection;

pub use command::{AddComment, By, Changes, Circle, Command, Comment, Erase, Fields, Further, Imported, Open, Update};
pub use decide::{by_people, fired};
use std::collections::BTreeMap;

use jiff::Timestamp;
pub use rejection::Rejection;
use schemas::{
    GroupId, PersonId, Personal, TenantLogEvent, TicketFieldId, TicketId,
    audit::ChangeNoted,
    ticket::TicketEvent,
    ticket_field::FieldValue,
    values::{AuditAction, AuditSource, Channel, Priority, Status, TicketType},
};

use crate::aggregate::{Aggregate, said};

/// How many files come with one comment at most.
pub const ATTACHMENTS_MAX: usize = 100;

/// How many people get copies of a ticket's mails, or follow it, at most.
pub const CIRCLE_MAX: usize = 48;

/// A ticket, or the number of one that is not opened yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ticket {
    details: Option<Details>,
    is_erased: bool,
}

/// What is known about an opened ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Who wants something.
    pub requester: PersonId,
    /// Who typed it in.
    pub submitter: PersonId,
    /// What it is about.
    pub subject: Personal<String>,
    /// The first comment.
    pub description: Personal<String>,
    /// Where it is in its life.
    pub status: Status,
    /// How urgent.
    pub priority: Option<Priority>,
    /// What kind.
    pub ticket_type: Option<TicketType>,
    /// Who works on it.
    pub assignee: Option<PersonId>,
    /// Which group does.
    pub group: Option<GroupId>,
    /// Words to find it by, sorted, each once.
    pub tags: Personal<Vec<String>>,
    /// Where it came in.
    pub channel: Channel,
    /// The id it has elsewhere.
    pub external_id: Personal<Option<String>>,
    /// When it is to be done.
    pub due_at: Option<Timestamp>,
    /// The problem it is an incident of.
    pub problem: Option<TicketId>,
    /// Who gets copies of its mails, sorted.
    pub email_ccs: Vec<PersonId>,
    /// Which agents follow it, sorted.
    pub followers: Vec<PersonId>,
    /// The tenant's address it was sent to.
    pub recipient: Personal<Option<String>>,
    /// The closed ticket it follows up.
    pub followup_of: Option<TicketId>,
    /// What the fields hold that the tenant made.
    pub fields: Personal<BTreeMap<TicketFieldId, FieldValue>>,
    /// Whether it has a public comment.
    pub is_public: bool,
    /// How many comments it has, public and internal.
    pub comment_count: u64,
    /// Whether it was put away: then it takes nothing but to be restored or erased.
    pub is_deleted: bool,
}

impl Ticket {
    /// What is known about it, once it is opened.
    pub const fn details(&self) -> Option<&Details> {
        self.details.as_ref()
    }

    /// Whether it was erased: what it said is known to nobody.
    pub const fn is_erased(&self) -> bool {
        self.is_erased
    }

    /// Where it is in its life, once it is opened.
    pub fn status(&self) -> Option<Status> {
        self.details.as_ref().map(|details| details.status)
    }
}

impl Aggregate for Ticket {
    type Command = Command;
    type Event = TicketEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<TicketEvent>, Rejection> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &TicketEvent) {
        evolve::evolve(self, event);
    }

    /// What people write is in the ticket's own audits; that one was put away, brought back or erased is the admins' business too. A
    /// ticket does not know its number: whoever keeps its stream does.
    fn change(&self, event: &TicketEvent) -> Option<ChangeNoted> {
        let (action, field) = match event {
            TicketEvent::TicketDeleted(_) => (AuditAction::Destroy, "deleted"),
            TicketEvent::TicketRestored(_) => (AuditAction::Update, "restored"),
            TicketEvent::TicketErased(_) => (AuditAction::Destroy, "erased"),
            _ => return None,
        };
        let (source, label, changes) = (AuditSource::Ticket, String::new().into(), vec![said(field)].into());
        Some(ChangeNoted { action, source, source_id: 0, person: None, label, changes })
    }

    fn pick(event: TenantLogEvent) -> Option<TicketEvent> {
        match event {
            TenantLogEvent::Ticket(event) => Some(event),
            _ => None,
        }
    }
}
