//! Files on their way to a comment.

pub(crate) mod create;
pub(crate) mod file;
