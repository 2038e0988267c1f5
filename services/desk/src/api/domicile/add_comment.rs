//! `POST /api/domicile/v1/tickets/{id}/comments`: says something on a ticket.
//!
//! The shortest way through the product, and the one its walkthrough follows: parse, prove, hand to `execute`. A request
//! repeated with the same `Idempotency-Key` is answered as the first one was and says nothing twice. A crash before `execute`
//! returns leaves nothing, or the whole comment; a crash after it leaves the comment, and the client asks again.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::ticket::AddComment;
use schemas::{StreamName, TicketId, Version, ids::comment_id, values::Channel};
use serde_json::{Value, json};

use crate::{
    api::{
        comment::CommentRequest,
        fold::Fold,
        settle,
        turn::{self, Along},
        v2::{ids::Id, present, tickets::update::in_sight},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Done, replayed},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
    visible::Visible,
};

/// Takes `body` or `html_body`, and perhaps `public`, `author_id`, `uploads`, `expected_version`. Answers the comment, the
/// ticket's version and the position.
#[tracing::instrument(
    name = "desk.add_comment",
    skip_all,
    fields(tenant.id = %caller.resident.tenant_id(), stream = %StreamName::Ticket(ticket))
)]
pub(crate) async fn add_comment(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            in_sight(&desk, &caller, ticket).await?;
            let (comment, expected) = read_body(&desk, &body).await?;
            let comment = comment.resolve(&desk, &caller, &by).await?;
            let command = AddComment { by: caller.by(), comment, channel: Channel::Api }.into();
            turn::take(&desk, &by, (ticket, expected), (&command, &Along::default())).await?
        }
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
    let comment = added(&desk, &caller, (ticket, &done), written.visible).await.map_err(ApiError::after_done)?;
    let answer = json!({"comment": comment, "position": done.last, "version": done.version});
    Ok((StatusCode::CREATED, written, Json(answer)))
}

async fn read_body(desk: &Desk, body: &Body) -> Result<(CommentRequest, Option<Version>), ApiError> {
    let mut fields = Fields::new(&body.object, "");
    let comment = CommentRequest::read(desk, &mut fields).await?;
    let expected = fields.integer("expected_version").map(Version::new);
    fields.finish()?;
    let comment = comment.ok_or_else(|| ApiError::invalid("body", "body: takes a text", "BlankValue"))?;
    Ok((comment, expected))
}

/// The comment among the command's events, from the thread, or from the log when the thread does not have it yet.
async fn added(
    desk: &Desk,
    caller: &Caller,
    (ticket, done): (TicketId, &Done),
    visible: Visible,
) -> Result<Value, ApiError> {
    let positions = done.first.get()..=done.last.get();
    let ids: Vec<i64> = positions.map(|position| comment_id(schemas::Position::new(position))).collect();
    let rows = match visible {
        Visible::Yes => {
            let mut transaction = desk.reading(&caller.resident).await?;
            read::comments::many(&mut transaction, &caller.resident, &ids).await?
        }
        Visible::NotYet => {
            let stream = StreamName::Ticket(ticket);
            let logged = read::log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
            let mut comments = Fold::of(ticket, &logged).comments;
            comments.retain(|comment| ids.contains(&comment.comment_id));
            comments
        }
    };
    let mut shown = present::comment::comments(desk, caller, &rows).await?;
    shown.pop().ok_or_else(ApiError::not_found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, Who};

    const PATH: &str = "/api/domicile/v1/tickets/1/comments";

    async fn bench_with_ticket() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
        Ok(bench)
    }

    async fn add(bench: &Bench, who: Who, body: Value, key: &'static str) -> Answer {
        bench.keyed("POST", who, (PATH, body), key).await
    }

    #[tokio::test]
    async fn a_comment_is_added_once_however_often_it_is_sent() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let body = json!({"body": "On my way", "public": false});
        let (first, second) = (add(&bench, ALAN, body.clone(), "a").await, add(&bench, ALAN, body, "a").await);
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{}", second.body);
        assert_eq!(first.body, second.body);
        assert_eq!((first.header("x-domicile-replayed"), second.header("x-domicile-replayed")), ("", "yes"));
        assert_eq!((&first.body["version"], &first.body["comment"]["public"]), (&json!(3), &json!(false)));
        assert_eq!(first.header("x-domicile-position"), first.body["position"].to_string());
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 2);
        Ok(())
    }

    #[tokio::test]
    async fn a_comment_with_a_file_is_answered_the_same_again() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let upload = bench.upload(ALAN, "filename=a.txt", b"a").await.body["upload"].clone();
        let body = json!({"body": "See", "uploads": [upload["token"]]});
        let (first, second) = (add(&bench, ALAN, body.clone(), "f").await, add(&bench, ALAN, body, "f").await);
        assert_eq!(first.body["comment"]["attachments"], json!([upload["attachment"]]));
        assert_eq!((second.status.as_u16(), first.body), (201, second.body), "though its token is used");
        Ok(())
    }

    #[tokio::test]
    async fn of_two_comments_that_claim_a_file_one_is_refused() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let token = bench.upload(ALAN, "filename=a.txt", b"a").await.body["upload"]["token"].clone();
        // The read models cannot tell the second comment that the first one has the file.
        let held = bench.hold_projector().await?;
        let first = add(&bench, ALAN, json!({"body": "Mine", "uploads": [token, token]}), "a").await;
        let second = add(&bench, ALAN, json!({"body": "No, mine", "uploads": [token]}), "b").await;
        drop(held);
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 422));
        assert!(second.body.to_string().contains("comment.uploads: takes "), "{}", second.body);
        bench.settle(&bench.acme).await?;
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1/comments").await.body["count"], 2);
        Ok(())
    }

    #[tokio::test]
    async fn expensive_html_is_refused_by_name() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        for html in ["<div>".repeat(10_000), "a".repeat(65_537), "<p></p>".repeat(5_000)] {
            let begun = std::time::Instant::now();
            let answer = add(&bench, ALAN, json!({"html_body": html, "body": "fine"}), "a").await;
            assert_eq!(answer.status, 422);
            assert!(answer.body.to_string().contains("html_body: takes ") && begun.elapsed().as_secs() < 5);
        }
        Ok(())
    }

    #[tokio::test]
    async fn refusals_are_problems() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let blank = add(&bench, ALAN, json!({"body": " "}), "a").await;
        assert_eq!((blank.status.as_u16(), blank.header("content-type")), (422, "application/problem+json"));
        assert_eq!(add(&bench, ALAN, json!({"body": "x", "expected_version": 1}), "b").await.status, 409);
        assert_eq!(add(&bench, EVE, json!({"body": "x"}), "c").await.status, 404, "another's ticket");
        assert_eq!(add(&bench, ADA, json!({"body": "x", "public": false}), "d").await.status, 403);
        assert_eq!(add(&bench, ADA, json!({"body": "x", "author_id": ALAN.id}), "e").await.status, 403);
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": "closed"}})).await;
        assert_eq!(add(&bench, ADA, json!({"body": "x"}), "f").await.status, 422, "closed");
        Ok(())
    }

    #[tokio::test]
    async fn an_early_answer_is_folded_from_the_log() -> anyhow::Result<()> {
        let bench = bench_with_ticket().await?;
        let held = bench.hold_projector().await?;
        let answer = add(&bench, ALAN, json!({"body": "Early"}), "a").await;
        assert_eq!((answer.status.as_u16(), answer.header("x-domicile-visible")), (201, "pending"));
        assert_eq!(answer.body["comment"]["body"], "Early");
        drop(held);
        Ok(())
    }
}
