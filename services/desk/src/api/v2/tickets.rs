//! Tickets, their comments and their audits.

pub(crate) mod answer;
pub(crate) mod audits;
pub(crate) mod bulk;
pub(crate) mod changes;
mod circles;
pub(crate) mod comments;
pub(crate) mod count;
pub(crate) mod create;
mod custom_fields;
pub(crate) mod delete;
mod followup;
pub(crate) mod import;
pub(crate) mod incidents;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod people;
pub(crate) mod related;
mod requester;
pub(crate) mod show;
pub(crate) mod show_audit;
pub(crate) mod show_many;
pub(crate) mod spam;
pub(crate) mod tags;
pub(crate) mod update;
