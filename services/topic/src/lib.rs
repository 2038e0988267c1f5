//! The region's topic: sealed events on their way to readers on other machines.
//!
//! The topic carries, the log keeps. Every tenant lies in one partition ([`partition_of`]), and every record is one event as
//! the log holds it, sealed. A reader believes nothing of it: what was delivered stands in for the log only where it joins
//! what the reader has, without a gap, as whole commands, and where the log itself vouches for it, leaf by leaf ([`vouched`]).
//! Whatever does not is read from the log. So a topic may lose, double and reorder records, be wiped, be fed by a database that
//! was restored since, or be written to by strangers, and the rows stay the same.
//!
//! This crate refuses to know what events mean, and holds no state that anything relies on but `topic.home`: which cluster the
//! region's records are on.
//!
//! Reading order: [`record`] (what a record is), [`delivered`] (what a process has been handed), [`vouch`](vouched), [`reader`],
//! [`hints`](Hints), [`writer`], [`provision`](TopicSource), [`home`](Home).

mod delivered;
mod error;
mod hints;
mod home;
mod outage;
mod partition;
mod provision;
mod reader;
mod record;
mod vouch;
mod writer;

use sqlx::{PgConnection, migrate::Migrator};

pub use delivered::{Delivered, Destination};
pub use error::Error;
pub use hints::Hints;
pub use home::{Home, adopt, home};
pub use outage::Outage;
pub use partition::partition_of;
pub use provision::TopicSource;
pub use reader::Reader;
pub use record::{Outgoing, Record, Refused};
pub use vouch::vouched;
pub use writer::{Oversized, TopicWriter};

/// The migrations of the schema `topic`, versions 4xxx. Other crates' migrations live in the same table, hence
/// `ignore_missing`.
pub static MIGRATIONS: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!() };

/// Brings the schema `topic` up to date. The schema `log` must exist.
///
/// # Errors
/// If the database fails.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), Error> {
    MIGRATIONS.run(connection).await.map_err(Error::Migrate)
}
