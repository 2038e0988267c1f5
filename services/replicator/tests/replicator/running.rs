//! The loop.

use std::time::Duration;

use anyhow::Context;
use eventlog::Marks;
use regions::Resident;
use replicator::Replicator;
use runtime::Shutdown;

use crate::region::{Archiving, archiving, files_ending};

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until a tenant's marks are as wanted.
async fn until(eu: &Archiving, tenant: &Resident, wanted: impl Fn(&Marks) -> bool) -> anyhow::Result<Marks> {
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
    let shutdown = Shutdown::new();
    let running = shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for tenant in &tenants {
        eu.append(tenant, 1, 0, 6).await?;
    }
    for tenant in &tenants {
        until(&eu, tenant, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 6)).await?;
        until(&eu, tenant, |marks| marks.verified.is_some_and(|mark| mark.position.get() == 6)).await?;
    }
    assert!(eu.test.metrics.archive_objects.with_label_values(&["manifest"]).get() >= 2);
    assert!(shutdown.drain(PATIENCE).await);
    running.await??;
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
    let halted = eu.test.metrics.subscription_halted.with_label_values(&["archive"]);
    let seen = async {
        while halted.get() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.context("the halted tenant is not counted")?;
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
        while eu.test.metrics.archive_age_seconds.get() != 90.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, measured).await.context("the age is not measured")?;
    assert_eq!(eu.test.metrics.subscription_lag_positions.with_label_values(&["archive"]).get(), 4);
    assert!(shutdown.drain(PATIENCE).await);
    Ok(())
}
