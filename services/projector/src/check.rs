//! Comparing the live rows with a fresh replay of the log.
//!
//! The replay is a build of its own, up to where the live rows stand, and is dropped when it was compared: a check changes
//! nothing that anybody reads, and works while the projector runs.

use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::{
    Error, ProjectorDeps,
    build::Build,
    progress::{Meter, Phase, RebuildProgress},
    rebuild::{self, Compared, Difference, Goal, Purpose, Refused, Workshop},
    selection::Selection,
};

/// What a check has found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Tenants compared.
    pub tenants: usize,
    /// Live rows compared.
    pub rows: u64,
    /// Tables whose live rows are not what the log says.
    pub differences: Vec<Difference>,
    /// Projections that could not be replayed.
    pub refused: Vec<Refused>,
}

impl Checked {
    /// Whether everything is as the log says.
    pub const fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.refused.is_empty()
    }
}

/// Compares the selected projections with a replay. What serves nobody yet is left out.
pub async fn check(
    deps: &ProjectorDeps,
    selection: &Selection,
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Checked, Error> {
    let mut workshop = Workshop::open(deps, &selection.projections).await?;
    let residents = selection.residents(deps).await?;
    let meter = Meter::new(deps, &residents, &selection.projections, progress).await?;
    let (mut live, mut replays): (Vec<Build>, Vec<Build>) = Default::default();
    // What an earlier check left goes away first.
    rebuild::tidy(&mut workshop, &selection.projections).await?;
    for projection in &selection.projections {
        let Some(serving) = workshop.serving(projection).await? else { continue };
        live.push(serving);
        replays.push(workshop.create(projection, Purpose::Check, deps.clock.now()).await?);
    }
    let goals: Vec<Option<Build>> = live.iter().copied().map(Some).collect();
    rebuild::fill(deps, &residents, (&replays, Goal::Replaced(&goals)), &meter).await?;
    meter.begin(Phase::Comparing);
    let mut checked = Checked { tenants: residents.len(), ..Checked::default() };
    let comparisons: Vec<_> =
        live.iter().zip(&replays).map(|pair| rebuild::compare(deps, &residents, pair, &meter).boxed()).collect();
    let mut compared = stream::iter(comparisons).buffered(rebuild::AT_ONCE);
    while let Some(Compared { rows, differences }) = compared.try_next().await? {
        checked.rows += rows;
        checked.differences.extend(differences);
    }
    checked.refused = rebuild::refused(&mut workshop, &replays).await?;
    for replay in &replays {
        workshop.discard(replay.projection.name, replay.version).await?;
    }
    Ok(checked)
}
