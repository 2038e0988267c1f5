//! Hints that the log has grown.

use std::{collections::BTreeSet, time::Duration};

use eventlog::{Head, Wakeup, Wakeups};
use futures::future::try_join_all;
use regions::DatabaseRole;
use schemas::{Position, TenantId};
use sqlx::Executor as _;
use testkit::region;

use crate::given;

const LONG: Duration = Duration::from_secs(20);

/// Listens until each of the tenants was named; tells by how many wake-ups.
async fn hear_of(wakeups: &mut Wakeups, mut tenants: BTreeSet<TenantId>) -> anyhow::Result<u32> {
    let mut count = 0;
    while !tenants.is_empty() {
        match wakeups.changed(LONG).await {
            Wakeup::Tenants(woken) => woken.iter().for_each(|tenant| _ = tenants.remove(tenant)),
            Wakeup::Sweep => anyhow::bail!("no wake-up came for {tenants:?}"),
        }
        count += 1;
    }
    Ok(count)
}

#[tokio::test]
async fn a_reader_hears_which_tenants_moved() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, quiet) = (eu.tenant("acme").await?, eu.tenant("quiet").await?);
    let appender = eu.appender().await?;
    let mut wakeups = Wakeups::listen(&eu.region, DatabaseRole::Projector).await?;
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    hear_of(&mut wakeups, [acme.tenant_id()].into()).await?;
    // A refusal is nothing to hear.
    assert!(appender.append(given::append(&eu, &quiet, given::ticket(1), 7)).await.is_err());
    assert_eq!(wakeups.changed(Duration::from_millis(50)).await, Wakeup::Sweep);
    Ok(())
}

#[tokio::test]
async fn wake_ups_of_many_tenants_are_coalesced() -> anyhow::Result<()> {
    let eu = region().await?;
    let mut tenants = Vec::new();
    for number in 0..40 {
        tenants.push(eu.tenant(&format!("tenant-{number}")).await?);
    }
    let appender = eu.appender().await?;
    let mut wakeups = Wakeups::listen(&eu.region, DatabaseRole::Projector).await?;
    try_join_all(tenants.iter().map(|tenant| appender.append(given::append(&eu, tenant, given::ticket(1), 0)))).await?;
    let count = hear_of(&mut wakeups, tenants.iter().map(regions::Resident::tenant_id).collect()).await?;
    assert!(count < 20, "{count} wake-ups for 40 appends");
    Ok(())
}

#[tokio::test]
async fn a_reader_that_lost_its_connection_is_told_to_sweep_and_hears_again() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    let mut wakeups = Wakeups::listen(&eu.region, DatabaseRole::Projector).await?;
    given::owner(&eu)
        .await?
        .execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'domicile projector'",
        )
        .await?;
    assert_eq!(wakeups.changed(LONG).await, Wakeup::Sweep);
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    // Whether it listens again before or after the notification, the reader learns of the event.
    while wakeups.changed(Duration::from_millis(200)).await == Wakeup::Sweep {
        let mut projector = regions::connection(&eu.region, DatabaseRole::Projector).await?;
        if eventlog::head(&mut projector, &acme).await? == Position::new(1) {
            break;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_sweep_finds_every_head() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, quiet) = (eu.tenant("acme").await?, eu.tenant("quiet").await?);
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3)])).await?;
    let mut projector = regions::connection(&eu.region, DatabaseRole::Projector).await?;
    let mut expected = [
        Head { tenant_id: acme.tenant_id(), position: Position::new(3) },
        Head { tenant_id: quiet.tenant_id(), position: Position::ZERO },
    ];
    expected.sort_by_key(|head| head.tenant_id);
    assert_eq!(eventlog::heads(&mut projector).await?, expected);
    Ok(())
}
