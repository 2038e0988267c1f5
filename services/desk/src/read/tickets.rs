//! Tickets, from the projection `ticket_list`. Deleted ones are as if they were not, but for [`deleted`].

use jiff::Timestamp;
use regions::Resident;
use schemas::{PersonId, TicketId, values::TicketType};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{List, Sight, Window};

/// One ticket as lists and single answers show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) ticket_id: i64,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) priority: Option<String>,
    pub(crate) ticket_type: Option<String>,
    pub(crate) requester_id: i64,
    pub(crate) submitter_id: i64,
    pub(crate) assignee_id: Option<i64>,
    pub(crate) group_id: Option<i64>,
    pub(crate) tags: Vec<String>,
    pub(crate) channel: String,
    pub(crate) external_id: Option<String>,
    pub(crate) is_public: bool,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) due_at: Option<jiff_sqlx::Timestamp>,
    pub(crate) problem_id: Option<i64>,
    pub(crate) email_cc_ids: Vec<i64>,
    pub(crate) follower_ids: Vec<i64>,
    pub(crate) recipient: Option<String>,
    pub(crate) followup_source_id: Option<i64>,
    /// The tickets in sight that follow it up.
    pub(crate) followup_ids: Vec<i64>,
    pub(crate) has_incidents: bool,
    /// What the fields hold that the tenant made, by the field's id.
    pub(crate) custom_fields: serde_json::Value,
    /// The fields that the reader may see, in order.
    pub(crate) field_ids: Vec<i64>,
}

/// Which tickets a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter<'a> {
    /// Those in sight.
    pub(crate) sight: Sight,
    /// Of these, those with this id in another system.
    pub(crate) external_id: Option<&'a str>,
    /// Of these, the incidents of this problem.
    pub(crate) problem: Option<TicketId>,
    /// Of these, those of this type.
    pub(crate) ticket_type: Option<TicketType>,
}

impl Filter<'_> {
    /// Everything in sight.
    pub(crate) const fn of(sight: Sight) -> Self {
        Self { sight, external_id: None, problem: None, ticket_type: None }
    }

    /// The conditions, each in words of its own: a statement that says `or` about what was not asked for finds no index.
    fn push(self, query: &mut QueryBuilder<Postgres>) {
        query.push(" and deleted_at is null");
        if let Some(requester) = self.sight.requester() {
            query.push(" and is_public and requester_id = ").push_bind(requester);
        }
        if let Some(external_id) = self.external_id {
            query.push(" and external_id = ").push_bind(external_id.to_owned());
        }
        if let Some(problem) = self.problem {
            query.push(" and problem_id = ").push_bind(problem.get());
        }
        match self.ticket_type {
            // As the index says it.
            Some(TicketType::Problem) => drop(query.push(" and ticket_type = 'problem'")),
            Some(ticket_type) => drop(query.push(" and ticket_type = ").push_bind(ticket_type.as_str())),
            None => {}
        }
    }
}

/// The ids of a window of the tickets that pass the filter.
pub(crate) async fn ids(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: Filter<'_>,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ticket_id from ticket_list where tenant_id = ");
    query.push_bind(resident.tenant_id().get());
    filter.push(&mut query);
    match window.before {
        None => {
            query.push(" and ticket_id > ").push_bind(window.after);
            query.push(" order by ticket_id limit ").push_bind(window.limit).push(" offset ").push_bind(window.offset);
        }
        Some(before) => {
            query.push(" and ticket_id < ").push_bind(before);
            query.push(" order by ticket_id desc limit ").push_bind(window.limit);
        }
    }
    let mut ids: Vec<i64> = query.build_query_scalar().fetch_all(conn).await?;
    ids.sort_unstable();
    Ok(ids)
}

/// How many tickets pass the filter.
pub(crate) async fn count(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: Filter<'_>,
) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select count(*) from ticket_list where tenant_id = ");
    query.push_bind(resident.tenant_id().get());
    filter.push(&mut query);
    query.build_query_scalar().fetch_one(conn).await
}

/// Those of these tickets that exist and are in sight, by id.
///
/// A requester's description is the first comment the requester may read: the very first may be an internal note.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    sight: Sight,
    ids: &[i64],
) -> Result<Vec<Ticket>, sqlx::Error> {
    rows(conn, resident, (sight, false), ids).await
}

/// These tickets, deleted ones among them, and which of them are deleted.
pub(crate) async fn with_deleted(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<(Vec<Ticket>, Vec<i64>), sqlx::Error> {
    let deleted = sqlx::query_scalar!(
        "select ticket_id from ticket_list where tenant_id = $1 and ticket_id = any($2) and deleted_at is not null",
        resident.tenant_id().get(),
        ids,
    );
    let deleted = deleted.fetch_all(&mut *conn).await?;
    Ok((rows(conn, resident, (Sight::Everything, true), ids).await?, deleted))
}

async fn rows(
    conn: &mut PgConnection,
    resident: &Resident,
    (sight, with_deleted): (Sight, bool),
    ids: &[i64],
) -> Result<Vec<Ticket>, sqlx::Error> {
    sqlx::query_as!(
        Ticket,
        r#"select ticket_id, subject, status, priority, ticket_type, requester_id, submitter_id, assignee_id, group_id,
                  tags, channel, external_id, is_public, version,
                  case when $2::bigint is null then description else coalesce(
                      (select comment.body from comment
                       where comment.tenant_id = $1 and comment.ticket_id = ticket_list.ticket_id and comment.is_public
                       order by comment.comment_id limit 1), '') end as "description!",
                  created_at as "created_at: jiff_sqlx::Timestamp", updated_at as "updated_at: jiff_sqlx::Timestamp",
                  due_at as "due_at: jiff_sqlx::Timestamp", problem_id, email_cc_ids, follower_ids, recipient, followup_source_id,
                  array(select later.ticket_id from ticket_list later
                        where later.tenant_id = $1 and later.followup_source_id = ticket_list.ticket_id
                          and ($2::bigint is null or (later.requester_id = $2 and later.is_public)) and later.deleted_at is null
                        order by later.ticket_id) as "followup_ids!",
                  ticket_type is not distinct from 'problem' and exists (
                      select from ticket_list incident
                      where incident.tenant_id = $1 and incident.problem_id = ticket_list.ticket_id
                        and incident.deleted_at is null) as "has_incidents!",
                  custom_fields,
                  array(select field_id from ticket_field
                        where ticket_field.tenant_id = $1 and is_active and ($2::bigint is null or is_visible_in_portal)
                        order by position, field_id) as "field_ids!"
           from ticket_list
           where tenant_id = $1 and ticket_id = any($3) and ($2::bigint is null or (requester_id = $2 and is_public))
                 and (deleted_at is null or $4)
           order by ticket_id"#,
        resident.tenant_id().get(),
        sight.requester(),
        ids,
        with_deleted,
    )
    .fetch_all(conn)
    .await
}

/// One ticket, if it exists and is in sight.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    sight: Sight,
    ticket: TicketId,
) -> Result<Option<Ticket>, sqlx::Error> {
    Ok(many(conn, resident, sight, &[ticket.get()]).await?.pop())
}

/// Those of these numbers that are tickets', deleted ones among them.
pub(crate) async fn known(conn: &mut PgConnection, resident: &Resident, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select ticket_id from ticket_list where tenant_id = $1 and ticket_id = any($2)",
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The incidents of a problem that are neither solved nor closed.
pub(crate) async fn unsolved_incidents(
    conn: &mut PgConnection,
    resident: &Resident,
    problem: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select ticket_id from ticket_list
         where tenant_id = $1 and problem_id = $2 and status not in ('solved', 'closed') and deleted_at is null
         order by ticket_id",
        resident.tenant_id().get(),
        problem,
    )
    .fetch_all(conn)
    .await
}

/// What somebody has to do with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// They want something.
    Requester,
    /// They work on it.
    Assignee,
}

/// The tickets in which a person has a part.
pub(crate) fn with(part: Part, person: PersonId) -> List {
    List::new(("ticket_list", "ticket_id"), move |statement| {
        let column = match part {
            Part::Requester => "requester_id",
            Part::Assignee => "assignee_id",
        };
        statement.push(format_args!(" and ticket_list.deleted_at is null and ticket_list.{column} = "));
        statement.push_bind(person.get());
    })
}

/// How many tickets a person has requested, and works on.
pub(crate) async fn of_person(
    conn: &mut PgConnection,
    resident: &Resident,
    person: PersonId,
) -> Result<(i64, i64), sqlx::Error> {
    let counts = sqlx::query!(
        r#"select (select count(*) from ticket_list
                   where tenant_id = $1 and requester_id = $2 and deleted_at is null) as "requested!",
                  (select count(*) from ticket_list
                   where tenant_id = $1 and assignee_id = $2 and deleted_at is null) as "assigned!""#,
        resident.tenant_id().get(),
        person.get(),
    );
    let counts = counts.fetch_one(conn).await?;
    Ok((counts.requested, counts.assigned))
}

/// How many of a person's tickets are neither closed nor deleted.
pub(crate) async fn unclosed_of(
    conn: &mut PgConnection,
    resident: &Resident,
    requester: PersonId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_list
           where tenant_id = $1 and requester_id = $2 and status <> 'closed' and deleted_at is null"#,
        resident.tenant_id().get(),
        requester.get(),
    )
    .fetch_one(conn)
    .await
}

/// A deleted ticket, as the list of those shows it.
pub(crate) struct Deleted {
    pub(crate) ticket_id: i64,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) deleted_at: Timestamp,
    pub(crate) deleted_by: Option<i64>,
    pub(crate) actor: Option<String>,
}

/// The ids of a window of the deleted tickets.
pub(crate) async fn deleted_ids(
    conn: &mut PgConnection,
    resident: &Resident,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select ticket_id as "ticket_id!" from (
               (select ticket_id from ticket_list
                where tenant_id = $1 and deleted_at is not null and $3::bigint is null and ticket_id > $2
                order by ticket_id limit $4 offset $5)
               union all
               (select ticket_id from ticket_list
                where tenant_id = $1 and deleted_at is not null and ticket_id < $3 order by ticket_id desc limit $4)
           ) as page order by ticket_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// Tickets that changed since a moment, by id, after one of them.
pub(crate) async fn changed_since(
    conn: &mut PgConnection,
    resident: &Resident,
    (since, after, most): (Timestamp, i64, i64),
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select ticket_id from ticket_list
           where tenant_id = $1 and ticket_id > $2 and updated_at >= $3 and deleted_at is null order by ticket_id limit $4"#,
        resident.tenant_id().get(),
        after,
        jiff_sqlx::ToSqlx::to_sqlx(since) as _,
        most,
    )
    .fetch_all(conn)
    .await
}

/// How many tickets are deleted.
pub(crate) async fn count_deleted(conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_list where tenant_id = $1 and deleted_at is not null"#,
        resident.tenant_id().get()
    )
    .fetch_one(conn)
    .await
}

/// These deleted tickets, by id, with the name of whoever deleted them.
pub(crate) async fn deleted(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Deleted>, sqlx::Error> {
    sqlx::query_as!(
        Deleted,
        r#"select ticket_id, subject, description, status, deleted_by,
                  ticket_list.deleted_at as "deleted_at!: jiff_sqlx::Timestamp", person.name as "actor?"
           from ticket_list
           left join person on person.tenant_id = $1 and person.person_id = ticket_list.deleted_by
           where ticket_list.tenant_id = $1 and ticket_id = any($2) and ticket_list.deleted_at is not null
           order by ticket_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}
