//! Restores, drills and audits from a store that refuses, is slow, answers by half, and loses requests and answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use auditor::Options;
use eventlog::Expected;
use projector::ProjectorDeps;
use regions::{DatabaseRole, Resident};
use replicator::{TenantObjects, archive_tenant, backup};
use restorer::{
    Error, Named, RegionRestore, RestorerDeps, TenantOutcome, TenantRestore, drill, restore_region, restore_tenant,
};
use runtime::Clock;
use schemas::{
    Epoch, Hash, PersonId, Position, StreamName, TenantId, TicketId,
    person::{PersonAdded, PersonEvent},
    ticket::{TicketEvent, TicketOpened},
    values::{Channel, Role},
};
use sqlx::{Connection, PgConnection};
use system_tests::faulty_store::{Fault, FaultyStore};
use vault::RegionKey;

use crate::{faults::behind_a_proxy, world::World};

const SEED: u64 = 3;
/// Of a hundred requests: a restore makes about as many, and some faults are not tried again by whoever asks for one object.
const RAGE: u64 = 5;
const COMMENTS: i64 = 20;
/// What a store does from one moment on, until somebody mends it.
const PERMANENT: [Fault; 5] =
    [Fault::Forbidden, Fault::Unavailable, Fault::Truncated, Fault::ResetBefore, Fault::ResetAfter];

/// Everything of a tenant's log and keys.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    state: String,
    events: Vec<(Position, Hash)>,
    keys: BTreeSet<String>,
}

struct Ground {
    world: World,
    store: FaultyStore,
    deps: RestorerDeps,
    tenants: [Resident; 2],
    before: [Seen; 2],
}

/// Two tenants of two generations each, with files, archived and backed up while the store did well.
async fn ground() -> anyhow::Result<Ground> {
    let (world, store, _) = behind_a_proxy(SEED).await?;
    let tenants = [world.test.tenant("acme").await?, world.test.tenant("globex").await?];
    for tenant in &tenants {
        open_ticket(&world, tenant).await?;
        archive_tenant(&world.deps, tenant, None).await?;
        world.comment(tenant, 1, COMMENTS).await?;
        world.upload(tenant, 1).await?;
    }
    backup::create(&world.deps, &mut |_| ()).await?;
    let named = |tenant: &Resident| (tenant.tenant_id(), Named { slug: tenant.slug().clone(), epoch: Epoch::FIRST });
    let deps = RestorerDeps {
        replicator: world.deps.clone(),
        region_key: RegionKey::load(&world.test.folder.path().join("region.key"))?,
        names: tenants.iter().map(named).collect(),
        command: "domicile restore".to_owned(),
    };
    let mut owner = owner(&world).await?;
    let before = [seen(&mut owner, &tenants[0]).await?, seen(&mut owner, &tenants[1]).await?];
    Ok(Ground { world, store, deps, tenants, before })
}

/// A person and a ticket: three events in all, the last of which begins the ticket's stream.
async fn open_ticket(world: &World, tenant: &Resident) -> anyhow::Result<()> {
    let (person, ticket) = (PersonId::new(1), TicketId::new(1));
    let name = "Ann Example".to_owned().into();
    let added: PersonEvent =
        PersonAdded { person, name, email: Some("ann@example.com".to_owned()).into(), role: Role::Agent }.into();
    world.test.append(tenant, StreamName::Person(person), Expected::NoStream, vec![added.into()]).await?;
    let opened: TicketEvent = TicketOpened {
        requester: person,
        submitter: person,
        subject: "Printer on fire".to_owned().into(),
        priority: None,
        ticket_type: None,
        assignee: None,
        group: None,
        tags: Vec::new().into(),
        channel: Channel::Api,
        external_id: None.into(),
    }
    .into();
    world.test.append(tenant, StreamName::Ticket(ticket), Expected::NoStream, vec![opened.into()]).await?;
    Ok(())
}

async fn owner(world: &World) -> anyhow::Result<PgConnection> {
    Ok(regions::connection(&world.deps.region, DatabaseRole::Owner).await?)
}

async fn seen(owner: &mut PgConnection, tenant: &Resident) -> anyhow::Result<Seen> {
    let id = tenant.tenant_id().get();
    let state = sqlx::query_scalar!("select state from log.tenant where tenant_id = $1", id);
    let state = state.fetch_optional(&mut *owner).await?.unwrap_or_else(|| "gone".to_owned());
    let log = eventlog::read_log(owner, tenant, Position::ZERO, 10_000).await?;
    let events = log.iter().map(|event| (event.position, event.sealed.leaf)).collect();
    let keys = sqlx::query_scalar!(
        r#"select key_id::text || ' ' || md5(wrapped) as "key!" from vault.data_key where tenant_id = $1 and wrapped is not null"#,
        id
    );
    Ok(Seen { state, events, keys: keys.fetch_all(owner).await?.into_iter().collect() })
}

impl Ground {
    async fn seen(&self) -> anyhow::Result<[Seen; 2]> {
        let mut owner = owner(&self.world).await?;
        Ok([seen(&mut owner, &self.tenants[0]).await?, seen(&mut owner, &self.tenants[1]).await?])
    }

    /// Puts an empty database in the place of the region's.
    async fn lose_database(&self) -> anyhow::Result<()> {
        let mut owner = owner(&self.world).await?;
        let gone = "truncate log.tenant, log.event, log.restore, log.set_aside, vault.tenant_key cascade";
        sqlx::raw_sql(gone).execute(&mut owner).await?;
        owner.close().await?;
        Ok(())
    }

    /// Who is open has everything that it had: nothing is missing, and nothing twice.
    async fn nothing_is_open_too_early(&self) -> anyhow::Result<()> {
        for (found, before) in self.seen().await?.iter().zip(&self.before) {
            assert!(found.state != "active" || found == before, "{found:?}");
        }
        Ok(())
    }

    /// Why the restore of the region was not whole; nothing, if it was.
    async fn restore_region(&self) -> anyhow::Result<Option<String>> {
        let restored = restore_region(&self.deps, &RegionRestore::default(), &|_| ()).await;
        self.nothing_is_open_too_early().await?;
        Ok(match restored {
            Ok(restored) => restored.tenants.into_values().find_map(|outcome| match outcome {
                // A store that does not do well says nothing about a tenant.
                TenantOutcome::Refused(error) => panic!("refused: {}", error.chain()),
                _ => None,
            }),
            Err(error) => Some(line(&error)),
        })
    }

    async fn drill(&self, ids: &[TenantId]) -> Result<archive::DrillReport, Error> {
        drill::drill(&self.deps, ids, &|_| ()).await
    }

    async fn project(&self) -> anyhow::Result<()> {
        let test = &self.world.test;
        let deps = ProjectorDeps {
            region: test.region.clone(),
            vault: test.vault(DatabaseRole::Projector).await?,
            pool: test.pool(DatabaseRole::Projector).await?,
            clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
            metrics: test.metrics.clone(),
        };
        for tenant in &self.tenants {
            projector::catch_up(&deps, tenant).await?;
        }
        Ok(())
    }

    async fn verified(&self) -> anyhow::Result<[Option<i64>; 2]> {
        let mut owner = owner(&self.world).await?;
        let mut marks = [None; 2];
        for (mark, tenant) in marks.iter_mut().zip(&self.tenants) {
            *mark = eventlog::marks(&mut owner, tenant).await?.verified.map(|mark| mark.position.get());
        }
        Ok(marks)
    }
}

/// What people are told: one line, which says that the store is it.
fn line(error: &Error) -> String {
    let line = error.chain();
    let says_what = ["the bucket is not available", "cannot read the archive", ": cannot be read"];
    assert!(!line.contains('\n') && says_what.iter().any(|what| line.contains(what)), "{line}");
    line
}

fn all_but_of_writes(happened: &BTreeMap<Fault, u64>) {
    for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::Mismatch) {
        assert!(happened.contains_key(&fault), "{fault:?} never happened: {happened:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_comes_back_from_a_store_that_fails_in_every_way() -> anyhow::Result<()> {
    let ground = ground().await?;
    let mut happened: BTreeMap<Fault, u64> = BTreeMap::new();
    // As often as it takes for every fault to have happened.
    while Fault::ALL.into_iter().any(|fault| fault != Fault::Mismatch && !happened.contains_key(&fault)) {
        ground.lose_database().await?;
        ground.store.rage(RAGE);
        let why = ground.world.keep_trying(async || match ground.restore_region().await? {
            Some(why) => anyhow::bail!(why),
            None => Ok(()),
        });
        why.await?;
        ground.store.calm();
        assert_eq!(ground.seen().await?, ground.before);
        happened = ground.store.happened();
    }
    let rewritten = ground.world.rewritten().await?;
    assert!(rewritten.keys().all(|key| key.ends_with("/log/checkpoint")), "written twice: {rewritten:?}");
    for tenant in &ground.tenants {
        archive_tenant(&ground.world.deps, tenant, None).await?;
        ground.world.holds_the_log(tenant).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_breaks_ends_a_restore_with_a_line_and_it_goes_on_when_the_store_is_mended() -> anyhow::Result<()>
{
    let ground = ground().await?;
    ground.lose_database().await?;
    let before = ground.store.requests();
    assert_eq!(ground.restore_region().await?, None, "the control");
    let requests = ground.store.requests() - before;
    for (number, fault) in PERMANENT.into_iter().enumerate() {
        ground.lose_database().await?;
        // At the beginning, and ever later: while archives are verified, read and written.
        ground.store.break_after(requests * number as u64 / PERMANENT.len() as u64, fault);
        let why = ground.restore_region().await?;
        assert!(why.is_some(), "{fault:?}");
        assert!(ground.restore_region().await?.is_some(), "{fault:?}: it is still broken");
        ground.store.calm();
        assert_eq!(ground.restore_region().await?, None, "{fault:?}");
        assert_eq!(ground.seen().await?, ground.before, "{fault:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_in_its_place_comes_back_and_its_neighbour_is_untouched() -> anyhow::Result<()> {
    let ground = ground().await?;
    let [acme, _] = &ground.tenants;
    let (id, asked) = (acme.tenant_id().get(), TenantRestore::of(acme.tenant_id(), false));
    ground.store.rage(RAGE);
    for damaged in 2..6_i64 {
        let mut owner = owner(&ground.world).await?;
        sqlx::query!("delete from log.event where tenant_id = $1 and position = $2", id, damaged)
            .execute(&mut owner)
            .await?;
        let [spoilt, _] = ground.seen().await?;
        let attempt = async || match restore_tenant(&ground.deps, &asked, &|_| ()).await {
            Ok(restored) => Ok(restored),
            Err(error) => {
                let [now, neighbour] = ground.seen().await?;
                // Refused before anything was changed, or closed until it is whole.
                assert!(now == spoilt || now.state == "restoring", "{now:?}");
                assert_eq!(neighbour, ground.before[1]);
                anyhow::bail!(line(&error))
            }
        };
        ground.world.keep_trying(attempt).await?;
        assert_eq!(ground.seen().await?, ground.before);
    }
    all_but_of_writes(&ground.store.happened());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_takes_no_fault_of_the_store_for_a_finding_and_moves_the_mark_when_it_is_done() -> anyhow::Result<()> {
    let ground = ground().await?;
    ground.project().await?;
    let ids = ground.tenants.each_ref().map(Resident::tenant_id);
    for fault in [Fault::Forbidden, Fault::Truncated] {
        ground.store.break_after(0, fault);
        line(&ground.drill(&ids).await.expect_err("nothing is known of any tenant then"));
    }
    assert_eq!(ground.verified().await?, [None; 2]);
    // Everything can be read, so the tenants are verified; only nobody can be told.
    ground.store.break_after(0, Fault::Mismatch);
    let error = ground.drill(&ids).await.expect_err("its report cannot be written").chain();
    assert!(error.starts_with("drills/") && error.ends_with("exists with other bytes"), "{error}");
    ground.store.calm();
    assert_eq!(replicator::drills(&ground.world.deps).await?, Vec::<String>::new(), "nothing is signed");

    ground.store.rage(RAGE);
    let mut done = BTreeSet::new();
    while Fault::ALL.into_iter().any(|fault| !ground.store.happened().contains_key(&fault)) {
        // Something to archive.
        for tenant in &ground.tenants {
            let written = ground.world.comments(tenant).await?;
            ground.world.comment(tenant, written, 1).await?;
        }
        ground.project().await?;
        let report = ground.world.keep_trying(async || Ok(ground.drill(&ids).await?)).await?;
        for found in report.tenants.iter().filter_map(|tenant| tenant.finding.as_deref()) {
            // A store that says that something is there which is not: twice in a row.
            assert!(found.contains("exists with other bytes"), "{found}");
        }
        done.insert(report.drill_id);
    }
    ground.store.calm();
    let report = ground.drill(&ids).await?;
    assert!(report.is_clean(), "{report:?}");
    let sizes: Vec<_> = report.tenants.iter().map(|tenant| Some(tenant.size.cast_signed())).collect();
    assert_eq!(ground.verified().await?.as_slice(), sizes);
    done.insert(report.drill_id);
    // One whose answer was lost is there, too; none of those that answered is missing.
    let listed: BTreeSet<_> = replicator::drills(&ground.world.deps).await?.into_iter().collect();
    assert!(listed.is_superset(&done), "{listed:?} {done:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_says_that_the_store_does_not_answer_and_never_that_a_sound_archive_is_wrong() -> anyhow::Result<()> {
    let ground = ground().await?;
    ground.store.rage(RAGE);
    let (mut clean, mut unread) = (0, 0);
    while clean == 0 || unread == 0 || !ground.store.happened().contains_key(&Fault::Truncated) {
        for tenant in &ground.tenants {
            let objects = TenantObjects::new(ground.world.deps.bucket.clone(), tenant.tenant_id());
            match auditor::verify(&objects, &Options::default(), &mut |_| ()).await {
                Ok(report) => {
                    assert_eq!(report.findings, [], "the archive is sound");
                    clean += 1;
                }
                Err(error) => {
                    assert!(error.to_string().ends_with(": cannot be read"), "{error}");
                    unread += 1;
                }
            }
        }
    }
    Ok(())
}
