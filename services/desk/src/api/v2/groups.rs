//! Groups of agents.

pub(crate) mod count;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod update;

#[cfg(test)]
mod tests;
