//! A long log, quickly: rows that are written by the server itself.
//!
//! They have the sizes and the order of real ones: tenants interleaved, ten events a stream, payloads of random bytes that no
//! compression shrinks. What is not real: nobody sealed them, so nobody can open them, and the indexes are built at the end,
//! which leaves them denser than growth would.

use regions::Resident;
use sqlx::{AssertSqlSafe, Executor};

use crate::ground::Store;

const EVENTS_PER_STREAM: i64 = 10;

/// Gives each of these tenants, who have none yet, an equal part of so many events.
pub(crate) async fn fill(store: &Store, residents: &[Resident], events: i64) -> anyhow::Result<()> {
    let each = events / i64::try_from(residents.len())?;
    let owner = store.owner(1).await?;
    let statements = [
        "set maintenance_work_mem = '512MB'".to_owned(),
        "alter table log.event drop constraint event_pkey, drop constraint event_tenant_id_stream_version_key"
            .to_owned(),
        rows(each),
        "alter table log.event add primary key (tenant_id, position), add unique (tenant_id, stream, version)"
            .to_owned(),
        format!("update log.tenant set position = {each}"),
        "vacuum analyze log.event, log.tenant".to_owned(),
        "checkpoint".to_owned(),
    ];
    for statement in statements {
        // Of literals and numbers.
        owner.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    owner.close().await;
    Ok(())
}

/// A window of a few kilobytes of noise, at a place of its own for each row.
fn rows(each: i64) -> String {
    format!(
        "insert into log.event (tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at,
             actor, command_id, causation_id, trace_parent, key_id, blob, payload, leaf)
         select tenant.tenant_id, place.position, 'ticket-' || 1 + (place.position - 1) / {EVENTS_PER_STREAM},
             1 + (place.position - 1) % {EVENTS_PER_STREAM}, gen_random_uuid(), 'comment_added', 1, now(), 'person-1',
             gen_random_uuid(), null, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', gen_random_uuid(), null,
             substring(noise.bytes from 1 + (random() * 7000)::integer for 628),
             substring(noise.bytes from 1 + (random() * 7000)::integer for 32)
         from generate_series(1, {each}) as place (position)
         cross join log.tenant as tenant
         cross join (
             select string_agg(sha256(number::text::bytea), null) as bytes from generate_series(1, 250) as number
         ) as noise"
    )
}
