//! The rules: what a command does to an aggregate, or why it is refused.
//!
//! Everything here is a pure function of values. This crate refuses to know stores, clocks, randomness, HTTP and the
//! other crates of the workspace except [`schemas`]: time and ids come in with the commands, facts go out as events.
//!
//! Reading order: [`aggregate`] (decide and evolve), [`text`] (what a subject, a name, an address may be), [`ticket`]
//! (where most rules are), then [`ticket_field`], [`person`], [`email`], [`organization`], [`claim`], [`tenant`], [`upload`], [`rule`], [`webhook`], [`session`], [`job`],
//! [`erasure`], [`search`] (what a text is found by, and the language to ask for it), and [`name`] for the directory.

pub mod aggregate;
pub mod claim;
pub mod email;
pub mod erasure;
pub mod job;
pub mod name;
pub mod organization;
pub mod person;
pub mod rule;
pub mod search;
pub mod session;
pub mod tenant;
pub mod text;
pub mod ticket;
pub mod ticket_field;
pub mod upload;
pub mod webhook;

#[cfg(test)]
mod scenario;

pub use aggregate::Aggregate;
pub use text::Invalid;
