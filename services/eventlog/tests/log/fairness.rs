//! Tenants beside one another on one lane: a flood, and a head row that somebody holds.

use std::time::Duration;

use eventlog::{Appender, AppenderConfig, Error};
use futures::{FutureExt as _, future::join_all};
use regions::Patience;
use testkit::{TestRegion, region};

use crate::{checks, given};

async fn start(test: &TestRegion, config: AppenderConfig) -> anyhow::Result<Appender> {
    Ok(Appender::start(config, &test.region, test.metrics.clone(), &test.shutdown).await?)
}

/// A lane that takes a stuck tenant out soon, and lets its callers wait for as long as a test takes.
fn impatient() -> AppenderConfig {
    let patience = Patience { lock: Duration::from_secs(60), ..Patience::DESK };
    AppenderConfig { lanes: 1, stuck_after: Duration::from_millis(20), patience, ..AppenderConfig::default() }
}

async fn on_siding(test: &TestRegion, count: i64) -> anyhow::Result<()> {
    let length = test.metrics.queue_length.with_label_values(&["append_siding"]);
    let wait = async {
        while length.get() < count {
            tokio::task::yield_now().await;
        }
    };
    Ok(tokio::time::timeout(Duration::from_secs(20), wait).await?)
}

#[tokio::test]
async fn a_tenant_that_floods_is_refused_and_its_neighbour_is_not() -> anyhow::Result<()> {
    let eu = region().await?;
    let (flood, neighbour) = (eu.tenant("flood").await?, eu.tenant("neighbour").await?);
    let appender = start(&eu, AppenderConfig { tenant_queue_length_max: 2, ..given::patient() }).await?;
    let held = given::hold(&eu, &flood).await?;
    let in_work = appender.append(given::append(&eu, &flood, given::ticket(1), 0));
    let rest = async {
        given::blocked_sessions(&eu, 1).await?;
        let waiting =
            join_all((2..4).map(|ticket| appender.append(given::append(&eu, &flood, given::ticket(ticket), 0))));
        let beside = async {
            given::queued(&eu, 2).await?;
            let refused = appender.append(given::append(&eu, &flood, given::ticket(4), 0)).await;
            assert!(
                matches!(&refused, Err(Error::TenantOverloaded { tenant_id }) if *tenant_id == flood.tenant_id()),
                "{refused:?}"
            );
            let beside = appender.append(given::append(&eu, &neighbour, given::ticket(1), 0));
            let release = async {
                given::queued(&eu, 3).await?;
                anyhow::Ok(held.rollback().await?)
            };
            let (beside, released) = tokio::join!(beside, release);
            released?;
            anyhow::Ok(beside?)
        };
        let (waited, beside) = tokio::join!(waiting, beside);
        anyhow::Ok((waited.into_iter().collect::<Result<Vec<_>, _>>()?, beside?))
    };
    let (in_work, rest) = tokio::join!(in_work, rest);
    let (waited, beside) = rest?;
    assert_eq!((in_work?, beside), (given::appended(1, 1), given::appended(1, 1)));
    assert_eq!(waited, [given::appended(2, 2), given::appended(3, 3)]);
    let refusals = |queue| eu.metrics.queue_refusals.with_label_values(&[queue]).get();
    assert_eq!((refusals("append_tenant"), refusals("append")), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_commit_takes_no_more_of_a_flood_than_its_share() -> anyhow::Result<()> {
    let eu = region().await?;
    let (gate, flood) = (eu.tenant("gate").await?, eu.tenant("flood").await?);
    let appender = start(&eu, AppenderConfig { tenant_share_max: 4, ..given::patient() }).await?;
    let held = given::hold(&eu, &gate).await?;
    let first = appender.append(given::append(&eu, &gate, given::ticket(1), 0));
    let flood = async {
        given::blocked_sessions(&eu, 1).await?;
        let all =
            join_all((1..=12).map(|ticket| appender.append(given::append(&eu, &flood, given::ticket(ticket), 0))));
        let release = async {
            given::queued(&eu, 12).await?;
            anyhow::Ok(held.rollback().await?)
        };
        let (all, released) = tokio::join!(all, release);
        released?;
        anyhow::Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?)
    };
    let (first, flood) = tokio::join!(first, flood);
    first?;
    assert_eq!(flood?.len(), 12);
    assert_eq!(eu.metrics.append_batch_size.get_sample_count(), 1 + 3, "the gate, and three times four");
    Ok(())
}

#[tokio::test]
async fn neighbours_of_a_tenant_that_somebody_holds_go_on() -> anyhow::Result<()> {
    let eu = region().await?;
    let (stuck, neighbour) = (eu.tenant("stuck").await?, eu.tenant("neighbour").await?);
    let appender = start(&eu, impatient()).await?;
    let held = given::hold(&eu, &stuck).await?;

    let mut waiting =
        Box::pin(join_all((1..=3).map(|ticket| appender.append(given::append(&eu, &stuck, given::ticket(ticket), 0)))));
    for version in 0..20 {
        let beside = appender.append(given::append(&eu, &neighbour, given::ticket(1), version));
        tokio::select! {
            beside = beside => assert_eq!(beside?, given::appended(version + 1, version + 1)),
            done = &mut waiting => anyhow::bail!("the tenant is held, and yet: {done:?}"),
        }
    }
    assert!((&mut waiting).now_or_never().is_none());

    held.rollback().await?;
    let mut appended = waiting.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    appended.sort_by_key(|appended| appended.first);
    assert_eq!(appended, [given::appended(1, 1), given::appended(2, 2), given::appended(3, 3)]);
    // It is back, and so is everything that counts it.
    assert_eq!(appender.append(given::append(&eu, &stuck, given::ticket(4), 0)).await?, given::appended(4, 4));
    let length = |queue| eu.metrics.queue_length.with_label_values(&[queue]).get();
    assert_eq!((length("append"), length("append_siding")), (0, 0));
    assert_eq!(checks::whole(&given::log(&eu, &stuck).await?), Ok(()));
    Ok(())
}

#[tokio::test]
async fn of_two_tenants_that_are_held_each_goes_on_when_it_is_let_go() -> anyhow::Result<()> {
    let eu = region().await?;
    let (one, other) = (eu.tenant("one").await?, eu.tenant("other").await?);
    let appender = start(&eu, impatient()).await?;
    let (held_one, held_other) = (given::hold(&eu, &one).await?, given::hold(&eu, &other).await?);
    let mut first = Box::pin(appender.append(given::append(&eu, &one, given::ticket(1), 0)));
    let mut second = Box::pin(appender.append(given::append(&eu, &other, given::ticket(1), 0)));
    tokio::select! {
        // While one is being tried, the other waits.
        both_wait = on_siding(&eu, 1) => both_wait?,
        done = &mut first => anyhow::bail!("it is held, and yet: {done:?}"),
        done = &mut second => anyhow::bail!("it is held, and yet: {done:?}"),
    }
    held_other.rollback().await?;
    tokio::select! {
        appended = &mut second => assert_eq!(appended?, given::appended(1, 1)),
        done = &mut first => anyhow::bail!("it is held, and yet: {done:?}"),
    }
    held_one.rollback().await?;
    assert_eq!(first.await?, given::appended(1, 1));
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_is_held_for_good_is_refused_again_and_again() -> anyhow::Result<()> {
    let eu = region().await?;
    let (stuck, neighbour) = (eu.tenant("stuck").await?, eu.tenant("neighbour").await?);
    let patience = Patience { lock: Duration::from_millis(200), ..Patience::DESK };
    let appender = start(&eu, AppenderConfig { patience, ..impatient() }).await?;
    let held = given::hold(&eu, &stuck).await?;
    for version in 0..3 {
        let (refused, beside) = tokio::join!(
            appender.append(given::append(&eu, &stuck, given::ticket(1), 0)),
            appender.append(given::append(&eu, &neighbour, given::ticket(1), version)),
        );
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
        assert_eq!(beside?, given::appended(version + 1, version + 1));
    }
    held.rollback().await?;
    assert_eq!(appender.append(given::append(&eu, &stuck, given::ticket(1), 0)).await?, given::appended(1, 1));
    Ok(())
}
