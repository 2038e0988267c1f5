//! What drills have found: the newest result of each tenant, from the reports in the bucket.

use std::collections::BTreeMap;

use archive::DrillReport;
use jiff::Timestamp;
use schemas::TenantId;

use crate::{deps::RestorerDeps, error::Error};

/// Read report by report, each once.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// The newest report that was read. Drills of a region follow one another, and so do their ids.
    read_to: String,
    newest_at: Option<Timestamp>,
    tenants: BTreeMap<TenantId, Newest>,
}

#[derive(Debug)]
struct Newest {
    at: Timestamp,
    is_same: bool,
}

impl Results {
    /// Reads the reports that have come since. What lies among them and is none of the region's is passed over.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub(super) async fn refresh(&mut self, deps: &RestorerDeps) -> Result<(), Error> {
        let listed = replicator::drills(&deps.replicator).await?;
        for drill_id in listed.into_iter().filter(|drill_id| *drill_id > self.read_to).collect::<Vec<_>>() {
            match replicator::show_drill(&deps.replicator, &drill_id).await {
                Ok(report) => self.take(&report),
                Err(error) if error.is_of_one() => {
                    tracing::warn!(error = runtime::chain(&error), "a report of a drill does not count");
                }
                Err(error) => return Err(error.into()),
            }
            self.read_to = drill_id;
        }
        Ok(())
    }

    fn take(&mut self, report: &DrillReport) {
        let at = report.completed_at;
        self.newest_at = self.newest_at.max(Some(at));
        let tenants = report.tenants.iter();
        self.tenants.extend(tenants.map(|it| (it.tenant_id, Newest { at, is_same: it.finding.is_none() })));
    }

    /// When the newest drill was done.
    pub(super) const fn newest_at(&self) -> Option<Timestamp> {
        self.newest_at
    }

    /// When the drill was done, of these tenants' newest ones, that is longest ago. A tenant that never had one counts from when it
    /// came, which is said of each.
    pub(super) fn oldest_at(&self, came: &BTreeMap<TenantId, Timestamp>) -> Option<Timestamp> {
        came.iter().map(|(tenant, came)| self.tenants.get(tenant).map_or(*came, |newest| newest.at)).min()
    }

    /// How many of these tenants did not come back as they live, the last time.
    pub(super) fn wrong<'living>(&self, tenants: impl Iterator<Item = &'living TenantId>) -> usize {
        tenants.filter(|tenant| self.tenants.get(tenant).is_some_and(|newest| !newest.is_same)).count()
    }

    /// Those of these tenants whose last drill is longest ago; those that never had one come first.
    pub(super) fn longest_ago(&self, tenants: impl Iterator<Item = TenantId>, count: u32) -> Vec<TenantId> {
        let mut tenants: Vec<_> = tenants.collect();
        tenants.sort_by_key(|tenant| self.tenants.get(tenant).map(|newest| newest.at));
        tenants.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        tenants
    }
}
