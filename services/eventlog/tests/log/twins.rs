//! Two tenants that hold identical ids and positions, in every statement of the crate.

use eventlog::{
    Append, Error, MarkKind, TreeHead, allocate_ids, allocate_ticket, find_idempotent, marks, put_mark, put_tree_head,
    read_log, read_stream, tree_head,
};
use regions::{DatabaseRole, Resident};
use runtime::Clock;
use schemas::{Hash, Position, Sealed, Version};
use testkit::{TestRegion, region};

use crate::{checks, given};

/// The same append for another tenant: same streams, versions, event ids, command, key; only the payloads tell them apart.
fn twin(append: &Append, of: &Resident) -> Append {
    let mut twin = append.clone();
    twin.resident = of.clone();
    for event in twin.streams.iter_mut().flat_map(|stream| &mut stream.events) {
        event.envelope.tenant_id = of.tenant_id();
        *event = Sealed::new(event.envelope.clone(), of.slug().as_str().as_bytes().to_vec());
    }
    twin
}

async fn both(test: &TestRegion) -> anyhow::Result<[Resident; 2]> {
    Ok([test.tenant("acme").await?, test.tenant("twin").await?])
}

#[tokio::test]
async fn twins_append_and_read_apart() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let appender = eu.appender().await?;
    let original = given::append_to(&eu, &tenants[0], &[(given::ticket(1), 0, 2), (given::ticket(2), 0, 1)]);
    let original = given::with_key(original, "key", "request");
    for tenant in &tenants {
        assert_eq!(appender.append(twin(&original, tenant)).await?, given::appended(1, 3));
    }
    // One more for the first: the second must not feel it.
    appender.append(given::append(&eu, &tenants[0], given::ticket(1), 2)).await?;

    let desk = eu.pool(DatabaseRole::Desk).await?;
    for (tenant, length) in tenants.iter().zip([4, 3]) {
        let mut transaction = regions::begin(&desk, tenant).await?;
        let log = read_log(&mut transaction, tenant, Position::ZERO, 10).await?;
        assert_eq!((log.len(), checks::whole(&log)), (length, Ok(())));
        let own = tenant.slug().as_str().as_bytes();
        assert!(log.iter().take(3).all(|event| event.sealed.payload == own));
        let stream = read_stream(&mut transaction, tenant, &given::ticket(2), Version::ZERO, 10).await?;
        assert_eq!(stream.len(), 1);
        assert_eq!(stream[0].sealed.payload, own);
        assert_eq!(eventlog::head(&mut transaction, tenant).await?.get(), i64::try_from(length)?);
    }
    Ok(())
}

#[tokio::test]
async fn twins_in_one_batch_are_told_apart() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let appender = given::one_lane(&eu).await?;
    let original = given::with_key(given::append(&eu, &tenants[0], given::ticket(1), 0), "key", "request");
    let (first, second) =
        tokio::join!(appender.append(twin(&original, &tenants[0])), appender.append(twin(&original, &tenants[1])));
    assert_eq!((first?, second?), (given::appended(1, 1), given::appended(1, 1)));
    Ok(())
}

#[tokio::test]
async fn twins_remember_their_own_idempotency_keys() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let appender = eu.appender().await?;
    let original = given::with_key(given::append(&eu, &tenants[0], given::ticket(1), 0), "key", "request");
    appender.append(twin(&original, &tenants[0])).await?;
    let desk = eu.pool(DatabaseRole::Desk).await?;
    let mut transaction = regions::begin(&desk, &tenants[1]).await?;
    assert_eq!(find_idempotent(&mut transaction, &tenants[1], "key").await?, None);
    drop(transaction);

    // Another request under the twin's key is no reuse of the first one's.
    let another = given::with_key(given::append(&eu, &tenants[1], given::ticket(5), 0), "key", "another");
    assert_eq!(appender.append(another).await?, given::appended(1, 1));
    let refused = appender.append(given::with_key(twin(&original, &tenants[1]), "key", "request")).await;
    assert!(matches!(refused, Err(Error::IdempotencyKeyReused)));
    Ok(())
}

#[tokio::test]
async fn a_repeated_command_of_one_twin_is_not_taken_for_the_others() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let appender = eu.appender().await?;
    let original = given::append(&eu, &tenants[0], given::ticket(1), 0);
    appender.append(twin(&original, &tenants[0])).await?;
    appender.append(given::append(&eu, &tenants[1], given::ticket(1), 0)).await?;
    // The version is taken by another command of this tenant; that the twin's command has it there must not matter.
    let refused = appender.append(twin(&original, &tenants[1])).await;
    assert!(matches!(refused, Err(Error::WrongExpectedVersion { .. })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn twins_are_given_the_same_numbers() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let mut desk = regions::connection(&eu.region, DatabaseRole::Desk).await?;
    for number in 1..=3 {
        for tenant in &tenants {
            assert_eq!(allocate_ticket(&mut desk, tenant).await?.get(), number);
            assert_eq!(allocate_ids(&mut desk, tenant, 2).await?, number * 2 - 1);
        }
    }
    Ok(())
}

#[tokio::test]
async fn twins_keep_their_own_tree_heads_and_marks() -> anyhow::Result<()> {
    let eu = region().await?;
    let tenants = both(&eu).await?;
    let appender = eu.appender().await?;
    let original = given::append_to(&eu, &tenants[0], &[(given::ticket(1), 0, 3)]);
    let mut replicator = regions::connection(&eu.region, DatabaseRole::Replicator).await?;
    for tenant in &tenants {
        appender.append(twin(&original, tenant)).await?;
        let head = TreeHead {
            size: Position::new(3),
            root: Hash::of(&[tenant.slug().as_str().as_bytes()]),
            frontier: Vec::new(),
            note: tenant.slug().to_string(),
            sealed_at: eu.clock.now(),
        };
        put_tree_head(&mut replicator, tenant, &head).await?;
    }
    put_mark(&mut replicator, &tenants[0], MarkKind::Archived, Position::new(3), eu.clock.now()).await?;
    put_mark(&mut replicator, &tenants[1], MarkKind::Archived, Position::new(1), eu.clock.now()).await?;
    put_mark(&mut replicator, &tenants[1], MarkKind::Verified, Position::new(1), eu.clock.now()).await?;

    for (tenant, archived) in tenants.iter().zip([3, 1]) {
        let head = tree_head(&mut replicator, tenant).await?.expect("stored");
        assert_eq!(head.note, tenant.slug().as_str());
        let marks = marks(&mut replicator, tenant).await?;
        assert_eq!(marks.archived.expect("put").position, Position::new(archived));
        assert_eq!(marks.verified.is_some(), tenant == &tenants[1]);
    }
    Ok(())
}
