use domain::{
    person::{self, Person},
    tenant::{self, Tenant},
};
use eventlog::Idempotency;
use schemas::{Actor, GroupId, Hash, PersonId, StreamName, Version};

use super::{Batch, Failure, Issuer, Refusal, execute, load};
use crate::{
    caller::provenance::Provenance,
    testing::{TestDesk, TestTenant},
};

fn issuer(desk: &TestDesk, tenant: &TestTenant) -> Issuer {
    let actor = Actor::Person(PersonId::new(1));
    Issuer { actor, ..Issuer::system(&desk.desk, &tenant.resident, Provenance::system()) }
}

fn add_group(id: i64) -> tenant::Command {
    tenant::AddGroup { group: GroupId::new(id), name: format!("Group {id}").into() }.into()
}

fn rename(name: &str) -> person::Command {
    person::Change { name: Some(name.to_owned().into()), ..person::Change::default() }.into()
}

const ADA: StreamName = StreamName::Person(PersonId::new(1));

#[tokio::test]
async fn writers_that_race_one_stream_all_get_through_without_a_gap() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let before = load::<Tenant>(&desk.desk, &acme.resident, &StreamName::Tenant).await?.1;
    let one =
        async |id| execute::<Tenant>(&desk.desk, &issuer(&desk, &acme), StreamName::Tenant, None, &add_group(id)).await;
    let (a, b, c) = tokio::join!(one(101), one(102), one(103));
    let mut versions = [a?.version, b?.version, c?.version];
    versions.sort_unstable();
    assert_eq!(versions.map(|version| version.get() - before.get()), [1, 2, 3]);
    let (tenant, _) = load::<Tenant>(&desk.desk, &acme.resident, &StreamName::Tenant).await?;
    let groups = tenant.account().map(|account| account.groups.len());
    assert_eq!(groups, Some(4), "the one of signup, and three");
    Ok(())
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_and_is_not_tried_again() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let by = issuer(&desk, &acme);
    let stale = execute::<Person>(&desk.desk, &by, ADA, Some(Version::new(1)), &rename("Ada King")).await;
    assert!(matches!(stale, Err(Refusal::Failed(Failure::Conflict { .. }))), "{stale:?}");
    let current = load::<Person>(&desk.desk, &acme.resident, &ADA).await?.1;
    let done = execute::<Person>(&desk.desk, &by, ADA, Some(current), &rename("Ada King")).await?;
    assert_eq!(done.version, current.next());
    Ok(())
}

#[tokio::test]
async fn a_repeated_request_finds_what_it_did_and_another_one_is_refused() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let with = |request: &[u8]| Issuer {
        idempotency: Some(Idempotency { key: "person-1:k".to_owned(), fingerprint: Hash::of(&[request]) }),
        ..issuer(&desk, &acme)
    };
    let first = execute::<Person>(&desk.desk, &with(b"one"), ADA, None, &rename("Ada King")).await?;
    let again = execute::<Person>(&desk.desk, &with(b"one"), ADA, None, &rename("Ada King")).await?;
    assert!(!first.replayed && again.replayed);
    assert_eq!(
        (first.stream, first.first, first.last, first.version),
        (again.stream, again.first, again.last, again.version)
    );
    let other = execute::<Person>(&desk.desk, &with(b"two"), ADA, None, &rename("Ada Byron")).await;
    assert!(matches!(other, Err(Refusal::Failed(Failure::IdempotencyKeyReused))), "{other:?}");
    Ok(())
}

#[tokio::test]
async fn what_changes_nothing_is_done_and_appends_nothing() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let by = issuer(&desk, &acme);
    let first = execute::<Person>(&desk.desk, &by, ADA, None, &rename("Ada King")).await?;
    let again = execute::<Person>(&desk.desk, &by, ADA, None, &rename("Ada King")).await?;
    assert!(again.nothing_changed);
    assert_eq!((again.last, again.version), (first.last, first.version));
    Ok(())
}

#[tokio::test]
async fn a_key_whose_request_changed_nothing_is_remembered() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let keyed = |request: &[u8]| Issuer {
        idempotency: Some(Idempotency { key: "person-1:k".to_owned(), fingerprint: Hash::of(&[request]) }),
        ..issuer(&desk, &acme)
    };
    execute::<Person>(&desk.desk, &issuer(&desk, &acme), ADA, None, &rename("Ada King")).await?;
    let first = execute::<Person>(&desk.desk, &keyed(b"one"), ADA, None, &rename("Ada King")).await?;
    execute::<Person>(&desk.desk, &issuer(&desk, &acme), ADA, None, &rename("Ada Byron")).await?;
    let again = execute::<Person>(&desk.desk, &keyed(b"one"), ADA, None, &rename("Ada King")).await?;
    assert!(first.nothing_changed && again.nothing_changed && again.replayed);
    assert_eq!((again.stream, again.last), (None, first.last));
    let other = execute::<Person>(&desk.desk, &keyed(b"two"), ADA, None, &rename("Ada")).await;
    assert!(matches!(other, Err(Refusal::Failed(Failure::IdempotencyKeyReused))), "{other:?}");
    Ok(())
}

#[tokio::test]
async fn a_batch_is_appended_as_a_whole_or_not_at_all() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let by = issuer(&desk, &acme);
    let batch = Batch::new(&desk.desk, &by)
        .decide::<Tenant>(StreamName::Tenant, None, &add_group(101))
        .await?
        .decide::<Person>(ADA, None, &rename("Ada King"))
        .await?;
    // Somebody else writes one of the streams first.
    execute::<Person>(&desk.desk, &issuer(&desk, &acme), ADA, None, &rename("Ada Byron")).await?;
    let failed = batch.commit().await;
    assert!(matches!(failed, Err(Failure::Conflict { stream: ADA })), "{failed:?}");
    let (tenant, _) = load::<Tenant>(&desk.desk, &acme.resident, &StreamName::Tenant).await?;
    assert_eq!(tenant.account().map(|account| account.groups.len()), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_moved_away_takes_no_command() -> anyhow::Result<()> {
    let desk = TestDesk::new().await?;
    let acme = desk.tenant("acme").await?;
    let mut owner = regions::connection(&desk.region.region, regions::DatabaseRole::Owner).await?;
    sqlx::query!("update log.tenant set epoch = 2 where tenant_id = $1", acme.resident.tenant_id().get())
        .execute(&mut owner)
        .await?;
    let refused = execute::<Person>(&desk.desk, &issuer(&desk, &acme), ADA, None, &rename("Ada King")).await;
    assert!(matches!(refused, Err(Refusal::Failed(Failure::NotAtHome { .. }))), "{refused:?}");
    Ok(())
}
