//! Archive -> log: a region into empty stores, one tenant in its place, or a copy of it beside the living one; and drills that
//! show that it can be done.
//!
//! What comes back is what was there: the same positions, ids, times and leaves, and so the same tree. Everything hangs on one
//! hash: an archive is verified before anything is written, and the events that were written must make the root that the region
//! signed before anybody may open the tenant. Keys come back without those on the erasure list, which is read up to the newest
//! archived event, whatever is restored.
//!
//! This crate refuses to know HTTP and how read models are made.
//!
//! Reading order: [`deps`](RestorerDeps), [`proven`] (an archive before it is believed), [`facts`] (what follows from the
//! events), [`RestoreProgress`] (how far it is), [`tenant`] (one log), [`region`] (all of them), [`beside`] and [`diff`] (as of another moment),
//! [`mod@drill`], [`absent()`] (who is missing).

mod absent;
pub mod beside;
mod deps;
pub mod diff;
pub mod drill;
mod error;
mod facts;
mod keys;
mod progress;
mod proven;
pub mod region;
pub mod tenant;

pub use absent::{Absent, absent};
pub use beside::Beside;
pub use deps::{Named, RestorerDeps};
pub use error::Error;
pub use progress::{RestoreProgress, Step};
pub use region::{RegionRestore, RegionRestored, TenantOutcome, restore_region};
pub use tenant::{RestoredTenant, TenantRestore, restore_tenant};
