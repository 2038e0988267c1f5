//! Projections: what makes a tenant's log readable.
//!
//! A projection folds the events of a tenant into tables of its own and moves its checkpoint in the same transaction,
//! so every event takes effect once, however often it is handed over. At or below the checkpoint it is skipped, right
//! after it it is applied, higher up there is a gap and the log is read again. An event that cannot be applied halts its
//! tenant in that projection, visibly, and nobody else; nothing is skipped.
//!
//! Events come in batches of whole commands: an append is atomic, so a reader never sees half a command, and a batch
//! costs a projection a handful of statements however many events it holds.
//!
//! The tables of a projection are those of a [build](OpenBuild), of which there may be several: one serves, and the next is
//! filled, compared and switched to while it does ([`rebuild()`]).
//!
//! This crate knows no rules, writes no log and sends nothing. A projection gets events and the tables of one build, so a
//! replay has no effect but rows.
//!
//! Reading order: [`batch`] (what a projection is handed), [`projections`] (what each makes of it), [`mod@build`], [`checkpoint`],
//! [`step`] (one batch, one build, one transaction), [`follow`] (one tenant), [`worker`] (all of them), [`sweep`]
//! (who is behind), [`status`], [`rebuild`], [`check`], [`mod@forget`], [`progress`].

mod backoff;
mod batch;
mod build;
mod check;
mod checkpoint;
mod delivery;
mod error;
mod feed;
mod fingerprint;
mod follow;
mod forget;
mod progress;
mod projections;
mod rebuild;
mod selection;
mod status;
mod step;
mod sweep;
mod table;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use regions::Region;
use runtime::{Clock, RegionMetrics};
use sqlx::{PgConnection, PgPool, migrate::Migrator};
use vault::Vault;

pub use build::{BuildState, BuildStatus, OpenBuild, builds};
pub use check::{Checked, check};
pub use error::Error;
pub use fingerprint::{ReadModels, TableRows, fingerprints};
pub use follow::catch_up;
pub use forget::forget;
pub use progress::{Phase, RebuildProgress};
pub use rebuild::{Built, Difference, RebuildOptions, Rebuilt, Refused, drop_build, rebuild, rebuild_with, switch};
pub use selection::Selection;
pub use status::{Halted, ProjectionStatus, status};
pub use sweep::Sweeper;
pub use worker::Projector;

/// The names of all projections, as checkpoints, metrics and the command line say them.
pub const PROJECTIONS: &[&str] = &[
    "account",
    "people",
    "ticket_list",
    "ticket_thread",
    "audits",
    "audit_log",
    "jobs",
    "changes",
    "ticket_fields",
    "rules",
    "webhooks",
    "sessions",
    "search",
    "ticket_metrics",
];

/// Which shape of each projection this program reads and writes.
pub fn shapes() -> Vec<(&'static str, i32)> {
    projections::ALL.iter().map(|projection| (projection.name, projection.shape)).collect()
}

/// The migrations of the schema `read`, versions 3xxx. Other crates' migrations live in the same table, hence
/// `ignore_missing`.
pub static MIGRATIONS: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!() };

/// Brings the schema `read` up to date. The schema `log` must exist: its migrations make the database's roles.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), Error> {
    // `run` takes any borrow, and what awaits it cannot be spawned.
    MIGRATIONS.run_direct(None, conn, false).await.map_err(Error::Migrate)
}

/// What a projector works with.
#[derive(Clone)]
pub struct ProjectorDeps {
    /// Whose log.
    pub region: Region,
    /// The region's database, as the projector's role. A rebuild serves as many tenants at once as it has connections
    /// for; eight are enough for everything.
    pub pool: PgPool,
    /// Opens payloads.
    pub vault: Vault,
    /// Stamps checkpoints; rows carry the times of their events.
    pub clock: Arc<dyn Clock>,
    /// Where lag and halts are shown.
    pub metrics: RegionMetrics,
}
