//! Appends through `postgres-es`, the Postgres store of `cqrs-es`, on command: a JSON line in, a JSON line out.
//!
//! First `{"url": "..."}`, answered `{"ready": true}`; then `{"writers": 16, "batch": 1, "seconds": 2}`, answered
//! `{"events": 12345, "seconds": 2.01}`. Each writer has a stream of its own and says which version it expects, as ours do.

use std::{
    collections::HashMap,
    io::{BufRead, Write},
    time::{Duration, Instant},
};

use cqrs_es::{
    Aggregate, DomainEvent, EventStore,
    event_sink::EventSink,
    persist::{EventStoreAggregateContext, PersistedEventStore},
};
use futures::future::try_join_all;
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::{Executor, PgPool, postgres::PgPoolOptions};

const PAYLOAD_BYTES: usize = 600;

/// The table its documentation asks for.
const SCHEMA: &str = "create table if not exists events (
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint check (sequence >= 0) not null,
    event_type text not null,
    event_version text not null,
    payload json not null,
    metadata json not null,
    primary key (aggregate_type, aggregate_id, sequence)
)";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Ticket;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CommentAdded {
    author: String,
    body: String,
}

impl DomainEvent for CommentAdded {
    fn event_type(&self) -> String {
        "CommentAdded".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Ticket {
    const TYPE: &'static str = "ticket";
    type Command = ();
    type Event = CommentAdded;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, _: CommentAdded) {}
}

type Store = PersistedEventStore<PostgresEventRepository, Ticket>;

#[derive(Deserialize)]
struct Open {
    url: String,
}

#[derive(Deserialize)]
struct Order {
    writers: usize,
    batch: usize,
    seconds: f64,
}

struct Writer {
    stream: String,
    version: usize,
}

impl Writer {
    async fn append(&mut self, store: &Store, batch: usize) -> anyhow::Result<()> {
        let event = CommentAdded { author: "1".to_owned(), body: "x".repeat(PAYLOAD_BYTES - 30) };
        let context = EventStoreAggregateContext {
            aggregate_id: self.stream.clone(),
            aggregate: Ticket,
            current_sequence: self.version,
            current_snapshot: None,
        };
        store.commit(vec![event; batch], context, HashMap::new()).await?;
        self.version += batch;
        Ok(())
    }
}

/// As many connections as writers (its own default is ten), all of them open. They are closed after the order, because the
/// server has not enough for everybody who is compared.
async fn connect(url: &str, writers: usize) -> anyhow::Result<PgPool> {
    let connections = u32::try_from(writers)?;
    Ok(PgPoolOptions::new().min_connections(connections).max_connections(connections).connect(url).await?)
}

async fn run(url: &str, writers: &mut Vec<Writer>, order: &Order) -> anyhow::Result<serde_json::Value> {
    let pool = connect(url, order.writers).await?;
    let store = &PersistedEventStore::new_event_store(PostgresEventRepository::new(pool.clone()));
    while writers.len() < order.writers {
        writers.push(Writer { stream: format!("ticket-{}", writers.len()), version: 0 });
    }
    let (begun, round) = (Instant::now(), Duration::from_secs_f64(order.seconds));
    let write = async |writer: &mut Writer| {
        let mut events = 0;
        while begun.elapsed() < round {
            writer.append(store, order.batch).await?;
            events += order.batch;
        }
        Ok::<_, anyhow::Error>(events)
    };
    let events: usize = try_join_all(writers[..order.writers].iter_mut().map(write)).await?.into_iter().sum();
    let seconds = begun.elapsed().as_secs_f64();
    pool.close().await;
    Ok(serde_json::json!({ "events": events, "seconds": seconds }))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let answer = |answer: serde_json::Value| writeln!(std::io::stdout(), "{answer}");
    let Some(first) = lines.next().transpose()? else { return Ok(()) };
    let Open { url } = serde_json::from_str(&first)?;
    connect(&url, 1).await?.execute(SCHEMA).await?;
    answer(serde_json::json!({ "ready": true }))?;
    let mut writers = Vec::new();
    for line in lines {
        answer(run(&url, &mut writers, &serde_json::from_str(&line?)?).await?)?;
    }
    Ok(())
}
