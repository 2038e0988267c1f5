//! The formats of a tenant's archive, as bytes in memory: what the replicator writes and the auditor reads.
//!
//! Nothing here reads a file, a bucket or a clock. A tenant's archive is a transparency log in the C2SP layout with the
//! sealed events beside it, so a stranger can read it with published specifications and standard tools; the crate's own
//! formats (segments, manifests, audit lines) are described at the top of their modules.
//!
//! Reading order: [`layout`] (which object lies where), [`merkle`] (the tree), [`tile`] (the tree as objects), [`note`] and
//! [`checkpoint`] (what is signed), [`succession`] (which key signs), [`cosignature`] and [`witness`] (what other regions say of it), [`segment`] (events), [`audit`] (who did what), [`manifest`] (what belongs together),
//! [`generation`] (all objects of one step of the archive), [`backup`] (a region at one moment), [`drill`] (restored and compared), [`proof`] (one event, proven
//! offline), [`tar`] (a bundle on a connection), [`guide`] (the steps by hand).

pub mod audit;
pub mod backup;
pub mod checkpoint;
pub mod cosignature;
pub mod drill;
pub mod generation;
pub mod guide;
pub mod layout;
pub mod manifest;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod segment;
mod signed;
pub mod succession;
pub mod tar;
pub mod tile;
pub mod witness;

pub use backup::BackupManifest;
pub use checkpoint::Checkpoint;
pub use drill::DrillReport;
pub use generation::Generation;
pub use manifest::Manifest;
pub use note::{Signer, Verifier};
pub use proof::EventProof;
pub use signed::SignedError;
pub use succession::{KeyChain, Succession};

/// An object to be written: its key below the tenant's prefix, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Below `tenants/<tenant_id>/`, as [`layout`] names it.
    pub key: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}
