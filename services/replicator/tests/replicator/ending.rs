//! Backups end when the region's file has kept them for long enough; the newest that is whole does not.

use archive::{BackupManifest, layout};
use jiff::SignedDuration;
use regions::DatabaseRole;
use replicator::{
    Replicator,
    backup::{self, Kept},
};
use runtime::{Clock as _, Shutdown};
use testkit::refusal;

use crate::region::{Archiving, archiving, files_ending};

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn backed_up(eu: &Archiving) -> anyhow::Result<BackupManifest> {
    Ok(backup::create(&eu.deps, &mut |_| ()).await?)
}

/// The backups that are listed, oldest first, and until when each is kept.
async fn kept(eu: &Archiving) -> anyhow::Result<Vec<(String, Kept)>> {
    Ok(backup::list(&eu.deps).await?.into_iter().map(|listed| (listed.backup_id, listed.kept)).collect())
}

/// Objects that the life cycle hides, and versions that it ends for good.
async fn end_lives(eu: &Archiving) -> anyhow::Result<(u64, u64)> {
    let ended = eu.test.objects.as_ref().expect("the region's own").end_lives().await?;
    Ok((ended.objects, ended.versions))
}

#[tokio::test]
async fn a_backup_ends_when_it_was_kept_for_long_enough_and_the_newest_whole_one_does_not() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    eu.deps.region.backup_keep = days(40);
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    let first = backed_up(&eu).await?;
    eu.test.clock.advance(days(10));
    let second = backed_up(&eu).await?;
    eu.test.clock.advance(days(10));
    // The newest lacks a tenant: it is not the one to be left with.
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    eu.append(&acme, 1, 4, 4).await?;
    sqlx::query!("update log.tenant set state = 'moving'").execute(&owner).await?;
    let third = backed_up(&eu).await?;
    assert_eq!(third.incomplete().count(), 1);

    let until = |backup: &BackupManifest| Kept::Until(backup.completed_at + days(40));
    let ids = [&first, &second, &third].map(|backup| backup.backup_id.clone());
    let is = |states: [Kept; 3]| ids.iter().cloned().zip(states).collect::<Vec<_>>();
    assert_eq!(kept(&eu).await?, is([until(&first), Kept::AsNewest, until(&third)]));
    assert!(backup::end_due(&eu.deps).await?.is_empty());
    eu.test.clock.advance(days(20) - SignedDuration::from_secs(1));
    assert!(backup::end_due(&eu.deps).await?.is_empty(), "a second before");
    eu.test.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(kept(&eu).await?, is([Kept::Over, Kept::AsNewest, until(&third)]));
    end_lives(&eu).await?;
    assert_eq!(kept(&eu).await?.len(), 3, "nobody marked it, whatever its age");
    assert_eq!(backup::end_due(&eu.deps).await?, [ids[0].as_str()]);
    assert_eq!(backup::end_due(&eu.deps).await?, [ids[0].as_str()], "again, to the same effect");
    assert_eq!(end_lives(&eu).await?.0, 1);
    assert_eq!(kept(&eu).await?, is([Kept::Over, Kept::AsNewest, until(&third)])[1..]);

    eu.test.clock.advance(days(300));
    assert_eq!(kept(&eu).await?, is([Kept::Over, Kept::AsNewest, Kept::Over])[1..]);
    assert_eq!(backup::end_due(&eu.deps).await?, [ids[2].as_str()]);
    end_lives(&eu).await?;
    assert_eq!(kept(&eu).await?, is([Kept::Over, Kept::AsNewest, Kept::Over])[1..2], "the newest whole one stays");
    end_lives(&eu).await?;
    eu.test.clock.advance(days(8));
    end_lives(&eu).await?;
    assert!(files_ending(&eu.s3_folder(), &ids[0]).is_empty(), "its bytes are gone too");
    assert!(eu.archive(&acme).await?.iter().any(|(key, _)| key.ends_with(".seg.zst")), "what it pointed at stays");
    Ok(())
}

#[tokio::test]
async fn what_a_replicator_makes_of_an_emptied_database_is_not_whole_and_ends_no_other() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    (eu.deps.region.backup_every, eu.deps.region.backup_keep) = (Some(days(1)), days(30));
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    for tenant in [&acme, &globex] {
        eu.append(tenant, 1, 0, 4).await?;
    }
    let whole = backed_up(&eu).await?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::raw_sql("truncate log.tenant, log.event cascade").execute(&owner).await?;
    eu.test.clock.advance(days(40));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    testkit::eventually(async || Ok((eu.test.metrics.backup_incomplete_tenants.get() == 2).then_some(()))).await?;
    assert!(shutdown.drain(std::time::Duration::from_secs(60)).await);
    let listed = backup::list(&eu.deps).await?;
    let [first, emptied] = listed.as_slice() else { anyhow::bail!("{listed:?}") };
    assert_eq!((&first.backup_id, first.kept), (&whole.backup_id, Kept::AsNewest));
    assert!(matches!(emptied.kept, Kept::Until(_)), "{emptied:?}");
    Ok(())
}

#[tokio::test]
async fn a_backup_that_is_marked_too_early_is_held_by_its_lock() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let backup = backed_up(&eu).await?;
    let key = layout::backup(&backup.backup_id);
    eu.deps.bucket.mark_over(&key).await?;
    eu.test.clock.advance(days(29));
    assert_eq!(end_lives(&eu).await?.0, 1, "it is hidden");
    assert_eq!(end_lives(&eu).await?, (0, 0), "and its bytes are there, for whoever finds out");
    let root = eu.test.raw_bucket();
    let versions = root.list_object_versions().bucket(&root.name).prefix(&key).send().await?;
    let version = versions.versions().first().and_then(|version| version.version_id()).unwrap_or_default().to_owned();
    let read = root.get_object().bucket(&root.name).key(&key).version_id(version).send().await;
    assert_eq!(refusal(&read), "none");
    Ok(())
}

#[tokio::test]
async fn a_replicator_marks_what_is_over_and_leaves_alone_what_is_no_backup() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    (eu.deps.region.backup_every, eu.deps.region.backup_keep) = (None, days(30));
    eu.deps.bucket.put_new(&layout::backup("20200101T000000Z-0000"), "{}".into()).await?;
    let old = backed_up(&eu).await?;
    eu.test.clock.advance(days(30));
    let newest = backed_up(&eu).await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    testkit::eventually(async || {
        end_lives(&eu).await?;
        Ok((kept(&eu).await?.len() == 2).then_some(()))
    })
    .await?;
    let left: Vec<_> = kept(&eu).await?;
    assert_eq!(left[0], ("20200101T000000Z-0000".to_owned(), Kept::Unknown));
    assert_eq!(left[1], (newest.backup_id, Kept::AsNewest));
    assert!(old.completed_at < eu.test.clock.now());
    assert!(shutdown.drain(std::time::Duration::from_secs(60)).await);
    Ok(())
}

#[tokio::test]
async fn a_backup_from_the_future_is_no_young_one_and_keeps_nobody_from_ending_others() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    (eu.deps.region.backup_every, eu.deps.region.backup_keep) = (Some(days(1)), days(30));
    eu.test.tenant("acme").await?;
    let old = backed_up(&eu).await?;
    eu.test.clock.advance(days(40));
    let ahead = backed_up(&eu).await?;
    // The clock is put right: none can be made before it has come to where it was.
    eu.test.clock.advance(-days(8));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    testkit::eventually(async || {
        end_lives(&eu).await?;
        let is_seen = eu.test.metrics.backup_age_seconds.get() == days(32).as_secs_f64();
        Ok((is_seen && kept(&eu).await?.iter().all(|(id, _)| *id != old.backup_id)).then_some(()))
    })
    .await?;
    assert_eq!(kept(&eu).await?, [(ahead.backup_id, Kept::AsNewest)]);
    assert!(shutdown.drain(std::time::Duration::from_secs(60)).await);
    Ok(())
}
