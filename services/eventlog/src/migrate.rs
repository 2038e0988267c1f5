//! The log's schema, and whose database this is.

use schemas::RegionId;
use sqlx::{PgConnection, migrate::Migrator};

use crate::error::Error;

/// The migrations of the schema `log`, versions 1xxx. Other crates' migrations live in the same table, hence `ignore_missing`.
pub static MIGRATIONS: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!() };

/// Brings the schema up to date and writes into the database which region it belongs to, once and for all.
///
/// # Errors
/// [`Error::AnotherHome`] if the database belongs to another region, or if the database fails.
pub async fn migrate(connection: &mut PgConnection, region: &RegionId) -> Result<(), Error> {
    // `run` takes any borrow, and what awaits it cannot be spawned.
    MIGRATIONS.run_direct(None, &mut *connection, false).await.map_err(Error::Migrate)?;
    sqlx::query!("insert into log.home (region) values ($1) on conflict do nothing", region.as_str())
        .execute(&mut *connection)
        .await
        .map_err(Error::Home)?;
    let found = sqlx::query_scalar!("select region from log.home").fetch_one(connection).await.map_err(Error::Home)?;
    if found == region.as_str() { Ok(()) } else { Err(Error::AnotherHome { region: region.clone(), found }) }
}
