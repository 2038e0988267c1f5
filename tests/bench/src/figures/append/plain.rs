//! The limit: inserts into a table of two columns, one commit each.

use std::{sync::Arc, time::Duration};

use runtime::Ids;
use sqlx::{Executor, PgPool, Postgres, pool::PoolConnection};
use uuid::Uuid;

use crate::{ground::Store, load, writer::PAYLOAD_BYTES};

pub(super) struct Plain {
    store: Store,
    ids: Arc<dyn Ids>,
}

impl Plain {
    pub(super) async fn new(store: &Store) -> anyhow::Result<Self> {
        let owner = store.owner(1).await?;
        owner.execute("create table public.plain (id uuid primary key, payload bytea not null)").await?;
        owner.close().await;
        Ok(Self { store: store.clone(), ids: Arc::clone(&store.ids) })
    }

    /// Rows per second over so many connections, so many rows a commit.
    pub(super) async fn insert(&self, connections: usize, rows: usize, round: Duration) -> anyhow::Result<f64> {
        let pool = self.store.owner(u32::try_from(connections)?).await?;
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(pool.acquire().await?);
        }
        let ids = Arc::clone(&self.ids);
        let insert = move |connection| {
            let ids = (0..rows).map(|_| ids.uuid()).collect();
            insert(connection, ids)
        };
        let (open, commits) = load::per_second(open, round, insert).await?;
        close(pool, open).await;
        Ok(commits * rows as f64)
    }
}

async fn insert(mut connection: PoolConnection<Postgres>, ids: Vec<Uuid>) -> anyhow::Result<PoolConnection<Postgres>> {
    if let [id] = ids[..] {
        #[expect(clippy::disallowed_methods, reason = "the table is the benchmark's own and in no migration")]
        let insert = sqlx::query("insert into public.plain (id, payload) values ($1, $2)");
        insert.bind(id).bind([b'x'; PAYLOAD_BYTES].as_slice()).execute(&mut *connection).await?;
    } else {
        let payloads = vec![vec![b'x'; PAYLOAD_BYTES]; ids.len()];
        #[expect(clippy::disallowed_methods, reason = "the table is the benchmark's own and in no migration")]
        let insert = sqlx::query("insert into public.plain (id, payload) select * from unnest($1, $2)");
        insert.bind(ids).bind(payloads).execute(&mut *connection).await?;
    }
    Ok(connection)
}

/// The server has not enough connections for everybody who is compared.
async fn close(pool: PgPool, open: Vec<PoolConnection<Postgres>>) {
    drop(open);
    pool.close().await;
}
