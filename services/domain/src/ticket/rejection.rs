//! Why a ticket refuses a command.

use schemas::TicketFieldId;

use crate::text::Invalid;

/// Why a ticket refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// There is no such ticket.
    #[error("there is no such ticket")]
    Unknown,
    /// The number is in use.
    #[error("the ticket is open already")]
    AlreadyExists,
    /// Closed is final.
    #[error("the ticket is closed and takes no more changes")]
    Closed,
    /// An end user asks about somebody else's ticket. To be shown as if there were none.
    #[error("the ticket was requested by somebody else")]
    NotYours,
    /// An end user asks for what agents do.
    #[error("{field}: only agents may set this")]
    AgentsOnly {
        /// The field, as the API calls it.
        field: &'static str,
    },
    /// Somebody who is no admin asks for times of the past.
    #[error("only admins import tickets")]
    AdminsImport,
    /// An end user asks to delete a ticket, or to bring one back.
    #[error("only agents delete tickets")]
    AgentsDelete,
    /// Only incidents have a problem.
    #[error("problem_id: takes null, since the ticket is no incident")]
    NoIncident,
    /// A field that the tenant made takes something else.
    #[error("custom_fields.{field}: takes {takes}")]
    Field {
        /// The field.
        field: TicketFieldId,
        /// What it takes.
        takes: String,
    },
    /// Nothing becomes new again.
    #[error("status: takes open, pending, hold, solved, closed: a ticket that was worked on is never new again")]
    NeverNewAgain,
    /// Somebody must have solved it.
    #[error("assignee_id: takes an agent, since the ticket is solved or closed")]
    NeedsAssignee,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}
