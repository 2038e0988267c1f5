//! Copies beside the living tenant.

use anyhow::Context;
use auditor::replay::{AsOf, Kind, State};
use eventlog::{Append, Appender, AppenderConfig, Expected, StreamAppend};
use jiff::SignedDuration;
use regions::{DatabaseRole, Resident};
use restorer::{
    Error,
    beside::{self, State as Copied},
    diff,
};
use runtime::{Clock, Ids};
use schemas::{CommandId, Envelope, EventId, PersonId, Position, Sealed, StreamName, TenantId, TicketId, Version};
use vault::Scope;

use crate::ground::{Ground, ground};

async fn copied(eu: &Ground, name: &str) -> anyhow::Result<State> {
    Ok(diff::copied(&eu.deps, &beside::find(&eu.deps, name).await?).await?)
}

async fn make(eu: &Ground, name: &str, tenant: TenantId, as_of: AsOf) -> Result<u64, Error> {
    Ok(beside::make(&eu.deps, (name, tenant), as_of, &|_| ()).await?.size)
}

fn streams(found: &[diff::Difference]) -> Vec<(String, Kind)> {
    found.iter().map(|it| (it.stream.to_string(), it.kind)).collect()
}

#[tokio::test]
async fn a_copy_of_an_earlier_moment_lies_beside_the_living_tenant_and_differs_by_what_came_after() -> anyhow::Result<()>
{
    let mut eu = ground().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    let moment = eu.test.clock.now();
    eu.test.clock.advance(SignedDuration::from_mins(5));
    eu.ticket(&acme, 1, 1).await?;
    eu.ticket(&acme, 3, 2).await?;
    for tenant in [&acme, &globex] {
        eu.settle(tenant).await?;
    }
    let before = [eu.seen(&acme).await?, eu.seen(&globex).await?];

    let id = acme.tenant_id();
    assert_eq!(make(&eu, "then", id, AsOf::Time(moment)).await?, 13);
    assert_eq!(make(&eu, "earlier", id, AsOf::Position(Position::new(8))).await?, 8);
    let listed = beside::list(&eu.deps).await?;
    let listed: Vec<_> = listed.iter().map(|copy| (copy.name.as_str(), copy.position.get(), copy.state)).collect();
    assert_eq!(listed, [("earlier", 8, Copied::Whole), ("then", 13, Copied::Whole)]);

    let (living, then) = (diff::living(&eu.deps, id).await?, copied(&eu, "then").await?);
    let found = diff::differences(&then, &living);
    assert_eq!(
        streams(&found),
        [("ticket-1".to_owned(), Kind::Changed), ("ticket-3".to_owned(), Kind::Added)],
        "the same ids, and what came after"
    );
    assert_eq!(found[0].changes[0].field, "comments[14]", "{found:?}");
    assert_eq!(diff::differences(&living, &living), [], "and nothing differs from itself");
    let back: Vec<_> = diff::differences(&living, &then).into_iter().map(|it| it.kind).collect();
    assert_eq!(back, [Kind::Changed, Kind::Removed]);

    assert_eq!([eu.seen(&acme).await?, eu.seen(&globex).await?], before, "nobody living was touched");
    for name in ["earlier", "then"] {
        beside::drop(&eu.deps, name).await?;
        let again = beside::drop(&eu.deps, name).await.expect_err("it is gone");
        assert!(matches!(again, Error::NoSuchCopy { .. }), "{again:?}");
    }
    assert_eq!(beside::list(&eu.deps).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_copy_has_a_plain_name_that_is_free_and_something_in_it() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let id = acme.tenant_id();
    for name in ["", "Then", "a b", "x\"; drop database y", "a-name-that-is-much-too-long", "drill-1"] {
        let refused = make(&eu, name, id, AsOf::End).await.expect_err("no name");
        assert!(matches!(refused, Error::BadName { .. }), "{name}: {refused:?}");
    }
    let nothing = make(&eu, "then", id, AsOf::Time(jiff::Timestamp::UNIX_EPOCH)).await.expect_err("before it was");
    assert!(matches!(nothing, Error::NothingThere { .. }), "{nothing:?}");
    let beyond = make(&eu, "then", id, AsOf::Position(Position::new(14))).await.expect_err("not archived");
    assert!(matches!(beyond, Error::BeyondArchive { size: 13, .. }), "{beyond:?}");
    assert_eq!(beside::list(&eu.deps).await?, [], "what was refused leaves nothing");
    make(&eu, "then", id, AsOf::End).await?;
    let refused = make(&eu, "then", id, AsOf::End).await.expect_err("in use");
    assert!(matches!(refused, Error::NameInUse { .. }), "{refused:?}");
    let missing = beside::find(&eu.deps, "never").await.expect_err("nothing there");
    assert!(matches!(missing, Error::NoSuchCopy { .. }), "{missing:?}");
    Ok(())
}

#[tokio::test]
async fn a_copy_of_a_moment_since_the_archive_was_made_holds_all_of_it() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    eu.test.clock.advance(SignedDuration::from_mins(5));
    eu.ticket(&acme, 1, 1).await?;
    let moment = eu.test.clock.now();
    assert_eq!(
        make(&eu, "then", acme.tenant_id(), AsOf::Time(moment)).await?,
        14,
        "nobody archived the last one before"
    );
    Ok(())
}

#[tokio::test]
async fn of_two_who_make_one_copy_at_once_one_is_refused_and_nothing_is_made_twice() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    let one = || make(&eu, "then", acme.tenant_id(), AsOf::End);
    let both: [_; 2] = tokio::join!(one(), one()).into();
    let made = both.iter().filter(|made| matches!(made, Ok(13))).count();
    let refused = |made: &&Result<u64, Error>| matches!(made, Err(Error::UnderWay { .. } | Error::NameInUse { .. }));
    assert_eq!((made, both.iter().filter(refused).count()), (1, 1), "{both:?}");
    assert_eq!(beside::find(&eu.deps, "then").await?.state, Copied::Whole);
    Ok(())
}

#[tokio::test]
async fn a_copy_of_the_time_before_an_erasure_has_nothing_of_what_was_erased() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    make(&eu, "before", acme.tenant_id(), AsOf::End).await?;
    let knows_ann =
        |state: &State| serde_json::to_string(&state.streams).is_ok_and(|text| text.contains("Ann Example"));
    // The control: until she is erased she is there.
    assert!(knows_ann(&copied(&eu, "before").await?));
    eu.erase(&acme, Scope::Person(PersonId::new(7))).await?;
    assert!(!knows_ann(&copied(&eu, "before").await?), "a copy that was made before");

    eu.settle(&acme).await?;
    make(&eu, "after", acme.tenant_id(), AsOf::Position(Position::new(13))).await?;
    assert!(!knows_ann(&copied(&eu, "after").await?), "a copy of before that was made after");
    // Neither holds anything that opens.
    for name in ["before", "after"] {
        let region = eu.copy_of_region(name)?;
        let mut owner = regions::connection(&region, DatabaseRole::Owner).await?;
        let keys =
            sqlx::query_scalar!(r#"select count(*) as "keys!" from vault.data_key"#).fetch_one(&mut owner).await?;
        let schemas =
            sqlx::query_scalar!(r#"select count(*) as "schemas!" from pg_namespace where nspname like 'read%'"#);
        assert_eq!((keys, schemas.fetch_one(&mut owner).await?), (0, 0), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_takes_no_writes_and_is_never_taken_for_the_living_tenant() -> anyhow::Result<()> {
    let mut eu = ground().await?;
    let acme = eu.tenant("acme").await?;
    eu.settle(&acme).await?;
    make(&eu, "then", acme.tenant_id(), AsOf::End).await?;
    let region = eu.copy_of_region("then")?;
    let mut owner = regions::connection(&region, DatabaseRole::Owner).await?;
    assert_eq!(Resident::prove_id(&mut owner, &region.id, acme.tenant_id()).await?, None);
    assert_eq!(Resident::prove(&mut owner, &region.id, acme.slug()).await?, None);
    // Who holds a proof from elsewhere, and the right version, is refused by the log itself.
    let (shutdown, metrics) = (runtime::Shutdown::new(), eu.test.metrics.clone());
    let copied = Appender::start(AppenderConfig::default(), &region, metrics.clone(), &shutdown).await?;
    let refused = copied.append(next_on_ticket_1(&eu, &acme).await?).await.expect_err("the tenant is closed here");
    assert!(matches!(refused, eventlog::Error::NotAtHome { .. }), "{refused:?}");
    // The control: the same append where the tenant lives.
    eu.test.appender().await?.append(next_on_ticket_1(&eu, &acme).await?).await?;
    Ok(())
}

/// An event more on a ticket. What its payload says nobody looks at here.
async fn next_on_ticket_1(eu: &Ground, tenant: &Resident) -> anyhow::Result<Append> {
    let stream = StreamName::Ticket(TicketId::new(1));
    let mut owner = eu.owner().await?;
    let events = eventlog::read_stream(&mut owner, tenant, &stream, Version::ZERO, 100).await?;
    let last = events.into_iter().last().context("it has events")?.sealed;
    let (before, command_id) = (last.envelope.version, CommandId::new(eu.test.ids.uuid()));
    let version = Version::new(before.get() + 1);
    let envelope = Envelope { version, command_id, event_id: EventId::new(eu.test.ids.uuid()), ..last.envelope };
    let events = vec![Sealed::new(envelope, last.payload)];
    let streams = vec![StreamAppend { stream, expected: Expected::Exact(before), events }];
    Ok(Append { resident: tenant.clone(), command_id, idempotency: None, streams })
}
