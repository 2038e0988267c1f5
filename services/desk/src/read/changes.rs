//! In which order things changed, from the projection `changes`, and how far that may be told.

use jiff::Timestamp;
use regions::Resident;
use schemas::{Position, ids};
use sqlx::PgConnection;

use crate::state::Desk;

/// A thing's last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// The thing.
    pub(crate) id: i64,
    /// Its last event.
    pub(crate) position: i64,
    /// When, as exports tell time: seconds since 1970.
    pub(crate) second: i64,
}

impl Change {
    /// The moment of [`Change::second`].
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_second(self.second).unwrap_or_default()
    }
}

/// The changes after one position, and none after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Exclusive.
    pub(crate) after: i64,
    /// Inclusive.
    pub(crate) to: i64,
}

/// How far all of `projections` are: whoever asks them for something next sees what it was like then, or later. Ask for it first.
pub(crate) async fn shown_to(
    desk: &Desk,
    conn: &mut PgConnection,
    resident: &Resident,
    projections: &[&str],
) -> Result<Position, sqlx::Error> {
    let (names, shapes) = desk.read_models.only(projections).columns();
    let position = sqlx::query_scalar!(
        r#"select coalesce(min(coalesce(checkpoint.position, 0)), 0) as "position!"
           from unnest($2::text[], $3::integer[]) as known (name, shape)
           left join read.serving as serving on serving.projection = known.name and serving.shape = known.shape
           left join read.checkpoint as checkpoint on checkpoint.tenant_id = $1
             and checkpoint.projection = serving.projection and checkpoint.version = serving.version"#,
        resident.tenant_id().get(),
        &names as _,
        &shapes,
    );
    position.fetch_one(conn).await.map(Position::new)
}

/// The first position of a second, or of the first one after it that has any.
pub(crate) async fn first_position(
    conn: &mut PgConnection,
    resident: &Resident,
    second: i64,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select first_position from moment where tenant_id = $1 and second >= $2 order by second limit 1",
        resident.tenant_id().get(),
        second,
    )
    .fetch_optional(conn)
    .await
}

/// Tickets by their last change, at most `limit`.
pub(crate) async fn tickets(
    conn: &mut PgConnection,
    resident: &Resident,
    span: Span,
    limit: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    sqlx::query_as!(
        Change,
        r#"select ticket_id as id, position,
                  (select second from moment where moment.tenant_id = $1 and first_position <= position
                   order by first_position desc limit 1) as "second!"
           from ticket_change where tenant_id = $1 and position > $2 and position <= $3 order by position limit $4"#,
        resident.tenant_id().get(),
        span.after,
        span.to,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// People by their last change, at most `limit`.
pub(crate) async fn people(
    conn: &mut PgConnection,
    resident: &Resident,
    span: Span,
    limit: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    sqlx::query_as!(
        Change,
        r#"select person_id as id, position,
                  (select second from moment where moment.tenant_id = $1 and first_position <= position
                   order by first_position desc limit 1) as "second!"
           from person_change where tenant_id = $1 and position > $2 and position <= $3 order by position limit $4"#,
        resident.tenant_id().get(),
        span.after,
        span.to,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Audits in the order of the log, at most `limit`. An audit is named after the position of its first event: see
/// [`schemas::ids::audit_id`].
pub(crate) async fn audits(
    conn: &mut PgConnection,
    resident: &Resident,
    span: Span,
    limit: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    let named = |position: i64| ids::audit_id(Position::new(position));
    sqlx::query_as!(
        Change,
        r#"select audit_id as id, audit_id / 64 as "position!",
                  (select second from moment where moment.tenant_id = $1 and first_position <= audit_id / 64
                   order by first_position desc limit 1) as "second!"
           from audit where tenant_id = $1 and audit_id > $2 and audit_id <= $3 order by audit_id limit $4"#,
        resident.tenant_id().get(),
        named(span.after),
        named(span.to),
        limit,
    )
    .fetch_all(conn)
    .await
}
