//! A whole region into an empty database.

use replicator::backup;
use restorer::{Error, TenantOutcome, TenantRestore, restore_region, restore_tenant};
use schemas::{Position, StreamName, TenantId, TicketId, Version};

use crate::ground::{Ground, ground};

async fn restored(eu: &Ground, backup_id: Option<&str>) -> anyhow::Result<restorer::RegionRestored> {
    Ok(restore_region(&eu.deps, backup_id, &|_| ()).await?)
}

#[tokio::test]
async fn a_region_comes_back_as_it_was() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    eu.ticket(&globex, 3, 300).await?;
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    // After the backup, and archived: it comes back too.
    eu.ticket(&acme, 2, 4).await?;
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    let before = [eu.seen(&acme).await?, eu.seen(&globex).await?];
    eu.lose_database().await?;

    let outcome = restored(&eu, None).await?;
    assert!(outcome.is_whole() && outcome.backup_id.is_some(), "{outcome:?}");
    for tenant in [&acme, &globex] {
        eu.project(tenant).await?;
    }
    assert_eq!([eu.seen(&acme).await?, eu.seen(&globex).await?], before);
    assert!(before[1].rows.iter().any(|(table, rows, _)| table.contains("comment") && *rows == 102));

    // And it goes on: the next events join the tree, under numbers nobody has.
    let mut desk = eu.owner().await?;
    assert_eq!(eventlog::allocate_ticket(&mut desk, &acme).await?, TicketId::new(3));
    assert!(eventlog::allocate_ids(&mut desk, &acme, 1).await? > 7);
    eu.ticket(&acme, 3, 2).await?;
    eu.settle(&acme).await?;
    let events =
        eventlog::read_stream(&mut desk, &acme, &StreamName::Ticket(TicketId::new(3)), Version::ZERO, 9).await?;
    assert_eq!(events[0].position, Position::new(18));
    Ok(())
}

#[tokio::test]
async fn a_restore_that_is_asked_for_again_changes_nothing() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.lose_database().await?;
    restored(&eu, None).await?;
    let once = eu.seen(&acme).await?;
    let again = restored(&eu, None).await?;
    assert!(matches!(again.tenants.values().next(), Some(TenantOutcome::Before)), "{again:?}");
    assert_eq!(eu.seen(&acme).await?, once);
    Ok(())
}

#[tokio::test]
async fn a_tenant_without_an_archive_does_not_keep_the_restore_of_its_region_unfinished() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, silent) = (eu.tenant("acme").await?, eu.tenant("silent").await?);
    eu.settle(&acme).await?;
    eu.lose_database().await?;
    for _ in 0..2 {
        let outcome = restored(&eu, None).await?;
        assert!(outcome.is_whole(), "{outcome:?}");
        assert!(matches!(outcome.tenants[&silent.tenant_id()], TenantOutcome::Empty), "{outcome:?}");
    }
    eu.tenant("initech").await?;
    let refused = restore_region(&eu.deps, None, &|_| ()).await.expect_err("initech is there");
    assert!(refused.to_string().contains("it holds initech"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_region_that_is_not_empty_is_left_alone() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    let refused = restore_region(&eu.deps, None, &|_| ()).await.expect_err("acme is there");
    assert_eq!(
        refused.to_string(),
        "region eu is not empty: it holds acme; a whole region is restored into an empty database, a single tenant by \
         `domicile restore tenant`"
    );
    assert_eq!(eu.seen(&acme).await?, before);
    Ok(())
}

#[tokio::test]
async fn who_the_directory_does_not_lead_here_is_not_opened() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, moved) = (eu.tenant("acme").await?, eu.tenant("moved").await?);
    for tenant in [&acme, &moved] {
        eu.settle(tenant).await?;
    }
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    eu.lose_database().await?;
    eu.deps.names.remove(&moved.tenant_id());
    let outcome = restored(&eu, None).await?;
    assert!(!outcome.is_whole());
    assert!(matches!(outcome.tenants[&acme.tenant_id()], TenantOutcome::Restored(_)));
    assert!(matches!(outcome.tenants[&moved.tenant_id()], TenantOutcome::Refused(Error::NotAtHome { .. })));
    Ok(())
}

#[tokio::test]
async fn a_generation_that_died_before_its_manifest_comes_back_too() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.ticket(&acme, 1, 6).await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    std::fs::remove_file(eu.file(&acme, &archive::layout::manifest(2)))?;
    eu.lose_database().await?;
    let outcome = restored(&eu, None).await?;
    assert!(outcome.is_whole(), "{outcome:?}");
    let after = eu.seen(&acme).await?;
    assert_eq!((after.events, after.sealed, after.archived), (before.events, before.sealed, Some(Position::new(13))));
    // The replicator finds the generation under way, and finishes it.
    eu.settle(&acme).await?;
    assert_eq!(eu.seen(&acme).await?.archived, Some(Position::new(19)));
    Ok(())
}

#[tokio::test]
async fn twins_with_the_same_numbers_come_back_apart() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (one, two) = (eu.tenant("one").await?, eu.tenant("two").await?);
    for tenant in [&one, &two] {
        eu.settle(tenant).await?;
    }
    let before: Vec<(TenantId, _)> =
        vec![(one.tenant_id(), eu.seen(&one).await?), (two.tenant_id(), eu.seen(&two).await?)];
    assert_ne!(before[0].1.root, before[1].1.root);
    eu.lose_database().await?;
    restored(&eu, None).await?;
    for (tenant, (_, seen)) in [&one, &two].into_iter().zip(before) {
        eu.project(tenant).await?;
        assert_eq!(eu.seen(tenant).await?, seen);
    }
    Ok(())
}

#[tokio::test]
async fn a_region_goes_on_after_a_tenant_was_restored_by_itself_and_another_signed_up() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    let before = [eu.seen(&acme).await?, eu.seen(&globex).await?];
    eu.lose_database().await?;
    let mut owner = eu.owner().await?;
    sqlx::raw_sql("alter table log.mark rename to away").execute(&mut owner).await?;
    restore_region(&eu.deps, None, &|_| ()).await.expect_err("as if it was killed");
    sqlx::raw_sql("alter table log.away rename to mark").execute(&mut owner).await?;

    let asked =
        TenantRestore { tenant_id: acme.tenant_id(), expected: None, source: "tenant".to_owned(), sets_aside: false };
    restore_tenant(&eu.deps, &asked, &|_| ()).await?;
    let initech = eu.tenant("initech").await?;
    let signed_up = eu.seen(&initech).await?;
    let outcome = restored(&eu, None).await?;
    assert!(outcome.is_whole(), "{outcome:?}");
    assert!(matches!(outcome.tenants[&acme.tenant_id()], TenantOutcome::Before), "{outcome:?}");
    assert!(matches!(outcome.tenants[&globex.tenant_id()], TenantOutcome::Restored(_)), "{outcome:?}");
    assert!(matches!(outcome.tenants[&initech.tenant_id()], TenantOutcome::New), "{outcome:?}");
    for tenant in [&acme, &globex] {
        eu.project(tenant).await?;
    }
    assert_eq!([eu.seen(&acme).await?, eu.seen(&globex).await?], before);
    assert_eq!(eu.seen(&initech).await?, signed_up);
    // It is finished now: it begins no other over what has happened since.
    let refused = restore_region(&eu.deps, None, &|_| ()).await.expect_err("initech is there");
    assert!(refused.to_string().contains("it holds initech"), "{refused}");
    Ok(())
}
