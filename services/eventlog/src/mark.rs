//! The four marks of a tenant: how far its log is durable, sealed, archived and verified.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use regions::Resident;
use schemas::Position;
use sqlx::PgConnection;

use crate::error::Error;

/// A position that was reached at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Up to and including this position.
    pub position: Position,
    /// Since when.
    pub at: Timestamp,
}

/// All marks of a tenant. Each is at or behind the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Durable in Postgres. Its time is that of the last event, or of the tenant's making before the first.
    pub acked: Mark,
    /// Inside a signed tree head.
    pub sealed: Option<Mark>,
    /// In the bucket, under a published manifest.
    pub archived: Option<Mark>,
    /// Restored and compared.
    pub verified: Option<Mark>,
}

/// A mark that is stored by itself. `acked` and `sealed` follow from the log and its tree head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// See [`Marks::archived`].
    Archived,
    /// See [`Marks::verified`].
    Verified,
}

impl MarkKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Verified => "verified",
        }
    }
}

/// The marks of a tenant, all as of one moment.
///
/// # Errors
/// If the database fails.
pub async fn marks(connection: &mut PgConnection, resident: &Resident) -> Result<Marks, Error> {
    let row = sqlx::query!(
        r#"select
            t.position as acked, coalesce(e.recorded_at, t.created_at) as "acked_at!: jiff_sqlx::Timestamp",
            h.size as "sealed?", h.sealed_at as "sealed_at?: jiff_sqlx::Timestamp",
            a.position as "archived?", a.reached_at as "archived_at?: jiff_sqlx::Timestamp",
            v.position as "verified?", v.reached_at as "verified_at?: jiff_sqlx::Timestamp"
        from log.tenant t
        left join log.event e on e.tenant_id = t.tenant_id and e.position = t.position
        left join log.tree_head h on h.tenant_id = t.tenant_id
        left join log.mark a on a.tenant_id = t.tenant_id and a.mark = 'archived'
        left join log.mark v on v.tenant_id = t.tenant_id and v.mark = 'verified'
        where t.tenant_id = $1"#,
        resident.tenant_id().get()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Mark)?;
    Ok(Marks {
        acked: Mark { position: Position::new(row.acked), at: row.acked_at.to_jiff() },
        sealed: mark(row.sealed, row.sealed_at),
        archived: mark(row.archived, row.archived_at),
        verified: mark(row.verified, row.verified_at),
    })
}

/// Moves a mark. It never goes back, nor past the log's end; to where it is already only renews its time.
///
/// # Errors
/// [`Error::MarkRefused`], or if the database fails.
pub async fn put_mark(
    connection: &mut PgConnection,
    resident: &Resident,
    kind: MarkKind,
    position: Position,
    at: Timestamp,
) -> Result<(), Error> {
    let stored = sqlx::query!(
        "insert into log.mark (tenant_id, mark, position, reached_at)
        select tenant_id, $2, $3, $4 from log.tenant where tenant_id = $1 and position >= $3
        on conflict (tenant_id, mark) do update set position = excluded.position, reached_at = excluded.reached_at
            where mark.position <= excluded.position",
        resident.tenant_id().get(),
        kind.as_str(),
        position.get(),
        at.to_sqlx() as _
    )
    .execute(connection)
    .await
    .map_err(Error::Mark)?;
    match stored.rows_affected() {
        0 => Err(Error::MarkRefused { tenant_id: resident.tenant_id(), position }),
        _ => Ok(()),
    }
}

fn mark(position: Option<i64>, at: Option<jiff_sqlx::Timestamp>) -> Option<Mark> {
    Some(Mark { position: Position::new(position?), at: at?.to_jiff() })
}
