//! `POST tickets/create_many`, `PUT tickets/update_many` and `DELETE tickets/destroy_many`: up to 100 tickets, each as by a request of
//! its own, as a job. For agents.

use axum::{Json, extract::State, response::IntoResponse};
use domain::job::ITEMS_MAX;
use schemas::values::JobKind;
use serde_json::{Map, Value, json};

use crate::{
    api::{
        settle,
        v2::{ids, page::PageQuery, present},
    },
    body::{Body, RequestPrint},
    caller::Caller,
    jobs::{self, Asked},
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::Written,
};

/// Opens each of `tickets`.
pub(crate) async fn create_many(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    let asked = || Ok(Asked { kind: JobKind::CreateTickets, items: items(&body)?, shared: None });
    ask(&desk, &caller, &body.print, asked).await
}

/// Changes each of `tickets`, which names its `id`; or, with `?ids=`, all of those as `ticket` says.
pub(crate) async fn update_many(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let asked = || match query.get("ids") {
        None => Ok(Asked { kind: JobKind::UpdateTickets, items: items(&body)?, shared: None }),
        Some(ids) => {
            let shared = match body.object.get("ticket") {
                Some(Value::Object(ticket)) => ticket.clone(),
                _ => return Err(ApiError::invalid("ticket", "ticket: takes an object", "InvalidFormat")),
            };
            Ok(Asked { kind: JobKind::UpdateTickets, items: named(Some(ids))?, shared: Some(shared) })
        }
    };
    ask(&desk, &caller, &body.print, asked).await
}

/// Puts each of `?ids=` away.
pub(crate) async fn destroy_many(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    let asked = || Ok(Asked { kind: JobKind::DeleteTickets, items: named(query.get("ids"))?, shared: None });
    ask(&desk, &caller, &print, asked).await
}

pub(super) async fn ask(
    desk: &Desk,
    caller: &Caller,
    print: &RequestPrint,
    asked: impl FnOnce() -> Result<Asked, ApiError>,
) -> ApiResult<(Written, Json<Value>)> {
    caller.require_agent()?;
    let asked = asked()?;
    let about = (asked.kind, asked.items.len());
    let by = caller.issuer(desk, print);
    let (job, done) = jobs::ask(desk, &by, caller.person, asked).await?;
    let written = settle::settled(desk, &caller.resident, &done, settle::JOBS).await;
    let status = match done.replayed {
        false => present::job::queued(caller, (job, about.0), about.1),
        true => present::job::of(desk, caller, job).await?,
    };
    Ok((written, Json(json!({"job_status": status}))))
}

/// The objects of `tickets`.
pub(super) fn items(body: &Body) -> Result<Vec<Map<String, Value>>, ApiError> {
    let Some(Value::Array(tickets)) = body.object.get("tickets") else {
        return Err(ApiError::invalid("tickets", "tickets: takes a list of objects", "BlankValue"));
    };
    if tickets.len() > ITEMS_MAX {
        return Err(ApiError::too_many_values(ITEMS_MAX));
    }
    let objects: Vec<_> = tickets.iter().filter_map(Value::as_object).cloned().collect();
    if objects.is_empty() || objects.len() != tickets.len() {
        return Err(ApiError::invalid("tickets", "tickets: takes a list of objects", "InvalidFormat"));
    }
    Ok(objects)
}

/// The tickets of `?ids=`, each once.
pub(super) fn named(ids: Option<&str>) -> Result<Vec<Map<String, Value>>, ApiError> {
    let mut ids = ids::listed(ids)?;
    ids.sort_unstable();
    ids.dedup();
    Ok(items_of(ids))
}

/// Items that say of which ticket they are, and nothing else.
pub(super) fn items_of(ids: Vec<i64>) -> Vec<Map<String, Value>> {
    ids.into_iter().map(|id| Map::from_iter([("id".to_owned(), json!(id))])).collect()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::HeaderValue};
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, request};

    const CREATE: &str = "/api/v2/tickets/create_many.json";

    fn tickets(count: usize) -> Value {
        let ticket = |number: usize| json!({"subject": format!("ticket {number}"), "comment": {"body": "x"}});
        json!({"tickets": (0..count).map(ticket).collect::<Vec<_>>()})
    }

    #[tokio::test]
    async fn many_tickets_are_created_as_by_a_request_of_their_own() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let mut sent = tickets(3);
        sent["tickets"][1] = json!({"subject": "no comment", "priority": "asap"});
        let asked = bench.post(ALAN, CREATE, sent).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        let status = &asked.body["job_status"];
        assert_eq!((&status["status"], &status["total"]), (&json!("queued"), &json!(3)));
        assert_eq!(
            (&status["progress"], &status["message"], &status["results"]),
            (&json!(null), &json!(null), &json!(null))
        );
        let job = bench.finished(ALAN, status).await;
        assert_eq!((&job["progress"], &job["message"]), (&json!(3), &json!("Completed at 2026-11-22 10:00:00 +0000")));
        let results = job["results"].as_array().expect("results").clone();
        assert_eq!((&results[0]["index"], &results[2]["index"]), (&json!(0), &json!(2)));
        assert!(results[0]["id"].is_i64() && results[0]["account_id"].is_i64());
        assert_eq!((&results[1]["index"], &results[1]["error"]), (&json!(1), &json!("TicketCreateFailed")));
        assert!(results[1]["details"].as_str().is_some_and(|details| details.contains("priority: ")));
        let listed = bench.get(ALAN, "/api/v2/tickets").await.body;
        assert_eq!(listed["count"], 2, "the two that were right");
        let audits = bench.get(ALAN, &format!("/api/v2/tickets/{}/audits", results[2]["id"])).await.body;
        assert_eq!((&audits["count"], &audits["audits"][0]["author_id"]), (&json!(1), &json!(ALAN.id)));
        Ok(())
    }

    #[tokio::test]
    async fn many_tickets_are_changed_in_both_forms_and_deleted() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for _ in 0..3 {
            bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        }
        let list = json!({"tickets": [{"id": 1, "status": "open"}, {"id": 2, "additional_tags": ["a"]}, {"id": 9, "status": "open"}]});
        let asked = bench.put(ALAN, "/api/v2/tickets/update_many.json", list).await;
        let job = bench.finished(ALAN, &asked.body["job_status"]).await;
        assert_eq!(
            job["results"][0],
            json!({"index": 0, "id": 1, "action": "update", "status": "Updated", "success": true})
        );
        let refused =
            json!({"index": 2, "id": 9, "error": "TicketUpdateFailed", "details": "Not found", "success": false});
        assert_eq!(job["results"][2], refused);
        let change = json!({"ticket": {"additional_tags": ["b"], "comment": {"body": "to all"}}});
        let asked = bench.put(ALAN, "/api/v2/tickets/update_many?ids=1,2,2", change).await;
        assert_eq!(bench.finished(ALAN, &asked.body["job_status"]).await["total"], 2);
        let many = bench.get(ALAN, "/api/v2/tickets/show_many?ids=1,2").await.body;
        assert_eq!((&many["tickets"][0]["tags"], &many["tickets"][1]["tags"]), (&json!(["b"]), &json!(["a", "b"])));
        let asked = bench.delete(ALAN, "/api/v2/tickets/destroy_many.json?ids=1,3").await;
        let job = bench.finished(ALAN, &asked.body["job_status"]).await;
        assert_eq!((&job["results"][1]["id"], &job["results"][1]["success"]), (&json!(3), &json!(true)));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.body["count"], 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_hundred_are_taken_and_not_one_more() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let many = bench.post(ALAN, CREATE, tickets(101)).await;
        assert_eq!(
            (many.status.as_u16(), &many.body["error"], &many.body["max_count"]),
            (400, &json!("TooManyValues"), &json!(100))
        );
        for wrong in [json!({}), json!({"tickets": []}), json!({"tickets": ["x"]}), json!({"tickets": {}})] {
            assert_eq!(bench.post(ALAN, CREATE, wrong).await.wrong_fields(), ["tickets"]);
        }
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/update_many?ids=1", json!({})).await.wrong_fields(), ["ticket"]);
        assert_eq!(bench.delete(ALAN, "/api/v2/tickets/destroy_many").await.status, 400);
        assert_eq!(bench.post(ADA, CREATE, tickets(1)).await.status, 403);
        assert_eq!(bench.get(ALAN, "/api/v2/job_statuses").await.body["count"], 0, "nothing was asked for");
        Ok(())
    }

    #[tokio::test]
    async fn a_repeated_request_is_the_same_job() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let with_key = || {
            let mut request = request("POST", "acme", Some(ALAN), CREATE, Body::from(tickets(2).to_string()));
            request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k-1"));
            request
        };
        let first = bench.send(with_key()).await;
        bench.finished(ALAN, &first.body["job_status"]).await;
        let again = bench.send(with_key()).await;
        assert_eq!(again.header("x-domicile-replayed"), "yes");
        assert_eq!(again.body["job_status"]["id"], first.body["job_status"]["id"]);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.body["count"], 2);
        let id = first.body["job_status"]["id"].as_str().expect("an id");
        let many = bench.get(ALAN, &format!("/api/v2/job_statuses/show_many?ids={id},x")).await.body;
        assert_eq!((&many["count"], &many["job_statuses"][0]["status"]), (&json!(1), &json!("completed")));
        assert_eq!(bench.get(ADA, &format!("/api/v2/job_statuses/{id}.json")).await.status, 403);
        Ok(())
    }
}
