//! A build on its way to replace the one that serves: begun or gone on with, completed, and compared.

use futures::{FutureExt, StreamExt, TryStreamExt, future, stream};
use jiff::Timestamp;
use regions::Resident;
use runtime::crash;
use tokio::sync::oneshot;

use super::{
    Built,
    compare::{self, Compared},
    workshop::{Purpose, Workshop},
};
use crate::{
    BuildState, BuildStatus, Error, ProjectorDeps,
    build::Build,
    progress::{Meter, Phase},
    projections::Projection,
};

/// A build and the one it is to replace.
pub(super) struct Replacement {
    pub(super) new: Build,
    pub(super) old: Option<Build>,
    is_complete: bool,
}

impl Replacement {
    /// Goes on with the build that an earlier attempt left, or begins one.
    pub(super) async fn begin(
        workshop: &mut Workshop,
        projection: &'static Projection,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let old = workshop.serving(projection).await?;
        let builds = workshop.builds(projection).await?;
        let is_newer = |build: &BuildStatus| old.is_none_or(|old| build.version > old.version);
        let is_left = |build: &&BuildStatus| match build.state {
            BuildState::Building => true,
            BuildState::Complete => is_newer(build),
            BuildState::Checking | BuildState::Serving | BuildState::Previous => false,
        };
        let left = builds.iter().filter(|build| build.shape == projection.shape).rfind(is_left);
        let Some(left) = left else {
            let new = workshop.create(projection, Purpose::Serve, now).await?;
            return Ok(Self { new, old, is_complete: false });
        };
        let new = Build { projection, version: left.version, is_serving: false };
        Ok(Self { new, old, is_complete: left.state == BuildState::Complete })
    }

    async fn complete(&self, workshop: &mut Workshop, now: Timestamp) -> Result<(), Error> {
        if self.is_complete { Ok(()) } else { workshop.complete(&self.new, now).await }
    }

    /// A first build of its shape has nothing to be held against.
    async fn compare(
        &self,
        deps: &ProjectorDeps,
        residents: &[Resident],
        (completed, meter): (oneshot::Receiver<()>, &Meter<'_>),
    ) -> Result<Built, Error> {
        let mut built = Built::new(&self.new, self.old);
        if let (Ok(()), Some(old)) = (completed.await, &self.old) {
            let Compared { rows, differences } = compare::all(deps, residents, (old, &self.new), meter).await?;
            (built.rows, built.differences) = (rows, differences);
        }
        Ok(built)
    }
}

/// Completes one build after another, and compares those that are complete meanwhile. The last projections are the largest, so
/// they come first.
pub(super) async fn complete_and_compare(
    deps: &ProjectorDeps,
    residents: &[Resident],
    (workshop, replacements): (&mut Workshop, &[Replacement]),
    meter: &Meter<'_>,
) -> Result<Vec<Built>, Error> {
    meter.begin(Phase::Completing);
    let (signals, waits): (Vec<_>, Vec<_>) = replacements.iter().map(|_| oneshot::channel()).unzip();
    let compare = replacements.iter().rev().zip(waits);
    let comparisons: Vec<_> =
        compare.map(|(replacement, wait)| replacement.compare(deps, residents, (wait, meter)).boxed()).collect();
    let completing = async {
        for (replacement, completed) in replacements.iter().rev().zip(signals) {
            replacement.complete(workshop, deps.clock.now()).await?;
            // It is waited for, unless a comparison has failed.
            let _ = completed.send(());
        }
        crash::point("rebuild.completed");
        meter.begin(Phase::Comparing);
        Ok(())
    };
    let comparing = stream::iter(comparisons).buffered(compare::AT_ONCE).try_collect();
    let ((), mut built): (_, Vec<Built>) = future::try_join(completing, comparing).await?;
    built.reverse();
    Ok(built)
}
