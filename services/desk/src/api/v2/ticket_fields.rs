//! Fields that a tenant makes for its tickets, besides those that every ticket has.

pub(crate) mod list;
pub(crate) mod request;
pub(crate) mod write;
