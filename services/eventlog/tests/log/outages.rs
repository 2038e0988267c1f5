//! Connections that break, and processes that end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use eventlog::{Appender, AppenderConfig, Error};
use regions::{Endpoints, Patience, PostgresEndpoint, Region};
use sqlx::PgConnection;
use testkit::{TestRegion, region};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, oneshot},
};

use crate::{checks, given};

async fn terminate(owner: &mut PgConnection, sessions: &[i32]) -> anyhow::Result<()> {
    sqlx::query!("select pg_terminate_backend(pid) from unnest($1::integer[]) as s (pid)", sessions)
        .fetch_all(owner)
        .await?;
    Ok(())
}

#[tokio::test]
async fn an_append_whose_backend_is_terminated_happens_once() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = given::one_lane(&eu).await?;
    let mut owner = given::owner(&eu).await?;
    let held = given::hold(&eu, &acme).await?;
    let append = appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)]));
    let outage = async {
        for _ in 0..3 {
            let sessions = given::blocked_sessions(&eu, 1).await?;
            terminate(&mut owner, &sessions).await?;
        }
        given::blocked_sessions(&eu, 1).await?;
        anyhow::Ok(held.rollback().await?)
    };
    let (appended, outage) = tokio::join!(append, outage);
    outage?;
    assert_eq!(appended?, given::appended(1, 2));
    let log = given::log(&eu, &acme).await?;
    assert_eq!((log.len(), checks::whole(&log)), (2, Ok(())));
    Ok(())
}

#[tokio::test]
async fn an_idle_lane_whose_backend_is_terminated_appends_the_next_one() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = given::one_lane(&eu).await?;
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    let mut owner = given::owner(&eu).await?;
    let sessions = sqlx::query_scalar!(
        r#"select pid as "pid!" from pg_stat_activity
        where datname = current_database() and application_name = 'domicile desk'"#
    )
    .fetch_all(&mut owner)
    .await?;
    terminate(&mut owner, &sessions).await?;
    assert_eq!(appender.append(given::append(&eu, &acme, given::ticket(1), 1)).await?, given::appended(2, 2));
    Ok(())
}

#[tokio::test]
async fn an_append_that_is_asked_for_again_answers_as_the_first_time() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    let append = given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2), (given::ticket(2), 0, 1)]);
    assert_eq!(appender.append(append.clone()).await?, given::appended(1, 3));
    appender.append(given::append(&eu, &acme, given::ticket(1), 2)).await?;
    assert_eq!(appender.append(append.clone()).await?, given::appended(1, 3));
    // The outcome does not change when the tenant has gone since.
    let mut owner = given::owner(&eu).await?;
    sqlx::query!("update log.tenant set state = 'moving', epoch = 2").execute(&mut owner).await?;
    assert_eq!(appender.append(append).await?, given::appended(1, 3));
    assert_eq!(given::log(&eu, &acme).await?.len(), 4);
    Ok(())
}

/// A wire between the product and Postgres that can be cut on the product's side only, so that the backend lives on as a zombie.
struct Wire {
    port: u16,
    is_silent: Arc<AtomicBool>,
    cut: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

/// Carries bytes both ways. After the cut it holds on to the far end, in silence.
async fn carry(mut near: TcpStream, mut far: TcpStream, is_cut: oneshot::Receiver<()>) {
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
        _ = is_cut => {}
    }
    drop(near);
    std::future::pending::<()>().await;
}

impl Wire {
    async fn to(test: &TestRegion) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Self { port: listener.local_addr()?.port(), is_silent: Arc::default(), cut: Arc::default() };
        let there = test.region.postgres().expect("a test region has a database").port;
        let (cut, is_silent) = (Arc::clone(&wire.cut), Arc::clone(&wire.is_silent));
        let shutdown = test.shutdown.clone();
        test.shutdown.spawn(async move {
            let mut unanswered = Vec::new();
            while let Ok((near, _)) = listener.accept().await {
                if is_silent.load(Ordering::SeqCst) {
                    unanswered.push(near);
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", there)).await else { continue };
                let (sender, is_cut) = oneshot::channel();
                cut.lock().await.push(sender);
                shutdown.spawn(carry(near, far, is_cut));
            }
        });
        Ok(wire)
    }

    /// The test's region, reached over the wire.
    fn region(&self, test: &TestRegion) -> Region {
        let Endpoints { postgres, s3 } = test.region.endpoints().expect("a test region has endpoints");
        test.region.clone().with_endpoints(Endpoints { postgres: PostgresEndpoint { port: self.port, ..postgres }, s3 })
    }

    /// From now on new connections are taken, and nobody answers on them.
    fn silence(&self) {
        self.is_silent.store(true, Ordering::SeqCst);
    }

    async fn cut(&self) {
        self.cut.lock().await.drain(..).for_each(|cut| _ = cut.send(()));
    }
}

#[tokio::test]
async fn an_append_that_a_zombie_backend_commits_is_answered_and_not_repeated() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let wire = Wire::to(&eu).await?;
    let appender = Appender::start(given::patient(), &wire.region(&eu), eu.metrics.clone(), &eu.shutdown).await?;
    let held = given::hold(&eu, &acme).await?;
    let append = appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)]));
    let outage = async {
        given::blocked_sessions(&eu, 1).await?;
        wire.cut().await;
        // The zombie waits for the head row, and behind it the lane's second try.
        given::blocked_sessions(&eu, 2).await?;
        anyhow::Ok(held.rollback().await?)
    };
    let (appended, outage) = tokio::join!(append, outage);
    outage?;
    assert_eq!(appended?, given::appended(1, 2));
    assert_eq!(appender.append(given::append(&eu, &acme, given::ticket(1), 2)).await?, given::appended(3, 3));
    let log = given::log(&eu, &acme).await?;
    assert_eq!((log.len(), checks::whole(&log)), (3, Ok(())));
    Ok(())
}

#[tokio::test]
async fn what_waits_when_the_process_is_asked_to_end_is_still_appended() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let shutdown = runtime::Shutdown::new();
    let appender = Appender::start(AppenderConfig::default(), &eu.region, eu.metrics.clone(), &shutdown).await?;
    let held = given::hold(&eu, &acme).await?;
    let first = appender.append(given::append(&eu, &acme, given::ticket(1), 0));
    let second = async {
        given::blocked_sessions(&eu, 1).await?;
        shutdown.request();
        let append = appender.append(given::append(&eu, &acme, given::ticket(2), 0));
        let release = async {
            given::queued(&eu, 1).await?;
            anyhow::Ok(held.rollback().await?)
        };
        let (appended, released) = tokio::join!(append, release);
        released?;
        anyhow::Ok(appended?)
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first?, second?), (given::appended(1, 1), given::appended(2, 2)));

    assert!(shutdown.drain(Duration::from_secs(20)).await, "the lanes end");
    let late = appender.append(given::append(&eu, &acme, given::ticket(3), 0)).await;
    assert!(matches!(late, Err(Error::Unavailable)), "{late:?}");
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_somebody_holds_is_refused_and_its_neighbours_are_not() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, twin) = (eu.tenant("acme").await?, eu.tenant("twin").await?);
    let patience = Patience { lock: Duration::from_millis(300), ..Patience::DESK };
    let config = AppenderConfig { lanes: 1, patience, ..AppenderConfig::default() };
    let appender = Appender::start(config, &eu.region, eu.metrics.clone(), &eu.shutdown).await?;
    let held = given::hold(&eu, &acme).await?;

    // All are in the queue before the lane gets to run, so they become one batch.
    let batch = async {
        tokio::join!(
            appender.append(given::append(&eu, &acme, given::ticket(1), 0)),
            appender.append(given::append(&eu, &twin, given::ticket(1), 0)),
            appender.append(given::append(&eu, &acme, given::ticket(2), 0)),
        )
    };
    let (first, neighbour, second) = tokio::time::timeout(Duration::from_secs(20), batch).await?;
    for refused in [first, second] {
        assert!(matches!(&refused, Err(Error::Busy { tenant_id }) if *tenant_id == acme.tenant_id()), "{refused:?}");
    }
    assert_eq!(neighbour?, given::appended(1, 1));
    let blocked = given::blocked_sessions(&eu, 0).await?;
    assert!(blocked.is_empty(), "backends wait on: {blocked:?}");

    held.rollback().await?;
    assert_eq!(appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?, given::appended(1, 1));
    assert_eq!((given::log(&eu, &acme).await?.len(), given::log(&eu, &twin).await?.len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn an_append_whose_connection_breaks_time_and_again_is_answered() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let config = AppenderConfig { lanes: 1, sent_within: Duration::from_millis(500), ..AppenderConfig::default() };
    let appender = Appender::start(config, &eu.region, eu.metrics.clone(), &eu.shutdown).await?;
    let mut owner = given::owner(&eu).await?;
    let held = given::hold(&eu, &acme).await?;
    let append = appender.append(given::append(&eu, &acme, given::ticket(1), 0));
    let outages = async {
        loop {
            let sessions = given::blocked_sessions(&eu, 1).await?;
            terminate(&mut owner, &sessions).await?;
        }
    };
    let outcome: anyhow::Result<_> = tokio::select! {
        appended = append => Ok(appended),
        broken = outages => broken,
        () = tokio::time::sleep(Duration::from_secs(15)) => anyhow::bail!("it waits still"),
    };
    let outcome = outcome?;
    assert!(matches!(outcome, Err(Error::OutcomeUnknown { .. })), "{outcome:?}");
    held.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_lane_whose_database_has_fallen_silent_ends_with_the_process() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let (wire, shutdown) = (Wire::to(&eu).await?, runtime::Shutdown::new());
    let config = AppenderConfig { lanes: 1, ..AppenderConfig::default() };
    let appender = Appender::start(config, &wire.region(&eu), eu.metrics.clone(), &shutdown).await?;
    let held = given::hold(&eu, &acme).await?;
    let append = appender.append(given::append(&eu, &acme, given::ticket(1), 0));
    let end = async {
        given::blocked_sessions(&eu, 1).await?;
        wire.silence();
        wire.cut().await;
        anyhow::Ok(shutdown.drain(Duration::from_secs(15)).await)
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(append, end) });
    let (appended, has_ended) = ended.await?;
    assert!(has_ended?, "the lane ends");
    assert!(matches!(appended, Err(Error::OutcomeUnknown { .. })), "{appended:?}");
    held.rollback().await?;
    Ok(())
}
