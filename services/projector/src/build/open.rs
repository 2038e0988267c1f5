//! A build that is open for writing.

use std::fmt;

use futures::{future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use schemas::TenantId;
use sqlx::{
    Either, Execute, Executor, Postgres, SqlStr, Transaction,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use super::Build;
use crate::{Error, batch::Applied, checkpoint};

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
pub struct OpenBuild(Transaction<'static, Postgres>);

impl OpenBuild {
    /// Moves the checkpoint that the transaction has locked, and opens the build's tables. `None`: the log does not hold the event
    /// any more, and nothing is to be done.
    pub(crate) async fn open(
        mut transaction: Transaction<'static, Postgres>,
        (build, tenant): (&Build, TenantId),
        (to, now): (&Applied, Timestamp),
    ) -> Result<Option<Self>, Error> {
        let moved = checkpoint::advance(&mut transaction, (build, tenant), to, now).await.map_err(Error::Checkpoint)?;
        Ok(moved.then_some(Self(transaction)))
    }

    /// Keeps rows and checkpoint.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.0.commit().await.map_err(Error::Transaction)
    }

    /// Gives both up, now: whoever comes next must find the checkpoint free.
    pub(crate) async fn rollback(self) -> Result<(), Error> {
        self.0.rollback().await.map_err(Error::Transaction)
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
        (&mut *self.0).fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        (&mut *self.0).fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        (&mut *self.0).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        (&mut *self.0).describe(sql)
    }
}
