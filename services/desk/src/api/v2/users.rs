//! People, whom the v2 API calls users.

pub(crate) mod answer;
pub(crate) mod autocomplete;
pub(crate) mod count;
pub(crate) mod create;
pub(crate) mod create_or_update;
pub(crate) mod delete;
mod last_admin;
pub(crate) mod list;
pub(crate) mod me;
pub(crate) mod related;
pub(crate) mod request;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod show_many;
pub(crate) mod tickets;
pub(crate) mod update;
pub(crate) mod write;

#[cfg(test)]
mod tests;
