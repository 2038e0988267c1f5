//! The audit log, for admins: who changed what of settings, people and keys.

pub(crate) mod export;
mod filter;
pub(crate) mod list;
mod present;
pub(crate) mod show;
