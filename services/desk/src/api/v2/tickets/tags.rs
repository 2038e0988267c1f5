//! `GET`, `POST`, `PUT` and `DELETE /api/v2/tickets/{id}/tags`: the tags of a ticket; sets, adds and removes some, for agents.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::ticket::{Changes, Update};
use schemas::{TicketId, values::Channel};
use serde_json::{Value, json};

use super::{
    changes,
    update::{Stamp, in_sight},
};
use crate::{
    api::{
        fold::Fold,
        settle,
        turn::{self, Along},
        v2::ids::Id,
    },
    body::{Body, Fields},
    caller::Caller,
    execute::replayed,
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::{Visible, Written},
};

/// Answers the tags.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(ticket): Id<TicketId>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = in_sight(&desk, &caller, ticket).await?;
    Ok(Json(json!({"tags": row.tags})))
}

/// Answers the tags that were set.
pub(crate) async fn set(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let set = |tags: Vec<String>| Changes { tags: Some(tags.into()), ..Changes::default() };
    let (written, tags) = change(&desk, &caller, (ticket, &body), set).await?;
    Ok((StatusCode::CREATED, written, tags))
}

/// Answers all tags, with those that were added.
pub(crate) async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let add = |tags: Vec<String>| Changes { added_tags: tags.into(), ..Changes::default() };
    change(&desk, &caller, (ticket, &body), add).await
}

/// Answers nothing.
pub(crate) async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let remove = |tags: Vec<String>| Changes { removed_tags: tags.into(), ..Changes::default() };
    let (written, _) = change(&desk, &caller, (ticket, &body), remove).await?;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

async fn change(
    desk: &Desk,
    caller: &Caller,
    (ticket, body): (TicketId, &Body),
    changes: impl Fn(Vec<String>) -> Changes,
) -> ApiResult<(Written, Json<Value>)> {
    caller.require_agent()?;
    let by = caller.issuer(desk, &body.print);
    let done = match replayed(desk, &by).await? {
        Some(done) => done,
        None => {
            let row = in_sight(desk, caller, ticket).await?;
            let mut fields = Fields::new(&body.object, "");
            let tags = changes::tags(&mut fields, "tags");
            let stamp = Stamp::read(&mut fields);
            if tags.is_none() {
                fields.fault("tags", "takes a list of tags", "BlankValue");
            }
            fields.finish()?;
            let changes = changes(tags.unwrap_or_default());
            let update = Update { by: caller.by(), changes, comment: None, channel: Channel::Api }.into();
            turn::take(desk, &by, (ticket, stamp.expected(&row)?), (&update, &Along::default())).await?
        }
    };
    let written = settle::settled(desk, &caller.resident, &done, settle::TICKET).await;
    Ok((written, Json(json!({"tags": tags(desk, caller, ticket, written.visible).await?}))))
}

async fn tags(desk: &Desk, caller: &Caller, ticket: TicketId, visible: Visible) -> Result<Vec<String>, ApiError> {
    let row = match visible {
        Visible::Yes => Some(in_sight(desk, caller, ticket).await?),
        Visible::NotYet => Fold::load(desk, &caller.resident, ticket).await?.row(ticket, caller.sight()),
    };
    row.map(|row| row.tags).ok_or_else(ApiError::not_found)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, request};

    const TAGS: &str = "/api/v2/tickets/1/tags.json";

    #[tokio::test]
    async fn tags_are_shown_set_added_and_removed() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        let set = bench.post(ALAN, TAGS, json!({"tags": ["b", "A"]})).await;
        assert_eq!((set.status.as_u16(), &set.body), (201, &json!({"tags": ["a", "b"]})));
        let added = bench.put(ALAN, TAGS, json!({"tags": ["c", "a"]})).await;
        assert_eq!((added.status.as_u16(), &added.body), (200, &json!({"tags": ["a", "b", "c"]})));
        let remove = request("DELETE", "acme", Some(ALAN), TAGS, Body::from(json!({"tags": ["b", "x"]}).to_string()));
        assert_eq!(bench.send(remove).await.status, 204);
        assert_eq!(bench.get(ALAN, TAGS).await.body, json!({"tags": ["a", "c"]}));
        let update = json!({"ticket": {"additional_tags": ["d"], "remove_tags": ["a"]}});
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/1", update).await.body["ticket"]["tags"], json!(["c", "d"]));
        Ok(())
    }

    #[tokio::test]
    async fn a_stale_stamp_changes_no_tags() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        for (stamp, status) in [("2026-11-22T09:59:59Z", 409), ("2026-11-22T10:00:00Z", 200)] {
            let sent = json!({"tags": ["c"], "updated_stamp": stamp, "safe_update": "true"});
            let answer = bench.put(ALAN, TAGS, sent).await;
            assert_eq!(answer.status, status, "{}", answer.body);
            if status == 409 {
                assert_eq!(answer.body["error"], "UpdateConflict");
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn tags_are_for_agents() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        assert_eq!(bench.get(ADA, TAGS).await.status, 403);
        assert_eq!(bench.put(ADA, TAGS, json!({"tags": ["c"]})).await.status, 403);
        assert_eq!(bench.put(ALAN, TAGS, json!({})).await.wrong_fields(), ["tags"]);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/9/tags").await.status, 404);
        Ok(())
    }
}
