//! The state of all names, folded from the directory's log and kept in memory.

use std::collections::BTreeMap;

use domain::{Aggregate as _, name::Name};
use jiff::Timestamp;
use schemas::{Position, RegionId, Slug, Version, name::NameEvent};

use crate::{
    client::Claim,
    map::{Entry, NameState},
};

/// All names ever claimed, up to a position of the log. Released ones stay, because their stream's version counts on.
#[derive(Debug)]
pub(crate) struct Names {
    position: Position,
    by_slug: BTreeMap<Slug, Folded>,
}

#[derive(Debug, Clone)]
struct Folded {
    name: Name,
    version: Version,
    changed_at: Timestamp,
}

impl Names {
    /// No names, nothing folded in.
    pub(crate) const fn new() -> Self {
        Self { position: Position::ZERO, by_slug: BTreeMap::new() }
    }

    /// How far the log is folded in.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// A name and the version of its stream.
    pub(crate) fn name(&self, slug: &Slug) -> (Name, Version) {
        self.by_slug.get(slug).map_or((Name::default(), Version::ZERO), |folded| (folded.name.clone(), folded.version))
    }

    /// Folds in the next event of the log.
    pub(crate) fn evolve(&mut self, position: Position, slug: Slug, changed_at: Timestamp, event: &NameEvent) {
        let folded = self.by_slug.entry(slug).or_insert_with(|| Folded {
            name: Name::default(),
            version: Version::ZERO,
            changed_at,
        });
        folded.name.evolve(event);
        folded.version = folded.version.next();
        folded.changed_at = changed_at;
        self.position = position;
    }

    /// The names that are held, for the map.
    pub(crate) fn entries(&self) -> BTreeMap<Slug, Entry> {
        let held = self.by_slug.iter().filter_map(|(slug, folded)| Some((slug, folded.name.holding()?)));
        held.map(|(slug, holding)| {
            let state = if holding.is_confirmed { NameState::Confirmed } else { NameState::Claimed };
            let entry =
                Entry { tenant_id: holding.tenant, region: holding.region.clone(), epoch: holding.epoch, state };
            (slug.clone(), entry)
        })
        .collect()
    }

    /// The claims of a region that nobody has confirmed yet.
    pub(crate) fn pending(&self, region: &RegionId, now: Timestamp) -> Vec<Claim> {
        let held = self.by_slug.iter().filter_map(|(slug, folded)| Some((slug, folded, folded.name.holding()?)));
        held.filter(|(_, _, holding)| !holding.is_confirmed && holding.region == *region)
            .map(|(slug, folded, holding)| Claim {
                slug: slug.clone(),
                tenant_id: holding.tenant,
                region: holding.region.clone(),
                epoch: holding.epoch,
                age_ms: u64::try_from(now.duration_since(folded.changed_at).as_millis()).unwrap_or_default(),
            })
            .collect()
    }
}
