//! What macros are for: what one would do to a ticket, without doing it.

pub(crate) mod apply;

mod fill;
