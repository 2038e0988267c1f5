//! Tree heads and marks.

use eventlog::{Error, Mark, MarkKind, TreeHead, marks, put_mark, put_tree_head, tree_head};
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
