//! What can stop a restore.

use jiff::Timestamp;
use schemas::{Position, RegionId, Slug, TenantId};

/// A failed step, or a reason to refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not let its owner in.
    #[error("cannot connect to the database")]
    Connect(#[source] regions::Error),
    /// The log could not be read or written, or is not what it must be.
    #[error(transparent)]
    Log(#[from] eventlog::Error),
    /// Keys could not be read or stored, or are not the tenant's.
    #[error(transparent)]
    Keys(#[from] vault::Error),
    /// The archive or the backup could not be read, or is not the region's.
    #[error(transparent)]
    Archive(#[from] replicator::Error),
    /// The bucket does not answer.
    #[error("the bucket is not available")]
    Bucket(#[source] regions::Error),
    /// The archive does not give its events.
    #[error("cannot read the archive's events")]
    Events(#[source] auditor::events::Error),
    /// Read models could not be emptied.
    #[error("cannot empty the tenant's read models")]
    ReadModels(#[source] projector::Error),
    /// The region has tenants already.
    #[error(
        "region {region} is not empty: it holds {}; a whole region is restored into an empty database, \
         a single tenant by `domicile restore tenant`",
        shortened(tenants)
    )]
    NotEmpty {
        /// Which region.
        region: RegionId,
        /// Who is there.
        tenants: Vec<String>,
    },
    /// A restore from another backup was begun and is not finished: two would be mixed.
    #[error(
        "a restore of region {region} {} was begun at {begun_at} and is not finished, this one would be {}: without --backup \
         that one goes on, with --anew this one begins in its place",
        from(begun.as_deref()),
        from(Some(asked))
    )]
    AnotherBackup {
        /// Which region.
        region: RegionId,
        /// The backup that it was begun from.
        begun: Option<String>,
        /// When.
        begun_at: Timestamp,
        /// The backup that is asked for now.
        asked: String,
    },
    /// Nothing was ever archived under this tenant's id.
    #[error("tenant {tenant_id}: there is no archive of it in the bucket")]
    NoArchive {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// An archive that cannot be believed. Nothing of it was opened.
    #[error("tenant {tenant_id}: the archive is wrong and nothing of it is restored: {finding}{}", others(*more))]
    WrongArchive {
        /// Which tenant.
        tenant_id: TenantId,
        /// The first thing that is wrong.
        finding: String,
        /// Further ones.
        more: usize,
    },
    /// What was read to restore it is not what was verified a moment before.
    #[error("tenant {tenant_id}: the archive was changed while it was read")]
    ArchiveChanged {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// The directory leads no name of this region to the tenant.
    #[error("tenant {tenant_id}: the directory does not know it as at home in {region}")]
    NotAtHome {
        /// Which tenant.
        tenant_id: TenantId,
        /// Which region.
        region: RegionId,
    },
    /// The directory leads another name to the tenant than the one it registered.
    #[error("tenant {tenant_id}: the directory calls it {directory}, its own log {registered}")]
    AnotherName {
        /// Which tenant.
        tenant_id: TenantId,
        /// The name in its log.
        registered: Slug,
        /// The name in the directory.
        directory: Slug,
    },
    /// The erasure list has an entry that no key opens. What it names is unknown, so nothing is opened.
    #[error("tenant {tenant_id}: the erasure list cannot be read at position {position}, so no key may come back")]
    UnreadableErasure {
        /// Whose.
        tenant_id: TenantId,
        /// Where.
        position: Position,
    },
    /// The server's databases could not be asked or changed.
    #[error("cannot work on a database beside the region's")]
    Copy(#[source] sqlx::Error),
    /// The region's tenants could not be listed.
    #[error("cannot list the tenants of the region")]
    Tenants(#[source] sqlx::Error),
    /// Whether the tenant lives here could not be asked.
    #[error("cannot look whether the tenant is at home here")]
    Resident(#[source] sqlx::Error),
    /// The tenant is not at home in the region, or closed.
    #[error("tenant {tenant_id}: is not at home in {region}, or closed; `domicile doctor` says more")]
    NotOpen {
        /// Which tenant.
        tenant_id: TenantId,
        /// Which region.
        region: RegionId,
    },
    /// Another process does this already.
    #[error("{what}: another process is at work on it; try again when it is done")]
    UnderWay {
        /// What.
        what: String,
    },
    /// A copy was not made to its end.
    #[error(
        "--name: {name} is not whole: the same `domicile restore beside` goes on, `domicile restore drop` takes it away"
    )]
    NotWhole {
        /// Which.
        name: String,
    },
    /// The archive does not reach so far.
    #[error("tenant {tenant_id}: its archive ends at position {size}, before {asked}")]
    BeyondArchive {
        /// Which tenant.
        tenant_id: TenantId,
        /// Which position was asked for.
        asked: Position,
        /// Events of the archive.
        size: u64,
    },
    /// A copy cannot be called so.
    #[error("--name: takes 1 to 24 lower-case letters, digits or '-', and not drill- at the beginning; not {name:?}")]
    BadName {
        /// What it should be called.
        name: String,
    },
    /// There is a copy of this name.
    #[error(
        "--name: {name} is a copy that is there already, of this or another moment; `domicile restore drop` takes it away"
    )]
    NameInUse {
        /// Which.
        name: String,
    },
    /// There is no copy of this name.
    #[error("--name: there is no copy called {name}; `domicile restore list` shows those there are")]
    NoSuchCopy {
        /// Which.
        name: String,
    },
    /// The tenant had no events at that moment.
    #[error("tenant {tenant_id}: had no events at that moment")]
    NothingThere {
        /// Which tenant.
        tenant_id: TenantId,
    },
    /// A projection does not take an event of the copy.
    #[error("tenant {tenant_id}: its read models come to a halt before position {position}")]
    Halted {
        /// Which tenant.
        tenant_id: TenantId,
        /// Where.
        position: Position,
    },
    /// What was restored is not what lives.
    #[error("tenant {tenant_id}: {what}")]
    Differs {
        /// Which tenant.
        tenant_id: TenantId,
        /// In what.
        what: String,
    },
    /// This machine's clock is behind what it is to restore: new events would be stamped before old ones.
    #[error("this machine's clock says {now}, and {what} was made at {made_at}: set the clock first")]
    ClockBehind {
        /// This machine's time.
        now: Timestamp,
        /// What is from the future.
        what: String,
        /// Its time.
        made_at: Timestamp,
    },
}

impl Error {
    /// Whether it is about one tenant, so that others can be restored all the same.
    pub fn is_of_one(&self) -> bool {
        match self {
            Self::NoArchive { .. }
            | Self::WrongArchive { .. }
            | Self::ArchiveChanged { .. }
            | Self::NotAtHome { .. }
            | Self::AnotherName { .. }
            | Self::UnreadableErasure { .. }
            | Self::NotOpen { .. }
            | Self::Halted { .. }
            | Self::Differs { .. } => true,
            Self::Events(error) => !matches!(error, auditor::events::Error::Source(_)),
            Self::Log(error) => matches!(
                error,
                eventlog::Error::Forked { .. }
                    | eventlog::Error::TailDamaged { .. }
                    | eventlog::Error::NameTaken { .. }
            ),
            Self::Keys(error) => !matches!(error, vault::Error::ReadKeys { .. } | vault::Error::StoreKeys { .. }),
            Self::Archive(error) => error.is_of_one() && !error.is_transient(),
            _ => false,
        }
    }

    /// What failed, with the whole chain of causes, on one line.
    pub fn chain(&self) -> String {
        runtime::chain(self)
    }
}

fn from(backup_id: Option<&str>) -> String {
    backup_id.map_or_else(|| "without a backup".to_owned(), |backup_id| format!("from backup {backup_id}"))
}

fn others(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more; see `domicile audit verify`)") }
}

fn shortened(tenants: &[String]) -> String {
    match tenants {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}
