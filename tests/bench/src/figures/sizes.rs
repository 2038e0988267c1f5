//! Bytes that an event takes in each store, against the bytes of its payload: what `docs/scaling.md` is computed from.
//!
//! The history is real: sealed, projected, archived. Each size is taken from the store itself after `vacuum`.

use regions::Resident;
use replicator::ReplicatorDeps;
use sqlx::{AssertSqlSafe, Executor, PgPool};

use super::{Bench, backup};
use crate::{
    ground::Store,
    history::{self, EVENTS_PER_TICKET},
    report::{Figure, Reach},
    turns::each,
    writer::{PAYLOAD_BYTES, Writer},
};

const LOG: &str = "select pg_total_relation_size('log.event')";
const KEYS: &str = "select pg_total_relation_size('vault.data_key')";
const READ_MODELS: &str = "select sum(pg_total_relation_size(oid))::bigint from pg_class
    where relkind = 'r' and relnamespace in (select oid from pg_namespace where nspname like 'read%')";
const WAL: &str = "select (pg_current_wal_insert_lsn() - '0/0')::bigint";
const PAYLOADS: &str = "select sum(octet_length(payload))::bigint from log.event";

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let (resident, owner) = (store.tenant().await?, store.owner(1).await?);
    let empty = [LOG, KEYS, READ_MODELS];
    let mut before = Vec::new();
    for query in empty {
        before.push(number(&owner, query).await?);
    }
    let wal = number(&owner, WAL).await?;
    history::write(&store, &resident, 1, bench.pace.tickets).await?;
    let wal = number(&owner, WAL).await? - wal;
    let (projector, replicator) = (store.projector().await?, store.replicator().await?);
    projector::catch_up(&projector, &resident).await?;
    let (_, before_archive) = bucket(bench)?;
    replicator::archive_tenant(&replicator, &resident, None).await?;
    let archived = bucket(bench)?.1 - before_archive;
    owner.execute("vacuum").await?;

    let payloads = number(&owner, PAYLOADS).await?;
    let events = (bench.pace.tickets * EVENTS_PER_TICKET) as f64;
    let mut add = |name, bytes: f64, at_most| {
        let figure =
            Figure { name, against: "its sealed payload", unit: "bytes an event", reach: Reach::AtMost(at_most) };
        bench.report.add(figure, &[(bytes / events, payloads / events)]);
    };
    add("size_log", number(&owner, LOG).await? - before[0], 3.0);
    add("size_keys", number(&owner, KEYS).await? - before[1], 1.5);
    add("size_read_models", number(&owner, READ_MODELS).await? - before[2], 4.0);
    add("size_wal", wal, 8.0);
    add("size_archive", archived as f64, 3.0);
    let small = generations(bench, &store, &resident, &replicator).await?;
    let (against, reach) = ("one", Reach::AtMost(12.0));
    let (name, unit) = ("archive_generation_objects", "objects of one event's generation");
    bench.report.add(Figure { name, against, unit, reach }, &each(&small, |(objects, _)| *objects));
    let (name, unit) = ("archive_generation_bytes", "bytes of one event's generation");
    let (against, reach) = ("its sealed payload", Reach::AtMost(40.0));
    let of_payload = |(_, bytes): &(f64, f64)| *bytes;
    bench.report.add(Figure { name, against, unit, reach }, &each(&small, of_payload));
    owner.close().await;
    projector.pool.close().await;
    replicator.pool.close().await;
    store.end(&bench.ground).await
}

/// Objects and bytes of generations that hold one event each, as tenants with little to do have them; against one object and
/// the payload. Such a generation writes the tile and the bundle that are not full yet anew, so it is measured at places that
/// are spread over a tile.
async fn generations(
    bench: &Bench,
    store: &Store,
    resident: &Resident,
    replicator: &ReplicatorDeps,
) -> anyhow::Result<Vec<((f64, f64), (f64, f64))>> {
    let mut writer = Writer::new(store, resident, bench.pace.tickets + 1).await?;
    writer.open().await?;
    replicator::archive_tenant(replicator, resident, None).await?;
    let mut generations = Vec::new();
    for _ in 0..bench.pace.rounds {
        writer.append(archive::tile::WIDTH as usize / bench.pace.rounds - 1).await?;
        replicator::archive_tenant(replicator, resident, None).await?;
        let (objects, bytes) = bucket(bench)?;
        writer.comment().await?;
        replicator::archive_tenant(replicator, resident, None).await?;
        let (objects_after, bytes_after) = bucket(bench)?;
        // The checkpoint is replaced.
        let ours = ((objects_after - objects + 1) as f64, (bytes_after - bytes) as f64);
        generations.push((ours, (1.0, PAYLOAD_BYTES as f64)));
    }
    Ok(generations)
}

/// How many objects there are, and how long they are together.
fn bucket(bench: &Bench) -> std::io::Result<(u64, u64)> {
    backup::count(&bench.ground.bucket_folder())
}

async fn number(pool: &PgPool, query: &'static str) -> anyhow::Result<f64> {
    let number: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await?;
    Ok(number as f64)
}
