//! One caller at a time.

use eventlog::{Error, Expected};
use regions::DatabaseRole;
use schemas::{Epoch, Position, StreamName, Version};
use sqlx::Executor as _;
use testkit::region;

use crate::{checks, given};

#[tokio::test]
async fn what_was_appended_is_read_back_byte_for_byte() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let append = given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3), (StreamName::Tenant, 0, 2)]);
    assert_eq!(eu.appender().await?.append(append.clone()).await?, given::appended(1, 5));

    let log = given::log(&eu, &acme).await?;
    assert_eq!(checks::whole(&log), Ok(()));
    let written: Vec<_> = append.streams.into_iter().flat_map(|stream| stream.events).collect();
    assert_eq!(log.into_iter().map(|recorded| recorded.sealed).collect::<Vec<_>>(), written);
    Ok(())
}

#[tokio::test]
async fn a_stream_is_read_from_any_version_and_a_log_from_any_position() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 3), (given::ticket(2), 0, 3)])).await?;

    let mut projector = regions::connection(&eu.region, DatabaseRole::Projector).await?;
    let stream = eventlog::read_stream(&mut projector, &acme, &given::ticket(2), Version::new(1), 10).await?;
    assert_eq!(stream.iter().map(|event| event.position.get()).collect::<Vec<_>>(), [5, 6]);
    let stream = eventlog::read_stream(&mut projector, &acme, &given::ticket(2), Version::ZERO, 1).await?;
    assert_eq!(stream.iter().map(|event| event.position.get()).collect::<Vec<_>>(), [4]);
    let log = eventlog::read_log(&mut projector, &acme, Position::new(2), 2).await?;
    assert_eq!(log.iter().map(|event| event.position.get()).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(eventlog::head(&mut projector, &acme).await?, Position::new(6));
    Ok(())
}

#[tokio::test]
async fn a_wrong_expected_version_names_the_stream_and_what_it_is_at() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)])).await?;

    for (expected, display) in [(0, "no stream"), (1, "version 1"), (3, "version 3")] {
        let error = appender.append(given::append(&eu, &acme, given::ticket(1), expected)).await.expect_err("refused");
        assert_eq!(error.to_string(), format!("stream ticket-1: expected {display}, found version 2"));
    }
    let error = appender.append(given::append(&eu, &acme, given::ticket(2), 1)).await.expect_err("refused");
    assert!(matches!(
        error,
        Error::WrongExpectedVersion { stream, expected: Expected::Exact(_), actual: Version::ZERO }
            if stream == given::ticket(2)
    ));
    assert_eq!(given::log(&eu, &acme).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn several_streams_are_appended_together_or_not_at_all() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append(&eu, &acme, given::ticket(2), 0)).await?;

    let half_stale = given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2), (given::ticket(2), 0, 2)]);
    let error = appender.append(half_stale).await.expect_err("refused");
    assert!(matches!(error, Error::WrongExpectedVersion { stream, .. } if stream == given::ticket(2)));
    assert_eq!(given::log(&eu, &acme).await?.len(), 1);

    // The position that was not used is the next one's.
    let whole = given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2), (given::ticket(2), 1, 2)]);
    assert_eq!(appender.append(whole).await?, given::appended(2, 5));
    Ok(())
}

#[tokio::test]
async fn an_old_epoch_is_refused() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    let mut owner = given::owner(&eu).await?;
    owner.execute("update log.tenant set epoch = 2").await?;

    let error = appender.append(given::append(&eu, &acme, given::ticket(1), 1)).await.expect_err("refused");
    assert!(matches!(error, Error::NotAtHome { tenant_id } if tenant_id == acme.tenant_id()));

    let moved_in = regions::Resident::prove_id(&mut owner, acme.region(), acme.tenant_id()).await?.expect("at home");
    assert_eq!(moved_in.epoch(), Epoch::new(2));
    assert_eq!(appender.append(given::append(&eu, &moved_in, given::ticket(1), 1)).await?, given::appended(2, 2));
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_is_moving_closed_or_unknown_is_refused() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    let mut owner = given::owner(&eu).await?;
    for change in
        ["update log.tenant set state = 'moving'", "update log.tenant set state = 'closed'", "delete from log.tenant"]
    {
        owner.execute(change).await?;
        let error = appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await.expect_err(change);
        assert!(matches!(error, Error::NotAtHome { .. }), "{change}: {error}");
    }
    assert!(given::log(&eu, &acme).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_tenant_of_another_region_is_refused() -> anyhow::Result<()> {
    let (eu, us) = (region().await?, testkit::region_named("us").await?);
    let abroad = us.tenant("acme").await?;
    let error = eu.appender().await?.append(given::append(&eu, &abroad, given::ticket(1), 0)).await;
    assert!(matches!(error, Err(Error::NotAtHome { .. })));
    Ok(())
}

#[tokio::test]
async fn an_append_that_contradicts_itself_is_refused() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, other) = (eu.tenant("acme").await?, eu.tenant("other").await?);
    let appender = eu.appender().await?;
    let good = || given::append_to(&eu, &acme, &[(given::ticket(1), 0, 2)]);

    let mut without_events = good();
    without_events.streams[0].events.clear();
    let mut without_streams = good();
    without_streams.streams.clear();
    let mut twice = good();
    twice.streams.push(twice.streams[0].clone());
    let mut out_of_order = good();
    out_of_order.streams[0].events.swap(0, 1);
    let mut other_stream = good();
    other_stream.streams[0].stream = given::ticket(2);
    let mut other_tenant = good();
    other_tenant.resident = other;
    let mut other_command = good();
    other_command.command_id = given::append(&eu, &acme, given::ticket(9), 0).command_id;
    let long_key = given::with_key(good(), &"k".repeat(256), "request");
    let too_many = given::append_to(&eu, &acme, &[(given::ticket(1), 0, eventlog::EVENTS_MAX + 1)]);

    let malformed = [
        without_events,
        without_streams,
        twice,
        out_of_order,
        other_stream,
        other_tenant,
        other_command,
        long_key,
        too_many,
    ];
    for append in malformed {
        assert!(matches!(appender.append(append).await, Err(Error::Malformed { .. })));
    }
    assert_eq!(appender.append(good()).await?, given::appended(1, 2));
    Ok(())
}

#[tokio::test]
async fn a_full_disk_refuses_the_append_and_leaves_the_log_whole() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    let appender = eu.appender().await?;
    appender.append(given::append(&eu, &acme, given::ticket(1), 0)).await?;
    let mut owner = given::owner(&eu).await?;
    // What Postgres says when it cannot extend a file.
    owner
        .execute(
            "create function public.fill() returns trigger language plpgsql as $$ begin
                raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
            create trigger fill before insert on log.event for each row execute function public.fill()",
        )
        .await?;
    let refused = appender.append(given::append(&eu, &acme, given::ticket(1), 1)).await;
    assert!(matches!(refused, Err(Error::StoreFull)), "{refused:?}");
    assert_eq!(given::log(&eu, &acme).await?.len(), 1);

    owner.execute("drop trigger fill on log.event").await?;
    assert_eq!(appender.append(given::append(&eu, &acme, given::ticket(1), 1)).await?, given::appended(2, 2));
    Ok(())
}
