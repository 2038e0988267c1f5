//! Bring a tenant's archive up to its log: the one function for normal work, recovery and flush.
//!
//! A generation is taken in these steps, and a crash between any two is finished by the next call, whoever makes it:
//!
//! 1. *Seal.* The tree head of the new size goes into the database. From here on what the generation holds is decided: the
//!    events from the newest manifest's size to the tree head's. No further head is sealed before its manifest is published,
//!    so at any time at most one generation is under way, and everybody who works on it writes the same bytes.
//! 2. *Write.* Wrapped keys with the sealed head, segment, audit lines, schemas, successions of the signing key, tiles and bundles:
//!    each once, none of them named by anything yet. Should the database die now, a restore takes the segment for what the head says.
//! 3. *Publish the checkpoint*, by compare-and-swap from the one of the newest manifest.
//! 4. *Publish the manifest.* Now the generation exists.
//! 5. *Mark* the position archived.
//!
//! Before any of it, database and bucket are compared: a database that is older than its archive must not write. With the
//! sealing, the database is asked once more whether it holds what was read: it may have been restored in between.
//!
//! Where there is nothing to take and a new signing key is at work, the published checkpoint is signed anew: so every log of the
//! region is soon under the key that the region publishes.

mod events;
mod publish;
mod resign;
mod seal;
mod standing;
mod tail;

use archive::{Generation, generation::Step};
use eventlog::MarkKind;
use regions::Resident;
use runtime::crash;
use schemas::{Hash, Position};
use tokio::time::Instant;

use self::{events::Until, publish::publish, standing::Standing};
pub(crate) use self::{
    standing::{Published, manifest_of, newest_manifest, published},
    tail::{edge_at, tree_of},
};
use crate::{delivery::Delivery, deps::ReplicatorDeps, error::Error, signing::KeyRing, under_way::under_way_after};

/// Times a step is tried again after another replicator, or a restore, got in between.
const CONTENTIONS_MAX: u32 = 8;

/// Where a tenant's archive stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The newest generation; 0 before the first.
    pub generation: u64,
    /// The events in it and before it.
    pub size: Position,
    /// The root of the tree over them.
    pub root: Hash,
    /// SHA-256 of its manifest; nothing before the first.
    pub manifest_sha256: Option<Hash>,
    /// Generations that this call published.
    pub published: u64,
}

/// Archives a tenant's events up to a position, or up to where the log's head is at the call. The archive may reach further
/// already.
///
/// # Errors
/// See [`Error`]: transient ones may be tried again, the others need somebody to look. Nothing that was published changes.
pub async fn archive_tenant(
    deps: &ReplicatorDeps,
    resident: &Resident,
    up_to: Option<Position>,
) -> Result<Archived, Error> {
    let head = head(deps, resident).await?;
    let goal = up_to.map_or(head, |up_to| up_to.min(head));
    let (mut published, delivery) = (0, Delivery::default());
    loop {
        match patient_generation(deps, resident, goal, &delivery).await? {
            Taken::Nothing(archived) => return Ok(Archived { published, ..archived }),
            Taken::Generation => published += 1,
        }
    }
}

/// Takes one generation at most, for tenants that take turns: a long backlog of one must not hold up the others.
pub(crate) async fn take_turn(deps: &ReplicatorDeps, resident: &Resident, delivery: &Delivery) -> Result<(), Error> {
    let goal = head(deps, resident).await?;
    patient_generation(deps, resident, goal, delivery).await.map(drop)
}

async fn head(deps: &ReplicatorDeps, resident: &Resident) -> Result<Position, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    eventlog::head(&mut connection, resident).await.map_err(Error::Log)
}

/// A generation, also when other replicators get in between.
async fn patient_generation(
    deps: &ReplicatorDeps,
    resident: &Resident,
    goal: Position,
    delivery: &Delivery,
) -> Result<Taken, Error> {
    let mut contentions = 0;
    loop {
        match generation(deps, resident, goal, delivery).await {
            Err(Error::Contended) if contentions < CONTENTIONS_MAX => contentions += 1,
            taken => return taken,
        }
    }
}

enum Taken {
    /// The archive has what it should have.
    Nothing(Archived),
    /// One more generation is published.
    Generation,
}

/// Takes one generation, or finishes the one under way.
#[tracing::instrument(name = "replicator.archive", skip_all, fields(tenant.id = %resident.tenant_id(), region = %deps.region.id))]
async fn generation(
    deps: &ReplicatorDeps,
    resident: &Resident,
    goal: Position,
    delivery: &Delivery,
) -> Result<Taken, Error> {
    let ring = deps.ring()?;
    let standing = standing(deps, resident, &ring).await?;
    if standing.sealed() == standing.size() && goal <= standing.size() {
        // A crash after the manifest leaves the mark behind.
        if standing.marked < standing.size() {
            mark(deps, resident, standing.size()).await?;
        }
        resign::under_the_newest_key(deps, resident, &standing, &ring).await?;
        return Ok(Taken::Nothing(standing.archived()));
    }
    let objects = deps.objects(resident);
    let tail = tail::load(&objects, standing.manifest.as_ref().map(|(manifest, _)| manifest)).await?;
    let until = if standing.is_under_way() { Until::Exactly(standing.sealed()) } else { Until::AtMost(goal) };
    let events = events::read(deps, resident, (standing.size(), until), delivery).await?;
    let attachments = publish::attachments_of(&objects, &events).await?;
    let now = deps.clock.now();
    let step = Step {
        tenant_id: resident.tenant_id(),
        region: deps.region.id.clone(),
        generation: standing.generation() + 1,
        previous_sha256: standing.manifest.as_ref().map(|(_, sha256)| *sha256),
        tail,
        sealed_at: standing.sealed_at_if_under_way().unwrap_or_else(|| standing.sealed_next_at(now)),
    };
    let sealed_at = step.sealed_at;
    let generation =
        Generation::build(step, &events, &ring.signer_of(resident.tenant_id())).map_err(Error::Generation)?;
    if standing.is_under_way() {
        seal::compare(&standing, &generation)?;
    } else {
        not_sealed_elsewhere(deps, &ring, resident, &standing).await?;
        seal::seal((deps, resident), &standing, (&generation, &events), sealed_at).await?;
        if let Some(behind) = standing.clock_found_behind(now).filter(|_| delivery.tells_of_clock(Instant::now())) {
            tracing::warn!(tenant.id = %resident.tenant_id(), behind_seconds = behind.as_secs_f64(), %sealed_at,
                "the clock is behind a tenant's newest manifest, whose time the next ones bear until it has caught up");
        }
    }
    // A crash here leaves a tree head that promises a generation: the next call finds it under way.
    crash::point("replicator.sealed");
    let size = Position::new(generation.size() as i64);
    publish(deps, resident, &standing, publish::Ready { generation, events: &events, attachments, ring: &ring })
        .await?;
    // A crash here leaves a published generation and an old mark: the next call moves the mark.
    crash::point("replicator.manifest");
    mark(deps, resident, size).await?;
    delivery.handled(resident.tenant_id(), size);
    deps.metrics.subscription_events.with_label_values(&["archive"]).inc_by(events.len() as u64);
    Ok(Taken::Generation)
}

/// Where the tenant's archive stands. A key that took over since the ring was read has perhaps signed already what is found.
async fn standing(deps: &ReplicatorDeps, resident: &Resident, ring: &KeyRing) -> Result<Standing, Error> {
    match Standing::find(deps, resident, ring).await {
        Err(Error::NotOurs { .. } | Error::Checkpoint(_)) if deps.ring()?.chain() != ring.chain() => {
            Err(Error::Contended)
        }
        found => found,
    }
}

/// A database that was put back to the newest manifest does not know of the generation that it sealed next. The segment in the
/// bucket does.
async fn not_sealed_elsewhere(
    deps: &ReplicatorDeps,
    ring: &KeyRing,
    resident: &Resident,
    standing: &Standing,
) -> Result<(), Error> {
    let newest = standing.manifest.as_ref().map(|(manifest, _)| manifest);
    let Some((head, _)) = under_way_after(deps, ring, (resident.tenant_id(), newest)).await? else { return Ok(()) };
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let now = eventlog::tree_head(&mut connection, resident).await.map_err(Error::Log)?;
    let sealed = now.map_or(0, |now| now.size.get().unsigned_abs());
    let is_old = head.size > sealed;
    Err(if is_old { Error::PublishedAhead { published: head.size, sealed } } else { Error::Contended })
}

async fn mark(deps: &ReplicatorDeps, resident: &Resident, position: Position) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    match eventlog::put_mark(&mut connection, resident, MarkKind::Archived, position, deps.clock.now()).await {
        // Another replicator finished the same generation and went on.
        Err(eventlog::Error::MarkRefused { .. }) => Ok(()),
        done => done.map_err(Error::Log),
    }
}
