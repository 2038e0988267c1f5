//! Backups by the clock, and those that somebody asks for and looks at.

use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use regions::DatabaseRole;
use replicator::{
    Replicator,
    backup::{self, OnRequest, State, UnderWay},
};
use runtime::Shutdown;

use crate::region::{Archiving, archiving, files_ending};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    testkit::eventually(async || Ok(is_so().await?.then_some(())))
        .await
        .with_context(|| format!("it did not come: {what}"))
}

async fn backups(eu: &Archiving) -> anyhow::Result<usize> {
    Ok(backup::list(&eu.deps).await?.len())
}

#[tokio::test]
async fn a_region_is_backed_up_when_it_is_due_by_one_of_its_replicators() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 6).await?;
    eu.deps.region.backup_every = Some(SignedDuration::from_hours(6));
    let shutdown = Shutdown::new();
    for _ in 0..2 {
        shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    }
    until("the first backup", async || Ok(backups(&eu).await? == 1)).await?;
    eu.test.clock.advance(SignedDuration::from_hours(5));
    let age = || eu.test.metrics.backup_age_seconds.get();
    until("its age", async || Ok(age() >= 5.0 * 3600.0)).await?;
    assert_eq!(backups(&eu).await?, 1, "it is not due");
    assert_eq!(eu.test.metrics.backup_interval_seconds.get(), 6.0 * 3600.0);
    eu.test.clock.advance(SignedDuration::from_hours(1));
    until("the second backup", async || Ok(backups(&eu).await? > 1)).await?;
    until("the age of the second", async || Ok(age() == 0.0)).await?;
    assert_eq!(backups(&eu).await?, 2, "one of them made it");
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_backup_that_lacks_a_tenant_is_followed_by_another_after_an_hour_and_once() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 6).await?;
    backup::create(&eu.deps, &mut |_| ()).await?;
    let checkpoint = files_ending(&eu.s3_folder(), "log/checkpoint").remove(0);
    let bytes = std::fs::read(&checkpoint)?;
    std::fs::write(&checkpoint, "not a checkpoint")?;
    eu.test.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(backup::create(&eu.deps, &mut |_| ()).await?.incomplete().count(), 1);
    std::fs::write(&checkpoint, bytes)?;
    eu.deps.region.backup_every = Some(SignedDuration::from_hours(24));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let lacking = || eu.test.metrics.backup_incomplete_tenants.get();
    until("what it lacks", async || Ok(lacking() == 1)).await?;
    eu.test.clock.advance(SignedDuration::from_mins(59));
    let age = || eu.test.metrics.backup_age_seconds.get();
    until("its age", async || Ok(age() >= 59.0 * 60.0)).await?;
    assert_eq!(backups(&eu).await?, 2, "it is not due");
    eu.test.clock.advance(SignedDuration::from_mins(1));
    until("a whole one", async || Ok(lacking() == 0)).await?;
    assert_eq!(backups(&eu).await?, 3);

    // What is still lacking after that waits for its turn.
    std::fs::write(&checkpoint, "not a checkpoint")?;
    for made in [4, 5] {
        eu.test.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(backup::create(&eu.deps, &mut |_| ()).await?.incomplete().count(), 1);
        assert_eq!(backups(&eu).await?, made);
    }
    eu.test.clock.advance(SignedDuration::from_hours(2));
    until("its age", async || Ok(age() >= 2.0 * 3600.0)).await?;
    assert_eq!(backups(&eu).await?, 5);
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_region_that_is_backed_up_on_request_shows_how_old_its_newest_backup_is() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    eu.deps.region.backup_every = None;
    eu.test.tenant("acme").await?;
    eu.test.clock.advance(SignedDuration::from_hours(72));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let age = || eu.test.metrics.backup_age_seconds.get();
    until("the age of what there is to back up", async || Ok(age() == 72.0 * 3600.0)).await?;
    assert_eq!(backups(&eu).await?, 0);
    backup::create(&eu.deps, &mut |_| ()).await?;
    until("the age of the backup", async || Ok(age() == 0.0)).await?;
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn marks_that_do_not_move_are_seen_to_age() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    // What was read back is whole; what comes after it cannot be sealed, because the bucket is not what it was.
    replicator::read_back(&eu.deps, &acme).await?;
    std::fs::write(files_ending(&eu.s3_folder(), "log/checkpoint").remove(0), "not a checkpoint")?;
    eu.append(&acme, 1, 4, 4).await?;
    eu.test.clock.advance(SignedDuration::from_secs(90));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for mark in ["sealed", "archived", "verified"] {
        let age = eu.test.metrics.mark_age_seconds.with_label_values(&[mark]);
        until(mark, async || Ok(age.get() == 90.0)).await?;
    }
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_backup_that_is_asked_for_is_seen_to_come_and_to_be_verified() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, shutdown) = (eu.test.tenant("acme").await?, Shutdown::new());
    eu.append(&acme, 1, 0, 6).await?;
    let on_request = OnRequest::new(eu.deps.clone(), shutdown.clone());
    assert!(on_request.latest().is_none());
    let backup_id = on_request.create()?;
    assert_eq!(on_request.create(), Err(UnderWay { backup_id: backup_id.clone() }));
    assert_eq!(on_request.verify(&backup_id), Err(UnderWay { backup_id: backup_id.clone() }));
    let state = || on_request.latest().map(|work| work.state);
    until("the backup", async || Ok(matches!(state(), Some(State::Created(_))))).await?;
    assert_eq!(backup::show(&eu.deps, &backup_id).await?.events(), 6);
    on_request.verify(&backup_id)?;
    until("its verification", async || match state() {
        Some(State::Verified(verified)) => Ok(verified.is_clean()),
        _ => Ok(false),
    })
    .await?;
    on_request.verify("20991231T000000Z-0000")?;
    until("the refusal", async || Ok(matches!(state(), Some(State::Failed(why)) if why.contains("not found")))).await?;
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_backup_is_given_up_when_the_process_ends_and_leaves_no_manifest() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, shutdown) = (eu.test.tenant("acme").await?, Shutdown::new());
    eu.append(&acme, 1, 0, 6).await?;
    // Nobody can seal while somebody holds the tenant's row.
    let mut held = regions::begin_with(&eu.test.pool(DatabaseRole::Owner).await?, "begin").await?;
    sqlx::query!("lock table log.tree_head in exclusive mode").execute(&mut *held).await?;
    let on_request = OnRequest::new(eu.deps.clone(), shutdown.clone());
    on_request.create()?;
    assert!(shutdown.drain(PATIENCE).await);
    assert!(matches!(on_request.latest().map(|work| work.state), Some(State::Failed(why)) if why.contains("ending")));
    assert_eq!(backups(&eu).await?, 0);
    Ok(())
}
