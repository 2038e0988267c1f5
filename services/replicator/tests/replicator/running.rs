//! The loop.

use std::time::Duration;

use anyhow::Context;
use eventlog::Marks;
use regions::{DatabaseRole, Resident};
use replicator::{Error, Replicator};
use runtime::Shutdown;

use crate::region::{Archiving, archiving, files_ending};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a tenant's marks are as wanted.
pub(crate) async fn until(eu: &Archiving, tenant: &Resident, wanted: impl Fn(&Marks) -> bool) -> anyhow::Result<Marks> {
    let waiting = async {
        loop {
            let marks = eventlog::marks(&mut *eu.deps.pool.acquire().await?, tenant).await?;
            if wanted(&marks) {
                return anyhow::Ok(marks);
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.context("the marks did not move")?
}

#[tokio::test]
async fn the_loop_archives_and_verifies_every_tenant_and_ends_when_asked() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let tenants = [eu.test.tenant("acme").await?, eu.test.tenant("globex").await?];
    // All of it first: what is verified while it still grows is not looked at again before an hour, and the clock stands still.
    for tenant in &tenants {
        eu.append(tenant, 1, 0, 6).await?;
    }
    let shutdown = Shutdown::new();
    let running = shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for tenant in &tenants {
        until(&eu, tenant, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 6)).await?;
        until(&eu, tenant, |marks| marks.verified.is_some_and(|mark| mark.position.get() == 6)).await?;
    }
    assert!(eu.test.metrics.archive_objects.with_label_values(&["manifest"]).get() >= 2);
    assert!(shutdown.drain(PATIENCE).await);
    running.await??;
    Ok(())
}

/// Waits until one tenant counts as halted.
async fn is_halted(eu: &Archiving) -> anyhow::Result<()> {
    let halted = eu.test.metrics.subscription_halted.with_label_values(&["archive"]);
    let seen = async {
        while halted.get() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.context("the halted tenant is not counted")
}

#[tokio::test]
async fn a_log_that_has_lost_the_next_event_to_archive_is_halted_and_not_forgotten() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    eu.append(&acme, 1, 4, 4).await?;
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("delete from log.event where tenant_id = $1 and position = 5", acme.tenant_id().get())
        .execute(&owner)
        .await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    is_halted(&eu).await?;
    assert_eq!(eu.test.metrics.subscription_lag_positions.with_label_values(&["archive"]).get(), 4);
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_is_halted_is_seen_and_holds_up_nobody() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    std::fs::write(files_ending(&eu.s3_folder(), "log/checkpoint").remove(0), "not a checkpoint")?;
    eu.append(&acme, 1, 4, 4).await?;
    eu.append(&globex, 1, 0, 4).await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    until(&eu, &globex, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 4)).await?;
    is_halted(&eu).await?;
    let marks = eventlog::marks(&mut *eu.deps.pool.acquire().await?, &acme).await?;
    assert_eq!(marks.archived.map(|mark| mark.position.get()), Some(4));
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn the_age_of_the_oldest_event_that_is_not_archived_is_measured() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    std::fs::write(files_ending(&eu.s3_folder(), "log/checkpoint").remove(0), "not a checkpoint")?;
    eu.append(&acme, 1, 4, 4).await?;
    eu.test.clock.advance(jiff::SignedDuration::from_secs(90));
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let measured = async {
        while eu.test.metrics.mark_age_seconds.with_label_values(&["archived"]).get() != 90.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, measured).await.context("the age is not measured")?;
    assert_eq!(eu.test.metrics.subscription_lag_positions.with_label_values(&["archive"]).get(), 4);
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn an_archive_that_stays_as_it_is_is_read_back_again() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let first = until(&eu, &acme, |marks| marks.verified.is_some()).await?.verified.context("just waited for")?;
    eu.test.clock.advance(jiff::SignedDuration::from_hours(25));
    until(&eu, &acme, |marks| marks.verified.is_some_and(|mark| mark.at > first.at)).await?;
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}

#[tokio::test]
async fn a_turn_of_a_tenant_is_one_generation() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    eu.append(&acme, 1, 0, 4).await?;
    replicator::archive_tenant(&eu.deps, &acme, None).await?;
    // As a crash before the checkpoint leaves it: four events are sealed, and four more make a second generation.
    for name in ["log/checkpoint", "manifest/00000001.json"] {
        std::fs::remove_file(files_ending(&eu.s3_folder(), name).remove(0))?;
    }
    let owner = eu.test.pool(DatabaseRole::Owner).await?;
    sqlx::query!("delete from log.mark where tenant_id = $1", acme.tenant_id().get()).execute(&owner).await?;
    eu.append(&acme, 1, 4, 4).await?;
    eu.append(&globex, 1, 0, 4).await?;
    // The loop makes one round in the time of this test.
    eu.deps.interval = Duration::from_secs(3600);
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for tenant in [&acme, &globex] {
        until(&eu, tenant, |marks| marks.archived.is_some()).await?;
    }
    assert!(shutdown.drain(PATIENCE).await);
    let marks = eventlog::marks(&mut *eu.deps.pool.acquire().await?, &acme).await?;
    assert_eq!(marks.archived.map(|mark| mark.position.get()), Some(4), "the rest waits for its next turn");
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_at_the_start_is_asked_again_and_one_elsewhere_ends_it() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    eu.append(&acme, 1, 0, 4).await?;
    let location = files_ending(&eu.s3_folder(), ".location").remove(0);
    let at_home = std::fs::read(&location)?;
    std::fs::remove_file(&location)?;
    let shutdown = Shutdown::new();
    let running = shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for _ in 0..20 {
        assert!(eu.deps.bucket.check_location().await.is_err());
    }
    std::fs::write(&location, at_home)?;
    until(&eu, &acme, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 4)).await?;
    assert!(shutdown.drain(PATIENCE).await);
    running.await??;

    std::fs::write(&location, "us-west-2")?;
    let shutdown = Shutdown::new();
    let ended = Replicator::new(eu.deps.clone()).run(shutdown.clone()).await;
    assert!(matches!(ended, Err(Error::Bucket(regions::Error::AnotherLocation { .. }))), "{ended:?}");
    assert!(shutdown.is_requested());
    Ok(())
}
