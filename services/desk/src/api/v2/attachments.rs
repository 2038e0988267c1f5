//! Files that came along with comments.

pub(crate) mod content;
pub(crate) mod show;
pub(crate) mod token;
