//! One tenant's log, in its place.
//!
//! 1. *Prove.* The archive is verified; nothing is written before.
//! 2. *Survey.* It is read to its end once more, with the keys. What it holds that would stop the restore stops it here: a tenant
//!    that serves goes on serving.
//! 3. *Close.* The tenant takes no appends and shows nothing, from here to the end.
//! 4. *Put.* Segment by segment the log is brought in line with the archive. What is there already stays.
//! 5. *Hold against the root.* The events that were put must make the tree that the region signed.
//! 6. *Keys*, without those on the erasure list.
//! 7. *Open*, with head row, tree head and marks.
//!
//! A crash between any two from the third on leaves a closed tenant; the same call goes on. It is the same function for a tenant
//! that is gone, for one whose rows are damaged, and for one that is only behind.

mod cut;
mod survey;

use archive::merkle::Frontier;
use auditor::{Events, replay::AsOf, report::Finding};
use eventlog::{
    NewTenant, TreeHead,
    restore::{self, Done, Finish, Other, Put, Source, Tail},
};
use jiff::Timestamp;
use runtime::crash;
use schemas::{Hash, Position, Recorded, RestoreId, Slug, TenantId};
use sqlx::PgConnection;
use vault::Stored;

use self::cut::Cut;
pub(crate) use self::cut::Target;
use self::survey::Surveyed;
use crate::{
    beside::database,
    deps::{Named, RestorerDeps},
    error::Error,
    progress::{Meter, RestoreProgress, Step},
    proven::{self, Proven},
    region::going_on,
};

/// What is to be restored.
#[derive(Debug, Clone)]
pub struct TenantRestore {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// A tree that its archive is known to have had.
    pub expected: Option<archive::merkle::proof::Tree>,
    /// What was asked for: the same finds an interrupted restore again.
    pub source: Source,
    /// Whether sound events of another history may be set aside.
    pub sets_aside: bool,
    /// Whether nothing is asked of it that the unfinished restore of its region asks.
    pub is_anew: bool,
}

impl TenantRestore {
    /// A tenant by itself, by its archive alone.
    pub fn of(tenant_id: TenantId, sets_aside: bool) -> Self {
        Self { tenant_id, expected: None, source: Source::of("tenant"), sets_aside, is_anew: false }
    }
}

/// What became of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredTenant {
    /// Which.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: Slug,
    /// Events of the archive.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// What was done to the log.
    pub put: Put,
    /// Events beyond the archive that stayed.
    pub kept: u64,
    /// What was done to the keys.
    pub keys: vault::Stored,
    /// Keys on the erasure list, none of which came back.
    pub erased_keys: u64,
    /// What is wrong with what other regions have cosigned.
    pub wrong_witnesses: Vec<Finding>,
}

/// Restores a tenant up to the end of its archive. `progress` is told how far it is.
///
/// It never goes back: an earlier state than the published one would be a second history.
///
/// # Errors
/// [`Error::UnderWay`] while another process restores it; see [`Error`]. What the archive, its keys, the directory and the clock
/// give reason to refuse leaves the tenant as it was. One whose log holds another history than its archive is closed; where a store
/// fails, it is closed until the same restore is finished.
pub async fn restore_tenant(
    deps: &RestorerDeps,
    asked: &TenantRestore,
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<RestoredTenant, Error> {
    let size = replicator::published_size(&deps.replicator, asked.tenant_id).await?;
    let meter = Meter::new(progress, Step::RESTORE, [(asked.tenant_id, size)].into(), &[]);
    let restored = restore_in_place(deps, asked, &meter).await?;
    meter.end(asked.tenant_id);
    Ok(restored)
}

/// The same, of one tenant or of one among others.
pub(crate) async fn restore_in_place(
    deps: &RestorerDeps,
    asked: &TenantRestore,
    meter: &Meter<'_>,
) -> Result<RestoredTenant, Error> {
    let claim = database::claim(deps, &restore::place(asked.tenant_id)).await?;
    let restored = async { restore_into(deps, &going_on(deps, asked).await?, Target::Place, meter).await };
    let restored = restored.await;
    claim.release().await;
    restored
}

/// The same into whatever database `deps` lead to: only a copy may end before its archive does.
pub(crate) async fn restore_into(
    deps: &RestorerDeps,
    asked: &TenantRestore,
    target: Target,
    meter: &Meter<'_>,
) -> Result<RestoredTenant, Error> {
    let tenant_id = asked.tenant_id;
    let not_here = || Error::NotAtHome { tenant_id, region: deps.region().id.clone() };
    let named = deps.names.get(&tenant_id).ok_or_else(not_here)?;
    let proven = proven::prove(deps, (tenant_id, asked.expected), meter).await?;
    if let AsOf::Position(asked) = target.as_of()
        && asked.get().unsigned_abs() > proven.tree.size
    {
        return Err(Error::BeyondArchive { tenant_id, asked, size: proven.tree.size });
    }
    let mut owner = deps.owner().await?;
    let surveyed = survey::survey(deps, (tenant_id, &proven), &mut owner, meter).await?;
    let now = deps.replicator.clock.now();
    surveyed.check(named, now, &proven)?;
    let cut = Cut::new(target.as_of());
    let restoring = Restoring { deps, asked, named, target, cut, proven: &proven, now, surveyed };
    match restoring.run(&mut owner, meter).await {
        Err(error @ Error::Log(eventlog::Error::Forked { .. } | eventlog::Error::TailDamaged { .. })) => {
            restore::give_up(&mut owner, tenant_id).await?;
            Err(error)
        }
        restored => restored,
    }
}

struct Restoring<'run> {
    deps: &'run RestorerDeps,
    asked: &'run TenantRestore,
    named: &'run Named,
    target: Target,
    cut: Cut,
    proven: &'run Proven,
    now: Timestamp,
    surveyed: Surveyed,
}

impl Restoring<'_> {
    async fn run(mut self, owner: &mut PgConnection, meter: &Meter<'_>) -> Result<RestoredTenant, Error> {
        let tenant_id = self.asked.tenant_id;
        let objects = proven::objects(self.deps, tenant_id);
        let mut events = Events::new(&objects, tenant_id, self.proven.tree.size);
        self.close(owner).await?;
        crash::point("restore.closed");
        let mut put = Put::default();
        while let Some(segment) = events.next().await.map_err(Error::Events)? {
            put += restore::put(owner, tenant_id, self.cut.take(&segment), (self.other(), self.now)).await?;
            crash::point("restore.put");
            meter.reach(tenant_id, Step::Written, events.tree().size());
        }
        self.proven.check(tenant_id, events.tree())?;
        let size = self.cut.tree.size();
        if size == 0 {
            return Err(Error::NothingThere { tenant_id });
        }
        let last = Position::new(size as i64);
        let tail = restore::check_tail(owner, tenant_id, last, self.other()).await?;
        self.surveyed.take(&tail.events)?;
        put.set_aside += tail.set_aside;
        let keys = match self.target {
            Target::Place | Target::Scratch => self.surveyed.ring.store(owner, self.now).await?,
            Target::Copy(_) => Stored::default(),
        };
        crash::point("restore.keys");
        // Also what a call before this one has changed, that was killed before it came here. A copy has no read models.
        if self.target == Target::Place && restore::has_changed(owner, tenant_id).await? {
            projector::forget(owner, tenant_id).await.map_err(Error::ReadModels)?;
        }
        match self.target {
            Target::Place => {
                let finish = self.finish(owner, &tail).await?;
                restore::finish(owner, tenant_id, &finish).await?;
            }
            Target::Scratch | Target::Copy(_) => restore::finish_closed(owner, tenant_id, self.now).await?,
        }
        crash::point("restore.opened");
        Ok(RestoredTenant {
            tenant_id,
            slug: self.named.slug.clone(),
            size,
            root: self.cut.tree.root(),
            put,
            kept: tail.events.len() as u64,
            keys,
            erased_keys: self.surveyed.ring.destroyed(),
            wrong_witnesses: self.proven.wrong_witnesses.clone(),
        })
    }

    const fn other(&self) -> Other {
        if self.asked.sets_aside { Other::SetAside(self.now) } else { Other::Refuse }
    }

    /// Closes the tenant.
    async fn close(&self, owner: &mut PgConnection) -> Result<(), Error> {
        let tenant = NewTenant {
            tenant_id: self.asked.tenant_id,
            slug: self.named.slug.clone(),
            region: self.deps.region().id.clone(),
            epoch: self.named.epoch,
            created_at: self.surveyed.facts.created_at.unwrap_or(self.now),
        };
        Ok(restore::begin(owner, &tenant, &self.asked.source, self.now).await?)
    }

    async fn finish(&self, owner: &mut PgConnection, tail: &Tail) -> Result<Finish, Error> {
        let tree = &self.cut.tree;
        let stored = restore::stored_head(owner, self.asked.tenant_id).await?;
        let holds = stored.is_some_and(|head| is_of_log(head, tree, &tail.events));
        let head = TreeHead {
            size: Position::new(tree.size() as i64),
            root: tree.root(),
            frontier: tree.peaks().to_vec(),
            note: self.proven.note.clone(),
            // A generation that is finished from it must not be older than the one before it.
            sealed_at: self.proven.made_at.map_or(self.now, |made_at| made_at.max(self.now)),
        };
        Ok(Finish {
            tree_head: (!holds).then_some(head),
            archived: (self.proven.archived > 0).then(|| (Position::new(self.proven.archived as i64), self.now)),
            next_ticket: self.surveyed.facts.next_ticket(),
            next_id: self.surveyed.facts.next_id(),
            done: Done {
                id: RestoreId::new(self.deps.replicator.ids.uuid()),
                command: self.deps.command.clone(),
                archived: Position::new(tree.size() as i64),
            },
            at: self.now,
        })
    }
}

/// Whether a stored tree head, at or beyond the archive's, is one of the log that was restored.
fn is_of_log((size, root): (u64, Hash), archived: &Frontier, tail: &[Recorded]) -> bool {
    let beyond = size.checked_sub(archived.size()).and_then(|beyond| usize::try_from(beyond).ok());
    let Some(beyond) = beyond.and_then(|beyond| tail.get(..beyond)) else { return false };
    let mut tree = archived.clone();
    beyond.iter().for_each(|event| tree.push(event.sealed.leaf));
    tree.root() == root
}
