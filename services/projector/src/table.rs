//! A table a projection owns, as rebuilding and checking see it: rows of a tenant, whatever they hold.

use schemas::TenantId;
use sqlx::{PgConnection, QueryBuilder};

use crate::{Error, build::Build};

/// Tables with a column of a type that Postgres has no hash for (`tsvector`): their rows are hashed as they are written.
const HASHED_AS_TEXT: [&str; 1] = ["searched_text"];

/// A table of each of its projection's builds.
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

impl Table {
    /// What a tenant's rows in a build look like.
    pub(crate) async fn fingerprint(
        &self,
        conn: &mut PgConnection,
        (build, tenant): (&Build, TenantId),
    ) -> Result<Fingerprint, Error> {
        let hash = if HASHED_AS_TEXT.contains(&self.name) {
            "hashtextextended(entry::text"
        } else {
            "hash_record_extended(entry"
        };
        let mut statement = QueryBuilder::new(format!(
            "select count(*) as rows, coalesce(sum({hash}, 0)::numeric), 0)::text as hashes from "
        ));
        statement.push(self.in_build(build)).push(" as entry where tenant_id = ").push_bind(tenant.get());
        statement.build_query_as().fetch_one(conn).await.map_err(|source| self.failed(source))
    }

    /// The key of the first of a tenant's rows that one build has and the other lacks or has otherwise.
    pub(crate) async fn first_difference(
        &self,
        conn: &mut PgConnection,
        (one, other): (&Build, &Build),
        tenant: TenantId,
    ) -> Result<Option<String>, Error> {
        let mut statement = QueryBuilder::new(format!("select coalesce(one.{0}, other.{0})::text from ", self.key));
        for (build, name) in [(one, "one full join "), (other, "other")] {
            let rows = format!("(select {0}, entry::text as whole from {1} as entry", self.key, self.in_build(build));
            statement.push(rows).push(" where tenant_id = ").push_bind(tenant.get()).push(") as ").push(name);
        }
        statement.push(format!(
            " using ({0}) where one.whole is distinct from other.whole order by coalesce(one.{0}, other.{0}) limit 1",
            self.key
        ));
        let first = statement.build_query_scalar().fetch_optional(conn).await;
        first.map(Option::flatten).map_err(|source| self.failed(source))
    }

    /// Names of tables and columns are literals of this crate; the tenant is a parameter, and always there.
    fn in_build(&self, build: &Build) -> String {
        format!("{}.{}", build.schema(), self.name)
    }

    const fn failed(&self, source: sqlx::Error) -> Error {
        Error::Table { table: self.name, source }
    }
}
