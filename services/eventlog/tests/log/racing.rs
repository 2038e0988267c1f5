//! Many writers at once.

use std::collections::BTreeSet;

use eventlog::{Appender, AppenderConfig, Error};
use futures::future::join_all;
use testkit::region;

use crate::{checks, given};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_racing_one_stream_exactly_one_wins_each_version() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    // Two appenders: lanes of one would never meet over a tenant, those of two processes do.
    let (one, two) = (given::one_lane(&eu).await?, given::one_lane(&eu).await?);
    for version in 0..10 {
        let race = (0..16).map(|writer| {
            let appender = if writer % 2 == 0 { &one } else { &two };
            appender.append(given::append(&eu, &acme, given::ticket(1), version))
        });
        let results = join_all(race).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "one wins version {}", version + 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert!(matches!(error, Error::WrongExpectedVersion { .. }), "{error}");
        }
    }
    let log = given::log(&eu, &acme).await?;
    assert_eq!((log.len(), checks::whole(&log)), (10, Ok(())));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn positions_stay_dense_under_writers_refusals_and_rollbacks() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = [eu.tenant("acme").await?, eu.tenant("other").await?, eu.tenant("third").await?];
    let mut appenders = Vec::new();
    for _ in 0..2 {
        appenders.push(Appender::start(AppenderConfig::default(), &eu.region, eu.metrics.clone(), &eu.shutdown).await?);
    }
    let writers = (0..24_i64).map(|writer| {
        let (eu, tenants) = (&eu, &tenants);
        let appender = &appenders[usize::from(writer % 2 == 0)];
        async move {
            let mut acknowledged = Vec::new();
            let mut version = 0;
            for round in 0..20 {
                let tenant = &tenants[usize::try_from(writer).expect("small") % 3];
                let mut append = given::append_to(eu, tenant, &[(given::ticket(writer), version, 2)]);
                match (writer + round) % 5 {
                    // A refusal.
                    0 => append = given::append(eu, tenant, given::ticket(writer), version + 7),
                    // A rollback: Postgres does not take this character, whatever the function says.
                    1 => append.streams[0].events[1].envelope.trace_parent = Some("\0".to_owned()),
                    _ => {}
                }
                if let Ok(appended) = appender.append(append).await {
                    version += 2;
                    acknowledged.push((tenant.tenant_id(), appended.first));
                }
            }
            acknowledged
        }
    });
    let acknowledged: Vec<_> = join_all(writers).await.into_iter().flatten().collect();
    assert_eq!(acknowledged.len(), 24 * 12);
    let distinct: BTreeSet<_> = acknowledged.iter().collect();
    assert_eq!(distinct.len(), acknowledged.len(), "no two callers were given one position");
    for tenant in &tenants {
        let log = given::log(&eu, tenant).await?;
        assert_eq!((log.len(), checks::whole(&log)), (8 * 12 * 2, Ok(())));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_that_share_many_tenants_never_deadlock() -> anyhow::Result<()> {
    let eu = region().await?;
    let mut tenants = Vec::new();
    for number in 0..12 {
        tenants.push(eu.tenant(&format!("tenant-{number}")).await?);
    }
    let (one, two) = (given::one_lane(&eu).await?, given::one_lane(&eu).await?);
    for round in 0..10 {
        // Each queue holds every tenant, in opposite orders.
        let forward = tenants.iter().map(|tenant| one.append(given::append(&eu, tenant, given::ticket(1), round)));
        let backward =
            tenants.iter().rev().map(|tenant| two.append(given::append(&eu, tenant, given::ticket(2), round)));
        for result in join_all(
            forward
                .collect::<Vec<_>>()
                .into_iter()
                .map(futures::future::Either::Left)
                .chain(backward.collect::<Vec<_>>().into_iter().map(futures::future::Either::Right)),
        )
        .await
        {
            result?;
        }
    }
    let mut owner = given::owner(&eu).await?;
    let deadlocks = sqlx::query_scalar!("select deadlocks from pg_stat_database where datname = current_database()")
        .fetch_one(&mut owner)
        .await?;
    assert_eq!(deadlocks, Some(0));
    Ok(())
}
