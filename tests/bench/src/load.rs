//! Loops that load: as fast as it goes, and what each call took.

use std::time::{Duration, Instant};

use runtime::Shutdown;

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

/// Each of these works one call after the other for so long, on a task of its own, as a service handles its requests. Gives them
/// back, and calls per second of all together.
pub(crate) async fn per_second<W, F>(
    workers: Vec<W>,
    round: Duration,
    call: impl Fn(W) -> F + Clone + Send + 'static,
) -> anyhow::Result<(Vec<W>, f64)>
where
    W: Send + 'static,
    F: Future<Output = anyhow::Result<W>> + Send,
{
    let (tasks, begun) = (Shutdown::new(), Instant::now());
    let work = |mut worker: W| {
        let call = call.clone();
        tasks.spawn(async move {
            let mut count = 0_u32;
            while begun.elapsed() < round {
                worker = call(worker).await?;
                count += 1;
            }
            anyhow::Ok((worker, count))
        })
    };
    let working: Vec<_> = workers.into_iter().map(work).collect();
    let (mut workers, mut calls) = (Vec::new(), 0);
    for worker in working {
        let (worker, count) = worker.await??;
        workers.push(worker);
        calls += count;
    }
    Ok((workers, f64::from(calls) / begun.elapsed().as_secs_f64()))
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
