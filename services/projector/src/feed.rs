//! Reads batches of whole commands from a tenant's log and opens them, once for all projections.

use regions::Resident;
use schemas::{Position, Recorded, TenantLogEvent, erasure::ErasureEvent};
use sqlx::PgConnection;

use crate::{
    Error, ProjectorDeps,
    batch::{Batch, Payload},
    projections,
};

/// How many events are read at once: enough for any command to fit whole.
pub(crate) const BATCH_SIZE_MAX: usize = eventlog::EVENTS_MAX + 1;

/// The next batch after a position; empty at the head of the log. It ends before a command with an envelope that cannot
/// be read; only when that command comes next, there is nothing but the error.
pub(crate) async fn read(deps: &ProjectorDeps, resident: &Resident, after: Position) -> Result<Batch, Error> {
    let (recorded, more) = read_commands(deps, resident, after).await?;
    of_recorded(deps, resident, recorded, more).await
}

/// Opens the events of whole commands.
pub(crate) async fn of_recorded(
    deps: &ProjectorDeps,
    resident: &Resident,
    recorded: Vec<Recorded>,
    more: bool,
) -> Result<Batch, Error> {
    let payloads = open(deps, resident, &recorded).await?;
    Ok(Batch::new(resident, recorded, payloads, more))
}

/// The next whole commands after a position, and whether the log probably holds more.
pub(crate) async fn read_commands(
    deps: &ProjectorDeps,
    resident: &Resident,
    after: Position,
) -> Result<(Vec<Recorded>, bool), Error> {
    let limit = i64::try_from(BATCH_SIZE_MAX).expect("a batch is small");
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let mut recorded = match eventlog::read_log(&mut conn, resident, after, limit).await {
        Err(unreadable @ eventlog::Error::Unreadable { position, .. }) => {
            let readable = count_before(&mut conn, resident, (after, position)).await.map_err(Error::Read)?;
            if readable == 0 {
                return Err(Error::Read(unreadable));
            }
            let recorded = eventlog::read_log(&mut conn, resident, after, readable).await.map_err(Error::Read)?;
            return Ok((recorded, true));
        }
        recorded => recorded.map_err(Error::Read)?,
    };
    // Fewer than asked for is the head of the log: an append is atomic, so the last command is whole.
    let more = recorded.len() == BATCH_SIZE_MAX;
    if more {
        cut_last_command(&mut recorded);
    }
    Ok((recorded, more))
}

/// How many events lie between a position and the command of an event that cannot be read. What that command did before
/// does not count: half a command is never applied.
async fn count_before(
    conn: &mut PgConnection,
    resident: &Resident,
    (after, unreadable): (Position, Position),
) -> Result<i64, eventlog::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from log.event
           where tenant_id = $1 and position > $2 and position < $3
             and command_id <> (select command_id from log.event where tenant_id = $1 and position = $3)"#,
        resident.tenant_id().get(),
        after.get(),
        unreadable.get(),
    )
    .fetch_one(conn)
    .await
    .map_err(eventlog::Error::Read)
}

/// The last command may go on beyond the limit; it opens the next batch.
fn cut_last_command(recorded: &mut Vec<Recorded>) {
    let Some(last) = recorded.last().map(|event| event.sealed.envelope.command_id) else { return };
    if let Some(whole) = recorded.iter().rposition(|event| event.sealed.envelope.command_id != last) {
        recorded.truncate(whole + 1);
    }
}

/// Opens what some projection reads. The rest, such as the access log, stays sealed: nobody here needs to see it, and its events are
/// large.
async fn open(deps: &ProjectorDeps, resident: &Resident, recorded: &[Recorded]) -> Result<Vec<Payload>, Error> {
    let is_read = |event: &&Recorded| projections::ALL.iter().any(|known| (known.reads)(&event.sealed.envelope.stream));
    let read: Vec<Recorded> = recorded.iter().filter(is_read).cloned().collect();
    let mut opened = open_read(deps, resident, &read).await?.into_iter();
    let payload = |event: &Recorded| if is_read(&event) { opened.next() } else { None };
    Ok(recorded.iter().map(payload).map(|payload| payload.unwrap_or(Payload::Unwanted)).collect())
}

async fn open_read(deps: &ProjectorDeps, resident: &Resident, recorded: &[Recorded]) -> Result<Vec<Payload>, Error> {
    match open_together(deps, resident, recorded).await {
        Err(Error::Open(error)) if fault(&error).is_some() => {
            let mut payloads = Vec::with_capacity(recorded.len());
            for event in recorded {
                payloads.push(open_alone(deps, resident, event).await?);
            }
            Ok(payloads)
        }
        opened => opened,
    }
}

/// What is wrong with an event or its key, if the vault says that it is their fault and not its own.
const fn fault(error: &vault::Error) -> Option<&'static str> {
    match error {
        vault::Error::Tampered { .. } => Some("the payload does not open under its key and envelope"),
        vault::Error::TamperedDataKey { .. } => Some("its wrapped data key does not open"),
        vault::Error::TamperedTenantKey { .. } => Some("the wrapped tenant key does not open"),
        vault::Error::AnotherRegionKey { .. } => Some("the tenant key is wrapped by another region key"),
        _ => None,
    }
}

async fn open_together(deps: &ProjectorDeps, resident: &Resident, events: &[Recorded]) -> Result<Vec<Payload>, Error> {
    let opened = deps.vault.open_all(resident, events).await.map_err(Error::Open)?;
    let payloads: Vec<_> =
        events.iter().zip(opened).map(|(event, plaintext)| decode(event, plaintext.as_deref())).collect();
    forget_destroyed(deps, resident, &payloads);
    Ok(payloads)
}

/// Another process destroys the keys; here they go with the event that says so, not only when they have been held long enough.
fn forget_destroyed(deps: &ProjectorDeps, resident: &Resident, payloads: &[Payload]) {
    for payload in payloads {
        if let Payload::Event(TenantLogEvent::Erasure(ErasureEvent::KeysDestroyed(destroyed))) = payload {
            deps.vault.forget(resident, &destroyed.keys);
        }
    }
}

/// One by one, so that one forged ciphertext does not take its neighbours along.
async fn open_alone(deps: &ProjectorDeps, resident: &Resident, event: &Recorded) -> Result<Payload, Error> {
    match open_together(deps, resident, std::slice::from_ref(event)).await {
        Ok(mut payloads) => Ok(payloads.pop().expect("one event has one payload")),
        Err(Error::Open(error)) => match fault(&error) {
            Some(fault) => Ok(Payload::Unreadable(fault.to_owned())),
            None => Err(Error::Open(error)),
        },
        Err(error) => Err(error),
    }
}

fn decode(event: &Recorded, plaintext: Option<&Vec<u8>>) -> Payload {
    let Some(plaintext) = plaintext else { return Payload::Erased };
    let envelope = &event.sealed.envelope;
    match TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, plaintext) {
        Ok(event) => Payload::Event(event),
        // Only the outermost message: the sources quote values.
        Err(error) => Payload::Unreadable(error.to_string()),
    }
}
