//! Which streams there are, without reading their events.

use regions::Resident;
use schemas::StreamName;
use sqlx::PgConnection;

use crate::error::Error;

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
