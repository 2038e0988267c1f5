//! Tickets, their comments and their audits.

pub(crate) mod answer;
pub(crate) mod audits;
pub(crate) mod changes;
pub(crate) mod comments;
pub(crate) mod count;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod requester;
pub(crate) mod show;
pub(crate) mod show_audit;
pub(crate) mod show_many;
pub(crate) mod update;
