//! `GET /requests/{id}`: one's own request with what was said, and `POST` to say more. A request of somebody else does not exist.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use jiff::Timestamp;
use schemas::{TicketId, values::ReadKind};
use serde_json::json;

use super::{fault_of, own, status_key};
use crate::{
    api::{
        html, settle,
        v2::{
            ids::Id,
            present::attachment::Files,
            tickets::update::{change, in_sight},
        },
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::replayed,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::{self, Window, tickets::Ticket},
    state::Desk,
};

/// Comments on a page: the newest, and a link to all before them.
const COMMENTS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "help/request.html")]
struct RequestPage<'a> {
    frame: &'a Frame,
    once: String,
    id: i64,
    subject: String,
    status: &'static str,
    is_closed: bool,
    /// Whether the person may say that it is solved: somebody works on it, and it is not.
    may_solve: bool,
    comments: Vec<Said>,
    /// The oldest comment shown, if there are earlier ones.
    earlier: Option<i64>,
    body: &'a str,
    body_error: Option<String>,
}

struct Said {
    id: i64,
    is_own: bool,
    author: String,
    at: Timestamp,
    /// Cleaned of whatever could do something: see [`html`].
    html: String,
    /// Name and address.
    files: Vec<(String, String)>,
}

pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    frame: Frame,
    query: crate::api::v2::page::PageQuery,
) -> ApiResult {
    let takes = || ApiError::invalid_parameter("before", "the number of a comment");
    let before = query.get("before").map(|text| text.parse::<i64>().map_err(|_| takes())).transpose()?;
    let page = page((&desk, &caller, &frame), ticket, before, ("", None)).await?;
    frame.page(&page)
}

/// Adds what was said, perhaps that it is solved, and shows the request.
pub(super) async fn reply(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    frame: Frame,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let body = form.text("body");
    let outcome = match (replayed(&desk, &by).await?, body.is_empty()) {
        (Some(done), _) => Ok(done),
        (None, true) => {
            let blank = frame.words.say("help-body-blank").to_string();
            Err(ApiError::invalid("comment", blank, "BlankValue"))
        }
        (None, false) => {
            let row = of_caller(&desk, &caller, ticket).await?;
            let mut sent = json!({"comment": {"body": body, "public": true}});
            if form.has("solved") {
                sent["status"] = "solved".into();
            }
            let sent = sent.as_object().expect("a literal object").clone();
            change(&desk, &caller, &by, (&row, Fields::new(&sent, ""))).await
        }
    };
    match outcome {
        Ok(done) => {
            settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
            Ok(Redirect::to(&format!("/requests/{ticket}#end")).into_response())
        }
        Err(error) => {
            let Some(fault) = fault_of(error.fields(), &["comment", "comment.body"]) else { return Err(error) };
            let page = page((&desk, &caller, &frame), ticket, None, (body, Some(fault))).await?;
            frame.respond(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// The ticket, if the caller asked it.
async fn of_caller(desk: &Desk, caller: &Caller, ticket: TicketId) -> Result<Ticket, ApiError> {
    let row = in_sight(desk, caller, ticket).await?;
    if row.requester_id == caller.person.get() { Ok(row) } else { Err(ApiError::not_found()) }
}

async fn page<'a>(
    (desk, caller, frame): (&Desk, &Caller, &'a Frame),
    ticket: TicketId,
    before: Option<i64>,
    (body, body_error): (&'a str, Option<String>),
) -> Result<RequestPage<'a>, ApiError> {
    let (sight, resident) = (own(caller), &caller.resident);
    let mut transaction = desk.reading(resident).await?;
    let row = read::tickets::one(&mut transaction, resident, sight, ticket).await?.ok_or_else(ApiError::not_found)?;
    let window = Window {
        after: 0,
        before: Some(before.unwrap_or(i64::MAX)),
        limit: COMMENTS_MAX + 1,
        offset: 0,
        is_by_offset: false,
    };
    let mut ids = read::comments::ids(&mut transaction, resident, (ticket, sight), window).await?;
    let has_earlier = ids.len() > usize::try_from(COMMENTS_MAX).unwrap_or_default();
    if has_earlier {
        ids.remove(0);
    }
    let comments = read::comments::many(&mut transaction, resident, &ids).await?;
    let authors: Vec<i64> = comments.iter().map(|comment| comment.author_id).collect();
    let people = read::people::many(&mut transaction, resident, &authors).await?;
    drop(transaction);
    caller.reading.beside(ReadKind::User, people.iter().map(|person| person.person_id));
    let names: HashMap<i64, String> = people.into_iter().map(|person| (person.person_id, person.name)).collect();
    let files: Vec<i64> = comments.iter().flat_map(|comment| comment.attachment_ids.iter().copied()).collect();
    let files = Files::load(desk, caller, &files).await?;
    let said = comments.into_iter().map(|comment| Said {
        id: comment.comment_id,
        is_own: comment.author_id == caller.person.get(),
        author: names.get(&comment.author_id).cloned().unwrap_or_default(),
        at: comment.created_at,
        html: html::of_comment(&comment.body, comment.html_body.as_deref()),
        files: files.of(&comment.attachment_ids).into_iter().map(link).collect(),
    });
    let is_closed = row.status == "closed";
    Ok(RequestPage {
        frame,
        once: desk.ids.uuid().to_string(),
        id: row.ticket_id,
        status: status_key(&row.status),
        is_closed,
        may_solve: row.assignee_id.is_some() && !is_closed && row.status != "solved",
        subject: row.subject,
        comments: said.collect(),
        earlier: ids.first().copied().filter(|_| has_earlier),
        body,
        body_error,
    })
}

/// A file's name and address.
fn link(file: &serde_json::Value) -> (String, String) {
    let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
    (text("file_name"), text("content_url"))
}
