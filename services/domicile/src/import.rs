//! Turns threads of mail into tickets, through the public API and nothing else.
//!
//! The first message of a thread opens a ticket for its author; every answer becomes a comment by its own author; files
//! come along. Every message carries an idempotency key made from itself, so a run that was interrupted is simply run again.

pub mod client;
pub mod journal;
pub mod post;
pub mod run;

pub use client::Client;
pub use run::{Counts, Source, import};
