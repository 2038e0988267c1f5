//! `GET /api/v2/tickets/{id}/incidents` and `/api/v2/problems`: what is linked to a problem, and the problems there are, for agents.

use axum::{Json, extract::State};
use domain::ticket::Update;
use schemas::{
    TicketId,
    values::{JobKind, Status, TicketType},
};
use serde_json::{Map, Value, json};

use super::{bulk, list::page, update::in_sight};
use crate::{
    api::v2::{ids::Id, page::PageQuery},
    caller::Caller,
    jobs::Asked,
    problem::{ApiError, ApiResult},
    read::{
        self,
        tickets::{Filter, Ticket},
    },
    state::Desk,
};

/// Answers a page of the problem's incidents.
pub(crate) async fn incidents(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    in_sight(&desk, &caller, ticket).await?;
    page(&desk, &caller, query, Filter { problem: Some(ticket), ..Filter::of(caller.sight()) }).await
}

/// Answers a page of the tickets of type problem.
pub(crate) async fn problems(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    page(&desk, &caller, query, Filter { ticket_type: Some(TicketType::Problem), ..Filter::of(caller.sight()) }).await
}

/// What solving a problem does to its incidents: those that are not solved are.
pub(super) async fn to_solve(
    desk: &Desk,
    caller: &Caller,
    row: &Ticket,
    update: &Update,
) -> Result<Option<Asked>, ApiError> {
    if !row.has_incidents || update.changes.status != Some(Status::Solved) || !caller.is_agent() {
        return Ok(None);
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::tickets::unsolved_incidents(&mut transaction, &caller.resident, row.ticket_id).await?;
    let items = bulk::items_of(ids);
    let shared = Map::from_iter([("status".to_owned(), json!(Status::Solved))]);
    Ok((!items.is_empty()).then_some(Asked { kind: JobKind::SolveIncidents, items, shared: Some(shared) }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench};

    fn ids(list: &Value) -> Vec<i64> {
        list["tickets"].as_array().into_iter().flatten().filter_map(|ticket| ticket["id"].as_i64()).collect()
    }

    async fn bench_with_problem() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        let of = |ticket_type: &str, problem: Value| json!({"comment": {"body": "x"}, "type": ticket_type, "problem_id": problem});
        bench.ticket(ALAN, of("problem", json!(null))).await;
        for _ in 0..3 {
            bench.ticket(ALAN, of("incident", json!(1))).await;
        }
        Ok(bench)
    }

    #[tokio::test]
    async fn a_problem_has_the_incidents_that_point_to_it() -> anyhow::Result<()> {
        let bench = bench_with_problem().await?;
        bench.put(ALAN, "/api/v2/tickets/3", json!({"ticket": {"type": "question"}})).await;
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/3").await.body["ticket"]["problem_id"], json!(null));
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/tickets/1/incidents.json").await.body), [2, 4]);
        let first = bench.get(ALAN, "/api/v2/tickets/1/incidents?page[size]=1").await.body;
        assert_eq!((ids(&first), &first["meta"]["has_more"]), (vec![2], &json!(true)));
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/problems").await.body), [1]);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["has_incidents"], true);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/2").await.body["ticket"]["has_incidents"], false);
        Ok(())
    }

    #[tokio::test]
    async fn solving_a_problem_solves_its_incidents() -> anyhow::Result<()> {
        let bench = bench_with_problem().await?;
        bench.put(ALAN, "/api/v2/tickets/3", json!({"ticket": {"status": "closed"}})).await;
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": "solved"}})).await.status, 200);
        let jobs = bench.get(ALAN, "/api/v2/job_statuses").await.body;
        let job = bench.finished(ALAN, &jobs["job_statuses"][0]).await;
        assert_eq!((&job["total"], &job["results"][0]["status"]), (&json!(2), &json!("Updated")), "{job}");
        for (ticket, status) in [(2, "solved"), (3, "closed"), (4, "solved")] {
            let shown = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body;
            assert_eq!(shown["ticket"]["status"], status, "{ticket}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn only_an_incident_points_to_a_problem() -> anyhow::Result<()> {
        let bench = bench_with_problem().await?;
        for sent in [json!({"problem_id": 2}), json!({"problem_id": 99}), json!({"type": "task", "problem_id": 1})] {
            let answer = bench.put(ALAN, "/api/v2/tickets/4", json!({"ticket": sent})).await;
            assert_eq!(
                (answer.status.as_u16(), answer.wrong_fields()),
                (422, vec!["problem_id".to_owned()]),
                "{}",
                answer.body
            );
        }
        for path in ["/api/v2/problems", "/api/v2/tickets/1/incidents"] {
            assert_eq!(bench.get(ADA, path).await.status, 403, "{path}");
        }
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/99/incidents").await.status, 404);
        Ok(())
    }
}
