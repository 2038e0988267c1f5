//! Batches: whole commands, each once, and never across a gap.

use runtime::Ids;
use schemas::{EventId, Position};

use super::world::{World, comment, opened};
use crate::{
    Selection,
    checkpoint::{self, Patience},
    delivery::Delivery,
    feed,
    follow::{self, Manner},
    projections, rebuild,
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
        let step =
            step::step(&world.deps, &world.build(projection).await?, (&acme, &batch.events), Patience::Leave).await?;
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
    world.prepare(&acme).await?;
    for missing in [0..2, 2..4] {
        let mut batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
        batch.events.drain(missing);
        for projection in projections::ALL {
            let step =
                step::step(&world.deps, &world.build(projection).await?, (&acme, &batch.events), Patience::Leave)
                    .await?;
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
    world.prepare(&acme).await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    let build = world.build(projections::ALL[2]).await?;
    let mut holder = regions::begin_with(&world.deps.pool, "begin").await?;
    checkpoint::lock(&mut holder, acme.tenant_id(), &build, Patience::Wait).await?;
    let step = step::step(&world.deps, &build, (&acme, &batch.events), Patience::Leave).await?;
    assert_eq!(step, Step::Busy);
    drop(holder);
    assert_eq!(world.catch_up(&acme).await?, Position::new(2));
    Ok(())
}

#[tokio::test]
async fn builds_that_stand_together_move_together_and_one_that_is_held_is_left() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.prepare(&acme).await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    let (builds, held) = (world.builds().await?, world.build(projections::ALL[2]).await?);
    let mut holder = regions::begin_with(&world.deps.pool, "begin").await?;
    checkpoint::lock(&mut holder, acme.tenant_id(), &held, Patience::Wait).await?;
    let moved = step::together(&world.deps, (&builds, Position::ZERO), (&acme, &batch.events))
        .await?
        .expect("all of them take it");
    let moved: Vec<_> = moved.iter().map(|build| build.projection.name).collect();
    assert_eq!(
        moved,
        [
            "account",
            "people",
            "ticket_thread",
            "audits",
            "audit_log",
            "jobs",
            "changes",
            "ticket_fields",
            "rules",
            "webhooks",
            "sessions",
            "search",
            "ticket_metrics"
        ]
    );
    holder.rollback().await?;
    let again = step::together(&world.deps, (&builds, Position::ZERO), (&acme, &batch.events))
        .await?
        .expect("the last one takes it");
    assert_eq!(again.iter().map(|build| build.projection.name).collect::<Vec<_>>(), ["ticket_list"]);
    let live = world.fingerprints(&acme).await?;
    rebuild(&world.deps, &Selection::all(), &|_| {}).await?;
    assert_eq!(world.fingerprints(&acme).await?, live, "each wrote into its own tables");
    Ok(())
}

#[tokio::test]
async fn one_that_cannot_take_events_keeps_nothing_of_all_and_then_halts_alone() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle")]).await?;
    world.say(&acme, "ticket-1", vec![comment("It whistles.")]).await?;
    world.prepare(&acme).await?;
    // The last to be written refuses what the others have written already.
    world.alter("alter table read_audits_1.audit add check (channel is null)").await?;
    let batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    assert!(
        step::together(&world.deps, (&world.builds().await?, Position::ZERO), (&acme, &batch.events)).await?.is_none()
    );
    assert!(world.fingerprints(&acme).await?.iter().all(|(_, fingerprint)| fingerprint.rows == 0));

    let manner = Manner { patience: Patience::Leave, delivery: Delivery::default() };
    let round = follow::round(&world.deps, &acme, projections::ALL, &manner).await?;
    assert_eq!((round.halted, round.failed), (vec!["audits"], vec![]));
    for projection in projections::ALL {
        let position = if projection.name == "audits" { Position::ZERO } else { Position::new(2) };
        assert_eq!(world.status(&acme, projection.name).await?.position, position, "{}", projection.name);
    }
    Ok(())
}

#[tokio::test]
async fn events_of_a_log_that_was_lost_meanwhile_are_as_good_as_never_read() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.prepare(&acme).await?;
    let mut batch = feed::read(&world.deps, &acme, Position::ZERO).await?;
    // What was read was of a database that failed over to one without it, where another command came to its place.
    batch.events.last_mut().expect("an event").envelope.event_id = EventId::new(world.test.ids.uuid());
    let moved = step::together(&world.deps, (&world.builds().await?, Position::ZERO), (&acme, &batch.events)).await?;
    assert_eq!(moved.map(|moved| moved.len()), Some(0));
    for projection in projections::ALL {
        let build = world.build(projection).await?;
        let step = step::step(&world.deps, &build, (&acme, &batch.events), Patience::Leave).await?;
        let status = world.status(&acme, projection.name).await?;
        assert_eq!((step, status.position, status.halted), (Step::Busy, Position::ZERO, None), "{}", projection.name);
    }
    assert!(world.fingerprints(&acme).await?.iter().all(|(_, fingerprint)| fingerprint.rows == 0));
    assert_eq!(world.catch_up(&acme).await?, Position::new(2), "the log there is");
    Ok(())
}
