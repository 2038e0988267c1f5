//! The worker: woken, sweeping, going on after a fix, stopping.

use std::time::Duration;

use futures::StreamExt;
use runtime::Shutdown;
use schemas::Position;
use tokio::time::Instant;

use super::world::{World, comment, opened};
use crate::{Projector, projections, sweep, worker::Work};

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
    let mut conn = world.deps.pool.acquire().await?;
    let behind = sweep::behind(&mut conn, &world.deps.region.id).await?;
    assert_eq!(behind.len(), crate::PROJECTIONS.len());
    sweep::measure(&world.deps.metrics, runtime::Clock::now(world.test.clock.as_ref()), &behind);
    let metrics = &world.deps.metrics;
    assert_eq!(metrics.subscription_lag_positions.with_label_values(&["audits"]).get(), 2);
    assert!((metrics.subscription_lag_seconds.with_label_values(&["audits"]).get() - 5.0).abs() < 0.001);
    drop(conn);

    world.catch_up(&acme).await?;
    let mut conn = world.deps.pool.acquire().await?;
    assert!(sweep::behind(&mut conn, &world.deps.region.id).await?.is_empty());
    sweep::measure(&world.deps.metrics, runtime::Clock::now(world.test.clock.as_ref()), &[]);
    assert_eq!(metrics.subscription_lag_positions.with_label_values(&["audits"]).get(), 0);
    assert_eq!(metrics.subscription_events.with_label_values(&["audits"]).get(), 2);
    Ok(())
}
