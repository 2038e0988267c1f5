//! What a data key seals: the unit that can be erased alone.

use std::fmt;

use schemas::{AttachmentId, Day, EventId, JobId, OrganizationId, PersonId, TicketId, WebhookId};

/// The scope of a data key. A tenant has one key per scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The tenant's operational events.
    General,
    /// A person's profile and credentials.
    Person(PersonId),
    /// What is known about an organization.
    Organization(OrganizationId),
    /// A ticket's content, but for its comments.
    Ticket(TicketId),
    /// One comment, which may be redacted alone; named by its event.
    Comment(EventId),
    /// One file, which may be redacted alone.
    Attachment(AttachmentId),
    /// A day of the access log, which is kept for as long as the policy says.
    Access(Day),
    /// What was asked of a job, until it is finished.
    Job(JobId),
    /// What a webhook proves itself with, until it is deleted.
    Webhook(WebhookId),
}

impl Scope {
    /// Whether a key that is not in memory is most likely not made yet.
    pub(crate) const fn is_mostly_new(self) -> bool {
        !matches!(self, Self::General)
    }

    /// Whether no second caller ever asks for this scope's key to seal: it is made with the thing it seals.
    pub(crate) const fn is_used_once(self) -> bool {
        matches!(self, Self::Comment(_) | Self::Attachment(_))
    }
}

/// The text in the column `scope`.
impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::General => formatter.write_str("general"),
            Self::Person(id) => write!(formatter, "person-{id}"),
            Self::Organization(id) => write!(formatter, "organization-{id}"),
            Self::Ticket(id) => write!(formatter, "ticket-{id}"),
            Self::Comment(id) => write!(formatter, "comment-{id}"),
            Self::Attachment(id) => write!(formatter, "attachment-{id}"),
            Self::Access(day) => write!(formatter, "access-{day}"),
            Self::Job(id) => write!(formatter, "job-{id}"),
            Self::Webhook(id) => write!(formatter, "webhook-{id}"),
        }
    }
}
