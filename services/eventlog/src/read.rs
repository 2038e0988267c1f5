//! Reading the log. Every function demands a [`Resident`] or answers for all tenants at once; where row-level security applies
//! (the desk), the connection must be in a transaction of [`regions::begin`].

use jiff_sqlx::Timestamp;
use regions::Resident;
use schemas::{CommandId, Envelope, EventId, Hash, KeyId, Position, Recorded, Sealed, StreamName, TenantId, Version};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Error;

/// How far a tenant's log reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whose log.
    pub tenant_id: TenantId,
    /// Its last position; 0 before the first event.
    pub position: Position,
}

/// An event's columns, as they are stored.
pub(crate) struct Row {
    tenant_id: Uuid,
    pub(crate) position: i64,
    stream: String,
    version: i64,
    event_id: Uuid,
    event_type: String,
    schema_version: i16,
    recorded_at: Timestamp,
    actor: String,
    command_id: Uuid,
    causation_id: Option<Uuid>,
    trace_parent: Option<String>,
    key_id: Uuid,
    blob: Option<Vec<u8>>,
    payload: Vec<u8>,
    leaf: Vec<u8>,
}

/// The events of a stream after a version, in order, at most `limit`.
///
/// # Errors
/// If the database fails, or a stored event is unreadable.
pub async fn read_stream(
    connection: &mut PgConnection,
    resident: &Resident,
    stream: &StreamName,
    after: Version,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at as "recorded_at: Timestamp",
            actor, command_id, causation_id, trace_parent, key_id, blob, payload, leaf
        from log.event
        where tenant_id = $1 and stream = $2 and version > $3
        order by version limit $4"#,
        resident.tenant_id().get(),
        stream.to_string(),
        after.get(),
        limit
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Read)?;
    rows.into_iter().map(Row::into_recorded).collect()
}

/// The last version of a stream; 0 before its first event.
///
/// # Errors
/// If the database fails.
pub async fn stream_version(
    connection: &mut PgConnection,
    resident: &Resident,
    stream: &StreamName,
) -> Result<Version, Error> {
    let version = sqlx::query_scalar!(
        "select version from log.event where tenant_id = $1 and stream = $2 order by version desc limit 1",
        resident.tenant_id().get(),
        stream.to_string()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::Read)?;
    Ok(version.map_or(Version::ZERO, Version::new))
}

/// The events of a tenant after a position, in order, at most `limit`. Positions are dense: a hole is a defect.
///
/// # Errors
/// If the database fails, or a stored event is unreadable.
pub async fn read_log(
    connection: &mut PgConnection,
    resident: &Resident,
    after: Position,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at as "recorded_at: Timestamp",
            actor, command_id, causation_id, trace_parent, key_id, blob, payload, leaf
        from log.event
        where tenant_id = $1 and position > $2
        order by position limit $3"#,
        resident.tenant_id().get(),
        after.get(),
        limit
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Read)?;
    rows.into_iter().map(Row::into_recorded).collect()
}

/// The rows of a tenant's log after a position, up to another, as they are stored: they may be damaged.
pub(crate) async fn rows_between(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    (after, to): (Position, Position),
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at as "recorded_at: Timestamp",
            actor, command_id, causation_id, trace_parent, key_id, blob, payload, leaf
        from log.event
        where tenant_id = $1 and position > $2 and position <= $3
        order by position"#,
        tenant_id.get(),
        after.get(),
        to.get()
    )
    .fetch_all(connection)
    .await
}

/// What comes next in the logs of several tenants, each after its own position and at most `limit_each`; tenant by tenant, in
/// order. One event that cannot be read says so in its place and does not keep the others.
///
/// # Errors
/// If the database fails.
pub async fn read_logs(
    connection: &mut PgConnection,
    after: &[Head],
    limit_each: i64,
) -> Result<Vec<Result<Recorded, Error>>, Error> {
    let tenants: Vec<Uuid> = after.iter().map(|head| head.tenant_id.get()).collect();
    let positions: Vec<i64> = after.iter().map(|head| head.position.get()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select next.tenant_id, next.position, next.stream, next.version, next.event_id, next.event_type,
            next.schema_version, next.recorded_at as "recorded_at: Timestamp", next.actor, next.command_id,
            next.causation_id, next.trace_parent, next.key_id, next.blob, next.payload, next.leaf
        from unnest($1::uuid[], $2::bigint[]) as wanted (tenant_id, position)
        cross join lateral (
            select event.tenant_id, event.position, stream, version, event_id, event_type, schema_version, recorded_at,
                actor, command_id, causation_id, trace_parent, key_id, blob, payload, leaf
            from log.event as event
            where event.tenant_id = wanted.tenant_id and event.position > wanted.position
            order by event.position limit $3
        ) as next
        order by next.tenant_id, next.position"#,
        &tenants,
        &positions,
        limit_each
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Read)?;
    Ok(rows.into_iter().map(Row::into_recorded).collect())
}

/// The last position of a tenant; 0 before the first event.
///
/// # Errors
/// If the database fails.
pub async fn head(connection: &mut PgConnection, resident: &Resident) -> Result<Position, Error> {
    let position =
        sqlx::query_scalar!("select position from log.tenant where tenant_id = $1", resident.tenant_id().get())
            .fetch_one(connection)
            .await
            .map_err(Error::Heads)?;
    Ok(Position::new(position))
}

/// The heads of all tenants: what a worker's sweep compares its checkpoints with.
///
/// # Errors
/// If the database fails.
pub async fn heads(connection: &mut PgConnection) -> Result<Vec<Head>, Error> {
    let rows = sqlx::query!("select tenant_id, position from log.tenant order by tenant_id")
        .fetch_all(connection)
        .await
        .map_err(Error::Heads)?;
    let head = |tenant_id, position| Head { tenant_id: TenantId::new(tenant_id), position: Position::new(position) };
    Ok(rows.into_iter().map(|row| head(row.tenant_id, row.position)).collect())
}

impl Row {
    pub(crate) fn into_recorded(self) -> Result<Recorded, Error> {
        let tenant_id = TenantId::new(self.tenant_id);
        let position = Position::new(self.position);
        let unreadable = |field| Error::Unreadable { tenant_id, position, field };
        let envelope = Envelope {
            tenant_id,
            stream: self.stream.parse().map_err(|_| unreadable("stream"))?,
            version: Version::new(self.version),
            event_id: EventId::new(self.event_id),
            event_type: self.event_type,
            schema_version: u16::try_from(self.schema_version).map_err(|_| unreadable("schema_version"))?,
            recorded_at: self.recorded_at.to_jiff(),
            actor: self.actor.parse().map_err(|_| unreadable("actor"))?,
            command_id: CommandId::new(self.command_id),
            causation_id: self.causation_id.map(EventId::new),
            trace_parent: self.trace_parent,
            key_id: KeyId::new(self.key_id),
            blob: self.blob.map(|blob| Hash::try_from(blob.as_slice())).transpose().map_err(|_| unreadable("blob"))?,
        };
        let leaf = Hash::try_from(self.leaf.as_slice()).map_err(|_| unreadable("leaf"))?;
        Ok(Recorded { position, sealed: Sealed { envelope, payload: self.payload, leaf } })
    }
}
