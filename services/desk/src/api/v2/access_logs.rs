//! The access log, for admins.

pub(crate) mod list;
mod present;
