//! Batches: whole commands, each once, and never across a gap.

use schemas::Position;

use super::world::{World, comment, opened};
use crate::{
    checkpoint::Patience,
    feed, follow, projections,
    step::{self, Step},
};

#[tokio::test]
async fn handing_a_batch_over_twice_gives_the_same_rows() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.say(&acme, "ticket-1", vec![comment("More.")]).await?;
    world.catch_up(&acme).await?;
    let before = world.fingerprints(&acme).await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    for projection in projections::ALL {
        let step = step::step(&world.deps, projection, (&acme, &batch.events), Patience::Leave).await?;
        assert_eq!(step, Step::Done);
    }
    assert_eq!(world.fingerprints(&acme).await?, before);
    Ok(())
}

#[tokio::test]
async fn a_gap_in_what_the_reader_returns_is_not_applied_and_the_log_fills_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    for number in 1..=4 {
        world.say(&acme, &format!("ticket-{number}"), vec![opened("Kettle"), comment("It whistles.")]).await?;
    }
    // Makes the checkpoints' rows, as any round does.
    follow::round(&world.deps, &acme, &[], Patience::Leave).await?;
    for missing in [0..2, 2..4] {
        let mut batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
        batch.events.drain(missing);
        for projection in projections::ALL {
            let step = step::step(&world.deps, projection, (&acme, &batch.events), Patience::Leave).await?;
            assert_eq!(step, Step::Gap, "{}", projection.name);
            assert_eq!(world.status(&acme, projection.name).await?.position, Position::ZERO);
        }
    }
    assert!(world.fingerprints(&acme).await?.iter().all(|(_, fingerprint)| fingerprint.rows == 0));
    assert_eq!(world.catch_up(&acme).await?, Position::new(8));
    Ok(())
}

#[tokio::test]
async fn a_batch_never_ends_inside_a_command() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let many = || (0..600).map(|_| opened("Kettle")).collect::<Vec<_>>();
    for number in 1..=2 {
        world.say(&acme, &format!("ticket-{number}"), many()).await?;
    }
    let first = feed::read(&world.deps, &acme, Position::ZERO).await?;
    assert_eq!((first.events.len(), first.more), (600, true));
    let second = feed::read(&world.deps, &acme, Position::new(600)).await?;
    assert_eq!((second.events.len(), second.more), (600, false));
    assert_eq!(world.catch_up(&acme).await?, Position::new(1200));
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_somebody_else_holds_is_left_alone() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    follow::round(&world.deps, &acme, &[], Patience::Leave).await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    let projection = projections::ALL[2];
    let holder = crate::replay::Replay::begin(&world.deps, &acme, projection).await?;
    let step = step::step(&world.deps, projection, (&acme, &batch.events), Patience::Leave).await?;
    assert_eq!(step, Step::Busy);
    drop(holder);
    assert_eq!(world.catch_up(&acme).await?, Position::new(2));
    Ok(())
}
