//! Callers that share a commit.

use eventlog::{Append, Appended, Appender, Error};
use futures::future::join_all;
use regions::Resident;
use testkit::{TestRegion, region};

use crate::{checks, given};

/// Runs the appends as one batch: a lane is made to wait at another tenant until all of them are queued.
async fn together(
    test: &TestRegion,
    appender: &Appender,
    gate: &Resident,
    appends: Vec<Append>,
) -> anyhow::Result<Vec<Result<Appended, Error>>> {
    let batches_before = test.metrics.append_batch_size.get_sample_count();
    let held = given::hold(test, gate).await?;
    let first = appender.append(given::append(test, gate, given::ticket(1), 0));
    let queue = async {
        given::blocked_sessions(test, 1).await?;
        let all = join_all(appends.iter().cloned().map(|append| appender.append(append)));
        let release = async {
            given::queued(test, i64::try_from(appends.len())?).await?;
            anyhow::Ok(held.rollback().await?)
        };
        let (results, released) = tokio::join!(all, release);
        released?;
        anyhow::Ok(results)
    };
    let (first, results) = tokio::join!(first, queue);
    first?;
    let batches = test.metrics.append_batch_size.get_sample_count() - batches_before;
    let results = results?;
    assert!(
        batches == 2 || results.iter().any(|result| matches!(result, Err(Error::Append(_)))),
        "they shared a commit"
    );
    Ok(results)
}

#[tokio::test]
async fn a_refused_caller_leaves_its_neighbours_alone() -> anyhow::Result<()> {
    let eu = region().await?;
    let (gate, acme, other) = (eu.tenant("gate").await?, eu.tenant("acme").await?, eu.tenant("other").await?);
    let gone = eu.tenant("gone").await?;
    let mut owner = given::owner(&eu).await?;
    sqlx::query!("update log.tenant set state = 'moving' where tenant_id = $1", gone.tenant_id().get())
        .execute(&mut owner)
        .await?;
    let appender = given::one_lane(&eu).await?;

    let results = together(
        &eu,
        &appender,
        &gate,
        vec![
            given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)]),
            given::append(&eu, &acme, given::ticket(2), 5),
            given::append(&eu, &gone, given::ticket(1), 0),
            given::append_to(&eu, &acme, &[(given::ticket(3), 0, 1), (given::ticket(4), 0, 2)]),
            given::append(&eu, &other, given::ticket(1), 0),
            given::append(&eu, &acme, given::ticket(5), 0),
        ],
    )
    .await?;
    assert_eq!(*results[0].as_ref().expect("appended"), given::appended(1, 2));
    assert!(matches!(results[1], Err(Error::WrongExpectedVersion { .. })));
    assert!(matches!(results[2], Err(Error::NotAtHome { .. })));
    assert_eq!(*results[3].as_ref().expect("appended"), given::appended(3, 5));
    assert_eq!(*results[4].as_ref().expect("appended"), given::appended(1, 1));
    assert_eq!(*results[5].as_ref().expect("appended"), given::appended(6, 6));
    assert_eq!(checks::whole(&given::log(&eu, &acme).await?), Ok(()));
    assert!(given::log(&eu, &gone).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_caller_the_database_rejects_fails_alone() -> anyhow::Result<()> {
    let eu = region().await?;
    let (gate, acme) = (eu.tenant("gate").await?, eu.tenant("acme").await?);
    let appender = given::one_lane(&eu).await?;
    let mut poisoned = given::append(&eu, &acme, given::ticket(2), 0);
    poisoned.streams[0].events[0].envelope.trace_parent = Some("\0".to_owned());

    let results = together(
        &eu,
        &appender,
        &gate,
        vec![given::append(&eu, &acme, given::ticket(1), 0), poisoned, given::append(&eu, &acme, given::ticket(3), 0)],
    )
    .await?;
    assert_eq!(*results[0].as_ref().expect("appended"), given::appended(1, 1));
    assert!(matches!(results[1], Err(Error::Append(_))), "{:?}", results[1]);
    assert_eq!(*results[2].as_ref().expect("appended"), given::appended(2, 2));
    Ok(())
}

#[tokio::test]
async fn a_caller_sees_what_an_earlier_one_of_its_batch_did_to_a_stream() -> anyhow::Result<()> {
    let eu = region().await?;
    let (gate, acme) = (eu.tenant("gate").await?, eu.tenant("acme").await?);
    let appender = given::one_lane(&eu).await?;
    let stream = given::ticket(1);

    let results = together(
        &eu,
        &appender,
        &gate,
        vec![
            given::append_to(&eu, &acme, &[(stream.clone(), 0, 2)]),
            // Refused, and the next one must see past it.
            given::append(&eu, &acme, stream.clone(), 0),
            given::append(&eu, &acme, stream.clone(), 2),
            given::append(&eu, &acme, stream.clone(), 2),
            given::append_to(&eu, &acme, &[(given::ticket(2), 0, 1), (stream.clone(), 3, 1)]),
        ],
    )
    .await?;
    let wrong = |result: &Result<Appended, Error>| match result {
        Err(Error::WrongExpectedVersion { actual, .. }) => actual.get(),
        other => panic!("{other:?}"),
    };
    assert_eq!(*results[0].as_ref().expect("appended"), given::appended(1, 2));
    assert_eq!(wrong(&results[1]), 2);
    assert_eq!(*results[2].as_ref().expect("appended"), given::appended(3, 3));
    assert_eq!(wrong(&results[3]), 3);
    assert_eq!(*results[4].as_ref().expect("appended"), given::appended(4, 5));
    assert_eq!(checks::whole(&given::log(&eu, &acme).await?), Ok(()));
    Ok(())
}

#[tokio::test]
async fn a_caller_that_went_away_before_its_turn_is_not_appended() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = given::one_lane(&eu).await?;
    let held = given::hold(&eu, &acme).await?;
    let staying = appender.append(given::append(&eu, &acme, given::ticket(1), 0));
    let leaving = async {
        given::blocked_sessions(&eu, 1).await?;
        let append = appender.append(given::append(&eu, &acme, given::ticket(2), 0));
        tokio::select! {
            result = append => anyhow::bail!("it cannot be answered yet: {result:?}"),
            queued = given::queued(&eu, 1) => queued?,
        }
        Ok(held.rollback().await?)
    };
    let (staying, left) = tokio::join!(staying, leaving);
    left?;
    assert_eq!(staying?, given::appended(1, 1));
    assert_eq!(appender.append(given::append(&eu, &acme, given::ticket(3), 0)).await?, given::appended(2, 2));
    Ok(())
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let config = eventlog::AppenderConfig { batch_size_max: 1, queue_length_max: 1, ..given::patient() };
    let appender = Appender::start(config, &eu.region, eu.metrics.clone(), &eu.shutdown).await?;
    let held = given::hold(&eu, &acme).await?;
    let in_work = appender.append(given::append(&eu, &acme, given::ticket(1), 0));
    let rest = async {
        given::blocked_sessions(&eu, 1).await?;
        let waiting = appender.append(given::append(&eu, &acme, given::ticket(2), 0));
        let refused = async {
            given::queued(&eu, 1).await?;
            let refused = appender.append(given::append(&eu, &acme, given::ticket(3), 0)).await;
            assert!(matches!(refused, Err(Error::Overloaded)), "{refused:?}");
            anyhow::Ok(held.rollback().await?)
        };
        let (waited, refused) = tokio::join!(waiting, refused);
        refused?;
        anyhow::Ok(waited?)
    };
    let (in_work, rest) = tokio::join!(in_work, rest);
    assert_eq!((in_work?, rest?), (given::appended(1, 1), given::appended(2, 2)));
    assert_eq!(eu.metrics.append_refusals.with_label_values(&["overloaded"]).get(), 1);
    Ok(())
}
