//! A caller that waits for its append, and what it may be told.

use schemas::TenantId;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    append::{Append, Appended},
    appender::batch::Outcome,
    error::Error,
};

/// A caller in a queue.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) append: Append,
    pub(crate) arrived: Instant,
    pub(crate) answer: oneshot::Sender<Result<Appended, Error>>,
    /// Whether it was once sent on a connection that broke, so that it may have been appended.
    pub(crate) was_sent: bool,
}

impl Waiting {
    pub(crate) fn tenant_id(&self) -> TenantId {
        self.append.resident.tenant_id()
    }

    /// What it takes of a batch.
    pub(crate) fn size(&self) -> usize {
        self.append.event_count().max(1)
    }

    pub(crate) fn result(&self, outcome: &Outcome) -> Result<Appended, Error> {
        match (outcome.result(&self.append), self.was_sent) {
            // The backend that the connection was lost to may still come to its turn, and find the tenant at home again.
            (Err(Error::NotAtHome { .. }), true) => Err(self.unknown()),
            (result, _) => result,
        }
    }

    /// The database rolled it back and said why.
    pub(crate) fn refuse(self, error: &sqlx::Error) {
        let refusal = match error.as_database_error().and_then(|error| error.code()).as_deref() {
            // insufficient_resources, disk_full
            Some("53000" | "53100") => Error::StoreFull,
            _ => Error::Append(sqlx::Error::Protocol(error.to_string())),
        };
        self.end(refusal);
    }

    /// Somebody else holds its tenant's head row, for too long.
    pub(crate) fn refuse_as_busy(self) {
        let tenant_id = self.tenant_id();
        self.end(Error::Busy { tenant_id });
    }

    /// Nobody will send it, or nobody will send it again.
    pub(crate) fn give_up(self) {
        self.end(Error::Unavailable);
    }

    fn end(self, refusal: Error) {
        let refusal = if self.was_sent { self.unknown() } else { refusal };
        // A caller that went away is no concern of its neighbours.
        let _ = self.answer.send(Err(refusal));
    }

    const fn unknown(&self) -> Error {
        Error::OutcomeUnknown { command_id: self.append.command_id }
    }
}
