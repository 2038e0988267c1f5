//! Deleted users, and their erasure.

pub(crate) mod destroy;
pub(crate) mod list;
pub(crate) mod show;

#[cfg(test)]
mod tests;
