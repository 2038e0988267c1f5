//! How long and how hard, and with which seed.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context;
use runtime::{Ids, SystemClock, SystemIds};

const SECONDS: u64 = 40;
const KILLS: usize = 12;

/// What `make torture SECONDS=... KILLS=... SEED=... KAFKA=...` says; without it, a short run with a seed nobody knows yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) time: Duration,
    pub(crate) kills: usize,
    pub(crate) seed: u64,
    /// Whether the workers read through a Kafka broker, where one can be had.
    pub(crate) with_kafka: bool,
}

impl Settings {
    pub(crate) fn read() -> anyhow::Result<Self> {
        let secret = SystemIds::new(Arc::new(SystemClock)).secret();
        let random = u64::from_be_bytes(secret[..8].try_into().expect("a secret has more than 8 bytes"));
        Ok(Self {
            time: Duration::from_secs(number("DOMICILE_TORTURE_SECONDS")?.unwrap_or(SECONDS)),
            kills: number("DOMICILE_TORTURE_KILLS")?.map_or(Ok(KILLS), usize::try_from)?,
            seed: number("DOMICILE_TORTURE_SEED")?.unwrap_or(random),
            with_kafka: number("DOMICILE_TORTURE_KAFKA")?.is_some_and(|number| number > 0),
        })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, kafka) = (self.time.as_secs(), u8::from(self.with_kafka));
        write!(formatter, "make torture SECONDS={seconds} KILLS={} SEED={} KAFKA={kafka}", self.kills, self.seed)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads what make says")]
fn number(name: &str) -> anyhow::Result<Option<u64>> {
    // make hands over an empty text for what was not said.
    let text = std::env::var(name).unwrap_or_default();
    let text = text.trim();
    let parse = || text.parse().with_context(|| format!("{name}: takes a whole number, not {text:?}"));
    (!text.is_empty()).then(parse).transpose()
}
