//! `PUT /api/v2/tickets/{id}`: changes a ticket, and perhaps says something, as one command and one audit.
//!
//! A client that must not overwrite what it has not seen sends `safe_update` with `updated_stamp`, or, more exactly,
//! `expected_version`; a ticket that has moved on since is answered 409 and left alone.

use axum::{Json, extract::State, response::IntoResponse};
use domain::ticket::{Changes, Update};
use jiff::Timestamp;
use schemas::{StreamName, TicketId, Version};

use super::{
    answer,
    changes::{Attributes, tags},
    incidents, requester,
};
use crate::{
    api::{
        comment::CommentRequest,
        named::{Named, Newcomers},
        settle,
        turn::{self, Along},
        v2::{ids::Id, present::moment},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Done, Issuer, replayed},
    problem::{ApiError, ApiResult},
    read::{self, tickets},
    state::Desk,
};

/// An update as a client sent it.
struct Request {
    attributes: Attributes,
    requester: Option<Named>,
    added_tags: Vec<String>,
    removed_tags: Vec<String>,
    comment: Option<CommentRequest>,
    stamp: Stamp,
}

impl Request {
    async fn read(
        desk: &Desk,
        mut fields: Fields<'_>,
        caller: &Caller,
        row: &tickets::Ticket,
    ) -> Result<Self, ApiError> {
        let attributes = Attributes::read(&mut fields, caller);
        let comment = match fields.object("comment") {
            Some(mut inner) => {
                let comment = CommentRequest::read(desk, &mut inner).await?;
                fields.absorb(inner);
                comment
            }
            None => None,
        };
        let stamp = Stamp::read(&mut fields);
        let requester = requester::read(&mut fields);
        let added_tags = tags(&mut fields, "additional_tags").unwrap_or_default();
        let removed_tags = tags(&mut fields, "remove_tags").unwrap_or_default();
        let submitter = row.submitter_id;
        if fields.integer("submitter_id").is_some_and(|asked| asked != submitter) {
            fields.fault("submitter_id", format!("takes {submitter}, as it is: it does not change"), "InvalidValue");
        }
        fields.finish()?;
        Ok(Self { attributes, requester, added_tags, removed_tags, comment, stamp })
    }

    /// The command, and who is made known by it.
    async fn resolve(mut self, desk: &Desk, caller: &Caller, by: &Issuer) -> Result<(Update, Newcomers), ApiError> {
        let mut newcomers = Newcomers::default();
        let further = self.attributes.resolve(desk, caller, &mut newcomers).await?;
        let requester = match &self.requester {
            Some(Named::Known(person)) if *person == caller.person => Some(*person),
            Some(named) => Some(named.resolve(desk, &caller.resident, ("requester_id", &mut newcomers)).await?.person),
            None => None,
        };
        let comment = match self.comment {
            Some(comment) => Some(comment.resolve(desk, caller, by).await?),
            None => None,
        };
        let channel = self.attributes.channel;
        let changes = self.attributes.into_changes(further);
        let (added_tags, removed_tags) = (self.added_tags.into(), self.removed_tags.into());
        let changes = Changes { requester, added_tags, removed_tags, ..changes };
        Ok((Update { by: caller.by(), changes, comment, channel }, newcomers))
    }
}

/// What a client says about the ticket it saw.
pub(super) struct Stamp {
    updated_stamp: Option<Timestamp>,
    expected_version: Option<Version>,
}

impl Stamp {
    /// Reads `safe_update` with `updated_stamp`, and `expected_version`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let is_safe = fields.boolean("safe_update").unwrap_or(false);
        let updated_stamp = if is_safe { fields.required("updated_stamp", moment_of) } else { None };
        Self { updated_stamp, expected_version: fields.integer("expected_version").map(Version::new) }
    }

    /// The version the update is for, if the client cares; a conflict, if the ticket has moved on already.
    pub(super) fn expected(&self, row: &tickets::Ticket) -> Result<Option<Version>, ApiError> {
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
            change(&desk, &caller, &by, (&row, Fields::root(&body, "ticket")?)).await?
        }
    };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    Ok((written, version, Json(body)))
}

/// Changes a ticket as `fields` say.
pub(crate) async fn change(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (row, fields): (&tickets::Ticket, Fields<'_>),
) -> Result<Done, ApiError> {
    let request = Request::read(desk, fields, caller, row).await?;
    let expected = request.stamp.expected(row)?;
    let (update, newcomers) = request.resolve(desk, caller, by).await?;
    let along = Along { newcomers, job: incidents::to_solve(desk, caller, row, &update).await? };
    turn::take(desk, by, (TicketId::new(row.ticket_id), expected), (&update.into(), &along)).await
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
                {
                    "id": "…", "type": "Comment", "author_id": 2, "public": true, "audit_id": "…", "html_body": "…",
                    "attachments": [], "body": "On my way", "plain_body": "On my way",
                },
                {"id": "…", "type": "Change", "field_name": "assignee_id", "value": "2", "previous_value": null},
                {"id": "…", "type": "Change", "field_name": "status", "value": "pending", "previous_value": "new"},
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
        let ticket = json!({"status": "x", "subject": "", "submitter_id": EVE.id, "comment": {"html_body": "<i></i>"}});
        let wrong = update(&bench, ticket).await.wrong_fields();
        assert_eq!(wrong, ["comment.html_body", "status", "subject", "submitter_id"]);
        update(&bench, json!({"status": "open"})).await;
        assert_eq!(update(&bench, json!({"status": "new"})).await.wrong_fields(), ["status"]);
        Ok(())
    }

    #[tokio::test]
    async fn blank_html_is_none_and_faulty_html_asks_for_no_text() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let said = update(&bench, json!({"comment": {"html_body": " ", "body": "Hi"}})).await;
        let events = said.body["audit"]["events"].as_array().expect("events");
        assert_eq!((said.status.as_u16(), &events[0]["body"]), (200, &json!("Hi")));
        assert_eq!(update(&bench, json!({"comment": {"html_body": ""}})).await.wrong_fields(), ["comment.body"]);
        for faulty in [json!(5), json!("<div>".repeat(101)), json!("<b>\u{200b}</b>")] {
            let refused = update(&bench, json!({"comment": {"html_body": faulty}})).await;
            assert_eq!(refused.wrong_fields(), ["comment.html_body"]);
        }
        Ok(())
    }

    #[tokio::test]
    async fn whose_it_is_changes_and_when_it_is_due() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let changes = json!({
            "external_id": "x-1", "requester_id": EVE.id, "assignee_email": "Grace@acme.example", "due_at": "2026-12-01T12:00:00+01:00",
        });
        let answer = update(&bench, changes).await;
        let values = ["external_id", "requester_id", "assignee_id", "due_at", "status"]
            .map(|field| answer.body["ticket"][field].clone());
        assert_eq!(json!(values), json!(["x-1", EVE.id, GRACE.id, "2026-12-01T11:00:00Z", "open"]), "{}", answer.body);
        assert_eq!(bench.get(ADA, "/api/v2/tickets/1").await.status, 404, "it is somebody else's now");
        let back =
            update(&bench, json!({"external_id": "", "requester": {"email": "new@acme.example"}, "due_at": null}))
                .await;
        assert_eq!((&back.body["ticket"]["external_id"], &back.body["ticket"]["due_at"]), (&Value::Null, &Value::Null));
        let requester = back.body["ticket"]["requester_id"].as_i64().expect("somebody was made known");
        assert_eq!(
            bench.get(ALAN, &format!("/api/v2/users/{requester}")).await.body["user"]["email"],
            "new@acme.example"
        );
        let wrong = json!({"requester_id": 99});
        assert_eq!(update(&bench, wrong).await.wrong_fields(), ["requester_id"]);
        for wrong in [json!({"assignee_email": "ada@acme.example"}), json!({"due_at": "soon"})] {
            let field = wrong.as_object().and_then(|fields| fields.keys().next()).cloned();
            assert_eq!(update(&bench, wrong).await.wrong_fields(), field.into_iter().collect::<Vec<_>>());
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_comment_is_as_private_as_its_ticket_unless_it_says_so() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ALAN, json!({"comment": {"body": "x", "public": false}})).await;
        for (sent, is_public) in [(json!(null), false), (json!(true), true), (json!(null), true)] {
            let answer = update(&bench, json!({"comment": {"body": "y", "public": sent}})).await;
            assert_eq!(answer.body["audit"]["events"][0]["public"], is_public, "{sent}");
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
