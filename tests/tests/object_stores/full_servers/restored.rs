//! The whole way on a full server, by the keys of the roles, under locks that nobody ends: archived, backed up, lost, restored, drilled,
//! verified.

use std::{collections::BTreeMap, sync::Arc};

use eventlog::Expected;
use projector::ProjectorDeps;
use regions::{BucketRole, DatabaseRole, LockMode, Resident, S3Endpoint};
use replicator::{archive_tenant, backup};
use restorer::{Named, RegionRestore, RestorerDeps, drill, restore_region};
use runtime::{Clock, SystemClock};
use schemas::{
    Epoch, Hash, PersonId, StreamName, TenantId, TenantLogEvent, TicketId,
    person::{PersonAdded, PersonEvent},
    tenant::{TenantEvent, TenantRegistered},
    ticket::{TicketEvent, TicketOpened},
    values::{Channel, Role},
};
use sqlx::PgConnection;
use system_tests::others;
use testkit::RawBucket;
use vault::RegionKey;

use super::{KEY, SECRET, set_up, users::Users};
use crate::world::{World, region_on};

#[tokio::test]
async fn a_region_comes_back_from_versitygw_by_the_keys_of_its_roles() -> anyhow::Result<()> {
    let test = "a_region_comes_back_from_versitygw_by_the_keys_of_its_roles";
    let Some(program) = others::program(others::VERSITYGW, test).await? else { return Ok(()) };
    let mode = LockMode::Compliance;
    let (test, clock) = (testkit::region_locked(mode).await?, Arc::new(SystemClock) as Arc<dyn Clock>);
    let (server, users) = Users::start(&program).await?;
    let region = region_on(&test, server.endpoint());
    set_up(&region, &RawBucket::new(&region, KEY, SECRET), &clock).await?;
    let region = region_on(&test, users.endpoint(&server, &region).await?);
    let world = World::new(test, region, Arc::clone(&clock)).await?;
    let (acme, globex) = (world.test.tenant("acme").await?, world.test.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        begin(&world, tenant).await?;
        world.comment(tenant, 1, 120).await?;
        world.upload(tenant, 1).await?;
        archive_tenant(&world.deps, tenant, None).await?;
    }
    let backup = backup::create(&world.deps, &mut |_| ()).await?;
    assert!(backup::verify(&world.deps, &backup.backup_id, &mut |_| ()).await?.is_clean());
    // After the backup, and archived.
    world.comment(&acme, 121, 30).await?;
    archive_tenant(&world.deps, &acme, None).await?;
    let before = [leaves(&world, &acme).await?, leaves(&world, &globex).await?];

    let deps = deps(&world, [&acme, &globex])?;
    lose_database(&mut regions::connection(deps.region(), DatabaseRole::Owner).await?).await?;
    let restored = restore_region(&deps, &RegionRestore::default(), &|_| ()).await?;
    assert!(restored.is_whole() && restored.backup_id == Some(backup.backup_id), "{restored:?}");
    assert_eq!([leaves(&world, &acme).await?, leaves(&world, &globex).await?], before);
    for tenant in [&acme, &globex] {
        project(&world, tenant).await?;
    }
    let ids = [acme.tenant_id(), globex.tenant_id()];
    let drilled = drill::drill(&deps, &ids, &|_| ()).await?;
    assert!(drilled.is_clean() && drilled.tenants.len() == 2, "{drilled:?}");

    // Whoever may only read verifies; an auditor sees one tenant.
    let reader = regions::bucket(deps.region(), BucketRole::Reader, &clock).await?;
    for (tenant, before) in [&acme, &globex].into_iter().zip(&before) {
        let report = world.report_by(&reader, tenant).await?;
        assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), before.len() as u64));
    }
    let auditor = users.auditor(&acme.tenant_id().to_string(), deps.region()).await?;
    let endpoint = S3Endpoint::new(server.endpoint().url, &auditor.id, &auditor.secret);
    let auditor = regions::bucket(&region_on(&world.test, endpoint), BucketRole::Reader, &clock).await?;
    assert_eq!(world.report_by(&auditor, &acme).await?.findings, []);
    let refused = world.report_by(&auditor, &globex).await.expect_err("another tenant's");
    assert!(format!("{refused:#}").contains("AccessDenied"), "{refused:#}");
    Ok(())
}

/// Whoever signed up, and a ticket: what read models begin with.
async fn begin(world: &World, tenant: &Resident) -> anyhow::Result<()> {
    let (person, channel) = (PersonId::new(1), Channel::Api);
    let registered = TenantRegistered { slug: tenant.slug().clone(), company: "Acme GmbH".to_owned().into() };
    let email = Some("ada@example.com".to_owned()).into();
    let added = PersonAdded { person, name: "Ada Lovelace".to_owned().into(), email, role: Role::Admin };
    let opened = TicketOpened {
        requester: person,
        submitter: person,
        subject: "Printer on fire".to_owned().into(),
        priority: None,
        ticket_type: None,
        assignee: None,
        group: None,
        tags: Vec::new().into(),
        channel,
        external_id: None.into(),
    };
    let events: [(StreamName, TenantLogEvent); 3] = [
        (StreamName::Tenant, TenantEvent::from(registered).into()),
        (StreamName::Person(person), PersonEvent::from(added).into()),
        (StreamName::Ticket(TicketId::new(1)), TicketEvent::from(opened).into()),
    ];
    for (stream, event) in events {
        world.test.append(tenant, stream, Expected::NoStream, vec![event]).await?;
    }
    Ok(())
}

fn deps(world: &World, tenants: [&Resident; 2]) -> anyhow::Result<RestorerDeps> {
    let named = |tenant: &Resident| Named { slug: tenant.slug().clone(), epoch: Epoch::FIRST };
    let names: BTreeMap<TenantId, Named> =
        tenants.into_iter().map(|tenant| (tenant.tenant_id(), named(tenant))).collect();
    let region_key = RegionKey::load(&world.test.folder.path().join("region.key"))?;
    Ok(RestorerDeps {
        replicator: world.deps.clone(),
        region_key,
        names,
        command: "domicile restore region".to_owned(),
    })
}

/// An empty database in the place of the region's.
async fn lose_database(owner: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::raw_sql("truncate log.tenant, log.event, vault.tenant_key, read.checkpoint cascade").execute(owner).await?;
    Ok(())
}

async fn project(world: &World, tenant: &Resident) -> anyhow::Result<()> {
    let deps = ProjectorDeps {
        region: world.test.region.clone(),
        vault: world.test.vault(DatabaseRole::Projector).await?,
        pool: world.test.pool(DatabaseRole::Projector).await?,
        clock: Arc::clone(&world.test.clock) as Arc<dyn Clock>,
        metrics: world.test.metrics.clone(),
    };
    projector::catch_up(&deps, tenant).await?;
    Ok(())
}

/// The leaves of a tenant's log.
async fn leaves(world: &World, tenant: &Resident) -> anyhow::Result<Vec<Hash>> {
    let mut connection = world.deps.pool.acquire().await?;
    let log = eventlog::read_log(&mut connection, tenant, schemas::Position::ZERO, 10_000).await?;
    Ok(log.iter().map(|event| event.sealed.leaf).collect())
}
