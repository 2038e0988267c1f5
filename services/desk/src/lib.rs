//! The desk: a region's HTTP API and pages.
//!
//! It takes requests for tenants that are at home in its region, turns them into commands, and appends what was decided to
//! the region's log. It reads from the read models and never writes them; it knows the projector, the replicator and the
//! router only by what they leave behind. It refuses to serve a tenant of another region, to accept a connection that does
//! not say where it comes from, and to say why something failed when the reason is ours.
//!
//! Reading order:
//! - `state`: what every handler is given;
//! - [`serve`]: listeners, TLS, the PROXY header, the end of the process; [`app`]: which routes answer on which host;
//! - `host`: whose site is asked for; `caller`: who asks; `session`: who is signed in on a page; `body`: what is asked;
//! - `conditional`: answers the client has already; `access`: who read what; `limits`: how much a tenant is answered;
//! - `execute`: the one write path; `triggers`: what looks at commands on tickets; `visible`: waiting until a write can be read;
//! - [`erase`]: destroying keys, also across a crash; [`undelete`]: a ticket brought back by the operator; [`support`]: what the
//!   command line opens; `operator`: what was done in the region, told to every tenant;
//! - `webhooks`: servers outside that are told what happens; `automations`: what changes tickets because time goes by;
//! - `problem`: the one table from refusal to answer;
//! - `signup`, `reconcile`: how a tenant comes into being, also across a crash; `tokens`, `pages`;
//! - [`foundation`]: what the operators' console, which is no part of the desk, makes its pages of;
//! - `api`: tickets, people and the product's own API; `read`: its queries; `ops`: health and metrics.

mod access;
mod api;
mod app;
mod automations;
mod body;
mod caller;
mod conditional;
pub mod erase;
mod execute;
pub mod foundation;
mod home;
mod host;
mod jobs;
mod limits;
mod operator;
mod ops;
mod pages;
mod problem;
mod read;
mod reconcile;
pub mod serve;
mod session;
mod signup;
mod state;
pub mod support;
mod tokens;
mod triggers;
pub mod undelete;
mod visible;
mod webhooks;
mod witness;

#[cfg(test)]
mod testing;

#[doc(hidden)]
pub use app::app_without_access_log;
pub use app::{alone, app, app_with};
pub use limits::RateLimits;
pub use state::{Deps, Desk};
pub use witness::{Witness, WitnessKeys, published_keys};
