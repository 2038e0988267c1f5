//! The worker: woken, sweeping, going on after a fix, stopping.

use std::time::Duration;

use futures::StreamExt;
use runtime::Shutdown;
use schemas::Position;
use tokio::time::Instant;

use super::world::{World, comment, opened};
use crate::{Projector, Sweeper, projections, sweep, worker::Work};

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_follows_every_tenant_and_stops_when_asked() -> anyhow::Result<()> {
    let world = World::new().await?;
    let shutdown = Shutdown::new();
    let early = world.tenant("early").await?;
    world.say(&early, "ticket-1", vec![opened("Kettle"), comment("Before the start.")]).await?;
    shutdown.spawn(Projector::new(world.deps.clone()).run(shutdown.clone()));
    world.reaches(&early, "audits", 2).await?;
    let mut tenants = Vec::new();
    for number in 0..6 {
        let tenant = world.tenant(&format!("late-{number}")).await?;
        world.say(&tenant, "ticket-1", vec![opened("Kettle"), comment("While it runs.")]).await?;
        tenants.push(tenant);
    }
    for tenant in &tenants {
        for projection in crate::PROJECTIONS {
            world.reaches(tenant, projection, 2).await?;
        }
    }
    assert!(shutdown.drain(Duration::from_secs(10)).await, "everything it started has ended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_tenant_goes_on_by_itself_after_the_fix() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    let flip =
        "update vault.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) where tenant_id = ";
    world.as_owner(flip, &acme).await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(Projector::new(world.deps.clone()).run(shutdown.clone()));
    world.reaches(&acme, "people", 2).await?;
    let halted = async {
        while world.status(&acme, "audits").await?.halted.is_none() {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(30), halted).await??;
    world.as_owner(flip, &acme).await?;
    world.reaches(&acme, "audits", 2).await?;
    assert!(shutdown.drain(Duration::from_secs(10)).await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_panics_halts_its_tenant_and_the_others_go_on() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.tenant("acme").await?, world.tenant("other").await?);
    for tenant in [&acme, &other] {
        world.say(tenant, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    }
    let mut work = Work::new(world.deps.clone(), Shutdown::new());
    work.begin_round(acme.tenant_id(), projections::ALL.to_vec(), async { panic!("a broken invariant") });
    let served = work.rounds.next().await.expect("a round runs");
    work.end_round(served).await;
    assert!(work.backoff.ready(acme.tenant_id(), Instant::now()).is_empty(), "it is not tried again at once");
    for projection in crate::PROJECTIONS {
        let halted = world.status(&acme, projection).await?.halted.expect("halted");
        assert_eq!((halted.position.get(), halted.reason.as_str()), (1, "a panic, at or after this position"));
    }

    work.enqueue(other.tenant_id());
    work.begin_rounds();
    let served = work.rounds.next().await.expect("a round runs");
    work.end_round(served).await;
    assert_eq!(world.status(&other, "audits").await?.position, Position::new(2), "nobody else halts");
    assert_eq!(world.catch_up(&acme).await?, Position::new(2), "after the fix it goes on");
    assert_eq!(world.status(&acme, "audits").await?.halted, None);
    Ok(())
}

#[tokio::test]
async fn a_sweep_finds_who_is_behind_and_measures_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
    world.test.clock.advance(jiff::SignedDuration::from_secs(5));
    let mut sweeper = Sweeper::default();
    let behind = sweeper.behind(&world.deps).await?;
    assert_eq!(behind.len(), crate::PROJECTIONS.len());
    sweep::measure(&world.deps.metrics, runtime::Clock::now(world.test.clock.as_ref()), &behind);
    let metrics = &world.deps.metrics;
    assert_eq!(metrics.subscription_lag_positions.with_label_values(&["audits"]).get(), 2);
    assert!((metrics.subscription_lag_seconds.with_label_values(&["audits"]).get() - 5.0).abs() < 0.001);

    world.catch_up(&acme).await?;
    assert!(sweeper.behind(&world.deps).await?.is_empty());
    sweep::measure(&world.deps.metrics, runtime::Clock::now(world.test.clock.as_ref()), &[]);
    assert_eq!(metrics.subscription_lag_positions.with_label_values(&["audits"]).get(), 0);
    assert_eq!(metrics.subscription_events.with_label_values(&["audits"]).get(), 2);
    Ok(())
}

#[tokio::test]
async fn a_sweep_passes_over_who_has_nothing_new_until_what_it_relies_on_changes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.tenant("acme").await?, world.tenant("other").await?);
    for tenant in [&acme, &other] {
        world.say(tenant, "ticket-1", vec![opened("Kettle"), comment("It whistles.")]).await?;
        world.catch_up(tenant).await?;
    }
    let mut sweeper = Sweeper::default();
    let mut conn = world.deps.pool.acquire().await?;
    let mut behind_on =
        async |basis: &str| sweeper.behind_on(basis.to_owned(), (&mut conn, &world.deps.region.id)).await;
    assert!(behind_on("a server").await?.is_empty());

    // As a crash of the server would, which takes away what had not reached the disk.
    let set_back = "update read.checkpoint set position = 1 where projection = 'audits' and tenant_id = ";
    world.as_owner(set_back, &acme).await?;
    world.say(&other, "ticket-2", vec![opened("Kettle")]).await?;
    let behind = behind_on("a server").await?;
    assert_eq!(behind.len(), crate::PROJECTIONS.len());
    assert!(behind.iter().all(|entry| entry.tenant_id == other.tenant_id()), "who has nothing new is passed over");

    let behind = behind_on("the server after its crash").await?;
    let is_acme = |entry: &&sweep::Behind| entry.tenant_id == acme.tenant_id();
    assert_eq!(behind.iter().filter(is_acme).map(|entry| entry.projection.as_str()).collect::<Vec<_>>(), ["audits"]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_went_through_recovery_is_another_basis() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut conn = world.deps.pool.acquire().await?;
    let before = sweep::basis(&mut conn).await?;
    // Recovery ends with one, before anybody may connect.
    world.alter("checkpoint").await?;
    assert_ne!(sweep::basis(&mut conn).await?, before);
    Ok(())
}

#[tokio::test]
async fn nothing_is_relied_on_for_ever() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    world.say(&acme, "ticket-1", vec![opened("Kettle")]).await?;
    world.catch_up(&acme).await?;
    let mut sweeper = Sweeper::default();
    assert!(sweeper.behind(&world.deps).await?.is_empty());
    world.as_owner("update read.checkpoint set position = 0 where tenant_id = ", &acme).await?;
    let mut sweeps = 1;
    while sweeper.behind(&world.deps).await?.is_empty() {
        sweeps += 1;
        assert!(sweeps < 1_000, "it is never found");
    }
    Ok(())
}
