//! Rebuilding every projection of a region, against reading the same events with one `COPY ... TO STDOUT`.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use projector::{Phase, ProjectorDeps, RebuildProgress, Selection};

use super::{Bench, reading};
use crate::{
    history::{self, EVENTS_PER_TICKET},
    report::{Figure, Reach},
    turns::{each, turns},
};

/// What a rebuild took, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// To make the rows from the log.
    filling: f64,
    /// With indexes, comparison with the rows that serve, and the switch.
    whole: f64,
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let resident = store.tenant().await?;
    history::write(&store, &resident, 1, bench.pace.tickets).await?;
    let events = (bench.pace.tickets * EVENTS_PER_TICKET) as f64;
    let deps = store.projector().await?;
    projector::catch_up(&deps, &resident).await?;
    let against = async || {
        let begun = Instant::now();
        reading::copy(&deps.pool, &resident).await?;
        let taken = begun.elapsed().as_secs_f64();
        Ok(Taken { filling: taken, whole: taken })
    };
    let pairs = turns(bench.pace.rounds, async || all(&deps).await, against).await?;
    let (against, unit, reach) = ("COPY of the same events", "events/s", Reach::AtLeast(0.25));
    let figure = |name| Figure { name, against, unit, reach };
    bench.report.add(figure("rebuild"), &each(&pairs, |taken| events / taken.whole));
    bench.report.add(figure("rebuild_filling"), &each(&pairs, |taken| events / taken.filling));
    deps.pool.close().await;
    store.end(&bench.ground).await
}

/// Rebuilds all projections of all tenants, and switches to the new builds.
pub(super) async fn all(deps: &ProjectorDeps) -> anyhow::Result<Taken> {
    let (begun, filled) = (Instant::now(), Mutex::new(None));
    let note = |progress: RebuildProgress| {
        if progress.phase > Phase::Filling {
            filled.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| begun.elapsed());
        }
    };
    let rebuilt = projector::rebuild(deps, &Selection::all(), &note).await?;
    anyhow::ensure!(rebuilt.is_done(), "the new builds serve: {rebuilt:?}");
    let whole = begun.elapsed();
    let filling = filled.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or(whole);
    Ok(Taken { filling: filling.as_secs_f64(), whole: whole.as_secs_f64() })
}
