//! `GET /api/v2/users/{id}/tickets/requested` and `…/assigned`: the tickets in which a user has a part, sorted by id, for agents.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::Value;

use crate::{
    api::{
        v2::{ids::Id, page::PageQuery, present},
        who,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::tickets::{self, Part},
    state::Desk,
};

/// Answers a page of the tickets that the user wants something with.
pub(crate) async fn requested(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, (person, query), Part::Requester).await
}

/// Answers a page of the tickets that the user works on.
pub(crate) async fn assigned(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, (person, query), Part::Assignee).await
}

async fn answer(
    desk: &Desk,
    caller: &Caller,
    (person, query): (PersonId, PageQuery),
    part: Part,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    who::profile(desk, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    let page = query.page(caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &tickets::with(part, person)).await?;
    let rows = tickets::many(&mut transaction, &caller.resident, caller.sight(), &slice.ids).await?;
    let shown = rows.iter().map(|row| present::ticket::ticket(caller, row)).collect();
    Ok(Json(page.answer("tickets", shown, &slice, count)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE};

    fn ids(answer: &Answer) -> Vec<i64> {
        let rows = answer.body["tickets"].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["id"].as_i64()).collect()
    }

    #[tokio::test]
    async fn the_tickets_of_a_user_are_those_they_have_a_part_in() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [ADA, EVE, ADA] {
            bench.ticket(who, json!({"subject": "x", "comment": {"body": "x"}})).await;
        }
        bench.put(ALAN, "/api/v2/tickets/2", json!({"ticket": {"assignee_id": ALAN.id}})).await;
        bench.put(ALAN, "/api/v2/tickets/3", json!({"ticket": {"assignee_id": ALAN.id}})).await;
        let requested = bench.get(ALAN, "/api/v2/users/3/tickets/requested.json?page[size]=1").await;
        assert_eq!((ids(&requested), &requested.body["meta"]["has_more"]), (vec![1], &json!(true)));
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/users/3/tickets/requested").await), [1, 3]);
        let assigned = bench.get(ALAN, "/api/v2/users/2/tickets/assigned").await;
        assert_eq!((ids(&assigned), &assigned.body["count"]), (vec![2, 3], &json!(2)));
        bench.delete(ALAN, "/api/v2/tickets/3").await;
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/users/2/tickets/assigned").await), [2]);
        assert_eq!(bench.get(ALAN, "/api/v2/users/99/tickets/assigned").await.status, 404);
        assert_eq!(bench.get(ADA, "/api/v2/users/3/tickets/requested").await.status, 403);
        Ok(())
    }
}
