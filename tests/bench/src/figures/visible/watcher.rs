//! Looks at the ticket list until everything that was acknowledged is in it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use runtime::Shutdown;
use schemas::Version;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{command::Ticket, ground::Store, load::Latency};

const PAUSE: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// A ticket: whose, and which.
type Key = (Uuid, i64);

/// What was acknowledged and is not seen yet, and how long the others took.
#[derive(Default)]
struct Open {
    waiting: HashMap<Key, VecDeque<(Version, Instant)>>,
    taken: Vec<Duration>,
}

/// Where commands are reported. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Watched(Arc<Mutex<Open>>);

pub(super) struct Watcher {
    watched: Watched,
    shutdown: Shutdown,
    looking: JoinHandle<anyhow::Result<()>>,
}

impl Watched {
    /// A command was answered just now.
    pub(super) fn acknowledged(&self, ticket: &Ticket, version: Version) {
        let key = (ticket.resident.tenant_id().get(), ticket.number);
        self.open().waiting.entry(key).or_default().push_back((version, Instant::now()));
    }

    fn seen(&self, rows: &[(Uuid, i64, i64)], at: Instant) {
        let open = &mut *self.open();
        for (tenant, ticket, version) in rows {
            let Some(waiting) = open.waiting.get_mut(&(*tenant, *ticket)) else { continue };
            while waiting.front().is_some_and(|(waits_for, _)| waits_for.get() <= *version) {
                let (_, since) = waiting.pop_front().expect("it has a front");
                open.taken.push(at.saturating_duration_since(since));
            }
            if waiting.is_empty() {
                open.waiting.remove(&(*tenant, *ticket));
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    pub(super) async fn start(store: &Store) -> anyhow::Result<Self> {
        let (watched, shutdown) = (Watched::default(), Shutdown::new());
        let pool = store.owner(1).await?;
        let looking = shutdown.spawn(look(pool, watched.clone(), shutdown.clone()));
        Ok(Self { watched, shutdown, looking })
    }

    pub(super) fn watched(&self) -> Watched {
        self.watched.clone()
    }

    /// Waits until all is seen.
    pub(super) async fn finish(self) -> anyhow::Result<Latency> {
        let since = Instant::now();
        while !self.watched.open().waiting.is_empty() {
            let waiting = self.watched.open().waiting.len();
            anyhow::ensure!(since.elapsed() < PATIENCE, "{waiting} tickets are not in the list");
            tokio::time::sleep(PAUSE).await;
        }
        self.shutdown.request();
        self.looking.await??;
        Ok(Latency::of(&self.watched.open().taken))
    }
}

async fn look(pool: PgPool, watched: Watched, shutdown: Shutdown) -> anyhow::Result<()> {
    lead_to_serving(&pool).await?;
    while !shutdown.is_requested() {
        let waiting: (Vec<Uuid>, Vec<i64>) = watched.open().waiting.keys().copied().unzip();
        // What is committed when the query begins is what it sees.
        let rows = versions(&pool, waiting).await?;
        watched.seen(&rows, Instant::now());
        tokio::time::sleep(PAUSE).await;
    }
    pool.close().await;
    Ok(())
}

/// Leads unqualified names of tables to the builds that serve. The pool has one connection.
async fn lead_to_serving(pool: &PgPool) -> sqlx::Result<()> {
    let (names, shapes): (Vec<_>, Vec<_>) = projector::shapes().into_iter().unzip();
    let path = sqlx::query_scalar::<_, String>("select set_config('search_path', read.path_of($1, $2), false)");
    path.bind(names).bind(shapes).fetch_one(pool).await?;
    Ok(())
}

async fn versions(pool: &PgPool, (tenants, tickets): (Vec<Uuid>, Vec<i64>)) -> sqlx::Result<Vec<(Uuid, i64, i64)>> {
    #[expect(clippy::disallowed_methods, reason = "no service asks for the tickets of several tenants at once")]
    let rows = sqlx::query_as(
        "select list.tenant_id, list.ticket_id, list.version
         from unnest($1, $2) as waiting (tenant_id, ticket_id) join ticket_list as list using (tenant_id, ticket_id)",
    );
    rows.bind(tenants).bind(tickets).fetch_all(pool).await
}
