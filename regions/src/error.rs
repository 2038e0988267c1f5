//! What can go wrong between a region's description and a client of its stores.

use std::time::Duration;

use schemas::RegionId;

/// A failed step. Missing objects are `Option`s, not errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The region's file names no such store, and `domicile up` did not fill one in.
    #[error("region {region}: no {store} endpoint is configured")]
    NoEndpoint {
        /// Of which region.
        region: RegionId,
        /// `postgres` or `s3`.
        store: &'static str,
    },
    /// The database could not be reached, or refused.
    #[error("region {region}: cannot connect to Postgres as {role}")]
    Connect {
        /// Of which region.
        region: RegionId,
        /// As whom.
        role: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database took too long to let anybody in and to say whose it is.
    #[error("region {region}: Postgres did not answer {role} within {after:?}")]
    Silent {
        /// Of which region.
        region: RegionId,
        /// As whom.
        role: &'static str,
        /// How long it was given.
        after: Duration,
    },
    /// The database could not be asked whose it is and how it keeps data.
    #[error("region {region}: cannot ask Postgres whose it is")]
    Inspect {
        /// Of which region.
        region: RegionId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database says that it belongs elsewhere.
    #[error("region {region}: this database belongs to region {found}")]
    AnotherHome {
        /// The region that was meant.
        region: RegionId,
        /// The region the database names; `nobody` if it was never given one.
        found: String,
    },
    /// The database would lose acknowledged data in a crash.
    #[error("region {region}: Postgres runs with {setting} = {value}, which loses acknowledged data in a crash")]
    UnsafeSetting {
        /// Of which region.
        region: RegionId,
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The bucket could not be asked where it is.
    #[error("bucket {bucket}: cannot ask where it is")]
    Location {
        /// Which bucket.
        bucket: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The bucket says that it is elsewhere.
    #[error("bucket {bucket}: is in {found}, and the region's data must stay in {expected}")]
    AnotherLocation {
        /// Which bucket.
        bucket: String,
        /// Where it should be.
        expected: String,
        /// Where it says it is.
        found: String,
    },
    /// The bucket could not be made.
    #[error("bucket {bucket}: cannot be made")]
    Create {
        /// Which bucket.
        bucket: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An object could not be written.
    #[error("bucket {bucket}: cannot write {key}")]
    Write {
        /// Which bucket.
        bucket: String,
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An object could not be read, or its size asked.
    #[error("bucket {bucket}: cannot read {key}")]
    Read {
        /// Which bucket.
        bucket: String,
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Objects could not be listed.
    #[error("bucket {bucket}: cannot list {prefix}*")]
    List {
        /// Which bucket.
        bucket: String,
        /// Which objects.
        prefix: String,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// What the object store's client says went wrong; which client that is stays in this crate.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;
