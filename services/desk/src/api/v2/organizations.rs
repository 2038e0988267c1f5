//! Organizations.

mod answer;
pub(crate) mod autocomplete;
pub(crate) mod count;
pub(crate) mod create;
pub(crate) mod create_or_update;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod related;
mod request;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod show_many;
pub(crate) mod update;
pub(crate) mod users;

#[cfg(test)]
mod tests;
