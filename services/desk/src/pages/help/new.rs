//! `GET /requests/new` and `POST /requests`: asking.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use schemas::StreamName;
use serde_json::{Map, Value, json};

use super::fault_of;
use crate::{
    api::{
        settle,
        v2::tickets::create::{Intake, open},
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::{Done, replayed},
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    state::Desk,
};

#[derive(Template)]
#[template(path = "help/new.html")]
struct NewPage<'a> {
    frame: &'a Frame,
    once: String,
    subject: &'a str,
    subject_error: Option<String>,
    body: &'a str,
    body_error: Option<String>,
}

pub(super) async fn show(State(desk): State<Desk>, _caller: Caller, frame: Frame) -> ApiResult {
    let once = desk.ids.uuid().to_string();
    let page = NewPage { frame: &frame, once, subject: "", subject_error: None, body: "", body_error: None };
    frame.page(&page)
}

/// Opens the request and shows it; shows the form again with what was typed and what is wrong with it.
pub(super) async fn send(State(desk): State<Desk>, caller: Caller, frame: Frame, form: Form) -> ApiResult {
    let (subject, body) = (form.text("subject"), form.text("body"));
    let blank = |text: &str, key| text.is_empty().then(|| frame.words.say(key).to_string());
    let again = |subject_error, body_error| {
        let once = desk.ids.uuid().to_string();
        let page = NewPage { frame: &frame, once, subject, subject_error, body, body_error };
        frame.respond(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let missing = (blank(subject, "help-subject-blank"), blank(body, "help-body-blank"));
    if missing.0.is_some() || missing.1.is_some() {
        return again(missing.0, missing.1);
    }
    match ask(&desk, &caller, &form, &ticket(subject, body)).await {
        Ok(ticket) => Ok(Redirect::to(&format!("/requests/{ticket}")).into_response()),
        Err(error) if !error.fields().is_empty() => {
            let of = |names: &[&str]| fault_of(error.fields(), names);
            let (subject_error, body_error) = (of(&["subject"]), of(&["comment.body", "comment"]));
            // What no field of this form can mend is said in full.
            if subject_error.is_none() && body_error.is_none() { Err(error) } else { again(subject_error, body_error) }
        }
        Err(error) => Err(error),
    }
}

/// A ticket as the API takes it.
fn ticket(subject: &str, body: &str) -> Map<String, Value> {
    let sent = json!({"subject": subject, "comment": {"body": body, "public": true}});
    sent.as_object().expect("a literal object").clone()
}

/// Opens a ticket of the caller's, once for each filling-in of the form, and answers its number.
pub(super) async fn ask(
    desk: &Desk,
    caller: &Caller,
    form: &Form,
    ticket: &Map<String, Value>,
) -> Result<i64, ApiError> {
    let by = caller.issuer(desk, &form.print);
    let done: Done = match replayed(desk, &by).await? {
        Some(done) => done,
        None => open(desk, caller, &by, (Fields::new(ticket, ""), Intake::Now)).await?,
    };
    let Some(StreamName::Ticket(ticket)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    settle::settled(desk, &caller.resident, &done, settle::TICKET).await;
    Ok(ticket.get())
}
