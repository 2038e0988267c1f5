//! `/account/data`: what is held about the person who asks, as a page and as files to take along (GDPR, articles 15 and 20), and a
//! request to the desk to erase it (article 17). Erasing is the desk's to do: what it has to keep, it has to say.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect},
};
use schemas::values::ReadKind;
use serde_json::{Value, json};

use super::{new::ask, own};
use crate::{
    api::v2::{
        page::PageQuery,
        present::{self, moment},
    },
    body::form::Form,
    caller::Caller,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::{self, Window, identities::Identity, people::Person, tickets::Filter},
    state::Desk,
};

/// Requests in one file.
const PART_LENGTH: i64 = 200;
/// Comments of one request read at a time.
const COMMENTS_LENGTH: i64 = 500;

#[derive(Template)]
#[template(path = "help/data.html")]
struct DataPage<'a> {
    frame: &'a Frame,
    once: String,
    region_name: &'a str,
    jurisdiction: &'a str,
    person: Person,
    identities: Vec<Identity>,
    request_count: i64,
    /// The numbers of the files.
    parts: Vec<i64>,
}

pub(super) async fn show(State(desk): State<Desk>, caller: Caller, frame: Frame) -> ApiResult {
    let (person, identities) = held(&desk, &caller).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let request_count = read::tickets::count(&mut transaction, &caller.resident, Filter::of(own(&caller))).await?;
    drop(transaction);
    caller.reading.of([caller.person.get()]);
    let page = DataPage {
        frame: &frame,
        once: desk.ids.uuid().to_string(),
        region_name: &desk.region.name,
        jurisdiction: &desk.region.jurisdiction,
        person,
        identities,
        request_count,
        parts: (1..=parts(request_count)).collect(),
    };
    frame.page(&page)
}

/// How many files the requests fill; a person without any has one with the profile.
const fn parts(requests: i64) -> i64 {
    let full = (requests + PART_LENGTH - 1) / PART_LENGTH;
    if full == 0 { 1 } else { full }
}

/// `GET /account/data/export?part=1`: the profile, and a part of the requests with what everybody said who may be read.
pub(super) async fn export(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult {
    let takes = || ApiError::invalid_parameter("part", "the number of a file, from 1");
    let part = query.get("part").map_or(Ok(1), |text| text.parse::<i64>().map_err(|_| takes()))?;
    let (person, identities) = held(&desk, &caller).await?;
    let (sight, resident) = (own(&caller), &caller.resident);
    let mut transaction = desk.reading(resident).await?;
    let count = read::tickets::count(&mut transaction, resident, Filter::of(sight)).await?;
    if !(1..=parts(count)).contains(&part) {
        return Err(takes());
    }
    let window =
        Window { after: 0, before: None, limit: PART_LENGTH, offset: (part - 1) * PART_LENGTH, is_by_offset: true };
    let ids = read::tickets::ids(&mut transaction, resident, Filter::of(sight), window).await?;
    let tickets = read::tickets::many(&mut transaction, resident, sight, &ids).await?;
    drop(transaction);
    let mut requests = Vec::with_capacity(tickets.len());
    for ticket in &tickets {
        let mut request = present::ticket::ticket(&caller, ticket);
        request["comments"] = comments(&desk, &caller, ticket.ticket_id).await?.into();
        requests.push(request);
    }
    caller.reading.of([caller.person.get()]);
    caller.reading.beside(ReadKind::Ticket, ids);
    let identity = |row: &Identity| json!({"type": row.kind, "value": row.value, "verified": row.is_verified, "primary": row.is_primary, "created_at": moment(row.created_at)});
    let held = json!({
        "exported_at": moment(desk.clock.now()),
        "home_region": desk.region.id,
        "jurisdiction": desk.region.jurisdiction,
        "part": part,
        "parts": parts(count),
        "user": present::user::user(&caller, &person),
        "identities": identities.iter().map(identity).collect::<Vec<_>>(),
        "requests": requests,
    });
    let name = format!("attachment; filename=\"my-data-{part}.json\"");
    let body = serde_json::to_vec_pretty(&held).map_err(ApiError::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(ApiError::internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, body).into_response())
}

/// All comments of a request that its requester may read.
async fn comments(desk: &Desk, caller: &Caller, ticket: i64) -> Result<Vec<Value>, ApiError> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let window = Window { after, before: None, limit: COMMENTS_LENGTH, offset: 0, is_by_offset: false };
        let about = (schemas::TicketId::new(ticket), own(caller));
        let mut transaction = desk.reading(&caller.resident).await?;
        let ids = read::comments::ids(&mut transaction, &caller.resident, about, window).await?;
        let rows = read::comments::many(&mut transaction, &caller.resident, &ids).await?;
        drop(transaction);
        let Some(last) = ids.last() else { return Ok(all) };
        after = *last;
        all.extend(present::comment::comments(desk, caller, &rows).await?);
    }
}

/// `POST /account/data/erasure`: asks the desk to erase what it holds, as a request like any other, in the words of who asks.
pub(super) async fn erasure(State(desk): State<Desk>, caller: Caller, frame: Frame, form: Form) -> ApiResult {
    let say = |key| frame.words.say(key).to_string();
    let ticket = json!({"subject": say("help-erasure-subject"), "comment": {"body": say("help-erasure-body")}});
    let ticket = ask(&desk, &caller, &form, ticket.as_object().expect("a literal object")).await?;
    Ok(Redirect::to(&format!("/requests/{ticket}")).into_response())
}

async fn held(desk: &Desk, caller: &Caller) -> Result<(Person, Vec<Identity>), ApiError> {
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let person = read::people::one(&mut transaction, resident, caller.person).await?.ok_or_else(ApiError::not_found)?;
    let window = Window { after: 0, before: None, limit: i64::MAX, offset: 0, is_by_offset: false };
    let ids = read::identities::list(caller.person).ids(&mut transaction, resident, window).await?;
    let identities = read::identities::many(&mut transaction, resident, &ids).await?;
    Ok((person, identities))
}
