//! What became of a request that carried an idempotency key: asked before the work, so that a repeated request need not decide.

use regions::Resident;
use schemas::{CommandId, Hash, Position};
use sqlx::PgConnection;

use crate::error::Error;

/// The request that used a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The hash of the request.
    pub fingerprint: Hash,
    /// The command that did the work.
    pub command_id: CommandId,
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event; the one before `first`, if it found nothing to change.
    pub last: Position,
}

/// What a key was used for. The connection is in a transaction of [`regions::begin`].
///
/// A key that is free here may be taken a moment later; the append looks again, under the tenant's row lock.
///
/// # Errors
/// If the database fails.
pub async fn find_idempotent(
    connection: &mut PgConnection,
    resident: &Resident,
    key: &str,
) -> Result<Option<Remembered>, Error> {
    let row = sqlx::query!(
        "select fingerprint, command_id, position, event_count from log.idempotency where tenant_id = $1 and key = $2",
        resident.tenant_id().get(),
        key
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::Idempotency)?;
    row.map(|row| {
        Ok(Remembered {
            fingerprint: Hash::try_from(row.fingerprint.as_slice())
                .map_err(|error| Error::Idempotency(sqlx::Error::Decode(Box::new(error))))?,
            command_id: CommandId::new(row.command_id),
            first: Position::new(row.position),
            last: Position::new(row.position + i64::from(row.event_count) - 1),
        })
    })
    .transpose()
}
