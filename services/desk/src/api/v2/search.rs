//! `/api/v2/search`: what agents find by a query in the language of [`domain::search`].
//!
//! Results are what they are elsewhere in the API, with a `result_type`. Who may not see tickets, people, organizations and groups by
//! themselves finds none: end users, and auditors whose grant names tickets.

pub(crate) mod count;
pub(crate) mod export;
pub(crate) mod results;
pub(crate) mod turns;

use std::collections::BTreeMap;

use domain::search::{Asked, Asking, Kind};
use schemas::values::ReadKind;
use serde_json::Value;
use sqlx::PgConnection;

use super::{page::PageQuery, present};
use crate::{
    caller::Caller,
    problem::ApiError,
    read::{
        self, Sight,
        search::{Found, by_kind},
    },
    state::Desk,
};

/// What a request asks for.
fn asked(desk: &Desk, caller: &Caller, query: &PageQuery) -> Result<Asked, ApiError> {
    let text = query.get("query").map(str::trim).filter(|text| !text.is_empty());
    let text =
        text.ok_or_else(|| ApiError::invalid_parameter("query", "what is sought, such as type:ticket kettle"))?;
    let asking = Asking { person: caller.person, now: desk.clock.now() };
    Asked::read(text, &asking).map_err(|refused| ApiError::invalid_parameter("query", &refused.to_string()))
}

/// What is found, as it is shown, in its order. Reading it is noted.
async fn shown(conn: &mut PgConnection, caller: &Caller, found: &[Found]) -> Result<Vec<Value>, ApiError> {
    let mut shown: BTreeMap<Found, Value> = BTreeMap::new();
    for (kind, ids) in by_kind(found) {
        let resident = &caller.resident;
        let values: Vec<(i64, Value)> = match kind {
            Kind::Ticket => {
                caller.reading.of(ids.iter().copied());
                let rows = read::tickets::many(conn, resident, Sight::Everything, &ids).await?;
                rows.iter().map(|row| (row.ticket_id, present::ticket::ticket(caller, row))).collect()
            }
            Kind::User => {
                caller.reading.beside(ReadKind::User, ids.iter().copied());
                let rows = read::people::many(conn, resident, &ids).await?;
                rows.iter().map(|row| (row.person_id, present::user::user(caller, row))).collect()
            }
            Kind::Organization => {
                caller.reading.beside(ReadKind::Organization, ids.iter().copied());
                let rows = read::organizations::many(conn, resident, &ids).await?;
                let present = |row| present::organization::organization(caller, row);
                rows.iter().map(|row| (row.organization_id, present(row))).collect()
            }
            Kind::Group => {
                caller.reading.beside(ReadKind::Group, ids.iter().copied());
                let rows = read::groups::many(conn, resident, &ids).await?;
                rows.iter().map(|row| (row.group_id, present::group::group(caller, row))).collect()
            }
        };
        shown.extend(values.into_iter().map(|(id, mut value)| {
            value["result_type"] = kind.as_str().into();
            ((kind, id), value)
        }));
    }
    Ok(found.iter().filter_map(|found| shown.remove(found)).collect())
}

#[cfg(test)]
mod tests;
