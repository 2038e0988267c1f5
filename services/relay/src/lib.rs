//! Log -> topic: copies what every tenant appends, so that readers on other machines need not ask for it.
//!
//! A relay holds nothing that anybody relies on. It is woken by the log's wake-ups and kept honest by a sweep over heads; what it
//! has copied it writes down afterwards (`topic.relayed`), so a crash makes doubles and never a hole. Any number of relays share
//! the tenants: each locks the rows of those it is copying, and passes over those of others. A tenant whose next record the
//! topic cannot take halts, visibly, and is tried again less and less often; nobody else waits for it, and readers have the log.
//!
//! This crate refuses to know what events mean; it cannot open them.
//!
//! Reading order: [`relayed`] (the checkpoints), [`batch`] (what is published of what was read), [`round`], [`relay`](Relay),
//! [`status`].

mod batch;
mod error;
mod relay;
mod relayed;
mod round;
mod status;

use std::sync::Arc;

use regions::Region;
use runtime::{Clock, RegionMetrics};
use sqlx::PgPool;
use topic::TopicSource;

pub use error::Error;
pub use relay::Relay;
pub use status::{RelayHalt, RelayStatus, status};

/// The relay's name in metrics.
pub const SUBSCRIPTION: &str = "relay";

/// What a relay works with.
#[derive(Clone)]
pub struct RelayDeps {
    /// Whose log, and where its topic is.
    pub region: Region,
    /// The region's database, as the relay's role.
    pub pool: PgPool,
    /// Stamps checkpoints.
    pub clock: Arc<dyn Clock>,
    /// Where lag and halts are shown.
    pub metrics: RegionMetrics,
    /// Who knows what the topic is like; the brokers, but for tests.
    pub source: TopicSource,
}
