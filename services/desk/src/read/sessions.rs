//! Where people are signed in, from the projection `sessions`. What a secret is known by stays out: only the caller's check reads that.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::PersonId;
use sqlx::PgConnection;

/// A session that is not over.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) session_id: i64,
    pub(crate) person_id: i64,
    pub(crate) address: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) started_at: Timestamp,
}

/// Those of one person that are not over, oldest first.
pub(crate) async fn of(
    conn: &mut PgConnection,
    resident: &Resident,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        r#"select session_id, person_id, address, client, started_at as "started_at: jiff_sqlx::Timestamp"
           from session where tenant_id = $1 and person_id = $2 and expires_at > $3 order by session_id"#,
        resident.tenant_id().get(),
        person.get(),
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await
}
