//! Replay and verify a tenant's history.
//!
//! [`verify`] takes an archive, from a bucket or a copied folder, and finds what is wrong with it: it knows no network, no
//! database and no decryption key, and trusts nothing but the Ed25519 key it is given. [`replay`] takes events that somebody
//! entitled has opened, and shows them as a timeline or folded into the state they lead to.
//!
//! [`Events`] gives an archive's events back, for whoever restores them.
//!
//! [`Log`] makes proofs for others from an archive: that an event is in it, that an older tree head is its beginning.
//!
//! This crate refuses to know where objects come from ([`Source`]) and how payloads are opened.
//!
//! Reading order: [`source`], [`report`], [`verify`], [`events`], [`log`], [`history`], [`replay`], [`bundle`].

pub mod bundle;
pub mod events;
pub mod history;
pub mod log;
pub mod replay;
pub mod report;
pub mod source;
pub mod verify;

pub use events::Events;
pub use history::History;
pub use log::{Consistency, Log, Wanted, key_chain};
pub use report::{Finding, NotChecked, Report, Wrong};
pub use source::{Folder, Source};
pub use verify::{Options, Progress, cosigned, verify};
