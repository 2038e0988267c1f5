//! `POST /api/v2/tickets/{id}/merge`: closes tickets and goes on with them in another one, as a job of one item: all of it or nothing.
//!
//! Each source gets its comment, the tag `closed_by_merge` and is closed; the target gets its comment, and whoever requested a source gets
//! copies of its mails. Where any of the tickets is private, all comments are.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use domain::{
    job::ITEMS_MAX,
    rule::{EFFECTS_MAX, Watching},
    text,
    ticket::{Changes, Circle, Command, Comment, Further, Ticket, Update},
};
use futures::FutureExt;
use schemas::{
    StreamName, TicketId,
    values::{Channel, JobKind, Status},
};
use serde_json::{Map, Value, json};

use super::{bulk, update::in_sight};
use crate::{
    api::v2::ids::Id,
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, retried},
    jobs::Asked,
    problem::{ApiError, ApiResult},
    read::tickets,
    state::Desk,
    triggers,
};

/// The tag of what was closed so.
const TAG: &str = "closed_by_merge";

/// Events that people's part of a merge has for each ticket at most: tags, an assignee, a status, copies and a comment.
const EVENTS_EACH: usize = 5;
/// Events that a merge has besides: the item of the job, and where it came from.
const EVENTS_BESIDES: usize = 10;
const _: () = assert!(EFFECTS_MAX + EVENTS_EACH * (ITEMS_MAX + 1) + EVENTS_BESIDES <= eventlog::EVENTS_MAX);

/// Answers the job's status.
pub(crate) async fn merge(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    in_sight(&desk, &caller, ticket).await?;
    let asked = || {
        check(&body, ticket)?;
        let mut item = body.object.clone();
        item.insert("id".to_owned(), json!(ticket));
        Ok(Asked { kind: JobKind::MergeTickets, items: vec![item], shared: None })
    };
    bulk::ask(&desk, &caller, &body.print, asked).await
}

/// Refuses at once what the job would refuse.
fn check(body: &Body, target: TicketId) -> Result<(), ApiError> {
    let mut fields = Fields::new(&body.object, "");
    let ids = sources(&body.object);
    let is_right = ids.as_ref().is_some_and(|ids| !ids.is_empty() && ids.len() <= ITEMS_MAX && !ids.contains(&target));
    if !is_right {
        fields.fault("ids", format!("takes the ids of 1 to {ITEMS_MAX} other tickets"), "InvalidValue");
    }
    for name in ["source_comment", "target_comment"] {
        fields.checked(name, |sent| text::body(sent).map(drop).map_err(|invalid| format!("takes {}", invalid.takes)));
    }
    for name in ["source_comment_is_public", "target_comment_is_public"] {
        fields.boolean(name);
    }
    fields.finish()
}

/// The tickets to close, each once.
fn sources(object: &Map<String, Value>) -> Option<Vec<TicketId>> {
    let id = |id: &Value| id.as_i64().or_else(|| id.as_str()?.parse().ok()).map(TicketId::new);
    let mut ids: Vec<TicketId> = object.get("ids")?.as_array()?.iter().map(id).collect::<Option<_>>()?;
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

/// Merges as the item says.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    object: &Map<String, Value>,
) -> Result<Done, ApiError> {
    let target = object.get("id").and_then(Value::as_i64).map(TicketId::new).ok_or_else(ApiError::not_found)?;
    let into = in_sight(desk, caller, target).await?;
    let mut rows = Vec::new();
    for source in sources(object).ok_or_else(ApiError::not_found)? {
        rows.push(in_sight(desk, caller, source).await?);
    }
    let (commands, triggers) =
        (&commands(caller, (&into, &rows), object), &triggers::in_use(desk, &caller.resident).await?);
    let attempt = || async move {
        let mut batch = Batch::new(desk, by);
        for (ticket, update) in commands {
            let command = Command::from(update.clone());
            let command = match triggers {
                Some(triggers) => {
                    // What the triggers do to all the tickets shares the room of one command.
                    let room = EFFECTS_MAX.saturating_sub(batch.by_rules());
                    Command::Watched(Box::new(command), Watching { triggers: Arc::clone(triggers), room })
                }
                None => command,
            };
            batch = batch.decide::<Ticket>(StreamName::Ticket(*ticket), None, &command).await?;
        }
        Ok::<_, ApiError>(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}

/// What is done to the target, and then to each source.
fn commands(
    caller: &Caller,
    (into, rows): (&tickets::Ticket, &[tickets::Ticket]),
    object: &Map<String, Value>,
) -> Vec<(TicketId, Update)> {
    let is_public = into.is_public && rows.iter().all(|row| row.is_public);
    let comment = |name: &str| {
        let said = object.get(name)?.as_str()?.to_owned();
        let asked = object.get(&format!("{name}_is_public")).and_then(Value::as_bool).unwrap_or(false);
        Some(if asked && is_public { Comment::public(said) } else { Comment::internal(said) })
    };
    let update = |changes, comment| Update { by: caller.by(), changes, comment, channel: Channel::Api };
    let mut put: Vec<_> =
        rows.iter().map(|row| row.requester_id).filter(|person| *person != into.requester_id).collect();
    put.dedup();
    let put = put.into_iter().map(schemas::PersonId::new).collect();
    let further = Further { email_ccs: Circle { put, ..Circle::default() }, ..Further::default() };
    let changes = Changes { further, ..Changes::default() };
    let mut commands = vec![(TicketId::new(into.ticket_id), update(changes, comment("target_comment")))];
    for row in rows {
        let closed =
            Changes { status: Some(Status::Closed), added_tags: vec![TAG.to_owned()].into(), ..Changes::default() };
        commands.push((TicketId::new(row.ticket_id), update(closed, comment("source_comment"))));
    }
    commands
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE};

    const MERGE: &str = "/api/v2/tickets/1/merge.json";

    #[tokio::test]
    async fn sources_are_closed_and_the_target_goes_on() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [ADA, EVE, ADA] {
            bench.ticket(who, json!({"comment": {"body": "x"}})).await;
        }
        let sent = json!({
            "ids": [2, 3, 2], "target_comment": "Goes on here", "source_comment": "See 1", "source_comment_is_public": true,
        });
        let asked = bench.post(ALAN, MERGE, sent).await;
        let job = bench.finished(ALAN, &asked.body["job_status"]).await;
        assert_eq!(
            (&job["total"], &job["results"][0]["id"], &job["results"][0]["success"]),
            (&json!(1), &json!(1), &json!(true)),
            "{job}"
        );
        let target = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
        assert_eq!((&target["status"], &target["email_cc_ids"]), (&json!("new"), &json!([EVE.id])));
        for (ticket, public, body) in [(1, false, "Goes on here"), (2, true, "See 1"), (3, true, "See 1")] {
            let comments =
                bench.get(ALAN, &format!("/api/v2/tickets/{ticket}/comments")).await.body["comments"].clone();
            assert_eq!((&comments[1]["body"], &comments[1]["public"]), (&json!(body), &json!(public)), "{ticket}");
            if ticket > 1 {
                let source = bench.get(ALAN, &format!("/api/v2/tickets/{ticket}")).await.body["ticket"].clone();
                assert_eq!((&source["status"], &source["tags"]), (&json!("closed"), &json!(["closed_by_merge"])));
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_merge_that_cannot_be_whole_is_not_done_at_all() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for _ in 0..3 {
            bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        }
        bench.put(ALAN, "/api/v2/tickets/3", json!({"ticket": {"status": "closed"}})).await;
        let asked = bench.post(ALAN, MERGE, json!({"ids": [2, 3]})).await;
        let job = bench.finished(ALAN, &asked.body["job_status"]).await;
        assert_eq!(
            (&job["results"][0]["error"], &job["results"][0]["success"]),
            (&json!("TicketMergeFailed"), &json!(false))
        );
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/2").await.body["ticket"]["status"], "new");
        for ids in [json!([]), json!([1]), json!("2"), json!(["x"])] {
            assert_eq!(bench.post(ALAN, MERGE, json!({"ids": ids})).await.wrong_fields(), ["ids"]);
        }
        assert_eq!(bench.post(ALAN, "/api/v2/tickets/9/merge", json!({"ids": [2]})).await.status, 404);
        assert_eq!(bench.post(ADA, MERGE, json!({"ids": [2]})).await.status, 403);
        Ok(())
    }
}
