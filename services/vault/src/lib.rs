//! Keys: make, wrap, seal, open. What is sealed here stays closed to whoever holds the database, its backups or the
//! bucket, and closes for everybody once its data key is destroyed.
//!
//! The region key ([`RegionKey`], a file outside the database) wraps one key per tenant; that wraps the tenant's data
//! keys, one per [`Scope`]; those seal payloads. Every wrap and every seal carries its place as associated data, so that
//! neither a wrapped key nor a ciphertext opens anywhere else. AES-256-GCM throughout, nonces drawn by the library.
//!
//! This crate refuses to know what it seals, and holds unwrapped keys in memory only: bounded, for a while, wiped.
//!
//! Reading order: [`scope`](Scope), [`sealing`](DataKey), [`key_file`](RegionKey), [`rotation`](SigningKeyFolder), [`vault`](Vault),
//! [`keyring`](Keyring) (keys on their way back from a backup).

use sqlx::{PgConnection, migrate::Migrator};

mod cache;
mod error;
mod key_file;
mod keyring;
mod rotation;
mod scope;
mod sealing;
mod store;
mod vault;

pub use error::Error;
pub use key_file::{RegionKey, SigningKey};
pub use keyring::{Held, Keyring, Stored};
pub use rotation::{SigningKeyFolder, SigningKeys, Takeover};
pub use scope::Scope;
pub use sealing::{DataKey, Plaintext, seal_event};
pub use vault::Vault;

/// The tables of the schema `vault`.
///
/// All crates of a region's database note their migrations in one table, so the others' are not missing.
pub static MIGRATIONS: Migrator = {
    let mut migrations = sqlx::migrate!("./migrations");
    migrations.ignore_missing = true;
    migrations
};

/// Brings the schema `vault` to its newest form, as the owner of the database. The log's comes first: it makes the roles.
///
/// # Errors
/// If a migration fails, or was changed after it ran.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), Error> {
    // `run` takes any borrow, and what awaits it cannot be spawned.
    MIGRATIONS.run_direct(None, connection, false).await.map_err(Error::Migrate)
}
