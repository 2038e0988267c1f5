//! Deleted tickets: those that can be restored, and their erasure. For agents.

pub(crate) mod destroy;
pub(crate) mod list;
pub(crate) mod restore;

#[cfg(test)]
mod tests;
