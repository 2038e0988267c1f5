//! What the desk reads: one module per read model, and the tenant's own log where an answer must not lag.
//!
//! Every function takes a connection inside a transaction of `Desk::reading`, so that row-level security stands behind
//! the `where tenant_id = $1` that begins each statement's condition. Nothing here writes, decides or knows HTTP.
//!
//! Statements name tables without a schema: a read model may exist in several builds, and the transaction's search path
//! leads to those that serve.
//!
//! Lists are read in two steps: the ids of a [`Window`], then the rows of those ids. The second step is the same for a
//! page, for one row and for `show_many`, so each table's columns are listed once.

pub(crate) mod accesses;
pub(crate) mod account;
pub(crate) mod attachments;
pub(crate) mod audit_log;
pub(crate) mod audits;
pub(crate) mod automations;
pub(crate) mod changes;
pub(crate) mod comments;
pub(crate) mod groups;
pub(crate) mod identities;
pub(crate) mod jobs;
mod list;
pub(crate) mod log;
pub(crate) mod memberships;
pub(crate) mod organizations;
pub(crate) mod people;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod ticket_fields;
pub(crate) mod ticket_metrics;
pub(crate) mod tickets;
pub(crate) mod views;
pub(crate) mod webhooks;

use schemas::PersonId;

pub(crate) use self::list::List;

/// Part of a list sorted by id, as the SQL wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Rows above this id.
    pub(crate) after: i64,
    /// When set, the rows just below this id instead, found from the top.
    pub(crate) before: Option<i64>,
    /// At most this many.
    pub(crate) limit: i64,
    /// Leaving out this many first.
    pub(crate) offset: i64,
    /// Whether it is a page by offset: only these may be sorted by something else than the id.
    pub(crate) is_by_offset: bool,
}

/// Whose tickets and comments a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All tickets, all comments: agents.
    Everything,
    /// The tickets this person requested, as far as they are public: end users.
    Own(PersonId),
}

impl Sight {
    /// The requester to filter by, if any.
    pub(crate) fn requester(self) -> Option<i64> {
        match self {
            Self::Everything => None,
            Self::Own(person) => Some(person.get()),
        }
    }
}
