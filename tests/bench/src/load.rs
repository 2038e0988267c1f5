//! Loops that load: as fast as it goes, and what each call took.

use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::turns::quantile;

/// What calls took, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    /// Half of them took at most this.
    pub(crate) p50: f64,
    /// All but one in a hundred did.
    pub(crate) p99: f64,
}

impl Latency {
    /// Of calls that took so long.
    pub(crate) fn of(taken: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = taken.iter().map(|taken| taken.as_secs_f64() * 1e6).collect();
        sorted.sort_by(f64::total_cmp);
        Self { p50: quantile(&sorted, 0.5), p99: quantile(&sorted, 0.99) }
    }
}

/// Each of these works one call after the other for so long. Returns calls per second of all together.
pub(crate) async fn per_second<W>(
    workers: &mut [W],
    round: Duration,
    call: impl AsyncFn(&mut W) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let work = async |worker: &mut W| {
        let mut count = 0_u32;
        while begun.elapsed() < round {
            call(worker).await?;
            count += 1;
        }
        Ok::<_, anyhow::Error>(count)
    };
    let counts = try_join_all(workers.iter_mut().map(work)).await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / begun.elapsed().as_secs_f64())
}

/// One call after the other for so long, by these workers in turn.
pub(crate) async fn latency<W>(
    workers: &mut [W],
    round: Duration,
    call: impl AsyncFn(&mut W) -> anyhow::Result<()>,
) -> anyhow::Result<Latency> {
    let (begun, mut taken, mut next) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < round {
        let called = Instant::now();
        // A stride that shares no factor with the usual counts: neighbours in time are no neighbours in the index.
        next = (next + 7_919) % workers.len();
        call(&mut workers[next]).await?;
        taken.push(called.elapsed());
    }
    Ok(Latency::of(&taken))
}
