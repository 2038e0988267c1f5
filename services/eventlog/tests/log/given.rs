//! What tests begin from.

use std::time::Duration;

use eventlog::{Append, Appended, Appender, AppenderConfig, Expected, Idempotency, StreamAppend};
use regions::{DatabaseRole, Patience, Resident};
use runtime::{Clock, Ids};
use schemas::{
    Actor, CommandId, Envelope, EventId, Hash, KeyId, Position, Recorded, Sealed, StreamName, TicketId, Version,
};
use sqlx::{PgConnection, Postgres, Transaction};
use testkit::TestRegion;

pub(crate) fn ticket(number: i64) -> StreamName {
    StreamName::Ticket(TicketId::new(number))
}

/// `count` sealed events of a command, following version `expected`.
pub(crate) fn events(
    test: &TestRegion,
    resident: &Resident,
    (stream, expected, count): &(StreamName, i64, usize),
    command_id: CommandId,
) -> Vec<Sealed> {
    let envelope = |version| Envelope {
        tenant_id: resident.tenant_id(),
        stream: stream.clone(),
        version: Version::new(version),
        event_id: EventId::new(test.ids.uuid()),
        event_type: "comment_added".to_owned(),
        schema_version: 2,
        recorded_at: test.clock.now(),
        actor: Actor::System,
        command_id,
        causation_id: Some(EventId::new(test.ids.uuid())),
        trace_parent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        key_id: KeyId::new(test.ids.uuid()),
        blob: (version % 2 == 0).then(|| Hash::of(&[b"a file"])),
    };
    let count = i64::try_from(*count).expect("few");
    (expected + 1..=expected + count)
        .map(|version| Sealed::new(envelope(version), test.ids.secret().to_vec()))
        .collect()
}

/// An append of one command to several streams, each given as stream, expected version and number of events.
pub(crate) fn append_to(test: &TestRegion, resident: &Resident, streams: &[(StreamName, i64, usize)]) -> Append {
    let command_id = CommandId::new(test.ids.uuid());
    let stream = |of: &(StreamName, i64, usize)| StreamAppend {
        stream: of.0.clone(),
        expected: if of.1 == 0 { Expected::NoStream } else { Expected::Exact(Version::new(of.1)) },
        events: events(test, resident, of, command_id),
    };
    let streams = streams.iter().map(stream).collect();
    Append { resident: resident.clone(), command_id, idempotency: None, streams }
}

/// An append of one event.
pub(crate) fn append(test: &TestRegion, resident: &Resident, stream: StreamName, expected: i64) -> Append {
    append_to(test, resident, &[(stream, expected, 1)])
}

pub(crate) fn with_key(append: Append, key: &str, request: &str) -> Append {
    let idempotency = Idempotency { key: key.to_owned(), fingerprint: Hash::of(&[request.as_bytes()]) };
    Append { idempotency: Some(idempotency), ..append }
}

pub(crate) fn appended(first: i64, last: i64) -> Appended {
    Appended { first: Position::new(first), last: Position::new(last), replayed: false }
}

/// One lane, so that everything that waits is one batch. It stays with a tenant that a test holds.
pub(crate) fn patient() -> AppenderConfig {
    AppenderConfig { lanes: 1, stuck_after: Patience::DESK.lock, ..AppenderConfig::default() }
}

/// An appender with one [`patient`] lane.
pub(crate) async fn one_lane(test: &TestRegion) -> anyhow::Result<Appender> {
    Ok(Appender::start(patient(), &test.region, test.metrics.clone(), &test.shutdown).await?)
}

pub(crate) async fn owner(test: &TestRegion) -> anyhow::Result<PgConnection> {
    Ok(regions::connection(&test.region, DatabaseRole::Owner).await?)
}

/// The whole log of a tenant, as a worker reads it.
pub(crate) async fn log(test: &TestRegion, resident: &Resident) -> anyhow::Result<Vec<Recorded>> {
    let mut projector = regions::connection(&test.region, DatabaseRole::Projector).await?;
    Ok(eventlog::read_log(&mut projector, resident, Position::ZERO, 10_000).await?)
}

/// Holds a tenant's head row until the transaction ends, so that a lane has to wait.
pub(crate) async fn hold(test: &TestRegion, resident: &Resident) -> anyhow::Result<Transaction<'static, Postgres>> {
    let owner = test.pool(DatabaseRole::Owner).await?;
    let mut transaction = regions::begin_with(&owner, "begin").await?;
    sqlx::query!("select position from log.tenant where tenant_id = $1 for update", resident.tenant_id().get())
        .fetch_one(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// Waits until as many sessions of the desk wait for a lock, and gives their process ids.
pub(crate) async fn blocked_sessions(test: &TestRegion, count: usize) -> anyhow::Result<Vec<i32>> {
    let mut owner = owner(test).await?;
    let wait = async {
        loop {
            let blocked = sqlx::query_scalar!(
                r#"select pid as "pid!" from pg_stat_activity
                where datname = current_database() and application_name = 'domicile desk' and wait_event_type = 'Lock'"#
            )
            .fetch_all(&mut owner)
            .await?;
            if blocked.len() >= count {
                return Ok(blocked);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await?
}

/// Waits until as many callers are queued.
pub(crate) async fn queued(test: &TestRegion, count: i64) -> anyhow::Result<()> {
    let wait = async {
        let length = |queue| test.metrics.queue_length.with_label_values(&[queue]).get();
        while length("append") + length("append_siding") < count {
            tokio::task::yield_now().await;
        }
    };
    Ok(tokio::time::timeout(Duration::from_secs(20), wait).await?)
}
