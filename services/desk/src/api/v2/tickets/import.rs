//! `POST /api/v2/imports/tickets` and `imports/tickets/create_many`: tickets that happened elsewhere, with the moments of then. For admins.
//!
//! The log says when they were brought in; what is shown of the ticket and its comments is when they were opened and said.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::ticket::Imported;
use jiff::Timestamp;
use schemas::{StreamName, values::JobKind};
use serde_json::Value;

use super::{
    answer, bulk,
    create::{Intake, first_comment, open},
};
use crate::{
    api::comment::CommentRequest,
    body::{Body, Fields},
    caller::Caller,
    execute::{Issuer, replayed},
    jobs::Asked,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// What an import says besides what a ticket says.
pub(super) struct Past {
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    solved_at: Option<Timestamp>,
    first_said_at: Option<Timestamp>,
    comments: Vec<(CommentRequest, Option<Timestamp>)>,
}

impl Past {
    /// Reads `created_at`, `updated_at`, `solved_at` and `comments`, each with its `created_at`; or `comment`, if there are none. What is
    /// wrong is noted in `fields`.
    pub(super) async fn read(
        desk: &Desk,
        fields: &mut Fields<'_>,
    ) -> Result<(Option<CommentRequest>, Option<Self>), ApiError> {
        let now = desk.clock.now();
        let past = |fields: &mut Fields<'_>, name: &str| {
            let moment = fields.moment(name);
            if moment.is_some_and(|moment| moment > now) {
                fields.fault(name, "takes a moment that is past", "InvalidValue");
            }
            moment
        };
        let (created_at, updated_at) = (past(fields, "created_at"), past(fields, "updated_at"));
        let solved_at = past(fields, "solved_at");
        let mut comments = Vec::new();
        for item in fields.items("comments").unwrap_or_default().iter().take(COMMENTS_MAX) {
            let Value::Object(object) = item else {
                fields.fault("comments", "takes objects", "InvalidFormat");
                continue;
            };
            let mut inner = Fields::new(object, "comments.");
            let comment = CommentRequest::read(desk, &mut inner).await?;
            let said_at = past(&mut inner, "created_at");
            fields.absorb(inner);
            comments.extend(comment.map(|comment| (comment, said_at)));
        }
        let (first, first_said_at) = match comments.is_empty() {
            true => (first_comment(desk, fields).await?, None),
            false => {
                let (first, said_at) = comments.remove(0);
                (Some(first), said_at)
            }
        };
        Ok((first, Some(Self { created_at, updated_at, solved_at, first_said_at, comments })))
    }

    /// Finds the authors and claims the files. Without moments, the ticket was opened with its first comment, and changed with its last.
    pub(super) async fn resolve(self, desk: &Desk, caller: &Caller, by: &Issuer) -> Result<Imported, ApiError> {
        let created_at = self.created_at.or(self.first_said_at).unwrap_or(by.at);
        let mut said_at = vec![self.first_said_at.unwrap_or(created_at)];
        let mut comments = Vec::with_capacity(self.comments.len());
        for (comment, said) in self.comments {
            comments.push(comment.resolve(desk, caller, by).await?);
            said_at.push(said.or(said_at.last().copied()).unwrap_or(created_at));
        }
        let last = said_at.iter().max().copied().unwrap_or(created_at);
        let updated_at = self.updated_at.unwrap_or(last.max(created_at));
        Ok(Imported { created_at, updated_at, solved_at: self.solved_at, comments, said_at })
    }
}

/// Comments of one ticket at most: a command has a handful of events for each.
const COMMENTS_MAX: usize = 1000;

/// Answers the ticket.
pub(crate) async fn import(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => open(&desk, &caller, &by, (Fields::root(&body, "ticket")?, Intake::Past)).await?,
    };
    let Some(StreamName::Ticket(ticket)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    Ok((StatusCode::CREATED, version, written, Json(body)))
}

/// The same for up to 100 tickets, as a job.
pub(crate) async fn import_many(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let asked = || Ok(Asked { kind: JobKind::ImportTickets, items: bulk::items(&body)?, shared: None });
    bulk::ask(&desk, &caller, &body.print, asked).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, GRACE};

    const IMPORT: &str = "/api/v2/imports/tickets.json";

    fn ticket() -> Value {
        json!({"ticket": {
            "subject": "Old", "requester_id": ADA.id, "status": "open", "tags": ["old"],
            "created_at": "2019-03-01T08:00:00Z", "updated_at": "2019-03-05T08:00:00Z",
            "comments": [
                {"author_id": ADA.id, "value": "It smoked", "created_at": "2019-03-01T08:00:00Z"},
                {"author_id": ALAN.id, "html_body": "<p>Not any more</p>", "public": false, "created_at": "2019-03-02T08:00:00Z"},
            ],
        }})
    }

    #[tokio::test]
    async fn a_ticket_of_the_past_is_shown_as_of_then() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let answer = bench.post(GRACE, IMPORT, ticket()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let shown = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
        assert_eq!(answer.body["ticket"], shown);
        assert_eq!(
            (&shown["created_at"], &shown["updated_at"]),
            (&json!("2019-03-01T08:00:00Z"), &json!("2019-03-05T08:00:00Z"))
        );
        assert_eq!((&shown["status"], &shown["description"]), (&json!("open"), &json!("It smoked")));
        let comments = bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["comments"].clone();
        let of = |comment: &Value| json!([comment["author_id"], comment["public"], comment["created_at"]]);
        assert_eq!(of(&comments[0]), json!([ADA.id, true, "2019-03-01T08:00:00Z"]));
        assert_eq!(of(&comments[1]), json!([ALAN.id, false, "2019-03-02T08:00:00Z"]));
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"priority": "low"}})).await;
        let later = bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"].clone();
        assert_eq!(
            (&later["created_at"], &later["updated_at"]),
            (&json!("2019-03-01T08:00:00Z"), &json!("2026-11-22T10:00:00Z"))
        );
        Ok(())
    }

    #[tokio::test]
    async fn many_are_imported_as_a_job() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let tickets = json!({"tickets": [ticket()["ticket"], ticket()["ticket"]]});
        let asked = bench.post(GRACE, "/api/v2/imports/tickets/create_many", tickets).await;
        let job = bench.finished(GRACE, &asked.body["job_status"]).await;
        assert_eq!(job["results"].as_array().map(Vec::len), Some(2), "{job}");
        let listed = bench.get(ALAN, "/api/v2/tickets").await.body;
        assert_eq!(
            (&listed["count"], &listed["tickets"][1]["created_at"]),
            (&json!(2), &json!("2019-03-01T08:00:00Z"))
        );
        Ok(())
    }

    #[tokio::test]
    async fn the_future_is_not_imported_and_only_admins_import() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let mut future = ticket();
        future["ticket"]["created_at"] = json!("2030-01-01");
        future["ticket"]["comments"][1]["created_at"] = json!("2030-01-01");
        assert_eq!(bench.post(GRACE, IMPORT, future).await.wrong_fields(), ["comments.created_at", "created_at"]);
        assert_eq!(bench.post(GRACE, IMPORT, json!({"ticket": {"subject": "x"}})).await.wrong_fields(), ["comment"]);
        for who in [ALAN, ADA] {
            assert_eq!(bench.post(who, IMPORT, ticket()).await.status, 403);
        }
        Ok(())
    }
}
