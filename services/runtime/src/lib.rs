//! What every process needs and no rule may touch: time, randomness, the end of the process, telemetry.
//!
//! Time and randomness are values handed in ([`Clock`], [`Ids`]); nothing else in the product reads an ambient clock or
//! generator. This crate knows nothing of tenants, tickets or stores.
//!
//! Reading order: [`clock`], [`ids`], [`shutdown`], [`metrics`], [`proxy_protocol`], [`access`], [`telemetry`],
//! [`crash`].

pub mod access;
mod chain;
pub mod clock;
pub mod crash;
pub mod ids;
pub mod metrics;
pub mod proxy_protocol;
pub mod shutdown;
pub mod telemetry;

pub use access::Access;
pub use chain::chain;
pub use clock::{Clock, ManualClock, SystemClock};
pub use ids::{Ids, SeededIds, SystemIds};
pub use metrics::{QueueMeter, Queued, RegionMetrics};
pub use shutdown::Shutdown;
