//! What can become of a step, when it is not what was asked.

use schemas::{CommandId, Position, RegionId, Slug, StreamName, TenantId, Version};

use crate::append::Expected;

/// A refusal or a failed step. Of an append, every variant but [`Error::OutcomeUnknown`] means that nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The notes of cosigned tree heads could not be read or written.
    #[error("cannot read or write cosigned tree heads")]
    Witness(#[source] sqlx::Error),
    /// Somebody else moved the stream first: read it again, decide again.
    #[error("stream {stream}: expected {expected}, found version {actual}")]
    WrongExpectedVersion {
        /// Which stream.
        stream: StreamName,
        /// What the caller had read.
        expected: Expected,
        /// What the stream is at; 0 if it has no events.
        actual: Version,
    },
    /// The tenant is not active here, or was moved since it was proven resident.
    #[error("tenant {tenant_id} is not at home here")]
    NotAtHome {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The idempotency key came with another request before.
    #[error("the idempotency key was used by another request")]
    IdempotencyKeyReused,
    /// The lane's queue is full, for all tenants: try again later.
    #[error("too many appends are waiting")]
    Overloaded,
    /// The tenant itself has too many appends waiting: its clients are to slow down.
    #[error("tenant {tenant_id}: too many appends are waiting")]
    TenantOverloaded {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// Somebody else holds the tenant's log, and did not let go of it in time: try again later.
    #[error("tenant {tenant_id}: the log is held by somebody else")]
    Busy {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The database has no room for more; the log is whole.
    #[error("the store is full")]
    StoreFull,
    /// The database cannot be reached or is too slow, or the process is ending; nothing was appended.
    #[error("the store cannot be reached")]
    Unavailable,
    /// The connection broke after the append was sent, and what became of it could not be found out in time. Whoever asks again
    /// with the same idempotency key, or with the same command id and expected versions, will learn it.
    #[error("command {command_id}: the connection broke, and the outcome is not known")]
    OutcomeUnknown {
        /// Which command.
        command_id: CommandId,
    },
    /// The append contradicts itself: a mistake of the calling code.
    #[error("malformed append: {what}")]
    Malformed {
        /// In what.
        what: &'static str,
    },
    /// The database refused the append for a reason of its own.
    #[error("cannot append")]
    Append(#[source] sqlx::Error),
    /// A lane could not get its first connection.
    #[error("cannot connect an appender lane")]
    Connect(#[source] regions::Error),
    /// Events could not be read.
    #[error("cannot read events")]
    Read(#[source] sqlx::Error),
    /// A stored event does not read as one.
    #[error("tenant {tenant_id}, position {position}: stored {field} is unreadable")]
    Unreadable {
        /// Whose event.
        tenant_id: TenantId,
        /// Where.
        position: Position,
        /// Which column.
        field: &'static str,
    },
    /// Head rows could not be read.
    #[error("cannot read heads")]
    Heads(#[source] sqlx::Error),
    /// A tenant's row could not be made.
    #[error("cannot create a tenant")]
    CreateTenant(#[source] sqlx::Error),
    /// An id could not be allocated.
    #[error("cannot allocate an id")]
    Allocate(#[source] sqlx::Error),
    /// An idempotency key could not be looked up.
    #[error("cannot look up an idempotency key")]
    Idempotency(#[source] sqlx::Error),
    /// A tree head could not be read or written.
    #[error("cannot access the tree head")]
    TreeHead(#[source] sqlx::Error),
    /// A tree head that is behind the stored one, contradicts it, or is ahead of the log.
    #[error("tenant {tenant_id}: a tree head of size {size} does not follow from what is stored")]
    TreeHeadRefused {
        /// Whose.
        tenant_id: TenantId,
        /// Its size.
        size: Position,
    },
    /// A mark could not be read or written.
    #[error("cannot access the marks")]
    Mark(#[source] sqlx::Error),
    /// A mark behind the stored one, or ahead of the log.
    #[error("tenant {tenant_id}: a mark does not move from where it is to {position}")]
    MarkRefused {
        /// Whose.
        tenant_id: TenantId,
        /// Where it should go.
        position: Position,
    },
    /// A tenant could not be closed.
    #[error("cannot hold a tenant that is behind its archive")]
    Hold(#[source] sqlx::Error),
    /// A restore could not read or write the log.
    #[error("cannot restore the log")]
    Restore(#[source] sqlx::Error),
    /// Nobody has begun to restore the tenant, or somebody has finished meanwhile.
    #[error("tenant {tenant_id}: is not being restored")]
    NotBeingRestored {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The name of a tenant that is to be restored is another's here.
    #[error("tenant {tenant_id}: its name {slug} is another tenant's in this database")]
    NameTaken {
        /// Which tenant.
        tenant_id: TenantId,
        /// Its name.
        slug: Slug,
    },
    /// The log holds another event than the archive, sound in itself: it was continued from an older state.
    #[error(
        "tenant {tenant_id}: from position {position} on the database holds {events} events that are not those of the archive"
    )]
    Forked {
        /// Which tenant.
        tenant_id: TenantId,
        /// The first position that differs.
        position: Position,
        /// Events from there on.
        events: i64,
    },
    /// What was appended after the newest archived event is damaged, and there is no copy of it.
    #[error(
        "tenant {tenant_id}: position {position} is missing or damaged, the archive ends before it, and {events} events \
         stand from there on"
    )]
    TailDamaged {
        /// Which tenant.
        tenant_id: TenantId,
        /// The first position that is missing or damaged.
        position: Position,
        /// Events from there on.
        events: i64,
    },
    /// The migrations failed.
    #[error("cannot migrate the log's schema")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The database's region could not be written or read.
    #[error("cannot write the database's home region")]
    Home(#[source] sqlx::Error),
    /// The database belongs to another region.
    #[error("the database belongs to region {found}, not {region}")]
    AnotherHome {
        /// Which region was asked for.
        region: RegionId,
        /// Which region the database names.
        found: String,
    },
    /// Notifications could not be listened to.
    #[error("cannot listen to wake-ups")]
    Listen(#[source] regions::Error),
    /// The channel of wake-ups could not be subscribed to.
    #[error("cannot subscribe to wake-ups")]
    Subscribe(#[source] sqlx::Error),
}

impl Error {
    /// The refusal's label in metrics.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::WrongExpectedVersion { .. } => "wrong_expected_version",
            Self::NotAtHome { .. } => "not_at_home",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::Overloaded => "overloaded",
            Self::TenantOverloaded { .. } => "tenant_overloaded",
            Self::Busy { .. } => "busy",
            Self::StoreFull => "store_full",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Malformed { .. } => "malformed",
            _ => "failed",
        }
    }
}
