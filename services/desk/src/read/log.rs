//! The tenant's own log, opened and decoded: for histories, for moments of the past, and for answers that must not lag.

use regions::Resident;
use schemas::{DecodeError, Envelope, Position, Recorded, StreamName, TenantLogEvent, Version};

use crate::state::Desk;

/// Events read at a time.
const BATCH: i64 = 500;

/// An event of the log.
#[derive(Clone)]
pub(crate) struct Logged {
    /// Its place in the tenant's log.
    pub(crate) position: Position,
    /// Everything but the payload.
    pub(crate) envelope: Envelope,
    /// The payload, decoded; none when its key was destroyed.
    pub(crate) event: Option<TenantLogEvent>,
    /// The payload as JSON, in the shape of today; none when its key was destroyed.
    pub(crate) data: Option<serde_json::Value>,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No transaction could be begun.
    #[error("a transaction could not be begun")]
    Begin(#[source] sqlx::Error),
    /// The events could not be read.
    #[error("the log could not be read")]
    Read(#[source] eventlog::Error),
    /// A payload could not be opened.
    #[error("an event could not be opened")]
    Open(#[source] vault::Error),
    /// A payload could not be decoded.
    #[error("the event at position {position} could not be decoded")]
    Decode {
        /// Which event.
        position: Position,
        /// Why.
        #[source]
        source: DecodeError,
    },
}

/// A page of a stream's events, oldest first.
pub(crate) async fn stream(
    desk: &Desk,
    resident: &Resident,
    stream: &StreamName,
    (after, limit): (Version, i64),
) -> Result<Vec<Logged>, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Begin)?;
    let recorded =
        eventlog::read_stream(&mut transaction, resident, stream, after, limit).await.map_err(Error::Read)?;
    drop(transaction);
    open(desk, resident, recorded).await
}

/// All of a stream's events after a version, oldest first.
pub(crate) async fn whole_stream(
    desk: &Desk,
    resident: &Resident,
    name: &StreamName,
    mut after: Version,
) -> Result<Vec<Logged>, Error> {
    let mut all = Vec::new();
    loop {
        let batch = stream(desk, resident, name, (after, BATCH)).await?;
        let Some(last) = batch.last() else { return Ok(all) };
        after = last.envelope.version;
        all.extend(batch);
    }
}

/// A stream's events up to a version, oldest first.
pub(crate) async fn stream_until(
    desk: &Desk,
    resident: &Resident,
    (name, until): (&StreamName, Version),
) -> Result<Vec<Logged>, Error> {
    let mut all: Vec<Logged> = Vec::new();
    loop {
        let after = all.last().map_or(Version::ZERO, |last| last.envelope.version);
        let limit = until.get() - after.get();
        let batch = stream(desk, resident, name, (after, limit.min(BATCH))).await?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch);
    }
}

/// A page of the whole log's events, oldest first.
pub(crate) async fn page(desk: &Desk, resident: &Resident, after: Position, limit: i64) -> Result<Vec<Logged>, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Begin)?;
    let recorded = eventlog::read_log(&mut transaction, resident, after, limit).await.map_err(Error::Read)?;
    drop(transaction);
    open(desk, resident, recorded).await
}

async fn open(desk: &Desk, resident: &Resident, recorded: Vec<Recorded>) -> Result<Vec<Logged>, Error> {
    let payloads = desk.vault.open_all(resident, &recorded).await.map_err(Error::Open)?;
    recorded.into_iter().zip(payloads).map(|(recorded, payload)| decode(recorded, payload)).collect()
}

fn decode(recorded: Recorded, payload: Option<vault::Plaintext>) -> Result<Logged, Error> {
    let Recorded { position, sealed } = recorded;
    let envelope = sealed.envelope;
    let Some(payload) = payload else { return Ok(Logged { position, envelope, event: None, data: None }) };
    let event = TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &payload)
        .map_err(|source| Error::Decode { position, source })?;
    // Written anew from the decoded event, so that old shapes read as today's.
    let data = serde_json::from_slice(&event.encode()).ok();
    Ok(Logged { position, envelope, event: Some(event), data })
}
