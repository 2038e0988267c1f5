//! One process at work on a restore, and no other.

use schemas::TenantId;
use sqlx::PgConnection;

use crate::error::Error;

/// A claim on something. Held by its connection: a process that dies gives it back.
#[derive(Debug)]
pub struct Claim {
    connection: PgConnection,
    what: String,
}

impl Claim {
    /// Claims something by its name; nothing where another process has it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn take(mut connection: PgConnection, what: &str) -> Result<Option<Self>, Error> {
        let locked = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('restorer ' || $1, 0)) as "locked!""#,
            what
        );
        let locked = locked.fetch_one(&mut connection).await.map_err(Error::Restore)?;
        Ok(locked.then(|| Self { connection, what: what.to_owned() }))
    }

    /// Gives it back now, and not only when the server notices that the connection is gone.
    pub async fn release(mut self) {
        let unlock =
            sqlx::query_scalar!("select pg_advisory_unlock(hashtextextended('restorer ' || $1, 0))", self.what);
        if let Err(error) = unlock.fetch_one(&mut self.connection).await {
            tracing::debug!(%error, "a claim is given back with its connection");
        }
    }
}

/// Whether somebody has claimed it.
///
/// # Errors
/// If the database fails.
pub async fn is_claimed(connection: &mut PgConnection, what: &str) -> Result<bool, Error> {
    let claimed = sqlx::query_scalar!(
        r#"select exists (
            select from pg_locks l join pg_database d on d.oid = l.database
            where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and d.datname = current_database()
                and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('restorer ' || $1, 0)
        ) as "claimed!""#,
        what
    );
    claimed.fetch_one(connection).await.map_err(Error::Restore)
}

/// What is claimed by whoever restores a tenant in its place.
pub fn place(tenant_id: TenantId) -> String {
    format!("tenant {tenant_id}")
}
