//! The directory over a real database.

mod api;
mod map;
mod names;
mod routing_only;
mod support;
