//! Acknowledged appends, sealing included, against one plain insert per commit into a table of two columns, and against stores
//! that people would otherwise pick. All on the same Postgres, in turns.

mod plain;

use std::time::Duration;

use self::plain::Plain;
use super::Bench;
use crate::{
    ground::Store,
    load,
    peer::Peer,
    report::{Figure, Reach},
    writer::Writer,
};

const WRITERS_MAX: usize = 64;
const TENANTS: usize = 8;

/// How many write, how many events an append holds, and what the figures are called.
struct Load {
    writers: usize,
    batch: usize,
    figures: [Figure; 3],
}

const PLAIN: &str = "one plain INSERT per commit";
const EMMETT: &str = "emmett-postgresql 0.42.0";
const POSTGRES_ES: &str = "postgres-es 0.5.0";

const fn rate(name: &'static str, against: &'static str, at_least: f64) -> Figure {
    Figure { name, against, unit: "events/s", reach: Reach::AtLeast(at_least) }
}

const fn latency(name: &'static str, against: &'static str, at_most: f64) -> Figure {
    Figure { name, against, unit: "us", reach: Reach::AtMost(at_most) }
}

const LOADS: [Load; 4] = [
    Load {
        writers: 1,
        batch: 1,
        figures: [
            latency("append_1_writer_latency", PLAIN, 2.0),
            latency("append_1_writer_latency_emmett", EMMETT, 1.0),
            latency("append_1_writer_latency_postgres_es", POSTGRES_ES, 1.0),
        ],
    },
    Load {
        writers: 16,
        batch: 1,
        figures: [
            rate("append_16_writers", PLAIN, 1.0),
            rate("append_16_writers_emmett", EMMETT, 2.0),
            rate("append_16_writers_postgres_es", POSTGRES_ES, 1.0),
        ],
    },
    Load {
        writers: WRITERS_MAX,
        batch: 1,
        figures: [
            rate("append_64_writers", PLAIN, 1.2),
            rate("append_64_writers_emmett", EMMETT, 2.0),
            rate("append_64_writers_postgres_es", POSTGRES_ES, 1.0),
        ],
    },
    Load {
        writers: 1,
        batch: 100,
        figures: [
            rate("append_batches_of_100", PLAIN, 3.0),
            rate("append_batches_of_100_emmett", EMMETT, 1.0),
            rate("append_batches_of_100_postgres_es", POSTGRES_ES, 1.0),
        ],
    },
];

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let mut sides = Sides {
        writers: writers(&store).await?,
        plain: Plain::new(&store).await?,
        emmett: found(bench, EMMETT, Peer::emmett(&bench.ground).await),
        postgres_es: found(bench, POSTGRES_ES, Peer::postgres_es(&bench.ground).await),
    };
    for load in &LOADS {
        let mut turns = Vec::new();
        for turn in 0..=bench.pace.rounds {
            let measured = sides.turn(load, bench.pace.round).await?;
            if turn > 0 {
                turns.push(measured);
            }
        }
        for (side, figure) in load.figures.into_iter().enumerate() {
            let pairs = turns.iter().filter_map(|measured| Some((measured[0]?, measured[1 + side]?)));
            let pairs: Vec<_> = pairs.map(|pair| as_figure(figure, pair)).collect();
            if !pairs.is_empty() {
                bench.report.add(figure, &pairs);
            }
        }
    }
    against_one_insert(bench, &mut sides).await?;
    drop(sides);
    store.end(&bench.ground).await
}

/// What a figure shows of events per second.
fn as_figure(figure: Figure, (ours, against): (f64, f64)) -> (f64, f64) {
    match figure.reach {
        Reach::AtLeast(_) => (ours, against),
        // One writer: the time of an append is what one second holds of them.
        Reach::AtMost(_) => (1e6 / ours, 1e6 / against),
    }
}

/// A batch against what it could be at best: one insert of as many rows.
async fn against_one_insert(bench: &mut Bench, sides: &mut Sides) -> anyhow::Result<()> {
    let round = bench.pace.round;
    let (writers, plain) = (&mut sides.writers, &mut sides.plain);
    let ours = async || Ok(100.0 * append(writers, 1, 100, round).await?);
    let theirs = async || plain.insert(1, 100, round).await;
    let pairs = crate::turns::turns(bench.pace.rounds, ours, theirs).await?;
    let figure = rate("append_batches_of_100_one_insert", "one INSERT of 100 rows per commit", 0.3);
    bench.report.add(figure, &pairs);
    Ok(())
}

struct Sides {
    writers: Vec<Writer>,
    plain: Plain,
    emmett: Option<Peer>,
    postgres_es: Option<Peer>,
}

impl Sides {
    /// Events per second of each: ours, plain inserts, the peers.
    async fn turn(&mut self, load: &Load, round: Duration) -> anyhow::Result<[Option<f64>; 4]> {
        let ours = append(&mut self.writers, load.writers, load.batch, round).await? * load.batch as f64;
        let plain = self.plain.insert(load.writers, 1, round).await?;
        let mut measured = [Some(ours), Some(plain), None, None];
        for (place, peer) in [(2, &mut self.emmett), (3, &mut self.postgres_es)] {
            if let Some(peer) = peer {
                measured[place] = Some(peer.append(load.writers, load.batch, round).await?);
            }
        }
        Ok(measured)
    }
}

fn found(bench: &mut Bench, name: &str, peer: anyhow::Result<Peer>) -> Option<Peer> {
    peer.inspect_err(|error| bench.report.leave_out(name, format!("{error:#}"))).ok()
}

async fn writers(store: &Store) -> anyhow::Result<Vec<Writer>> {
    let tenants = store.tenants(TENANTS).await?;
    let mut writers = Vec::new();
    for number in 0..WRITERS_MAX {
        writers.push(Writer::new(store, &tenants[number % TENANTS], 1 + i64::try_from(number)?).await?);
    }
    Ok(writers)
}

/// Appends per second by the first so many writers.
async fn append(writers: &mut Vec<Writer>, count: usize, batch: usize, round: Duration) -> anyhow::Result<f64> {
    let append = move |mut writer: Writer| async move {
        writer.append(batch).await?;
        Ok(writer)
    };
    let working = writers.drain(..count).collect();
    let (worked, per_second) = load::per_second(working, round, append).await?;
    writers.splice(..0, worked);
    Ok(per_second)
}
