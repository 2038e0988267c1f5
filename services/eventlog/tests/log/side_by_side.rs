//! Several processes on one database: appenders that share tenants and streams, while connections break and rows are held.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use eventlog::{Append, Appended, Appender, AppenderConfig, Error};
use futures::future::join_all;
use regions::Resident;
use schemas::{CommandId, Recorded, TenantId};
use testkit::{TestRegion, region};

use crate::{checks, given};

const STREAMS: i64 = 4;
const ROUNDS: i64 = 12;

/// What a caller was told.
struct Acknowledged {
    tenant_id: TenantId,
    command_id: CommandId,
    at: Appended,
}

/// Whether each acknowledged append lies once, and where the caller was told.
fn as_acknowledged(log: &[Recorded], acknowledged: &[&Acknowledged]) -> Result<(), String> {
    let mut places: HashMap<CommandId, Vec<_>> = HashMap::new();
    for recorded in log {
        places.entry(recorded.sealed.envelope.command_id).or_default().push(recorded.position);
    }
    for Acknowledged { command_id, at, .. } in acknowledged {
        let told: Vec<_> = (at.first.get()..=at.last.get()).collect();
        let found: Vec<_> = places.remove(command_id).unwrap_or_default().iter().map(|place| place.get()).collect();
        if told != found {
            return Err(format!("command {command_id} was told {told:?} and lies at {found:?}"));
        }
    }
    match places.is_empty() {
        true => Ok(()),
        false => Err(format!("{} commands that nobody was told of", places.len())),
    }
}

/// Asks until the truth is known. `None` if somebody else was first; gives the version the stream is at then.
async fn ask(appender: &Appender, append: &Append) -> anyhow::Result<Result<Appended, i64>> {
    loop {
        match appender.append(append.clone()).await {
            Ok(appended) => return Ok(Ok(appended)),
            Err(Error::WrongExpectedVersion { actual, .. }) => return Ok(Err(actual.get())),
            Err(Error::OutcomeUnknown { .. } | Error::Busy { .. } | Error::Unavailable) => {}
            Err(other) => return Err(other.into()),
        }
    }
}

/// Appends to streams that others append to as well, `ROUNDS` times with success.
async fn write(
    test: &TestRegion,
    appender: &Appender,
    tenant: &Resident,
    writer: i64,
) -> anyhow::Result<Vec<Acknowledged>> {
    let mut acknowledged = Vec::new();
    let mut versions = HashMap::new();
    for round in 0..ROUNDS {
        let stream = (writer + round) % STREAMS;
        loop {
            let version = versions.entry(stream).or_insert(0);
            let append = given::append_to(test, tenant, &[(given::ticket(stream), *version, 2)]);
            match ask(appender, &append).await? {
                Ok(at) => {
                    *version += 2;
                    acknowledged.push(Acknowledged {
                        tenant_id: tenant.tenant_id(),
                        command_id: append.command_id,
                        at,
                    });
                    break;
                }
                Err(actual) => *version = actual,
            }
        }
    }
    Ok(acknowledged)
}

/// Ends the sessions of all lanes, and holds a tenant for a while, again and again.
async fn disturb(test: &TestRegion, tenant: &Resident, is_done: &AtomicBool) -> anyhow::Result<u32> {
    let mut owner = given::owner(test).await?;
    let mut times = 0;
    while !is_done.load(Ordering::SeqCst) {
        let held = given::hold(test, tenant).await?;
        given::blocked_sessions(test, 1).await.ok();
        sqlx::query!(
            "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'domicile desk'"
        )
        .fetch_all(&mut owner)
        .await?;
        held.rollback().await?;
        times += 1;
        // Some appends get through before the next time.
        let so_far = test.metrics.append_batch_size.get_sample_count();
        while test.metrics.append_batch_size.get_sample_count() < so_far + 20 && !is_done.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
    Ok(times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_share_streams_lose_and_double_nothing_while_connections_break() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = [eu.tenant("acme").await?, eu.tenant("other").await?, eu.tenant("third").await?];
    let mut appenders = Vec::new();
    for _ in 0..2 {
        let config = AppenderConfig { stuck_after: std::time::Duration::from_millis(20), ..AppenderConfig::default() };
        appenders.push(Appender::start(config, &eu.region, eu.metrics.clone(), &eu.shutdown).await?);
    }
    let is_done = AtomicBool::new(false);
    let writers = (0..24_i64).map(|writer| {
        let place = usize::try_from(writer).expect("small");
        write(&eu, &appenders[place % 2], &tenants[place % 3], writer)
    });
    let work = async {
        let all = join_all(writers).await;
        is_done.store(true, Ordering::SeqCst);
        all.into_iter().collect::<anyhow::Result<Vec<_>>>()
    };
    let (acknowledged, disturbed) = tokio::join!(work, disturb(&eu, &tenants[0], &is_done));
    let acknowledged: Vec<_> = acknowledged?.into_iter().flatten().collect();
    assert_eq!(acknowledged.len(), 24 * usize::try_from(ROUNDS)?);
    assert!(disturbed? > 0);
    for tenant in &tenants {
        let log = given::log(&eu, tenant).await?;
        let own: Vec<_> = acknowledged.iter().filter(|told| told.tenant_id == tenant.tenant_id()).collect();
        assert_eq!((checks::whole(&log), as_acknowledged(&log, &own)), (Ok(()), Ok(())));
    }
    Ok(())
}

#[tokio::test]
async fn an_append_that_lies_elsewhere_or_was_never_told_of_is_found() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let append = given::append(&eu, &acme, given::ticket(1), 0);
    let at = eu.appender().await?.append(append.clone()).await?;
    let log = given::log(&eu, &acme).await?;
    let told = |at| Acknowledged { tenant_id: acme.tenant_id(), command_id: append.command_id, at };
    assert_eq!(as_acknowledged(&log, &[&told(at)]), Ok(()));
    assert!(as_acknowledged(&log, &[&told(given::appended(2, 2))]).is_err());
    assert!(as_acknowledged(&log, &[]).is_err());
    assert!(as_acknowledged(&[], &[&told(at)]).is_err());
    Ok(())
}
