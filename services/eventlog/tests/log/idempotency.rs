//! Requests that come twice.

use eventlog::{Appended, Error, find_idempotent};
use futures::future::join_all;
use regions::DatabaseRole;
use schemas::Hash;
use testkit::region;

use crate::given;

#[tokio::test]
async fn a_key_replays_the_same_request_and_refuses_another() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append(&eu, &acme, given::ticket(9), 0)).await?;
    let original = given::with_key(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3)]), "key", "open a ticket");
    assert_eq!(appender.append(original.clone()).await?, given::appended(2, 4));

    // The client asks again. The desk decided anew, so command, ids and even the stream are others.
    let again = given::with_key(given::append_to(&eu, &acme, &[(given::ticket(2), 0, 3)]), "key", "open a ticket");
    assert_eq!(appender.append(again).await?, Appended { replayed: true, ..given::appended(2, 4) });
    let another = given::with_key(given::append(&eu, &acme, given::ticket(3), 0), "key", "close a ticket");
    assert!(matches!(appender.append(another).await, Err(Error::IdempotencyKeyReused)));
    assert_eq!(given::log(&eu, &acme).await?.len(), 4);

    let mut seen = regions::begin(&eu.pool(DatabaseRole::Desk).await?, &acme).await?;
    let remembered = find_idempotent(&mut seen, &acme, "key").await?.expect("remembered");
    assert_eq!(remembered.fingerprint, Hash::of(&[b"open a ticket"]));
    assert_eq!((remembered.command_id, remembered.first.get(), remembered.last.get()), (original.command_id, 2, 4));
    assert_eq!(find_idempotent(&mut seen, &acme, "another").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_replay_counts_the_events_of_then() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::with_key(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3)]), "key", "r")).await?;
    // Deciding anew on a changed state made fewer events this time.
    let again = given::with_key(given::append(&eu, &acme, given::ticket(1), 3), "key", "r");
    assert_eq!(appender.append(again).await?, Appended { replayed: true, ..given::appended(1, 3) });
    Ok(())
}

#[tokio::test]
async fn a_request_that_found_nothing_to_change_is_remembered_too() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = given::one_lane(&eu).await?;
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    let nothing = given::with_key(given::append_to(&eu, &acme, &[]), "key", "r");
    assert_eq!(appender.append(nothing.clone()).await?, given::appended(2, 1));
    // The first of two that arrive together must not make the other one be forgotten.
    let other = given::with_key(given::append_to(&eu, &acme, &[]), "other", "r");
    let (event, other) =
        futures::join!(appender.append(given::append(&eu, &acme, given::ticket(1), 1)), appender.append(other));
    assert_eq!(event?, given::appended(2, 2));
    assert!(!other?.replayed);
    let again = given::with_key(given::append(&eu, &acme, given::ticket(1), 2), "key", "r");
    assert_eq!(appender.append(again).await?, Appended { replayed: true, ..given::appended(2, 1) });
    assert_eq!(given::log(&eu, &acme).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_key() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    let stale = given::with_key(given::append(&eu, &acme, given::ticket(1), 4), "key", "r");
    assert!(matches!(appender.append(stale).await, Err(Error::WrongExpectedVersion { .. })));
    let fresh = given::with_key(given::append(&eu, &acme, given::ticket(1), 0), "key", "r");
    assert_eq!(appender.append(fresh).await?, given::appended(1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_requests_racing_with_one_key_one_is_done_and_all_learn_its_positions() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let (one, two) = (given::one_lane(&eu).await?, given::one_lane(&eu).await?);
    let race = (0..16).map(|number| {
        let appender = if number % 2 == 0 { &one } else { &two };
        appender.append(given::with_key(given::append(&eu, &acme, given::ticket(number), 0), "key", "r"))
    });
    let results: Vec<_> = join_all(race).await.into_iter().collect::<Result<_, _>>()?;
    assert_eq!(results.iter().filter(|appended| !appended.replayed).count(), 1);
    assert!(results.iter().all(|appended| appended.first.get() == 1));
    assert_eq!(given::log(&eu, &acme).await?.len(), 1);
    Ok(())
}
