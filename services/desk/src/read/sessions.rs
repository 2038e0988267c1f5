//! Where people are signed in, from the projection `sessions`. What a secret is known by stays out: only the caller's check reads that.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{PersonId, SessionId};
use sqlx::PgConnection;

use super::List;

/// A session that is not over.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) session_id: i64,
    pub(crate) person_id: i64,
    pub(crate) address: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) started_at: Timestamp,
}

/// The list of those that are not over, of everybody or of one person.
pub(crate) fn list(person: Option<PersonId>, now: Timestamp) -> List {
    List::new(("session", "session_id"), move |statement| {
        statement.push(" and session.expires_at > ").push_bind(now.to_sqlx());
        if let Some(person) = person {
            statement.push(" and session.person_id = ").push_bind(person.get());
        }
    })
}

/// Those of these sessions that are there, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Session>, sqlx::Error> {
    sqlx::query_as!(
        Session,
        r#"select session_id, person_id, address, client, started_at as "started_at: jiff_sqlx::Timestamp"
           from session where tenant_id = $1 and session_id = any($2) order by session_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
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

/// One of a person's that is not over.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    (person, session): (PersonId, SessionId),
    now: Timestamp,
) -> Result<Option<Session>, sqlx::Error> {
    let theirs = of(conn, resident, person, now).await?;
    Ok(theirs.into_iter().find(|found| found.session_id == session.get()))
}
