//! What can fail in a projector, by step.

use schemas::TicketId;

/// A step of the projector that failed. The next sweep tries again; an event's own fault is no error but a halt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The read models' tables could not be made.
    #[error("could not bring the schema read up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// No connection to be had, or a transaction that did not begin or commit.
    #[error("could not begin or commit a transaction of the read models")]
    Transaction(#[source] sqlx::Error),
    /// A checkpoint could not be read or moved.
    #[error("could not read or move a checkpoint")]
    Checkpoint(#[source] sqlx::Error),
    /// A tenant's home could not be proven.
    #[error("could not prove where the tenant is at home")]
    Resident(#[source] sqlx::Error),
    /// The log could not be read.
    #[error("could not read the log")]
    Read(#[source] eventlog::Error),
    /// Delivered events could not be compared with the log.
    #[error("could not ask the log about delivered events")]
    Topic(#[source] topic::Error),
    /// Payloads could not be opened, through no fault of theirs.
    #[error("could not open payloads")]
    Open(#[source] vault::Error),
    /// The rows could not be written, through no fault of the events.
    #[error("could not write the rows of {projection}")]
    Write {
        /// Which projection's.
        projection: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Rows could not be compared.
    #[error("could not compare the table {table}")]
    Table {
        /// Which.
        table: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// No connection as the owner, who alone makes and drops tables.
    #[error("could not connect as the owner of the read models")]
    Owner(#[source] regions::Error),
    /// A build could not be looked up, made, completed, switched or dropped.
    #[error("could not look up or change the builds of the read models")]
    Builds(#[source] sqlx::Error),
    /// Two at once would take each other's builds away.
    #[error("{projection} is being rebuilt or checked by somebody else")]
    UnderWay {
        /// Which projection.
        projection: &'static str,
    },
    /// No build of that version, or one that cannot do what was asked.
    #[error("version: {projection} {problem}")]
    UnfitBuild {
        /// Which projection.
        projection: &'static str,
        /// What is the matter with the version.
        problem: String,
    },
    /// The tenants that are behind could not be listed.
    #[error("could not compare heads with checkpoints")]
    Sweep(#[source] sqlx::Error),
    /// A name no projection has.
    #[error("projection: takes {takes}, not {name:?}")]
    UnknownProjection {
        /// What was asked for.
        name: String,
        /// What there is.
        takes: String,
    },
    /// A tenant that is not at home here.
    #[error("tenant {0} is not at home in this region")]
    UnknownTenant(schemas::TenantId),
}

/// Why a projection could not apply events.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// The database refused, or was not there.
    Database(sqlx::Error),
    /// An event changes something that no event made.
    Missing(Missing),
}

/// What an event presupposes and the read model does not have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Missing {
    /// The tenant was never registered.
    Account,
    /// The person was never added.
    Person(schemas::PersonId),
    /// The ticket was never opened.
    Ticket(TicketId),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Missing> for ApplyError {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl ApplyError {
    /// Why the *event* is at fault, without data of it; `Err` when the store is.
    pub(crate) fn into_reason(self) -> Result<String, sqlx::Error> {
        match self {
            Self::Missing(Missing::Account) => Ok("changes a tenant that was never registered".to_owned()),
            Self::Missing(Missing::Person(id)) => Ok(format!("changes person {id}, who was never added")),
            Self::Missing(Missing::Ticket(id)) => Ok(format!("changes ticket {id}, which was never opened")),
            Self::Database(error) => database_reason(&error).ok_or(error),
        }
    }
}

/// Postgres' messages quote values, so only the code and the constraint's name are told (PostgreSQL, appendix A).
fn database_reason(error: &sqlx::Error) -> Option<String> {
    let sqlx::Error::Database(refusal) = error else { return None };
    let code = refusal.code()?;
    // 21 cardinality, 22 data, 23 constraint, 54 limits: what an event can cause. Everything else passes, or is a
    // defect of ours.
    if !["21", "22", "23", "54"].contains(&code.get(..2)?) {
        return None;
    }
    let constraint = refusal.constraint().map(|name| format!(" by {name}")).unwrap_or_default();
    Some(format!("the rows were refused{constraint} (SQLSTATE {code})"))
}
