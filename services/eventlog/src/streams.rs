//! Which streams there are, without reading their events.

use regions::Resident;
use schemas::{Position, StreamName};
use sqlx::PgConnection;

use crate::{append::EVENTS_MAX, error::Error};

/// The streams of a tenant whose names lie between two names, both included, in order. One look into the index a stream,
/// however many events they have.
///
/// # Errors
/// If the database fails. A name that is no stream's is left out.
pub async fn streams_between(
    connection: &mut PgConnection,
    resident: &Resident,
    (first, last): (&StreamName, &StreamName),
) -> Result<Vec<StreamName>, Error> {
    let names = sqlx::query_scalar!(
        r#"with recursive found (stream) as (
            (select stream from log.event where tenant_id = $1 and stream >= $2 and stream <= $3 order by stream limit 1)
            union all
            select (select next.stream from log.event as next
                    where next.tenant_id = $1 and next.stream > found.stream and next.stream <= $3
                    order by next.stream limit 1)
            from found where found.stream is not null
        )
        select stream as "stream!" from found where stream is not null"#,
        resident.tenant_id().get(),
        first.to_string(),
        last.to_string(),
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Read)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Where the events of a stream lie, and those of the uploads that its commands took, up to a position; in order.
///
/// # Errors
/// If the database fails.
pub async fn positions_with_uploads(
    connection: &mut PgConnection,
    resident: &Resident,
    (stream, up_to): (&StreamName, Position),
) -> Result<Vec<Position>, Error> {
    // A command's events are appended together, so they lie side by side, and no further apart than one append is long.
    let positions = sqlx::query_scalar!(
        r#"with own as (
            select command_id, min(position) as first, max(position) as last
            from log.event where tenant_id = $1 and stream = $2 and position <= $3 group by command_id
        ), upload as (
            select distinct near.stream from own
            join log.event as near on near.tenant_id = $1 and near.position between own.last - $4 and own.first + $4
                and near.command_id = own.command_id and near.stream like 'upload-%'
        )
        select position from log.event
        where tenant_id = $1 and position <= $3 and stream = any (array_append(array(select stream from upload), $2))
        order by position"#,
        resident.tenant_id().get(),
        stream.to_string(),
        up_to.get(),
        EVENTS_MAX as i64,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Read)?;
    Ok(positions.into_iter().map(Position::new).collect())
}
