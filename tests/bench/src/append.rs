//! Acknowledged appends, sealing included, against one plain insert per commit into a table of two columns.

use std::time::{Duration, Instant};

use eventlog::{Append, Expected, StreamAppend};
use regions::{DatabaseRole, Resident};
use schemas::{
    Actor, CommandId, Envelope, EventId, PersonId, StreamName, TenantLogEvent, TicketId, Version,
    ticket::{CommentAdded, TicketEvent},
    values::{Channel, Visibility},
};
use sqlx::Executor;
use vault::{DataKey, Scope};

use crate::{
    ground::Ground,
    report::{Figure, ROUNDS, Report},
};

const ROUND: Duration = Duration::from_secs(2);
const PAYLOAD_BYTES: usize = 600;
const WRITERS: usize = 64;
const TENANTS: usize = 8;

/// One writer on a stream of its own.
pub(crate) struct Writer<'ground> {
    ground: &'ground Ground,
    resident: Resident,
    stream: StreamName,
    key: DataKey,
    version: Version,
    body: String,
}

impl<'ground> Writer<'ground> {
    pub(crate) async fn new(
        ground: &'ground Ground,
        resident: &Resident,
        ticket: i64,
        payload_bytes: usize,
    ) -> anyhow::Result<Self> {
        let ticket = TicketId::new(ticket);
        let key = ground.vault.data_keys(resident, &[Scope::Ticket(ticket)]).await?.remove(0);
        let (resident, stream, version) = (resident.clone(), StreamName::Ticket(ticket), Version::ZERO);
        Ok(Self { ground, resident, stream, key, version, body: "x".repeat(payload_bytes) })
    }

    /// Decides nothing, but seals and appends as the desk does.
    pub(crate) async fn append(&mut self, event: Option<TenantLogEvent>) -> anyhow::Result<()> {
        let event = event.unwrap_or_else(|| comment(&self.body));
        let expected = if self.version == Version::ZERO { Expected::NoStream } else { Expected::Exact(self.version) };
        self.version = self.version.next();
        let command_id = CommandId::new(self.ground.ids.uuid());
        let envelope = Envelope {
            tenant_id: self.resident.tenant_id(),
            stream: self.stream.clone(),
            version: self.version,
            event_id: EventId::new(self.ground.ids.uuid()),
            event_type: event.event_type().to_owned(),
            schema_version: event.schema_version(),
            recorded_at: self.ground.clock.now(),
            actor: Actor::Person(PersonId::new(1)),
            command_id,
            causation_id: None,
            trace_parent: None,
            key_id: self.key.id(),
            blob: None,
        };
        let sealed = vault::seal_event(&self.key, envelope, &event);
        let streams = vec![StreamAppend { stream: self.stream.clone(), expected, events: vec![sealed] }];
        let append = Append { resident: self.resident.clone(), command_id, idempotency: None, streams };
        self.ground.appender.append(append).await?;
        Ok(())
    }
}

fn comment(body: &str) -> TenantLogEvent {
    let comment = CommentAdded {
        author: PersonId::new(1),
        visibility: Visibility::Public,
        body: body.to_owned().into(),
        html_body: None.into(),
        attachments: Vec::new(),
        channel: Channel::Api,
    };
    TicketEvent::from(comment).into()
}

pub(crate) async fn measure(ground: &Ground, report: &mut Report) -> anyhow::Result<()> {
    let pool = regions::connect(&ground.region, DatabaseRole::Owner, u32::try_from(WRITERS)?).await?;
    pool.execute("create table public.plain (id uuid primary key, payload bytea not null)").await?;
    let mut tenants = Vec::new();
    for _ in 0..TENANTS {
        tenants.push(ground.tenant().await?);
    }
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        // The event around the body makes up the rest of the payload.
        writers.push(Writer::new(ground, &tenants[number % TENANTS], 1 + number as i64, PAYLOAD_BYTES - 110).await?);
    }
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(pool.acquire().await?);
    }
    ours(&mut writers, ROUND).await?;
    plain(ground, &mut connections, ROUND).await?;

    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        pairs.push((ours(&mut writers, ROUND).await?, plain(ground, &mut connections, ROUND).await?));
    }
    let many = Figure { name: "append_64_writers", unit: "appends/s", reach: 1.2, is_less_better: false };
    report.add(many, &pairs);

    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        let (one, other) = (ours(&mut writers[..1], ROUND).await?, plain(ground, &mut connections[..1], ROUND).await?);
        // One writer: the time of an append is what one second holds of them.
        pairs.push((1e6 / one, 1e6 / other));
    }
    let one = Figure { name: "append_1_writer_latency", unit: "us", reach: 2.0, is_less_better: true };
    report.add(one, &pairs);
    Ok(())
}

/// Appends per second by these writers.
async fn ours(writers: &mut [Writer<'_>], round: Duration) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let write = async |writer: &mut Writer<'_>| {
        let mut count = 0_u32;
        while begun.elapsed() < round {
            writer.append(None).await?;
            count += 1;
        }
        Ok::<_, anyhow::Error>(count)
    };
    let counts = futures::future::try_join_all(writers.iter_mut().map(write)).await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / begun.elapsed().as_secs_f64())
}

type Connection = sqlx::pool::PoolConnection<sqlx::Postgres>;

/// Inserts per second, one a commit, over these connections.
async fn plain(ground: &Ground, connections: &mut [Connection], round: Duration) -> anyhow::Result<f64> {
    let payload = vec![b'x'; PAYLOAD_BYTES];
    let begun = Instant::now();
    let write = async |connection: &mut Connection| {
        let mut count = 0_u32;
        while begun.elapsed() < round {
            #[expect(clippy::disallowed_methods, reason = "the table is the benchmark's own and in no migration")]
            let insert = sqlx::query("insert into public.plain (id, payload) values ($1, $2)");
            insert.bind(ground.ids.uuid()).bind(&payload).execute(&mut **connection).await?;
            count += 1;
        }
        Ok::<_, anyhow::Error>(count)
    };
    let counts = futures::future::try_join_all(connections.iter_mut().map(write)).await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / begun.elapsed().as_secs_f64())
}
