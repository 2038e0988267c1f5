//! What a command costs with many tenants in a region. Each region has as many tickets, spread over its tenants, and all of
//! them are written to evenly, which is the worst for every memory on the way.

use std::time::{Duration, Instant};

use projector::Sweeper;

use super::Bench;
use crate::{
    command::Ticket,
    ground::Store,
    history, load,
    load::Latency,
    projecting::Projecting,
    report::{Figure, Reach},
    turns::{each, turns},
    writer::Writer,
};

const FEW: usize = 10;

/// Writers that append to a tenth of the tickets; the others are commented on.
const WRITERS_SHARE: usize = 10;

struct Populated {
    store: Store,
    /// How many; the first so many tickets belong to one each.
    tenants: usize,
    tickets: Vec<Ticket>,
    writers: Vec<Writer>,
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let mut few = populate(bench, FEW).await?;
    let all = bench.pace.tenants;
    for (tenants, name) in [(all / 10, "append_latency_1000_tenants"), (all, "append_latency_10000_tenants")] {
        eprintln!("  {tenants} tenants");
        let mut many = populate(bench, tenants).await?;
        let against = "with 10 tenants";
        let pairs = {
            let (round, few, many) = (bench.pace.round, &mut few, &mut many);
            turns(bench.pace.rounds, async || many.append(round).await, async || few.append(round).await).await?
        };
        let figure = Figure { name, against, unit: "us", reach: Reach::AtMost(1.2) };
        bench.report.add(figure, &each(&pairs, |latency| latency.p50));
        if tenants == all {
            let pairs = commands(bench, &mut few, &mut many).await?;
            let figure = Figure { name: "tenants_10000", ..figure };
            bench.report.add(figure, &each(&pairs, |latency| latency.p50));
            sweep(bench, &many.store).await?;
        }
        many.store.end(&bench.ground).await?;
    }
    few.store.end(&bench.ground).await
}

/// Whole commands, while the region's projector works as in production.
async fn commands(bench: &Bench, few: &mut Populated, many: &mut Populated) -> anyhow::Result<Vec<(Latency, Latency)>> {
    let round = bench.pace.round;
    turns(bench.pace.rounds, async || many.command(round).await, async || few.command(round).await).await
}

/// Finding out who is behind: what a projector does every second. Most sweeps look at those with something new only, so it is
/// the mean of many, with the one that looks at all among them. Nobody writes meanwhile: what is new comes on top, at the cost of
/// serving it.
async fn sweep(bench: &mut Bench, store: &Store) -> anyhow::Result<()> {
    let deps = store.projector().await?;
    let mut pairs = Vec::new();
    for _ in 0..=bench.pace.rounds {
        let (mut sweeper, begun) = (Sweeper::default(), Instant::now());
        for _ in 0..Sweeper::RELIED_ON_MAX {
            sweeper.count_behind(&deps).await?;
        }
        let each = begun.elapsed() / Sweeper::RELIED_ON_MAX;
        pairs.push((each.as_secs_f64() * 1e3, 1_000.0));
    }
    let (name, against) = ("sweep_10000_tenants", "the second between two sweeps");
    bench.report.add(Figure { name, against, unit: "ms", reach: Reach::AtMost(0.1) }, &pairs[1..]);
    deps.pool.close().await;
    Ok(())
}

async fn populate(bench: &Bench, tenants: usize) -> anyhow::Result<Populated> {
    let store = bench.ground.store().await?;
    let residents = store.tenants(tenants).await?;
    let in_all = bench.pace.tenants;
    let each = i64::try_from(in_all / tenants)?;
    history::open(&store, &residents, each).await?;
    let numbered = |number: usize| (&residents[number % tenants], i64::try_from(number / tenants + 1));
    let mut tickets = Vec::new();
    for (resident, number) in (0..in_all).map(numbered) {
        tickets.push(Ticket { resident: resident.clone(), number: number? });
    }
    let mut writers = Vec::new();
    for (resident, number) in (0..in_all / WRITERS_SHARE).map(numbered) {
        // Beyond the tickets there are: a stream of the writer's own.
        let mut writer = Writer::new(&store, resident, each + number?).await?;
        writer.open().await?;
        writers.push(writer);
    }
    Ok(Populated { store, tenants, tickets, writers })
}

impl Populated {
    async fn append(&mut self, round: Duration) -> anyhow::Result<Latency> {
        load::latency(&mut self.writers, round, async |writer| Ok(writer.append(1).await?)).await
    }

    async fn command(&mut self, round: Duration) -> anyhow::Result<Latency> {
        let residents = self.tickets[..self.tenants].iter().map(|ticket| &ticket.resident);
        let projecting = Projecting::start(&self.store, residents).await?;
        let store = &self.store;
        let call = async |ticket: &mut Ticket| ticket.add_comment(store).await.map(drop);
        let latency = load::latency(&mut self.tickets, round, call).await?;
        projecting.stop().await?;
        Ok(latency)
    }
}
