//! From an acknowledged append to its row in the ticket list, at a steady 500 commands a second, with the projector running as
//! in production.
//!
//! Commands come by the clock, whether or not earlier ones are done. One watcher looks every millisecond, so what is measured
//! is up to that and one query too long.

mod watcher;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use runtime::Shutdown;
use tokio::{sync::Mutex, time::MissedTickBehavior};

use self::watcher::Watcher;
use super::Bench;
use crate::{
    command::Ticket,
    ground::Store,
    history,
    load::Latency,
    projecting::Projecting,
    report::{Figure, Reach},
    turns::each,
};

const COMMANDS_PER_SECOND: u32 = 500;
const TENANTS: usize = 20;
const TICKETS_PER_TENANT: i64 = 50;

/// Rounds are longer here: a hundredth of their commands must be more than a few.
const ROUNDS_LONGER: u32 = 3;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let residents = store.tenants(TENANTS).await?;
    history::open(&store, &residents, TICKETS_PER_TENANT).await?;
    let tickets = (1..=TICKETS_PER_TENANT)
        .flat_map(|number| residents.iter().map(move |resident| Ticket { resident: resident.clone(), number }));
    let tickets: Vec<_> = tickets.map(|ticket| Arc::new(Mutex::new(ticket))).collect();
    let projecting = Projecting::start(&store, &residents).await?;
    let (mut rounds, mut paces) = (Vec::new(), Vec::new());
    for turn in 0..=bench.pace.rounds {
        let (latency, per_second) = steady(&store, &tickets, bench.pace.round * ROUNDS_LONGER).await?;
        if turn > 0 {
            // Against one millisecond: the ratio is the figure itself.
            rounds.push((latency, Latency { p50: 1_000.0, p99: 1_000.0 }));
            paces.push((per_second, f64::from(COMMANDS_PER_SECOND)));
        }
        projecting.wait().await?;
    }
    let figure = |name, at_most| Figure { name, against: "1 ms", unit: "ms", reach: Reach::AtMost(at_most) };
    bench.report.add(figure("visible_p50_ms", 25.0), &each(&rounds, |latency| latency.p50 / 1e3));
    bench.report.add(figure("visible_p99_ms", 50.0), &each(&rounds, |latency| latency.p99 / 1e3));
    // Slower than this the machine could not do what is asked, and the lag above is that of fewer commands.
    let (name, against, unit) = ("visible_pace", "500 a second", "commands/s");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtLeast(0.98) }, &paces);
    projecting.stop().await?;
    store.end(&bench.ground).await
}

/// Commands at their pace for so long: how long each took to be visible, and how many there were a second.
async fn steady(store: &Store, tickets: &[Arc<Mutex<Ticket>>], round: Duration) -> anyhow::Result<(Latency, f64)> {
    let (tasks, watcher) = (Shutdown::new(), Watcher::start(store).await?);
    let mut due = tokio::time::interval(Duration::from_secs(1) / COMMANDS_PER_SECOND);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    let mut commands = Vec::new();
    for ticket in tickets.iter().cycle() {
        if begun.elapsed() >= round {
            break;
        }
        due.tick().await;
        let (store, ticket, watched) = (store.clone(), Arc::clone(ticket), watcher.watched());
        commands.push(tasks.spawn(async move {
            // Nobody else comments on it meanwhile.
            let ticket = ticket.lock().await;
            let (version, _) = ticket.add_comment(&store).await?;
            watched.acknowledged(&ticket, version);
            anyhow::Ok(())
        }));
    }
    let count = commands.len();
    for command in commands {
        command.await??;
    }
    let per_second = count as f64 / begun.elapsed().as_secs_f64();
    Ok((watcher.finish().await?, per_second))
}
