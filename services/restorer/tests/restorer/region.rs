//! A whole region into an empty database.

use std::sync::Mutex;

use jiff::SignedDuration;
use replicator::backup;
use restorer::{
    Error, RegionRestore, RegionRestored, RestoreProgress, TenantOutcome, TenantRestore, restore_region, restore_tenant,
};
use schemas::{Position, StreamName, TenantId, TicketId, Version};

use crate::ground::{Ground, ground};

async fn restored(eu: &Ground) -> anyhow::Result<RegionRestored> {
    Ok(restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await?)
}

async fn restored_from(eu: &Ground, backup_id: &str, is_anew: bool) -> Result<RegionRestored, Error> {
    restore_region(&eu.deps, &RegionRestore { backup_id: Some(backup_id.to_owned()), is_anew }, &|_| ()).await
}

/// Lets the restore of a region end when its first tenant is to be opened, as if it was killed there.
async fn killed(eu: &Ground, asked: &RegionRestore) -> anyhow::Result<()> {
    let mut owner = eu.owner().await?;
    sqlx::raw_sql("alter table log.mark rename to away").execute(&mut owner).await?;
    restore_region(&eu.deps, asked, &|_| ()).await.expect_err("as if it was killed");
    sqlx::raw_sql("alter table log.away rename to mark").execute(&mut owner).await?;
    Ok(())
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

    let outcome = restored(&eu).await?;
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
    restored(&eu).await?;
    let once = eu.seen(&acme).await?;
    let again = restored(&eu).await?;
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
        let outcome = restored(&eu).await?;
        assert!(outcome.is_whole(), "{outcome:?}");
        assert!(matches!(outcome.tenants[&silent.tenant_id()], TenantOutcome::Empty), "{outcome:?}");
    }
    eu.tenant("initech").await?;
    let refused = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("initech is there");
    assert!(refused.to_string().contains("it holds initech"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_region_that_is_not_empty_is_left_alone() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let before = eu.seen(&acme).await?;
    let refused = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("acme is there");
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
    let outcome = restored(&eu).await?;
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
    let outcome = restored(&eu).await?;
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
    restored(&eu).await?;
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
    killed(&eu, &RegionRestore::default()).await?;
    let asked = TenantRestore::of(acme.tenant_id(), false);
    restore_tenant(&eu.deps, &asked, &|_| ()).await?;
    let initech = eu.tenant("initech").await?;
    let signed_up = eu.seen(&initech).await?;
    let told = Mutex::new(Vec::new());
    let progress = |at| told.lock().expect("one at a time").push(at);
    let outcome = restore_region(&eu.deps, &RegionRestore::default(), &progress).await?;
    let told: Vec<RestoreProgress> = told.into_inner()?;
    // Acme is back before it begins, and counts; initech has nothing that is archived.
    assert_eq!((told[0].tenants_done, told[0].tenants_total, told[0].done(), told[0].total()), (2, 3, 3 * 13, 3 * 26));
    assert!(told.is_sorted_by_key(RestoreProgress::done), "{told:?}");
    let last = told.last().expect("the end");
    assert_eq!((last.tenants_done, last.done()), (3, 3 * 26));
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
    let refused = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("initech is there");
    assert!(refused.to_string().contains("it holds initech"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_region_is_held_against_the_newest_whole_backup_and_none_of_the_emptied_database() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, moved) = (eu.tenant("acme").await?, eu.tenant("moved").await?);
    for tenant in [&acme, &moved] {
        eu.settle(tenant).await?;
    }
    let checkpoint = std::fs::read(eu.file(&acme, archive::layout::CHECKPOINT))?;
    let mut whole = Vec::new();
    for _ in 0..2 {
        eu.ticket(&acme, 1, 3).await?;
        whole.push(backup::create(&eu.deps.replicator, &mut |_| ()).await?.backup_id);
        eu.test.clock.advance(SignedDuration::from_hours(6));
    }
    eu.lose_database().await?;
    // Before anybody restores, a replicator looks whether a backup is due.
    let emptied = backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    assert_eq!(emptied.incomplete().count(), 2);
    // The archive has lost its end, which only a backup can tell, and the directory one of the two names.
    for generation in [2, 3] {
        std::fs::remove_file(eu.file(&acme, &archive::layout::manifest(generation)))?;
    }
    for segment in ["events/000000000014-000000000016.seg.zst", "events/000000000017-000000000019.seg.zst"] {
        std::fs::remove_file(eu.file(&acme, segment))?;
    }
    std::fs::write(eu.file(&acme, archive::layout::CHECKPOINT), checkpoint)?;
    eu.deps.names.remove(&moved.tenant_id());
    let outcome = restored(&eu).await?;
    assert_eq!(outcome.backup_id.as_ref(), whole.last());
    let refused = &outcome.tenants[&acme.tenant_id()];
    assert!(matches!(refused, TenantOutcome::Refused(Error::WrongArchive { .. })), "{refused:?}");
    let refused = &outcome.tenants[&moved.tenant_id()];
    assert!(matches!(refused, TenantOutcome::Refused(Error::NotAtHome { .. })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_restore_that_was_interrupted_goes_on_from_its_own_backup_and_no_other() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    let mut backups = Vec::new();
    for _ in 0..2 {
        eu.ticket(&acme, 1, 2).await?;
        backups.push(backup::create(&eu.deps.replicator, &mut |_| ()).await?.backup_id);
        eu.test.clock.advance(jiff::SignedDuration::from_mins(1));
    }
    let [first, second] = backups.as_slice() else { panic!("{backups:?}") };
    eu.lose_database().await?;
    killed(&eu, &RegionRestore { backup_id: Some(first.clone()), is_anew: false }).await?;

    let refused = restored_from(&eu, second, false).await.expect_err("another one was begun");
    assert_eq!(
        refused.to_string(),
        format!(
            "a restore of region eu from backup {first} was begun at 2026-11-22T10:02:00Z and is not finished, this one \
             would be from backup {second}: without --backup that one goes on, with --anew this one begins in its place"
        )
    );
    // The newest backup is not taken for it.
    killed(&eu, &RegionRestore::default()).await?;
    killed(&eu, &RegionRestore { backup_id: Some(second.clone()), is_anew: true }).await?;
    assert!(matches!(restored_from(&eu, first, false).await, Err(Error::AnotherBackup { .. })), "now it is the second");
    let outcome = restored(&eu).await?;
    assert_eq!((outcome.is_whole(), outcome.backup_id.as_ref()), (true, Some(second)));
    // It is over: who asks from another one is told what is there.
    assert!(restored_from(&eu, first, false).await?.is_whole());
    Ok(())
}

#[tokio::test]
async fn a_tenant_by_itself_is_held_against_the_backup_of_its_regions_unfinished_restore() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    eu.settle(&globex).await?;
    let checkpoint = {
        eu.settle(&acme).await?;
        std::fs::read(eu.file(&acme, archive::layout::CHECKPOINT))?
    };
    eu.ticket(&acme, 1, 6).await?;
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    eu.lose_database().await?;
    // The archive has lost its end.
    std::fs::remove_file(eu.file(&acme, &archive::layout::manifest(2)))?;
    std::fs::remove_file(eu.file(&acme, "events/000000000014-000000000019.seg.zst"))?;
    std::fs::write(eu.file(&acme, archive::layout::CHECKPOINT), checkpoint)?;
    let outcome = restored(&eu).await?;
    assert!(matches!(outcome.tenants[&acme.tenant_id()], TenantOutcome::Refused(Error::WrongArchive { .. })));

    let mut asked = TenantRestore::of(acme.tenant_id(), false);
    let refused = restore_tenant(&eu.deps, &asked, &|_| ()).await.expect_err("the backup had more of it");
    assert!(refused.to_string().contains("known to have held more"), "{refused}");
    asked.is_anew = true;
    assert_eq!(restore_tenant(&eu.deps, &asked, &|_| ()).await?.size, 13);
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_was_refused_lets_no_restore_pass_over_a_region_that_lives() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    backup::create(&eu.deps.replicator, &mut |_| ()).await?;
    eu.lose_database().await?;
    eu.flip(&acme, "events/000000000001-000000000013.seg.zst")?;
    // Tried as often as one likes, while nothing else is there.
    for _ in 0..2 {
        let outcome = restored(&eu).await?;
        assert!(matches!(outcome.tenants[&acme.tenant_id()], TenantOutcome::Refused(Error::WrongArchive { .. })));
    }
    eu.tenant("initech").await?;
    let refused = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("the region lives");
    assert!(refused.to_string().contains("it holds initech"), "{refused}");
    // By itself it comes back.
    eu.flip(&acme, "events/000000000001-000000000013.seg.zst")?;
    restore_tenant(&eu.deps, &TenantRestore::of(acme.tenant_id(), false), &|_| ()).await?;
    Ok(())
}

#[tokio::test]
async fn a_tenant_whose_own_restore_was_refused_is_in_the_way_of_its_regions() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.put_back(&acme, 8).await?;
    eu.ticket(&acme, 8, 2).await?;
    let asked = TenantRestore::of(acme.tenant_id(), false);
    restore_tenant(&eu.deps, &asked, &|_| ()).await.expect_err("it went on from an older state");
    let refused = restore_region(&eu.deps, &RegionRestore::default(), &|_| ()).await.expect_err("acme is there");
    assert!(refused.to_string().contains("it holds acme"), "{refused}");
    Ok(())
}
