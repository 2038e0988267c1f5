//! What can stop the archive of a tenant.

use archive::SignedError;
use jiff::Timestamp;
use schemas::{Hash, Position, RegionId, TenantId};

/// A failed step, or a reason to refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Delivered events could not be compared with the log.
    #[error("cannot ask the log about delivered events")]
    Topic(#[source] topic::Error),
    /// The database did not give a connection, or a transaction failed.
    #[error("the database is not available")]
    Database(#[source] sqlx::Error),
    /// The event log could not be read or written.
    #[error("cannot read or seal the log")]
    Log(#[source] eventlog::Error),
    /// The wrapped keys could not be read.
    #[error("cannot export keys")]
    Keys(#[source] vault::Error),
    /// The region's signing keys cannot be used.
    #[error("cannot sign")]
    Signing(#[source] crate::signing::Error),
    /// A tree head could not be proven to follow on an older one.
    #[error("cannot prove how the log has grown")]
    Proof(#[source] auditor::log::Error),
    /// A witness says nothing.
    #[error("cannot have tree heads cosigned")]
    Witness(#[source] crate::witnesses::Error),
    /// The bucket refused, or is not where it should be.
    #[error("the bucket is not available")]
    Bucket(#[source] regions::Error),
    /// An object could not be read for verification.
    #[error("cannot read the archive back")]
    ReadBack(#[source] auditor::source::Error),
    /// Another replicator moved the tenant's archive meanwhile, or a restore the tenant's log; the next try sees what became of it.
    #[error("the tenant's archive or log was moved meanwhile")]
    Contended,
    /// The tenant is not active here.
    #[error("tenant {tenant_id} is not at home here, or is being moved")]
    NotAtHome {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The newest backup names a tenant that the database does not know.
    #[error(
        "tenant {tenant_id} was backed up before and is not in the database, which was lost or put back: \
         `domicile restore` brings it from its archive"
    )]
    Lost {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The bucket holds more than this database ever sealed: the database was restored to an older state. Writing on would
    /// make a second history.
    #[error(
        "the archive reaches position {published}, this database has sealed {sealed}: it is older than its archive"
    )]
    PublishedAhead {
        /// How far the published checkpoint or manifest reaches.
        published: u64,
        /// How far the database has sealed.
        sealed: u64,
    },
    /// Database and bucket tell different histories.
    #[error("database and archive disagree on the tree of {size} events: {what}")]
    Inconsistent {
        /// At which size.
        size: u64,
        /// In what.
        what: &'static str,
    },
    /// The bucket has lost a manifest that was published.
    #[error("position {archived} was archived, the newest manifest reaches {published}: the bucket lost objects")]
    ArchiveLost {
        /// The mark "archived".
        archived: Position,
        /// How far the newest manifest reaches.
        published: u64,
    },
    /// A manifest is not what one of this region's keys signed.
    #[error("{object}: not signed by a key of this region")]
    NotOurs {
        /// Which object.
        object: String,
        /// Why not.
        #[source]
        source: SignedError,
    },
    /// A checkpoint cannot be trusted.
    #[error("the published checkpoint cannot be trusted")]
    Checkpoint(#[source] archive::checkpoint::Error),
    /// The tree's objects are not those of the newest manifest.
    #[error("{object}: the tree's last objects are not those of the newest manifest")]
    TreeDamaged {
        /// Which object.
        object: String,
    },
    /// An object that is written once is there already with other bytes.
    #[error("{object}: exists with other bytes")]
    ObjectDiffers {
        /// Which object.
        object: String,
    },
    /// A file that an event names is not in the bucket.
    #[error("position {position}: the file {blob} is not in the bucket")]
    AttachmentMissing {
        /// The event's position.
        position: Position,
        /// The file.
        blob: Hash,
    },
    /// Events that no generation can hold.
    #[error("the log's events cannot be archived")]
    Generation(#[source] archive::generation::Error),
    /// There is no such backup.
    #[error("backup {backup_id}: not found")]
    NoSuchBackup {
        /// Which one.
        backup_id: String,
    },
    /// This machine's clock is behind the newest backup.
    #[error("this machine's clock says {now}, and backup {backup_id} was made at {completed_at}: set the clock first")]
    ClockBehind {
        /// This machine's time.
        now: Timestamp,
        /// The newest backup.
        backup_id: String,
        /// When it was made.
        completed_at: Timestamp,
    },
    /// There is no such drill.
    #[error("drill {drill_id}: not found")]
    NoSuchDrill {
        /// Which one.
        drill_id: String,
    },
    /// What lies at a drill's place says that it is another one.
    #[error("{object}: is drill {drill_id} of region {region}")]
    AnotherDrill {
        /// Which object.
        object: String,
        /// The id it names.
        drill_id: String,
        /// The region it names.
        region: RegionId,
    },
    /// What lies at a backup's place says that it is another one.
    #[error("{object}: is backup {backup_id} of region {region}")]
    AnotherBackup {
        /// Which object.
        object: String,
        /// The id it names.
        backup_id: String,
        /// The region it names.
        region: RegionId,
    },
}

impl Error {
    /// Whether the same step may succeed a little later without anybody's help. Everything else needs an operator, and
    /// halts the tenant's archive visibly.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(_)
            | Self::Topic(_)
            | Self::Keys(_)
            | Self::Signing(_)
            | Self::Witness(_)
            | Self::Proof(auditor::log::Error::Source(_))
            | Self::Contended
            | Self::NotAtHome { .. }
            | Self::ReadBack(_) => true,
            Self::Bucket(error) => !error.is_refused_bucket(),
            Self::Log(error) => !matches!(error, eventlog::Error::Unreadable { .. }),
            _ => false,
        }
    }

    /// Whether it concerns one tenant or object, and not a store that all of them need.
    pub fn is_of_one(&self) -> bool {
        match self {
            Self::Database(_)
            | Self::Topic(_)
            | Self::Bucket(_)
            | Self::ReadBack(_)
            | Self::Signing(_)
            | Self::Witness(_) => false,
            Self::Proof(error) => !matches!(error, auditor::log::Error::Source(_)),
            Self::Log(error) => matches!(error, eventlog::Error::Unreadable { .. }),
            _ => true,
        }
    }

    /// What failed, with the whole chain of causes, on one line.
    pub(crate) fn chain(&self) -> String {
        runtime::chain(self)
    }
}
