//! `POST /agent/tickets/{id}`: says something on a ticket and changes it, as one command; or lays a macro over the form, and sends nothing.
//!
//! The form says which version of the ticket its reader saw, and only what they changed since is sent. If somebody else was faster,
//! the draft comes back with what they did, every field that its writer left alone as it is now, and a button that sends it all the same.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use schemas::{RuleId, StreamName, TicketId, Version};
use serde_json::{Value, json};

use super::{
    Agent,
    attributes::Attributes,
    faults::Faults,
    terms,
    ticket::{self, Draft, Known},
};
use crate::{
    api::{
        fold::Fold,
        settle,
        v2::{
            ids::{Id, TwoIds},
            macros::apply,
            tickets::update::{change, in_sight},
            uploads::create::{self, Sent},
        },
    },
    body::{
        Fields,
        form::Form,
        multipart::{File, FormWithFiles},
    },
    caller::Caller,
    execute::{Issuer, replayed},
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::{self, Sight, tickets::Ticket},
    state::Desk,
    visible::WroteNothing,
};

/// Sends the form, or lays the chosen macro over it.
#[tracing::instrument(name = "desk.reply", skip_all, fields(tenant.id = %caller.resident.tenant_id(), stream = %StreamName::Ticket(ticket)))]
pub(super) async fn send(
    State(desk): State<Desk>,
    Agent(caller): Agent,
    frame: Frame,
    Id(ticket): Id<TicketId>,
    sent: FormWithFiles,
) -> ApiResult {
    let FormWithFiles { form, files, .. } = &sent;
    let by = caller.issuer(&desk, &form.print);
    let back = || Redirect::to(&format!("/agent/tickets/{ticket}?sent=1"));
    let is_filling = form.text("do") == "fill";
    if !is_filling && replayed(&desk, &by).await?.is_some() {
        return Ok(back().into_response());
    }
    let row = in_sight(&desk, &caller, ticket).await?;
    let version = form.text("version").parse().unwrap_or(row.version);
    let seen = if version == row.version { None } else { as_of(&desk, &caller, ticket, version).await? };
    let known = Known::load(&desk, &caller, &[&row, seen.as_ref().unwrap_or(&row)]).await?;
    let fields = &known.offered.known;
    let untouched = known.attributes(seen.as_ref().unwrap_or(&row)).with(&Attributes::untouched(form, fields));
    let mine = Attributes::read(form, fields).changed_from(&untouched);
    let mut draft = Draft {
        version,
        attributes: known.attributes(&row).with(&mine),
        comment: form.text("comment").to_owned(),
        is_note: form.text("said") == "note",
        ..Draft::default()
    };
    let around = (&desk, &caller, &frame);
    let outcome = match take_files(&desk, &caller, (&by, form, files), &mut draft).await {
        Err(error) => Err(error),
        Ok(()) if is_filling => match form.text("macro").parse() {
            Ok(rule) => match fill(&desk, &caller, (ticket, rule), (&row, &known), &mut draft).await {
                Ok(()) => return draft_page(around, (&row, &known), &draft, StatusCode::OK).await,
                Err(error) => Err(error),
            },
            Err(_) => return draft_page(around, (&row, &known), &draft, StatusCode::OK).await,
        },
        Ok(()) => {
            let request = request(&mine, &draft, &known);
            change(&desk, &caller, &by, (&row, Fields::new(&request, ""))).await
        }
    };
    // The same form that was sent twice at once: the other one was faster, and met no conflict.
    let outcome = match outcome {
        Err(error) if !is_filling => match replayed(&desk, &by).await {
            Ok(Some(done)) => Ok(done),
            Ok(None) | Err(_) => Err(error),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(done) => {
            let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
            Ok((written, back()).into_response())
        }
        Err(error) if error.status() == StatusCode::CONFLICT && error.fields().is_empty() => {
            conflict(around, (ticket, &mine), draft).await
        }
        Err(error) if !error.fields().is_empty() => {
            draft.faults = Faults::of(&error, &frame.words, &known.offered.known);
            draft_page(around, (&row, &known), &draft, error.status()).await
        }
        Err(error) => Err(error),
    }
}

/// The draft again. Nothing was written, so that the answer is the read it is.
async fn draft_page(
    around: (&Desk, &Caller, &Frame),
    of: (&Ticket, &Known),
    draft: &Draft,
    status: StatusCode,
) -> ApiResult {
    let page = ticket::page(around, of, (draft, None), status).await?;
    Ok((Extension(WroteNothing), page).into_response())
}

/// The files of the form join those of an earlier sending, under one token that the draft keeps.
async fn take_files(
    desk: &Desk,
    caller: &Caller,
    (by, form, files): (&Issuer, &Form, &[File]),
    draft: &mut Draft,
) -> Result<(), ApiError> {
    draft.upload = form.text("upload").to_owned();
    draft.files = form.all("uploaded").map(str::to_owned).collect();
    for file in files {
        // Commands of their own: the form's key is that of what is said.
        let by = Issuer { command_id: desk.new_command_id(), idempotency: None, ..by.clone() };
        let token = Some(draft.upload.as_str()).filter(|token| !token.is_empty());
        let sent = Sent { name: &file.name, content_type: file.content_type.as_deref(), bytes: &file.bytes };
        let token = create::take(desk, caller, by, (token, sent)).await.map_err(of_file)?;
        draft.upload = token;
        draft.files.push(file.name.clone());
    }
    Ok(())
}

/// A refused file is a fault of the field that chose it.
fn of_file(error: ApiError) -> ApiError {
    match error.fields().first() {
        Some(fault) => ApiError::invalid("file", fault.description.clone(), fault.code),
        None => error,
    }
}

/// What is sent: what was changed, and what is said if anything is.
fn request(mine: &Attributes, draft: &Draft, known: &Known) -> serde_json::Map<String, Value> {
    let mut request = mine.request(&known.offered.known);
    request.insert("expected_version".to_owned(), json!(draft.version));
    request.insert("via".to_owned(), json!({"channel": "web"}));
    if !draft.comment.is_empty() || !draft.upload.is_empty() {
        let uploads: Vec<&str> = Some(draft.upload.as_str()).into_iter().filter(|token| !token.is_empty()).collect();
        let comment = json!({"body": draft.comment, "public": !draft.is_note, "uploads": uploads});
        request.insert("comment".to_owned(), comment);
    }
    request
}

/// The ticket at a version, from the log; nothing, if it has none such.
async fn as_of(desk: &Desk, caller: &Caller, ticket: TicketId, version: i64) -> Result<Option<Ticket>, ApiError> {
    let (stream, until) = (StreamName::Ticket(ticket), Version::new(version.max(0)));
    let logged = read::log::stream_until(desk, &caller.resident, (&stream, until)).await?;
    Ok(Fold::of(ticket, &logged).row(ticket, Sight::Everything))
}

/// The draft on top of the ticket as it is now, and what others did since it was begun.
async fn conflict(
    around: (&Desk, &Caller, &Frame),
    (ticket, mine): (TicketId, &Attributes),
    draft: Draft,
) -> ApiResult {
    let (desk, caller, frame) = around;
    settle::catch_up(desk, &caller.resident, settle::TICKET).await?;
    let row = in_sight(desk, caller, ticket).await?;
    let seen = as_of(desk, caller, ticket, draft.version).await?;
    let known = Known::load(desk, caller, &[&row, seen.as_ref().unwrap_or(&row)]).await?;
    let now = known.attributes(&row);
    let changed = seen.as_ref().map(|seen| now.changed_from(&known.attributes(seen))).unwrap_or_default();
    let names = changed.names().map(|name| terms::field(&frame.words, name, &known.offered.known)).collect();
    let draft = Draft { version: row.version, attributes: now.with(mine), meanwhile: Some(names), ..draft };
    draft_page(around, (&row, &known), &draft, StatusCode::CONFLICT).await
}

/// Lays a macro over a draft: what it changes on the ticket as it is, and what it says below what was typed.
async fn fill(
    desk: &Desk,
    caller: &Caller,
    (ticket, rule): (TicketId, RuleId),
    (row, known): (&Ticket, &Known),
    draft: &mut Draft,
) -> Result<(), ApiError> {
    let axum::Json(answer) = apply::apply_to_ticket(State(desk.clone()), caller.clone(), TwoIds(ticket, rule)).await?;
    let shown = &answer["result"]["ticket"];
    let text = |name: &str| shown[name].as_str().map(str::to_owned);
    let fields = shown["custom_fields"].as_array().into_iter().flatten();
    let fields = fields.map(|field| (field["id"].to_string(), field["value"].clone()));
    let tags = shown["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let would_be = Ticket {
        subject: text("subject").unwrap_or_default(),
        status: text("status").unwrap_or_default(),
        priority: text("priority"),
        ticket_type: text("type"),
        assignee_id: shown["assignee_id"].as_i64(),
        group_id: shown["group_id"].as_i64(),
        tags: tags.map(str::to_owned).collect(),
        custom_fields: Value::Object(fields.collect()),
        ..row.clone()
    };
    let (is, was) = (known.attributes(&would_be), known.attributes(row));
    draft.attributes = std::mem::take(&mut draft.attributes).changed_like(&was, &is);
    if let Some(body) = shown["comment"]["body"].as_str().filter(|body| !body.is_empty()) {
        let between = if draft.comment.is_empty() { "" } else { "\n\n" };
        draft.comment = format!("{}{between}{body}", draft.comment);
        draft.is_note = shown["comment"]["public"] == false;
    }
    draft.is_filled = true;
    Ok(())
}
