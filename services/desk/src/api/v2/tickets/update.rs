//! `PUT /api/v2/tickets/{id}`: changes a ticket, and perhaps says something, as one command and one audit.
//!
//! A client that must not overwrite what it has not seen sends `safe_update` with `updated_stamp`, or, more exactly,
//! `expected_version`; a ticket that has moved on since is answered 409 and left alone.

use axum::{Json, extract::State, response::IntoResponse};
use domain::ticket::Update;
use jiff::Timestamp;
use schemas::{StreamName, TicketId, Version};

use super::{answer, changes::Attributes};
use crate::{
    api::{
        comment::CommentRequest,
        settle, turn,
        v2::{ids::Id, present::moment},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::replayed,
    problem::{ApiError, ApiResult},
    read::{self, tickets},
    state::Desk,
};

/// An update as a client sent it.
struct Request {
    attributes: Attributes,
    comment: Option<CommentRequest>,
    updated_stamp: Option<Timestamp>,
    expected_version: Option<Version>,
}

impl Request {
    async fn read(desk: &Desk, body: &Body, caller: &Caller, row: &tickets::Ticket) -> Result<Self, ApiError> {
        let mut fields = Fields::root(body, "ticket")?;
        let attributes = Attributes::read(&mut fields, caller);
        let comment = match fields.object("comment") {
            Some(mut inner) => {
                let comment = CommentRequest::read(desk, &mut inner).await?;
                fields.absorb(inner);
                comment
            }
            None => None,
        };
        let is_safe = fields.boolean("safe_update").unwrap_or(false);
        let updated_stamp = if is_safe { fields.required("updated_stamp", moment_of) } else { None };
        let expected_version = fields.integer("expected_version").map(Version::new);
        for (name, is) in [("requester_id", row.requester_id), ("submitter_id", row.submitter_id)] {
            if fields.integer(name).is_some_and(|asked| asked != is) {
                fields.fault(name, format!("{name}: takes {is}, as it is: it does not change"), "InvalidValue");
            }
        }
        if fields.has("external_id") {
            let asked = fields.string("external_id").map(str::trim).filter(|asked| !asked.is_empty());
            if asked != row.external_id.as_deref() {
                fields.fault("external_id", "takes what it is: it does not change", "InvalidValue");
            }
        }
        fields.finish()?;
        Ok(Self { attributes, comment, updated_stamp, expected_version })
    }

    /// The version the update is for, if the client cares; a conflict, if the ticket has moved on already.
    fn expected(&self, row: &tickets::Ticket) -> Result<Option<Version>, ApiError> {
        match self.updated_stamp {
            Some(stamp) if moment(stamp) != moment(row.updated_at) => Err(ApiError::conflict()),
            Some(_) => Ok(Some(self.expected_version.unwrap_or(Version::new(row.version)))),
            None => Ok(self.expected_version),
        }
    }
}

fn moment_of(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "takes a moment such as 2026-11-22T10:00:00Z, as updated_at says it")
}

/// Answers the ticket as it is afterwards, and the audit.
#[tracing::instrument(
    name = "desk.update_ticket",
    skip_all,
    fields(tenant.id = %caller.resident.tenant_id(), stream = %StreamName::Ticket(ticket))
)]
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let row = in_sight(&desk, &caller, ticket).await?;
            let request = Request::read(&desk, &body, &caller, &row).await?;
            let expected = request.expected(&row)?;
            request.attributes.check(&desk, &caller.resident).await?;
            let comment = match request.comment {
                Some(comment) => Some(comment.resolve(&desk, &caller, &by).await?),
                None => None,
            };
            let channel = request.attributes.channel;
            let changes = request.attributes.into_changes();
            let command = Update { by: caller.by(), changes, comment, channel }.into();
            turn::take(&desk, &by, (ticket, expected), &command).await?
        }
    };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    Ok((written, version, Json(body)))
}

/// The ticket, if the caller may see it; also one that was opened a moment ago.
pub(crate) async fn in_sight(desk: &Desk, caller: &Caller, ticket: TicketId) -> Result<tickets::Ticket, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    if let Some(row) = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await? {
        return Ok(row);
    }
    drop(transaction);
    settle::catch_up(desk, &caller.resident, settle::TICKET).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await?;
    row.ok_or_else(ApiError::not_found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, without_ids};

    async fn bench_with_ticket() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        Ok(bench)
    }

    async fn update(bench: &Bench, ticket: Value) -> crate::api::testing::Answer {
        bench.put(ALAN, "/api/v2/tickets/1.json", json!({ "ticket": ticket })).await
    }

    #[tokio::test]
    async fn changes_and_a_comment_are_one_audit() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let comment = json!({"body": "On my way", "public": true});
        let answer = update(&bench, json!({"status": "pending", "assignee_id": ALAN.id, "comment": comment})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("x-domicile-version"), "5");
        assert_eq!(answer.body["ticket"]["status"], "pending");
        let events = without_ids(answer.body["audit"]["events"].clone(), &["id", "audit_id", "html_body"]);
        assert_eq!(
            events,
            json!([
                {"id": "…", "type": "Change", "field_name": "assignee_id", "value": "2", "previous_value": null},
                {"id": "…", "type": "Change", "field_name": "status", "value": "pending", "previous_value": "new"},
                {
                    "id": "…", "type": "Comment", "author_id": 2, "public": true, "audit_id": "…", "html_body": "…",
                    "attachments": [], "body": "On my way", "plain_body": "On my way",
                },
            ])
        );
        let null = update(&bench, json!({"assignee_id": null})).await;
        assert_eq!(null.body["ticket"]["assignee_id"], Value::Null, "null takes the assignee away");
        Ok(())
    }

    #[tokio::test]
    async fn an_update_that_changes_nothing_has_an_empty_audit() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let answer = update(&bench, json!({"subject": "Printer"})).await;
        assert_eq!((answer.status.as_u16(), &answer.body["audit"]["events"]), (200, &json!([])));
        assert_eq!(answer.header("x-domicile-version"), "2");
        Ok(())
    }

    #[tokio::test]
    async fn a_safe_update_of_outdated_data_is_a_conflict() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let safe = |stamp: &str| json!({"priority": "high", "safe_update": "true", "updated_stamp": stamp});
        bench.advance_seconds(5);
        assert_eq!(update(&bench, safe("2026-11-22T10:00:00Z")).await.status, 200);
        let answer = update(&bench, safe("2026-11-22T10:00:00Z")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (409, &json!("UpdateConflict")));
        assert_eq!(update(&bench, json!({"safe_update": true})).await.wrong_fields(), ["updated_stamp"]);
        let described = update(&bench, safe("x")).await.body["details"]["updated_stamp"][0]["description"].clone();
        assert_eq!(described, "updated_stamp: takes a moment such as 2026-11-22T10:00:00Z, as updated_at says it");
        Ok(())
    }

    #[tokio::test]
    async fn a_stale_expected_version_is_a_conflict() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        assert_eq!(update(&bench, json!({"priority": "high", "expected_version": 2})).await.status, 200);
        let answer = update(&bench, json!({"priority": "low", "expected_version": 2})).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (409, &json!("UpdateConflict")));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["priority"], "high");
        Ok(())
    }

    #[tokio::test]
    async fn a_closed_ticket_refuses_updates() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        assert_eq!(update(&bench, json!({"status": "closed"})).await.status, 200);
        let answer = update(&bench, json!({"comment": {"body": "one more thing"}})).await;
        assert_eq!(answer.wrong_fields(), ["status"]);
        Ok(())
    }

    #[tokio::test]
    async fn every_wrong_field_of_an_update_is_named() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let ticket = json!({"status": "x", "subject": "", "requester_id": EVE.id, "comment": {"html_body": "<i></i>"}});
        let wrong = update(&bench, ticket).await.wrong_fields();
        assert_eq!(wrong, ["comment.html_body", "requester_id", "status", "subject"]);
        update(&bench, json!({"status": "open"})).await;
        assert_eq!(update(&bench, json!({"status": "new"})).await.wrong_fields(), ["status"]);
        Ok(())
    }

    #[tokio::test]
    async fn blank_html_is_none_and_faulty_html_asks_for_no_text() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let said = update(&bench, json!({"comment": {"html_body": " ", "body": "Hi"}})).await;
        let events = said.body["audit"]["events"].as_array().expect("events");
        assert_eq!((said.status.as_u16(), &events[events.len() - 1]["body"]), (200, &json!("Hi")));
        assert_eq!(update(&bench, json!({"comment": {"html_body": ""}})).await.wrong_fields(), ["comment.body"]);
        for faulty in [json!(5), json!("<div>".repeat(101)), json!("<b>\u{200b}</b>")] {
            let refused = update(&bench, json!({"comment": {"html_body": faulty}})).await;
            assert_eq!(refused.wrong_fields(), ["comment.html_body"]);
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_external_id_does_not_change() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        bench.ticket(ALAN, json!({"external_id": "x-1", "comment": {"body": "x"}})).await;
        for (path, id, status) in
            [(1, json!("x-1"), 422), (1, json!(null), 200), (2, json!("x-1"), 200), (2, json!(null), 422)]
        {
            let answer =
                bench.put(ALAN, &format!("/api/v2/tickets/{path}"), json!({"ticket": {"external_id": id}})).await;
            assert_eq!(answer.status, status, "{path} {id}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_end_user_comments_on_their_own_ticket_and_solves_it() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let path = "/api/v2/tickets/1";
        let commented = json!({"ticket": {"comment": {"body": "Still smoking"}}});
        assert_eq!(bench.put(ADA, path, commented.clone()).await.status, 200);
        assert_eq!(bench.put(EVE, path, commented).await.status, 404, "another's ticket");
        assert_eq!(bench.put(ADA, path, json!({"ticket": {"priority": "urgent"}})).await.status, 403);
        let note = json!({"ticket": {"comment": {"body": "x", "public": false}}});
        assert_eq!(bench.put(ADA, path, note).await.status, 403);
        bench.put(GRACE, path, json!({"ticket": {"assignee_id": ALAN.id}})).await;
        assert_eq!(
            bench.put(ADA, path, json!({"ticket": {"status": "solved"}})).await.body["ticket"]["status"],
            "solved"
        );
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/99", json!({"ticket": {}})).await.status, 404);
        Ok(())
    }

    #[tokio::test]
    async fn concurrent_comments_all_arrive() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let comment = |number: i32| json!({"comment": {"body": format!("comment {number}")}});
        let (a, b, c) =
            tokio::join!(update(&bench, comment(1)), update(&bench, comment(2)), update(&bench, comment(3)));
        assert!([&a, &b, &c].iter().all(|answer| answer.status == 200));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 4);
        Ok(())
    }
}
