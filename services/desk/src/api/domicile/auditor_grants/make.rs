//! `POST /api/domicile/v1/auditor_grants`: lets an auditor in, for admins. The token is in this answer and nowhere else.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::{
    person::{GRANTED_TICKETS_MAX, GrantAuditor, Person},
    text,
};
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use schemas::{PersonId, StreamName, TicketId, TokenId};
use serde_json::{Value, json};

use super::{Shown, present};
use crate::{
    api::{
        claim,
        settle::{self, settled},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::execute,
    problem::{ApiError, ApiResult},
    read,
    signup::{new_api_token, token_sha256},
    state::Desk,
};

/// What the admin wants.
struct Wanted {
    name: String,
    email: String,
    expires_at: Timestamp,
    tickets: Vec<i64>,
}

/// Takes `name`, `email`, `expires_at` and perhaps `tickets`. Answers the grant and its token.
pub(crate) async fn make(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    claim::refuse_key(&by)?;
    let wanted = read(&desk, &body, by.at)?;
    are_there(&desk, &caller.resident, &wanted.tickets).await?;
    let mut connection = desk.pool.acquire().await?;
    let id = eventlog::allocate_ids(&mut connection, &caller.resident, 2).await?;
    drop(connection);
    let (person, token) = (PersonId::new(id), TokenId::new(id + 1));
    let secret = new_api_token(&desk);
    let command = GrantAuditor {
        person,
        name: wanted.name.clone().into(),
        email: wanted.email.clone().into(),
        token,
        token_sha256: token_sha256(&secret).into(),
        expires_at: wanted.expires_at,
        tickets: wanted.tickets.iter().copied().map(TicketId::new).collect(),
    };
    let done = execute::<Person>(&desk, &by, StreamName::Person(person), None, &command.into()).await?;
    let written = settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    let shown = Shown {
        id: person.get(),
        name: &wanted.name,
        email: Some(&wanted.email),
        expires_at: wanted.expires_at,
        tickets: &wanted.tickets,
        active: true,
        revoked_at: None,
        created_at: by.at,
    };
    let headers = [
        (header::LOCATION, caller.origin.url(&format!("/api/domicile/v1/auditor_grants/{person}"))),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let answer = json!({"auditor_grant": present(&shown), "token": secret});
    Ok((StatusCode::CREATED, written, headers, Json(answer)).into_response())
}

fn read(desk: &Desk, body: &Body, now: Timestamp) -> Result<Wanted, ApiError> {
    let days = desk.regions.policy().auditor_grant_days();
    let latest = now + SignedDuration::from_hours(24 * i64::from(days));
    let mut fields = Fields::new(&body.object, "");
    let name = fields.required("name", text::name);
    let email = fields.required("email", text::email);
    let expires_at = fields.required("expires_at", |text| match text.parse::<Timestamp>() {
        Ok(time) if time > now && time <= latest => Ok(time),
        _ => Err(format!("takes a moment in the next {days} days, such as {latest}")),
    });
    let tickets = tickets(&mut fields);
    fields.finish()?;
    let absent = || ApiError::internal("a grant without a fault lacks a field");
    // Stores keep whole microseconds; what is answered and what is kept are the same.
    let expires_at = expires_at.and_then(|time| Timestamp::from_microsecond(time.as_microsecond()).ok());
    Ok(Wanted {
        name: name.ok_or_else(absent)?,
        email: email.ok_or_else(absent)?,
        expires_at: expires_at.ok_or_else(absent)?,
        tickets,
    })
}

/// The tickets' numbers, each once, in order. None at all is everything; an empty list would be nothing, so it is refused.
fn tickets(fields: &mut Fields<'_>) -> Vec<i64> {
    let Some(value) = fields.value("tickets") else { return Vec::new() };
    let numbers: Option<Vec<i64>> = value.as_array().and_then(|list| list.iter().map(Value::as_i64).collect());
    let Some(mut numbers) = numbers.filter(|numbers| (1..=GRANTED_TICKETS_MAX).contains(&numbers.len())) else {
        let takes =
            format!("takes a list of 1 to {GRANTED_TICKETS_MAX} numbers of tickets; without it, everything is granted");
        fields.fault("tickets", takes, "InvalidValue");
        return Vec::new();
    };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Refuses numbers of no ticket: whatever gets the number later would be granted with it.
async fn are_there(desk: &Desk, resident: &Resident, tickets: &[i64]) -> Result<(), ApiError> {
    if tickets.is_empty() {
        return Ok(());
    }
    settle::catch_up(desk, resident, &["ticket_list"]).await?;
    let mut transaction = desk.reading(resident).await?;
    let known = read::tickets::known(&mut transaction, resident, tickets).await?;
    match tickets.iter().find(|ticket| !known.contains(ticket)) {
        Some(missing) => {
            let takes = format!("tickets: takes numbers of tickets; there is no ticket {missing}");
            Err(ApiError::invalid("tickets", takes, "InvalidValue"))
        }
        None => Ok(()),
    }
}
