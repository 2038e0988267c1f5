//! A table a projection owns, as rebuilding and checking see it: rows of a tenant, whatever they hold.

use schemas::TenantId;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use crate::Error;

/// A table of the schema `read`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Its name, without the schema.
    pub(crate) name: &'static str,
    /// The column that, after `tenant_id`, tells its rows apart.
    pub(crate) key: &'static str,
}

/// What a tenant's rows look like, in any order.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Fingerprint {
    /// How many.
    pub(crate) rows: i64,
    /// The sum of the rows' 64-bit hashes.
    pub(crate) hashes: String,
}

/// One row: its key as text, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(crate) struct RowHash {
    /// The key as text.
    pub(crate) key: String,
    /// The hash of the whole row.
    pub(crate) hash: i64,
}

impl Table {
    /// Deletes a tenant's rows.
    pub(crate) async fn clear(&self, conn: &mut PgConnection, tenant: TenantId) -> Result<(), Error> {
        let mut statement = self.statement("delete from", tenant);
        statement.build().execute(conn).await.map_err(|source| self.failed(source))?;
        Ok(())
    }

    /// What a tenant's rows look like.
    pub(crate) async fn fingerprint(&self, conn: &mut PgConnection, tenant: TenantId) -> Result<Fingerprint, Error> {
        let selection =
            "select count(*) as rows, coalesce(sum(hashtextextended(entry::text, 0)::numeric), 0)::text as hashes from";
        let mut statement = self.statement(selection, tenant);
        statement.build_query_as().fetch_one(conn).await.map_err(|source| self.failed(source))
    }

    /// Every row of a tenant, by key: to name the ones that differ.
    pub(crate) async fn row_hashes(&self, conn: &mut PgConnection, tenant: TenantId) -> Result<Vec<RowHash>, Error> {
        let selection = format!("select {}::text as key, hashtextextended(entry::text, 0) as hash from", self.key);
        let mut statement = self.statement(&selection, tenant);
        statement.push(" order by ").push(self.key);
        statement.build_query_as().fetch_all(conn).await.map_err(|source| self.failed(source))
    }

    /// Names of tables and columns are literals of this crate; the tenant is a parameter, and always there.
    fn statement(&self, verb: &str, tenant: TenantId) -> QueryBuilder<Postgres> {
        let mut statement = QueryBuilder::new(verb);
        statement.push(" read.").push(self.name).push(" as entry where tenant_id = ").push_bind(tenant.get());
        statement
    }

    const fn failed(&self, source: sqlx::Error) -> Error {
        Error::Table { table: self.name, source }
    }
}
