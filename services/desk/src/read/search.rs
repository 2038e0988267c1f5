//! What a search finds: what it asks for, as a query over the read models.
//!
//! Texts are found in the projection `search`, by the words that [`domain::search`] says they have; all else is asked of the projections
//! that show it. Nothing that anybody typed is part of a statement: it is bound.

mod condition;
mod texts;

use std::collections::BTreeMap;

use domain::search::{Asked, Kind, Sought, Test, Whom, asked::OrderBy};
use regions::Resident;
use schemas::values::{Priority, SortOrder, Status};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use self::condition::Condition;
use super::{Window, groups, memberships};

type Query = QueryBuilder<Postgres>;

/// Something that is found.
pub(crate) type Found = (Kind, i64);

/// In which order.
pub(crate) type Order = (OrderBy, SortOrder);

/// A search, with what it needs to know beforehand.
pub(crate) struct Search<'a> {
    asked: &'a Asked,
    resident: &'a Resident,
    /// The names of groups, if they are sought: there are few, so that no index holds them.
    groups: Vec<groups::Names>,
}

impl<'a> Search<'a> {
    /// Makes ready.
    pub(crate) async fn of(
        conn: &mut PgConnection,
        resident: &'a Resident,
        asked: &'a Asked,
    ) -> Result<Self, sqlx::Error> {
        let groups = if needs_groups(asked) { groups::names(conn, resident).await? } else { Vec::new() };
        Ok(Self { asked, resident, groups })
    }

    /// A window of what is found, in an order.
    pub(crate) async fn page(
        &self,
        conn: &mut PgConnection,
        (by, direction): Order,
        window: Window,
    ) -> Result<Vec<Found>, sqlx::Error> {
        let mut query = QueryBuilder::new("select kind, id from (");
        if !self.push(&mut query, by == OrderBy::Relevance) {
            return Ok(Vec::new());
        }
        let by = match by {
            OrderBy::Relevance => "rank",
            OrderBy::Created => "created_at",
            OrderBy::Updated => "updated_at",
            OrderBy::Priority => "priority",
            OrderBy::Status => "status",
            OrderBy::Type => "ticket_type",
        };
        query.push(format_args!(
            ") as found order by {by} {direction} nulls last, created_at desc, kind, id desc limit "
        ));
        query.push_bind(window.limit).push(" offset ").push_bind(window.offset);
        let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(conn).await?;
        Ok(rows.into_iter().filter_map(|(kind, id)| Some((Kind::of(&kind)?, id))).collect())
    }

    /// A window of what is found of one kind, by its numbers.
    pub(crate) async fn export(&self, conn: &mut PgConnection, window: Window) -> Result<Vec<i64>, sqlx::Error> {
        let mut query = QueryBuilder::new("select id from (");
        if !self.push(&mut query, false) {
            return Ok(Vec::new());
        }
        let order = match window.before {
            Some(before) => {
                query.push(") as found where id < ").push_bind(before);
                "desc"
            }
            None => {
                query.push(") as found where id > ").push_bind(window.after);
                "asc"
            }
        };
        query.push(format_args!(" order by id {order} limit ")).push_bind(window.limit);
        let mut ids: Vec<i64> = query.build_query_scalar().fetch_all(conn).await?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// How much is found.
    pub(crate) async fn count(&self, conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
        let mut query = QueryBuilder::new("select count(*) from (");
        if !self.push(&mut query, false) {
            return Ok(0);
        }
        query.push(") as found").build_query_scalar().fetch_one(conn).await
    }

    /// What is found, of every kind. Tells whether there can be anything.
    fn push(&self, query: &mut Query, with_rank: bool) -> bool {
        let mut separator = "";
        for kind in Kind::ALL.into_iter().filter(|kind| self.asked.finds(*kind)) {
            query.push(separator);
            self.push_kind(query, kind, with_rank);
            separator = " union all ";
        }
        !separator.is_empty()
    }

    fn push_kind(&self, query: &mut Query, kind: Kind, with_rank: bool) {
        let (table, key) = table(kind);
        query.push(format_args!("select '{}'::text as kind, {table}.{key} as id, {table}.created_at, ", kind.as_str()));
        query.push(format_args!("{} as updated_at, ", condition::updated(kind)));
        if kind == Kind::Ticket {
            let ranked =
                |column: &str, words: Vec<&str>| format!("array_position(array['{}'], {column})", words.join("','"));
            let priority = ranked("ticket_list.priority", Priority::ALL.iter().map(|word| word.as_str()).collect());
            let status = ranked("ticket_list.status", Status::ALL.iter().map(|word| word.as_str()).collect());
            query.push(format_args!("{priority} as priority, {status} as status, ticket_list.ticket_type, "));
        } else {
            query.push("null::integer as priority, null::integer as status, null::text as ticket_type, ");
        }
        let ranked: Vec<&Sought> = self.asked.texts().filter(|_| with_rank && kind != Kind::Group).collect();
        query.push(if ranked.is_empty() { "null::real as rank" } else { "ranked.rank" });
        query.push(format_args!(" from {table}"));
        if !ranked.is_empty() {
            query.push(" left join (select thing_id, sum(rank) as rank from found_texts(");
            query.push_bind(kind.as_str()).push(", ").push_bind(texts::any(self.resident.tenant_id(), &ranked));
            query.push(format_args!("::tsquery) group by thing_id) as ranked on ranked.thing_id = {table}.{key}"));
        }
        query.push(format_args!(" where {table}.tenant_id = ")).push_bind(self.resident.tenant_id().get());
        query.push(match kind {
            Kind::Ticket => " and ticket_list.deleted_at is null",
            // Auditors are no users.
            Kind::User => " and person.deleted_at is null and person.role <> 'auditor'",
            Kind::Organization => "",
            Kind::Group => " and agent_group.deleted_at is null",
        });
        let condition = Condition { kind, tenant: self.resident.tenant_id(), groups: &self.groups };
        for clause in &self.asked.clauses {
            query.push(if clause.is { " and (" } else { " and not (" });
            let mut separator = "";
            for test in clause.any_of.iter().filter(|test| test.is_about(kind)) {
                query.push(separator);
                condition.push(query, test);
                separator = " or ";
            }
            query.push(")");
        }
    }
}

/// Whether names of groups are sought: to find groups, or what belongs to them.
fn needs_groups(asked: &Asked) -> bool {
    let is_text = |test: &Test| matches!(test, Test::Text(..)) && asked.finds(Kind::Group);
    let is_named = |test: &Test| matches!(test, Test::Group(Whom::Named(_)));
    asked.clauses.iter().flat_map(|clause| &clause.any_of).any(|test| is_text(test) || is_named(test))
}

/// The ids of each kind.
pub(crate) fn by_kind(found: &[Found]) -> BTreeMap<Kind, Vec<i64>> {
    let mut kinds: BTreeMap<Kind, Vec<i64>> = BTreeMap::new();
    for (kind, id) in found {
        kinds.entry(*kind).or_default().push(*id);
    }
    kinds
}

/// Where things of a kind are.
const fn table(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Ticket => ("ticket_list", "ticket_id"),
        Kind::User => ("person", "person_id"),
        Kind::Organization => ("organization", "organization_id"),
        Kind::Group => ("agent_group", "group_id"),
    }
}

#[cfg(test)]
mod tests;
