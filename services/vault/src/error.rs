//! What can go wrong with keys. A destroyed key is no error: what it sealed reads as `None`.

use std::path::PathBuf;

use schemas::{DecodeError, KeyId, Position, TenantId};

use crate::scope::Scope;

/// A failed step. No variant carries a key or a payload.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema cannot be brought to its newest form.
    #[error("cannot migrate the vault's schema")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A key file cannot be read.
    #[error("key file {}: cannot be read", path.display())]
    ReadKeyFile {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read or change a key file.
    #[error("key file {}: has mode {mode:04o}, so others can reach it; takes 0600", path.display())]
    ExposedKeyFile {
        /// Which one.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is no key file of the wanted kind.
    #[error("key file {}: takes {takes}", path.display())]
    InvalidKeyFile {
        /// Which one.
        path: PathBuf,
        /// What it should hold.
        takes: String,
    },
    /// A key file is in the way of a new one. It is never overwritten: what it wraps would be lost.
    #[error("key file {}: exists already", path.display())]
    ExistingKeyFile {
        /// Which one.
        path: PathBuf,
    },
    /// A key file cannot be written.
    #[error("key file {}: cannot be written", path.display())]
    WriteKeyFile {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process is putting a new signing key to work.
    #[error("{}: another process is putting a new signing key to work: try again when it has ended", path.display())]
    TakeoverUnderWay {
        /// The lock it holds.
        path: PathBuf,
    },
    /// Wrapped keys cannot be read.
    #[error("tenant {tenant_id}: cannot read wrapped keys")]
    ReadKeys {
        /// Whose.
        tenant_id: TenantId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Wrapped keys cannot be stored.
    #[error("tenant {tenant_id}: cannot store wrapped keys")]
    StoreKeys {
        /// Whose.
        tenant_id: TenantId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// While keys were brought back, somebody made another one for a scope.
    #[error("tenant {tenant_id}: a key of {scope} was made while the keys were brought back: restore again")]
    KeyInTheWay {
        /// Whose.
        tenant_id: TenantId,
        /// For what.
        scope: String,
    },
    /// A scope was erased: nothing is ever sealed for it again.
    #[error("tenant {tenant_id}: the key of {scope} was destroyed, and nobody makes another")]
    Erased {
        /// Whose.
        tenant_id: TenantId,
        /// What was erased.
        scope: Scope,
    },
    /// Keys cannot be destroyed. The erasure list names them, so it will be tried again.
    #[error("tenant {tenant_id}: cannot destroy keys")]
    DestroyKeys {
        /// Whose.
        tenant_id: TenantId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// What is to be destroyed cannot be looked up.
    #[error("cannot look which erasures are due")]
    ReadDue(#[source] sqlx::Error),
    /// An event of the erasure list cannot be read.
    #[error("the event of the erasure list at position {position} cannot be read")]
    UnreadableErasure {
        /// Of which event.
        position: Position,
        /// Why; its key is gone, if there is no reason.
        #[source]
        source: Option<DecodeError>,
    },
    /// What should be a tenant's exported keys is not.
    #[error("tenant {tenant_id}: exported keys: {what}")]
    Export {
        /// Whose they should be.
        tenant_id: TenantId,
        /// What is wrong with them.
        what: &'static str,
    },
    /// A tenant's key is wrapped by a region key that is not the one at hand.
    #[error("tenant {tenant_id}: its key is wrapped by region key {found}, this process holds {held}")]
    AnotherRegionKey {
        /// Whose.
        tenant_id: TenantId,
        /// The region key that wraps it.
        found: String,
        /// The region key at hand.
        held: String,
    },
    /// A tenant's wrapped key does not open: it was changed or moved.
    #[error("tenant {tenant_id}: the wrapped tenant key does not open")]
    TamperedTenantKey {
        /// Whose.
        tenant_id: TenantId,
    },
    /// A wrapped data key does not open: it was changed or moved.
    #[error("tenant {tenant_id}: wrapped data key {key_id} does not open")]
    TamperedDataKey {
        /// Whose.
        tenant_id: TenantId,
        /// Which one.
        key_id: KeyId,
    },
    /// An event's payload does not open in its place: it was changed or moved.
    #[error("the payload at position {position} does not open under its key and envelope")]
    Tampered {
        /// Of which event.
        position: Position,
    },
    /// A ciphertext does not open in its place: it was changed or moved.
    #[error("a ciphertext does not open under key {key_id} and its associated data")]
    TamperedCiphertext {
        /// Under which key.
        key_id: KeyId,
    },
}
