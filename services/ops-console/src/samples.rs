//! How the region was in the last day: a look every ten seconds, in the memory of this process.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventlog::Totals;
use jiff::Timestamp;
use replicator::ReplicatorDeps;
use runtime::Shutdown;

/// How often to look.
const EVERY: Duration = Duration::from_secs(10);
/// How many looks are kept: a day of them.
const KEPT: usize = 24 * 60 * 6;

/// What was seen, oldest first. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Samples(Arc<Mutex<VecDeque<Sample>>>);

/// One look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// When.
    pub(crate) at: Timestamp,
    /// What was seen.
    pub(crate) totals: Totals,
}

/// For how long something waits, in seconds.
pub(crate) fn waits(sample: &Sample, since: Option<Timestamp>) -> i64 {
    since.map_or(0, |since| sample.at.duration_since(since).as_secs().max(0))
}

impl Samples {
    /// Looks until the process ends. A database that does not answer leaves a gap.
    pub(crate) async fn run(self, deps: ReplicatorDeps, shutdown: Shutdown) {
        loop {
            if let Err(error) = self.look(&deps).await {
                tracing::debug!(error = runtime::chain(error.as_ref()), "the console could not look at the marks");
            }
            if !shutdown.sleep(EVERY).await {
                return;
            }
        }
    }

    /// Looks once.
    pub(crate) async fn look(&self, deps: &ReplicatorDeps) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let totals = eventlog::totals(&mut *deps.pool.acquire().await?).await?;
        self.add(Sample { at: deps.clock.now(), totals });
        Ok(())
    }

    /// Keeps a look, in the place of the oldest when there are enough.
    pub(crate) fn add(&self, sample: Sample) {
        let mut samples = self.lock();
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// At most `count` of them, spread over all the time they cover, the newest among them.
    pub(crate) fn spread(&self, count: usize) -> Vec<Sample> {
        let samples = self.lock();
        let step = samples.len().div_ceil(count.max(1)).max(1);
        let mut spread: Vec<_> = samples.iter().rev().step_by(step).copied().collect();
        spread.reverse();
        spread
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        // Every sample is whole, so a panic elsewhere leaves them as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_day_of_looks_is_kept_and_spread_with_the_newest() -> Result<(), jiff::Error> {
        let (samples, begun): (_, Timestamp) = (Samples::default(), "2026-11-22T10:00:00Z".parse()?);
        let at = |look: usize| begun + SignedDuration::from_secs(10 * i64::try_from(look).unwrap_or_default());
        for look in 0..KEPT + 5 {
            samples.add(Sample { at: at(look), totals: Totals::default() });
        }
        let all = samples.spread(usize::MAX);
        assert_eq!((all.len(), all[0].at), (KEPT, at(5)));
        let few = samples.spread(24);
        assert_eq!((few.len(), few[23].at), (24, at(KEPT + 4)));
        assert!(Samples::default().spread(24).is_empty());
        Ok(())
    }
}
