//! Why a command was not carried out.

use schemas::{StreamName, TenantId};

/// A business refusal, or a failure of the path itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal<R: std::error::Error + 'static> {
    /// The rules say no.
    #[error("rejected")]
    Rejected(#[source] R),
    /// The path failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl<R: std::error::Error + 'static> Refusal<R> {
    /// The conflict of a decision at a version that was read before, for [`retried`](super::retried) to decide anew.
    ///
    /// # Errors
    ///
    /// Any other refusal.
    pub(crate) fn conflict(self) -> Result<Failure, Self> {
        match self {
            Self::Failed(conflict @ Failure::Conflict { .. }) => Ok(conflict),
            refusal => Err(refusal),
        }
    }
}

/// A failure of the write path, by step.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No connection, or no transaction on it.
    #[error("cannot begin to read the log")]
    Begin(#[source] sqlx::Error),
    /// The stream could not be read.
    #[error("cannot read the log")]
    Read(#[source] eventlog::Error),
    /// Its payloads could not be opened.
    #[error("cannot open what the log holds")]
    Open(#[source] vault::Error),
    /// A payload opened, and is none of ours.
    #[error("cannot decode what the log holds")]
    Decode(#[source] schemas::DecodeError),
    /// A stream holds an event of another aggregate.
    #[error("{stream} holds a {event_type}, which is none of its events")]
    ForeignEvent {
        /// Which stream.
        stream: StreamName,
        /// What it holds.
        event_type: String,
    },
    /// The keys for the new events could not be had.
    #[error("cannot get the keys to seal with")]
    Keys(#[source] vault::Error),
    /// Somebody else wrote the stream since the client looked, or again and again while we tried.
    #[error("{stream} is at another version than expected")]
    Conflict {
        /// Which stream.
        stream: StreamName,
    },
    /// The tenant moved away, or its epoch changed.
    #[error("{tenant_id} is not at home here")]
    NotAtHome {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The idempotency key belongs to another request.
    #[error("the idempotency key belongs to another request")]
    IdempotencyKeyReused,
    /// Too many appends of this tenant wait.
    #[error("too many appends of {tenant_id} wait")]
    TenantOverloaded {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// Too many appends wait.
    #[error("too many appends wait")]
    Overloaded,
    /// The database cannot take more.
    #[error("the store is full")]
    StoreFull,
    /// The database does not answer; nothing was written.
    #[error("the store cannot be reached")]
    Unreachable,
    /// The connection broke while the append was under way.
    #[error("the outcome of the append is not known")]
    OutcomeUnknown(#[source] eventlog::Error),
    /// The append failed otherwise; nothing was written.
    #[error("cannot append")]
    Append(#[source] eventlog::Error),
}

impl From<eventlog::Error> for Failure {
    fn from(error: eventlog::Error) -> Self {
        match error {
            eventlog::Error::WrongExpectedVersion { stream, .. } => Self::Conflict { stream },
            eventlog::Error::NotAtHome { tenant_id, .. } => Self::NotAtHome { tenant_id },
            eventlog::Error::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            eventlog::Error::TenantOverloaded { tenant_id } => Self::TenantOverloaded { tenant_id },
            eventlog::Error::Overloaded | eventlog::Error::Busy { .. } => Self::Overloaded,
            eventlog::Error::StoreFull => Self::StoreFull,
            eventlog::Error::Unavailable => Self::Unreachable,
            unknown @ eventlog::Error::OutcomeUnknown { .. } => Self::OutcomeUnknown(unknown),
            other => Self::Append(other),
        }
    }
}
