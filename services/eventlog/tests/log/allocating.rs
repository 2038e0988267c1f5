//! Small ids.

use std::collections::BTreeSet;

use eventlog::{Error, NewTenant, allocate_ids, allocate_ticket, create_tenant};
use futures::future::try_join_all;
use regions::DatabaseRole;
use runtime::{Clock, Ids};
use schemas::{Epoch, TenantId};
use sqlx::{Connection as _, Executor as _, PgConnection};
use testkit::region;

use crate::given;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_number_is_handed_out_twice() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let pool = eu.pool(DatabaseRole::Desk).await?;
    let allocate = |_| async {
        let mut desk = pool.acquire().await?;
        let ticket = allocate_ticket(&mut desk, &acme).await?;
        let first = allocate_ids(&mut desk, &acme, 3).await?;
        anyhow::Ok((ticket, [first, first + 1, first + 2]))
    };
    let allocated = try_join_all((0..30).map(allocate)).await?;
    let tickets: BTreeSet<_> = allocated.iter().map(|(ticket, _)| ticket.get()).collect();
    let ids: BTreeSet<_> = allocated.iter().flat_map(|(_, ids)| *ids).collect();
    assert_eq!(tickets, (1..=30).collect());
    assert_eq!(ids, (1..=90).collect());
    Ok(())
}

#[tokio::test]
async fn an_allocation_by_itself_waits_for_no_disk_and_leaves_the_session_as_it_was() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    // Test servers run without.
    desk.execute("set synchronous_commit = on").await?;
    let within = sqlx::query_scalar!(
        r#"select a.setting as "setting!" from (
            select log.allocate_ticket($1, 1, true), current_setting('synchronous_commit') as setting offset 0) a"#,
        acme.tenant_id().get()
    )
    .fetch_one(&mut desk)
    .await?;
    assert_eq!(within, "off");
    assert_eq!(synchronous_commit(&mut desk).await?, "on");
    allocate_ticket(&mut desk, &acme).await?;
    assert_eq!(synchronous_commit(&mut desk).await?, "on");
    Ok(())
}

#[tokio::test]
async fn an_allocation_within_a_transaction_leaves_its_durability_alone() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    desk.execute("set synchronous_commit = on").await?;
    let mut transaction = desk.begin().await?;
    allocate_ticket(&mut transaction, &acme).await?;
    allocate_ids(&mut transaction, &acme, 1).await?;
    assert_eq!(synchronous_commit(&mut transaction).await?, "on");
    Ok(())
}

async fn synchronous_commit(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(r#"select current_setting('synchronous_commit') as "setting!""#).fetch_one(connection).await
}

#[tokio::test]
async fn a_tenant_that_moved_is_given_no_numbers() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    sqlx::query!("update log.tenant set epoch = 2").execute(&mut given::owner(&eu).await?).await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    assert!(matches!(allocate_ticket(&mut desk, &acme).await, Err(Error::NotAtHome { .. })));
    assert!(matches!(allocate_ids(&mut desk, &acme, 1).await, Err(Error::NotAtHome { .. })));
    Ok(())
}

#[tokio::test]
async fn a_tenant_is_made_once() -> anyhow::Result<()> {
    let eu = region().await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    let acme = NewTenant {
        tenant_id: TenantId::new(eu.ids.uuid()),
        slug: "acme".parse()?,
        region: eu.region.id.clone(),
        epoch: Epoch::FIRST,
        created_at: eu.clock.now(),
    };
    let resident = create_tenant(&mut desk, &acme).await?.expect("made");
    assert_eq!((resident.tenant_id(), resident.slug()), (acme.tenant_id, &acme.slug));
    assert_eq!(eventlog::head(&mut desk, &resident).await?.get(), 0);

    assert_eq!(create_tenant(&mut desk, &acme).await?, None);
    let same_name = NewTenant { tenant_id: TenantId::new(eu.ids.uuid()), ..acme.clone() };
    assert_eq!(create_tenant(&mut desk, &same_name).await?, None);
    let same_id = NewTenant { slug: "other".parse()?, ..acme };
    assert_eq!(create_tenant(&mut desk, &same_id).await?, None);
    Ok(())
}
