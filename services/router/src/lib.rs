//! Peeks at the first bytes of a connection, finds the home region of the name in them, and splices the bytes there.
//!
//! The router knows slugs, regions and addresses. It refuses to know anything else: it never ends TLS, never reads a body,
//! never learns who is calling beyond the address it passes on in a PROXY header. It only hints: the region it sends somebody
//! to judges again whether the tenant is at home there.
//!
//! Its map comes signed from the directory and is cached on disk, so that it keeps routing while the directory is down.
//!
//! Reading order: [`config`], [`router`] (listen, accept, drain), `connection` (one connection from first byte to last),
//! [`client_hello`] and [`request_head`] (the two parsers), `host` (name to place), `table` and `follow` (the map), `splice`,
//! `answer` (what those hear who are not passed on), `slots`, `metrics`.

mod answer;
pub mod client_hello;
pub mod config;
mod connection;
mod follow;
mod host;
mod metrics;
mod peek;
pub mod request_head;
pub mod router;
mod slots;
mod splice;
mod table;

pub use config::{Backend, Config, Limits};
pub use metrics::Metrics;
pub use router::{Error, Router};
pub use runtime::proxy_protocol;
