//! A database that is older than its archive, and a bucket that is not what the database knows.

use archive::layout;
use regions::{DatabaseRole, Resident};
use replicator::{Error, archive_tenant, fence};
use schemas::Position;
use sqlx::PgConnection;

use crate::region::{Archiving, archiving, files_ending};

/// Puts the database back to where it was at a position, as a bad restore would.
async fn restore_to(eu: &Archiving, tenant: &Resident, position: i64) -> anyhow::Result<()> {
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    let tenant_id = tenant.tenant_id().get();
    sqlx::query!("delete from log.mark where tenant_id = $1", tenant_id).execute(&owner).await?;
    sqlx::query!("delete from log.tree_head where tenant_id = $1", tenant_id).execute(&owner).await?;
    sqlx::query!("delete from log.event where tenant_id = $1 and position > $2", tenant_id, position)
        .execute(&owner)
        .await?;
    sqlx::query!("update log.tenant set position = $2 where tenant_id = $1", tenant_id, position)
        .execute(&owner)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_database_older_than_its_archive_refuses_to_write() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 20).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let published = eu.objects("").await?;
    restore_to(&eu, &acme, 10).await?;
    for more in [0, 2, 30] {
        // Even when it has grown past the archive again: its history is another one.
        eu.append(&acme, 7, if more == 30 { 2 } else { 0 }, more).await?;
        let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("the database is an old one");
        assert!(matches!(error, Error::PublishedAhead { published: 20, sealed: 0 }), "{error:?}");
        assert!(!error.is_transient());
        assert_eq!(eu.objects("").await?, published, "nothing was written");
    }
    Ok(())
}

#[tokio::test]
async fn a_replicator_at_work_is_not_taken_for_a_database_that_was_put_back() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let is_done = std::cell::Cell::new(false);
    let archives = async {
        for from in 0..40 {
            eu.append(&acme, 1, from, 1).await?;
            archive_tenant(&eu.deps, &acme, None).await?;
        }
        is_done.set(true);
        anyhow::Ok(())
    };
    let looks = async {
        while !is_done.get() {
            anyhow::ensure!(fence::find_behind(&eu.deps).await?.is_empty(), "it has sealed what it publishes");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(archives, looks)?;
    Ok(())
}

/// Waits until somebody waits for an advisory lock.
async fn is_awaited(connection: &mut PgConnection) -> anyhow::Result<()> {
    testkit::eventually(async || {
        let waiting = sqlx::query_scalar!(
            r#"select count(*) as "count!" from pg_locks join pg_database on pg_database.oid = database
            where locktype = 'advisory' and not granted and datname = current_database()"#
        );
        Ok((waiting.fetch_one(&mut *connection).await? > 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_log_that_is_restored_between_reading_and_sealing_is_read_again() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 6).await?;
    let mut owner = regions::connection(&eu.deps.region, DatabaseRole::Owner).await?;
    // Whoever seals comes by here, with the events in its hands.
    let lock = format!("replicator {}", acme.tenant_id());
    sqlx::query!("select pg_advisory_lock(hashtextextended($1, 0))", lock).fetch_one(&mut owner).await?;
    let restored = async {
        is_awaited(&mut owner).await?;
        restore_to(&eu, &acme, 4).await?;
        eu.append(&acme, 2, 0, 2).await?;
        sqlx::query!("select pg_advisory_unlock(hashtextextended($1, 0))", lock).fetch_one(&mut owner).await?;
        anyhow::Ok(())
    };
    let (archived, restored) = tokio::join!(archive_tenant(&eu.deps, &acme, None), restored);
    restored?;
    assert_eq!(archived?.size.get(), 6);
    let log = eventlog::read_log(&mut owner, &acme, Position::ZERO, 100).await?;
    assert_eq!(eu.archived_events(&acme).await?, log, "the log's, and not those that were lost");
    assert_eq!(eu.report(&acme).await?.findings, []);
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_lost_its_newest_manifest_is_not_written_to() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    for from in [0, 4] {
        eu.append(&acme, 1, from, 4).await?;
        archive_tenant(&eu.deps, &acme, None).await?;
    }
    std::fs::remove_file(files_ending(&eu.s3_folder(), "manifest/00000002.json").remove(0))?;
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("a manifest is gone");
    assert!(matches!(error, Error::ArchiveLost { archived, published: 4 } if archived.get() == 8), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_or_manifest_of_another_key_is_not_built_upon() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let other = archiving().await?;
    let mut deps = eu.deps.clone();
    deps.signing = other.deps.signing.clone();
    eu.append(&acme, 1, 4, 4).await?;
    let error = archive_tenant(&deps, &acme, None).await.expect_err("another key");
    assert!(matches!(error, Error::NotOurs { .. }), "{error:?}");
    assert!(archive_tenant(&eu.deps, &acme, None).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_that_was_put_back_is_noticed() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let checkpoint = files_ending(&eu.s3_folder(), layout::CHECKPOINT).remove(0);
    let old = std::fs::read(&checkpoint)?;
    eu.append(&acme, 1, 4, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    std::fs::write(&checkpoint, old)?;
    eu.append(&acme, 1, 8, 4).await?;
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("the checkpoint is an old one");
    assert!(matches!(error, Error::Inconsistent { size: 4, .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_damaged_tile_is_not_built_upon() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    archive_tenant(&eu.deps, &acme, None).await?;
    let tile = files_ending(&eu.s3_folder(), "log/tile/0/000.p/4").remove(0);
    let mut bytes = std::fs::read(&tile)?;
    bytes[0] ^= 1;
    std::fs::write(&tile, bytes)?;
    eu.append(&acme, 1, 4, 4).await?;
    let error = archive_tenant(&eu.deps, &acme, None).await.expect_err("a tile is damaged");
    assert!(matches!(error, Error::TreeDamaged { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn of_two_databases_that_both_hold_a_tenant_the_second_archives_nothing() -> anyhow::Result<()> {
    let (ours, theirs) = (archiving().await?, archiving().await?);
    let acme = ours.test.tenant("acme").await?;
    let twin = theirs.test.tenant_with_id("acme", acme.tenant_id()).await?;
    // A copy of a region that somebody started beside it: the same keys that sign, the same bucket, a database of its own.
    let mut beside = theirs.deps.clone();
    (beside.bucket, beside.signing) = (ours.deps.bucket.clone(), ours.deps.signing.clone());
    ours.append(&acme, 1, 0, 10).await?;
    archive_tenant(&ours.deps, &acme, None).await?;
    let published = ours.archive(&acme).await?;
    let keys = ours.objects("keys/").await?;
    let mut count = 0;
    // Shorter than what is published, as long, and longer.
    for more in [4, 6, 8] {
        theirs.append(&twin, 1, count, more).await?;
        count += more;
        let error = archive_tenant(&beside, &twin, None).await.expect_err("another history");
        assert!(matches!(error, Error::PublishedAhead { published: 10, .. } | Error::Inconsistent { .. }), "{error:?}");
        assert!(!error.is_transient(), "it needs an operator: {error:?}");
        assert_eq!(ours.archive(&acme).await?, published, "nothing was written");
        assert_eq!(ours.objects("keys/").await?, keys, "no key either");
    }
    ours.append(&acme, 1, 10, 4).await?;
    archive_tenant(&ours.deps, &acme, None).await?;
    assert!(ours.report(&acme).await?.is_clean(), "the first goes on");
    Ok(())
}
