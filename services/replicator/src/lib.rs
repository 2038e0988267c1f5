//! Log -> bucket: the archive of every tenant at home in a region, and backups of the region.
//!
//! One function, [`archive_tenant`], does the normal work, finishes what a crash left behind, and flushes for a backup. It
//! seals a tree head in the database, which fixes what the next generation of the archive holds, writes that generation's
//! objects once each, moves the published checkpoint by compare-and-swap, and publishes the generation by its manifest. A
//! database that is older than what it published refuses to write.
//!
//! This crate refuses to know what events mean: it handles envelopes and ciphertext. The formats are the crate `archive`'s.
//!
//! Reading order: [`archive_tenant`], [`signing`] (which key signs), [`store`] (one tenant's objects), [`read_back`] (the mark "verified"),
//! [`backup`], [`renew_keys()`] (exported keys that must not end), [`fence`] (tenants whose log ends before what was published),
//! [`replicator`] (the loop that keeps every tenant's archive close behind its log).

pub mod archive_tenant;
pub mod backup;
mod delivery;
mod deps;
mod drills;
mod error;
pub mod fence;
mod lag;
mod prove;
pub mod read_back;
mod renew_keys;
pub mod replicator;
pub mod signing;
pub mod store;
mod under_way;
pub mod witnesses;

pub use archive_tenant::{Archived, archive_tenant};
pub use deps::ReplicatorDeps;
pub use drills::{drills, publish_drill, show_drill};
pub use error::Error;
pub use prove::{published_size, verify_archive};
pub use read_back::{ReadBack, read_back};
pub use renew_keys::renew_keys;
pub use replicator::Replicator;
pub use signing::KeyRing;
pub use store::TenantObjects;
pub use under_way::under_way;
pub use witnesses::{Witness, Witnesses};
