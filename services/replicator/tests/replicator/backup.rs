//! Backups of a region.

use std::sync::Arc;

use archive::layout;
use jiff::SignedDuration;
use regions::DatabaseRole;
use replicator::{Error, archive_tenant, backup};
use runtime::{ManualClock, SeededIds};
use schemas::Position;

use crate::region::{archiving, files_ending};

#[tokio::test]
async fn a_backup_brings_every_tenant_to_one_cut_and_verifies() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    let empty = eu.test.tenant("empty").await?;
    eu.append(&acme, 1, 0, 30).await?;
    eu.append(&globex, 1, 0, 12).await?;
    archive_tenant(&eu.deps, &acme, Some(Position::new(10))).await?;
    let mut seen = Vec::new();
    let backup = backup::create(&eu.deps, &mut |progress| seen.push((progress.tenants, progress.events))).await?;
    assert_eq!((seen.first(), seen.last()), (Some(&(0, 0)), Some(&(3, 42))));
    let mut sizes: Vec<_> =
        backup.tenants.iter().map(|tenant| (tenant.tenant_id, tenant.size, tenant.generation)).collect();
    let mut expected = [(acme.tenant_id(), 30, 2), (globex.tenant_id(), 12, 1), (empty.tenant_id(), 0, 0)];
    sizes.sort();
    expected.sort();
    assert_eq!(sizes, expected);

    assert_eq!(backup.incomplete().count(), 0);
    let listed: Vec<_> = backup::list(&eu.deps).await?.into_iter().filter_map(|listed| listed.manifest.ok()).collect();
    assert_eq!(listed, std::slice::from_ref(&backup));
    assert_eq!(backup::show(&eu.deps, &backup.backup_id).await?, backup);
    eu.append(&acme, 1, 30, 10).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let mut count = 0;
    let verified = backup::verify(&eu.deps, &backup.backup_id, &mut |_| count += 1).await?;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(count, 3);
    Ok(())
}

#[tokio::test]
async fn a_backup_without_news_writes_its_manifest_only() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 30).await?;
    backup::create(&eu.deps, &mut |_| ()).await?;
    let before = eu.objects("").await?.len();
    eu.test.clock.advance(jiff::SignedDuration::from_secs(1));
    backup::create(&eu.deps, &mut |_| ()).await?;
    assert_eq!(eu.objects("").await?.len(), before + 1);
    assert_eq!(backup::list(&eu.deps).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_backup_whose_archive_was_touched_is_found() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 30).await?;
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    let segment = files_ending(&eu.s3_folder(), ".seg.zst").remove(0);
    std::fs::remove_file(segment)?;
    let verified = backup::verify(&eu.deps, &backup.backup_id, &mut |_| ()).await?;
    assert!(!verified.is_clean());
    let report = verified.tenants[0].report.as_ref().expect("it had events");
    assert_eq!(report.first_wrong(), Some(Position::new(1)));
    Ok(())
}

#[tokio::test]
async fn a_backup_that_is_not_there_or_not_ours_is_refused() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 2).await?;
    let backup = backup::create(&eu.deps, &mut |_| ()).await?;
    let missing = backup::show(&eu.deps, "20260101T000000Z-0000").await;
    assert!(matches!(missing, Err(Error::NoSuchBackup { .. })));
    let mut deps = eu.deps.clone();
    let other = archiving().await?;
    deps.signing = other.deps.signing.clone();
    assert!(matches!(backup::show(&deps, &backup.backup_id).await, Err(Error::NotOurs { .. })));
    Ok(())
}

#[tokio::test]
async fn tenants_that_cannot_be_archived_stand_in_the_backup_with_the_reason() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let [acme, globex, moving, closed] = ["acme", "globex", "moving", "closed"];
    let (acme, globex) = (eu.test.tenant(acme).await?, eu.test.tenant(globex).await?);
    let (moving, closed) = (eu.test.tenant(moving).await?, eu.test.tenant(closed).await?);
    for tenant in [&acme, &moving, &closed] {
        eu.append(tenant, 1, 0, 4).await?;
        archive_tenant(&eu.deps, tenant, None).await?;
    }
    for tenant in [&acme, &globex, &moving] {
        eu.append(tenant, 2, 0, 6).await?;
    }
    let checkpoint = format!("{}{}", layout::tenant_prefix(acme.tenant_id()), layout::CHECKPOINT);
    std::fs::write(files_ending(&eu.s3_folder(), &checkpoint).remove(0), "not a checkpoint")?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    for (tenant, state) in [(&moving, "moving"), (&closed, "closed")] {
        sqlx::query!("update log.tenant set state = $2 where tenant_id = $1", tenant.tenant_id().get(), state)
            .execute(&owner)
            .await?;
    }
    let created = backup::create(&eu.deps, &mut |_| ()).await?;
    assert_eq!(backup::show(&eu.deps, &created.backup_id).await?, created);
    let found = |tenant: &regions::Resident| {
        let found = created.tenants.iter().find(|found| found.tenant_id == tenant.tenant_id()).expect("every tenant");
        (found.size, found.generation, found.reason.as_deref().unwrap_or("complete"))
    };
    assert_eq!(found(&globex), (6, 1, "complete"));
    assert_eq!(found(&closed), (4, 1, "complete"), "its archive has everything");
    let (size, generation, reason) = found(&acme);
    assert_eq!((size, generation), (4, 1));
    assert!(reason.starts_with("the published checkpoint cannot be trusted: "), "{reason}");
    let (size, generation, reason) = found(&moving);
    assert_eq!((size, generation), (4, 1));
    assert!(reason.contains("is being moved"), "{reason}");
    assert_eq!(created.incomplete().count(), 2);
    Ok(())
}

#[tokio::test]
async fn whom_a_lost_database_does_not_know_stands_in_every_backup_until_it_is_back() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, globex, silent) =
        (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?, eu.test.tenant("silent").await?);
    for tenant in [&acme, &globex] {
        eu.append(tenant, 1, 0, 4).await?;
    }
    let whole = backup::create(&eu.deps, &mut |_| ()).await?;
    eu.append(&acme, 1, 4, 2).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::raw_sql("truncate log.tenant, log.event cascade").execute(&owner).await?;
    // One is there again, and nothing of its log.
    eu.test.tenant_with_id("globex", globex.tenant_id()).await?;
    for _ in 0..2 {
        eu.test.clock.advance(SignedDuration::from_secs(1));
        let mut seen = Vec::new();
        let made = backup::create(&eu.deps, &mut |progress| seen.push(progress.tenants)).await?;
        assert_eq!(seen, [0, 1, 2], "nobody who had nothing: {silent:?}");
        let found = |tenant: &regions::Resident| {
            let found = made.tenants.iter().find(|found| found.tenant_id == tenant.tenant_id()).expect("named");
            (found.size, found.generation, found.reason.clone().unwrap_or_default())
        };
        let (size, generation, reason) = found(&acme);
        assert_eq!((size, generation), (6, 2), "what is archived of it");
        assert!(reason.contains("is not in the database, which was lost or put back"), "{reason}");
        let (size, generation, reason) = found(&globex);
        assert_eq!((size, generation), (4, 1));
        assert!(reason.contains("older than its archive"), "{reason}");
        assert_eq!(made.incomplete().count(), 2);
    }
    // What cannot be trusted says no less than what was known before.
    let manifests = files_ending(&eu.s3_folder(), "manifest/00000001.json");
    manifests.iter().try_for_each(|manifest| std::fs::write(manifest, "{}"))?;
    std::fs::remove_file(files_ending(&eu.s3_folder(), "manifest/00000002.json").remove(0))?;
    eu.test.clock.advance(SignedDuration::from_secs(1));
    let made = backup::create(&eu.deps, &mut |_| ()).await?;
    let known = made.tenants.iter().find(|found| found.tenant_id == acme.tenant_id()).expect("named");
    assert_eq!((known.size, known.generation), (6, 2));
    assert_eq!(whole.incomplete().count(), 0);
    Ok(())
}

#[tokio::test]
async fn who_was_closed_or_is_new_is_no_tenant_that_a_backup_lacks() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, closed) = (eu.test.tenant("acme").await?, eu.test.tenant("closed").await?);
    for tenant in [&acme, &closed] {
        eu.append(tenant, 1, 0, 4).await?;
    }
    backup::create(&eu.deps, &mut |_| ()).await?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("update log.tenant set state = 'closed' where tenant_id = $1", closed.tenant_id().get())
        .execute(&owner)
        .await?;
    eu.test.tenant("initech").await?;
    eu.test.clock.advance(SignedDuration::from_secs(1));
    let made = backup::create(&eu.deps, &mut |_| ()).await?;
    assert_eq!((made.tenants.len(), made.incomplete().count()), (3, 0), "{made:?}");
    Ok(())
}

#[tokio::test]
async fn a_backup_in_anothers_place_is_told_apart_and_holds_up_no_list() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let created = backup::create(&eu.deps, &mut |_| ()).await?;
    let bytes = eu.deps.bucket.get(&layout::backup(&created.backup_id)).await?.expect("just made").body;
    eu.deps.bucket.put_new(&layout::backup("20991231T000000Z-0000"), bytes).await?;
    eu.deps.bucket.put_new(&layout::backup("20991231T000000Z-0001"), "{}".into()).await?;
    let shown = backup::show(&eu.deps, "20991231T000000Z-0000").await;
    assert!(matches!(shown, Err(Error::AnotherBackup { backup_id, .. }) if backup_id == created.backup_id));
    let listed = backup::list(&eu.deps).await?;
    let kinds: Vec<_> = listed.iter().map(|listed| listed.manifest.as_ref().map_err(ToString::to_string)).collect();
    assert_eq!(kinds[2], Ok(&created));
    assert!(kinds[..2].iter().all(Result::is_err), "{kinds:?}");
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_was_stored_by_an_attempt_without_an_answer_is_no_error() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    // The same ids at the same time make the same manifest: what a repeated write finds.
    eu.deps.ids = Arc::new(SeededIds::new(7));
    let first = backup::create(&eu.deps, &mut |_| ()).await?;
    eu.deps.ids = Arc::new(SeededIds::new(7));
    assert_eq!(backup::create(&eu.deps, &mut |_| ()).await?, first);
    eu.append(&acme, 1, 0, 2).await?;
    eu.deps.ids = Arc::new(SeededIds::new(7));
    let error = backup::create(&eu.deps, &mut |_| ()).await.expect_err("another manifest is there");
    assert!(matches!(error, Error::ObjectDiffers { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_clock_behind_the_newest_backup_makes_none() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let newest = backup::create(&eu.deps, &mut |_| ()).await?;
    let clock = |behind: SignedDuration| Arc::new(ManualClock::new(newest.completed_at - behind));
    eu.deps.clock = clock(SignedDuration::from_mins(5));
    let error = backup::create(&eu.deps, &mut |_| ()).await.expect_err("it would not be the newest");
    let says = error.to_string();
    assert!(says.contains(&newest.backup_id) && says.ends_with("set the clock first"), "{says}");
    assert_eq!(backup::list(&eu.deps).await?.len(), 1);
    eu.deps.clock = clock(SignedDuration::from_secs(30));
    backup::create(&eu.deps, &mut |_| ()).await?;
    assert_eq!(backup::list(&eu.deps).await?.len(), 2, "two machines' clocks are never quite the same");
    Ok(())
}
