//! `GET /api/v2/tickets/{id}/comments`: what was said, oldest first; requesters see what is public.

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::Value;

use super::update::in_sight;
use crate::{
    api::v2::{ids::Id, include::Include, page::PageQuery, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers a page of comments.
pub(crate) async fn comments(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    let include = Include::of(query.get("include"), &caller);
    let page = query.page(&caller)?;
    let (resident, sight) = (&caller.resident, caller.sight());
    let mut transaction = desk.reading(resident).await?;
    read::tickets::one(&mut transaction, resident, sight, ticket).await?.ok_or_else(ApiError::not_found)?;
    let slice = page.slice(read::comments::ids(&mut transaction, resident, (ticket, sight), page.window()).await?);
    let count = match page.is_counted() {
        true => Some(read::comments::count(&mut transaction, resident, ticket, sight).await?),
        false => None,
    };
    let rows = read::comments::many(&mut transaction, resident, &slice.ids).await?;
    drop(transaction);
    let comments = present::comment::comments(&desk, &caller, &rows).await?;
    let mut answer = page.answer("comments", comments, &slice, count);
    include.beside_comments(&desk, &caller, &mut answer).await?;
    Ok(Json(answer))
}

/// Answers how many comments are in sight.
pub(crate) async fn count(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
) -> ApiResult<Json<Value>> {
    in_sight(&desk, &caller, ticket).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let value = read::comments::count(&mut transaction, &caller.resident, ticket, caller.sight()).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, without_ids};

    async fn bench_with_thread() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "It smokes"}})).await;
        for (body, public) in [("She smokes", false), ("Put it out", true)] {
            bench
                .put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"comment": {"body": body, "public": public}}}))
                .await;
        }
        Ok(bench)
    }

    #[tokio::test]
    async fn a_thread_is_shown_oldest_first() -> anyhow::Result<()> {
        let bench = bench_with_thread().await?;
        let answer = bench.get(ALAN, "/api/v2/tickets/1/comments.json").await;
        assert_eq!(answer.body["count"], 3);
        assert_eq!(
            without_ids(answer.body["comments"][1].clone(), &["id", "audit_id"]),
            json!({
                "id": "…", "type": "Comment", "author_id": 2, "body": "She smokes", "plain_body": "She smokes", "public": false,
                "html_body": "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">She smokes</p></div>",
                "attachments": [], "audit_id": "…", "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": null}},
                "created_at": "2026-11-22T10:00:00Z", "metadata": {
                    "system": {"client": null, "ip_address": null, "location": null, "latitude": null, "longitude": null},
                    "custom": {},
                },
            })
        );
        let first = bench.get(ALAN, "/api/v2/tickets/1/comments?page[size]=2").await;
        assert_eq!(
            (&first.body["meta"]["has_more"], first.body["comments"].as_array().map(Vec::len)),
            (&json!(true), Some(2))
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_requester_sees_no_notes() -> anyhow::Result<()> {
        let bench = bench_with_thread().await?;
        for query in ["", "?page[size]=10"] {
            let body = bench.get(ADA, &format!("/api/v2/tickets/1/comments{query}")).await.body;
            let comments = body["comments"].as_array().expect("comments").clone();
            assert_eq!(
                comments.iter().map(|comment| &comment["body"]).collect::<Vec<_>>(),
                ["It smokes", "Put it out"]
            );
            assert!(!body.to_string().contains("She smokes"));
        }
        assert_eq!(bench.get(EVE, "/api/v2/tickets/1/comments").await.status, 404);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/9/comments").await.status, 404);
        Ok(())
    }
}
