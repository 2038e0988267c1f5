//! A build that is open for writing.

use std::fmt;

use futures::{future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use schemas::{Position, TenantId};
use sqlx::{
    AssertSqlSafe, Either, Execute, Executor, Postgres, SqlStr, Transaction,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use super::{
    Build,
    rows::{self, Conflict, Copied, Row},
};
use crate::{Error, batch::Applied, checkpoint};

/// Less than this is inserted. Whoever sends less than a segment (64 KiB on a loopback) and then the few bytes that end a copy
/// waits 40 ms between them: Nagle's algorithm, which `sqlx` leaves on, holds these back until the other side acknowledges what
/// came before, and that takes its time for less than a segment. Tests hold that both ways write the same.
const COPIED_FROM_BYTES: usize = if cfg!(test) { 1 } else { SEGMENT_BYTES };
const SEGMENT_BYTES: usize = 1 << 16;

/// A build of a projection, open for writing: all that a projection gets besides the events.
///
/// It is a transaction that has moved the build's checkpoint, so rows cannot change without it; and its search path holds
/// the build's schema and nothing else. It runs statements, and it is no connection: what appends events, makes keys or sends
/// anything takes another thing, which a projection has not got. A replay therefore has no effect but rows.
///
/// ```compile_fail,E0308
/// async fn a_projection_that_makes_a_tenant(build: &mut projector::OpenBuild, tenant: &eventlog::NewTenant) {
///     let _ = eventlog::create_tenant(build, tenant).await;
/// }
/// ```
///
/// Nobody outside opens one, and nobody gets the transaction out of it:
///
/// ```compile_fail,E0423
/// fn open(transaction: sqlx::Transaction<'static, sqlx::Postgres>) -> projector::OpenBuild {
///     projector::OpenBuild(transaction)
/// }
/// ```
pub struct OpenBuild {
    transaction: Transaction<'static, Postgres>,
    /// Whose rows are written.
    tenant: TenantId,
    /// Whether the tables may be without fences yet.
    is_unread: bool,
}

impl OpenBuild {
    /// Moves the checkpoint that the transaction has locked, and opens the build's tables. `None`: the log does not hold the event
    /// any more, and nothing is to be done.
    pub(crate) async fn open(
        mut transaction: Transaction<'static, Postgres>,
        place: (&Build, TenantId),
        (to, now): (&Applied, Timestamp),
    ) -> Result<Option<Self>, Error> {
        let moved = checkpoint::advance(&mut transaction, place, to, now).await.map_err(Error::Checkpoint)?;
        Ok(moved.then_some(Self::new(transaction, place)))
    }

    /// Locks and moves the checkpoints of those of the builds that stand at a position, and tells which ones did. Before anything is
    /// written, [`OpenBuild::turn_to`] opens one of them.
    pub(crate) async fn open_together(
        mut transaction: Transaction<'static, Postgres>,
        (builds, tenant): (&[Build], TenantId),
        span: (Position, &Applied),
        now: Timestamp,
    ) -> Result<(Self, Vec<Build>), Error> {
        let moved = checkpoint::advance_together(&mut transaction, (builds, tenant), span, now).await;
        let moved = moved.map_err(Error::Checkpoint)?;
        let moved = builds.iter().filter(|build| moved.iter().any(|name| name == build.projection.name));
        Ok((Self { transaction, tenant, is_unread: false }, moved.copied().collect()))
    }

    /// Opens the tables of another build that was opened together with this one; those of this one are closed.
    pub(crate) async fn turn_to(&mut self, build: &Build) -> Result<(), Error> {
        // Not prepared: Postgres would plan it anew under every other path. Names of builds are made of literals and numbers.
        let turn = AssertSqlSafe(format!("set local search_path = {}", build.schema()));
        self.transaction.execute(sqlx::raw_sql(turn)).await.map_err(Error::Transaction)?;
        Ok(())
    }

    fn new(transaction: Transaction<'static, Postgres>, (build, tenant): (&Build, TenantId)) -> Self {
        Self { transaction, tenant, is_unread: !build.is_serving }
    }

    /// Adds rows whose keys are not in the table. Many are copied into a table that nobody reads yet.
    pub(crate) async fn add<R: Row>(&mut self, rows: &[R]) -> Result<(), sqlx::Error> {
        if self.is_unread && rows.len() > 1 {
            let copied = Copied::new(self.tenant, rows).map_err(sqlx::Error::Encode)?;
            if copied.bytes.len() >= COPIED_FROM_BYTES && self.takes_copies(R::TABLE).await? {
                return self.copy(&copied).await;
            }
        }
        self.insert(rows, Conflict::Refuse).await
    }

    /// Writes rows, over those that have their keys.
    pub(crate) async fn put<R: Row>(&mut self, rows: &[R]) -> Result<(), sqlx::Error> {
        self.insert(rows, Conflict::Replace).await
    }

    /// Postgres copies nothing past a table's policies, and a build gets those when it is filled.
    async fn takes_copies(&mut self, table: &'static str) -> Result<bool, sqlx::Error> {
        let is_free = sqlx::query_scalar!(r#"select not row_security_active($1::text) as "is_free!""#, table);
        is_free.fetch_one(self).await
    }

    /// In pieces, so that the server works while the rest is on its way; each a segment and a part of one, see above.
    async fn copy(&mut self, Copied { statement, bytes }: &Copied) -> Result<(), sqlx::Error> {
        let pieces = (bytes.len() / SEGMENT_BYTES).max(1);
        let mut copy = self.transaction.copy_in_raw(statement).await?;
        for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
            copy.send(piece).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn insert<R: Row>(&mut self, rows: &[R], conflict: Conflict) -> Result<(), sqlx::Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut insertion = rows::insertion(self.tenant, rows, conflict).map_err(sqlx::Error::Encode)?;
        insertion.build().execute(self).await?;
        Ok(())
    }

    /// Keeps rows and checkpoint.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(Error::Transaction)
    }

    /// Gives both up, now: whoever comes next must find the checkpoint free.
    pub(crate) async fn rollback(self) -> Result<(), Error> {
        self.transaction.rollback().await.map_err(Error::Transaction)
    }
}

impl fmt::Debug for OpenBuild {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpenBuild")
    }
}

impl<'c> Executor<'c> for &'c mut OpenBuild {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        (&mut *self.transaction).fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        (&mut *self.transaction).fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        (&mut *self.transaction).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        (&mut *self.transaction).describe(sql)
    }
}
