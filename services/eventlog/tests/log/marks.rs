//! Tree heads and marks.

use eventlog::{Error, Mark, MarkKind, Totals, TreeHead, marks, put_mark, put_tree_head, standings, totals, tree_head};
use jiff::SignedDuration;
use regions::DatabaseRole;
use runtime::Clock;
use schemas::{Hash, Position};
use testkit::{TestRegion, region};

use crate::given;

fn head(test: &TestRegion, size: i64, root: &str) -> TreeHead {
    TreeHead {
        size: Position::new(size),
        root: Hash::of(&[root.as_bytes()]),
        frontier: vec![Hash::of(&[b"left"]), Hash::of(&[b"right"])],
        note: format!("domicile/eu\n{size}\n"),
        sealed_at: test.clock.now(),
    }
}

#[tokio::test]
async fn a_tree_head_grows_and_never_goes_back() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 5)])).await?;
    let mut replicator = regions::connection(&eu.region, DatabaseRole::Replicator).await?;
    assert_eq!(tree_head(&mut replicator, &acme).await?, None);

    for good in [head(&eu, 0, "empty"), head(&eu, 2, "two"), head(&eu, 2, "two"), head(&eu, 5, "five")] {
        put_tree_head(&mut replicator, &acme, &good).await?;
        assert_eq!(tree_head(&mut replicator, &acme).await?, Some(good));
    }
    for bad in [head(&eu, 4, "four"), head(&eu, 5, "another five"), head(&eu, 6, "more than there is")] {
        let refused = put_tree_head(&mut replicator, &acme, &bad).await;
        assert!(matches!(refused, Err(Error::TreeHeadRefused { .. })), "{}", bad.note);
    }
    assert_eq!(tree_head(&mut replicator, &acme).await?, Some(head(&eu, 5, "five")));
    Ok(())
}

#[tokio::test]
async fn the_four_marks_tell_how_far_a_log_is_safe() -> anyhow::Result<()> {
    let eu = region().await?;
    let made_at = eu.clock.now();
    let acme = eu.tenant("acme").await?;
    let mut replicator = regions::connection(&eu.region, DatabaseRole::Replicator).await?;
    let empty = marks(&mut replicator, &acme).await?;
    assert_eq!(empty.acked, Mark { position: Position::ZERO, at: made_at });
    assert_eq!((empty.sealed, empty.archived, empty.verified), (None, None, None));

    eu.clock.advance(SignedDuration::from_secs(60));
    let appended_at = eu.clock.now();
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 5)])).await?;
    eu.clock.advance(SignedDuration::from_secs(60));
    let later = eu.clock.now();
    put_tree_head(&mut replicator, &acme, &head(&eu, 4, "four")).await?;
    put_mark(&mut replicator, &acme, MarkKind::Archived, Position::new(3), later).await?;
    put_mark(&mut replicator, &acme, MarkKind::Verified, Position::new(2), later).await?;

    let full = marks(&mut replicator, &acme).await?;
    assert_eq!(full.acked, Mark { position: Position::new(5), at: appended_at });
    assert_eq!(full.sealed, Some(Mark { position: Position::new(4), at: later }));
    assert_eq!(full.archived, Some(Mark { position: Position::new(3), at: later }));
    assert_eq!(full.verified, Some(Mark { position: Position::new(2), at: later }));
    let mut desk = regions::begin(&eu.pool(DatabaseRole::Desk).await?, &acme).await?;
    assert_eq!(marks(&mut desk, &acme).await?, full, "the desk sees the same");
    Ok(())
}

#[tokio::test]
async fn whoever_runs_the_region_sees_where_its_tenants_are_and_for_how_long_events_wait() -> anyhow::Result<()> {
    let eu = region().await?;
    let (acme, globex) = (eu.tenant("acme").await?, eu.tenant("globex").await?);
    let closed = eu.tenant("initech").await?;
    let first_at = eu.clock.now();
    for tenant in [&acme, &closed] {
        eu.appender().await?.append(given::append_to(&eu, tenant, &[(given::ticket(1), 0, 5)])).await?;
    }
    eu.clock.advance(SignedDuration::from_secs(60));
    let second_at = eu.clock.now();
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(2), 0, 2)])).await?;
    eu.appender().await?.append(given::append_to(&eu, &globex, &[(given::ticket(1), 0, 3)])).await?;
    let mut replicator = regions::connection(&eu.region, DatabaseRole::Replicator).await?;
    put_tree_head(&mut replicator, &acme, &head(&eu, 7, "seven")).await?;
    put_mark(&mut replicator, &acme, MarkKind::Archived, Position::new(5), second_at).await?;
    let mut owner = regions::connection(&eu.region, DatabaseRole::Owner).await?;
    sqlx::raw_sql("update log.tenant set state = 'behind' where slug = 'initech'").execute(&mut owner).await?;

    let expected = Totals {
        tenants: 2,
        held: 1,
        acked: 10,
        sealed: 7,
        archived: 5,
        verified: 0,
        unsealed_since: Some(second_at),
        unarchived_since: Some(second_at),
        unverified_since: Some(first_at),
    };
    assert_eq!(totals(&mut replicator).await?, expected);
    let seen = standings(&mut replicator, "", 2).await?;
    let of = |place: usize| {
        let one = &seen[place];
        let marks = [one.acked, one.sealed, one.archived, one.verified].map(Position::get);
        (one.slug.as_str(), one.state.as_str(), marks)
    };
    assert_eq!((of(0), of(1)), (("acme", "active", [7, 7, 5, 0]), ("globex", "active", [3, 0, 0, 0])));
    let rest = standings(&mut replicator, "globex", 2).await?;
    assert_eq!(
        rest.iter().map(|one| (one.slug.as_str(), one.state.as_str())).collect::<Vec<_>>(),
        [("initech", "behind")]
    );
    Ok(())
}

#[tokio::test]
async fn a_mark_moves_forward_only_and_not_past_the_log() -> anyhow::Result<()> {
    let eu = region().await?;
    let acme = eu.tenant("acme").await?;
    eu.appender().await?.append(given::append_to(&eu, &acme, &[(given::ticket(1), 0, 5)])).await?;
    let mut replicator = regions::connection(&eu.region, DatabaseRole::Replicator).await?;
    let now = eu.clock.now();
    put_mark(&mut replicator, &acme, MarkKind::Archived, Position::new(4), now).await?;
    put_mark(&mut replicator, &acme, MarkKind::Archived, Position::new(4), now).await?;
    for position in [3, 6] {
        let refused = put_mark(&mut replicator, &acme, MarkKind::Archived, Position::new(position), now).await;
        assert!(matches!(refused, Err(Error::MarkRefused { .. })), "{position}");
    }
    let archived = marks(&mut replicator, &acme).await?.archived;
    assert_eq!(archived, Some(Mark { position: Position::new(4), at: now }));
    Ok(())
}
