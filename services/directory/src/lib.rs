//! The directory: which tenant holds a name, and where that tenant is at home.
//!
//! It holds slugs, tenant ids, regions, epochs, states and public keys, all of data class `routing`, and refuses to know
//! anything else: no person, no ticket, no content. It is event-sourced on the same log as the regions, in a database of its
//! own, as one tenant with a fixed id and one stream a name; two claims for one name meet at the expected version, and one
//! wins.
//!
//! Routers read its signed [`map`]; regions claim and confirm names through its [`client`]. Both go on working with what they
//! have while it is down: only signing up needs it.
//!
//! Reading order: [`map`], `names` (the state folded from the log), [`service`] (what is asked of it), `write` (decide, seal,
//! append), `follow` (the log into memory), `api` (HTTP), [`client`].

mod api;
pub mod client;
mod error;
mod follow;
pub mod map;
mod names;
pub mod service;
mod write;

pub use client::{Claim, Client, Error as ClaimError};
pub use error::Error;
pub use map::{Map, NameState, RegionKeys};
pub use service::{Deps, Directory, TENANT_ID};
