//! `POST /api/v2/api_tokens`: an admin issues a token, for themselves or for another person.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::{
    person::{self, Person},
    text,
};
use jiff::Timestamp;
use schemas::{PersonId, StreamName, TokenId};
use serde_json::json;

use super::{Shown, present};
use crate::{
    api::{
        claim,
        settle::{self, settled},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Done, Issuer, Refusal, execute},
    problem::{ApiError, ApiResult},
    signup::{new_api_token, token_sha256},
    state::Desk,
};

/// A token that was issued.
pub(crate) struct Issued {
    /// What is shown of it.
    pub(crate) shown: Shown,
    /// The token itself; none for a request that was carried out earlier: it was shown then, and nobody keeps it.
    pub(crate) secret: Option<String>,
    /// What was done.
    pub(crate) done: Done,
}

struct Wanted {
    person: PersonId,
    description: String,
    expires_at: Option<Timestamp>,
}

pub(super) async fn issue(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    claim::refuse_key(&by)?;
    let Issued { shown, secret, done } = carry_out(&desk, &caller, &by, Fields::root(&body, "api_token")?).await?;
    let written = settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    let mut answer = present(&shown, &caller.origin);
    answer["token"] = secret.into();
    let headers = [
        (header::LOCATION, caller.origin.url(&format!("/api/v2/api_tokens/{}.json", shown.id))),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, written, headers, Json(json!({ "api_token": answer }))).into_response())
}

/// Issues the token that was asked for, for admins.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    fields: Fields<'_>,
) -> Result<Issued, ApiError> {
    caller.require_admin()?;
    let Wanted { person, description, expires_at } = read(fields, caller, by.at)?;
    let mut connection = desk.pool.acquire().await?;
    let token = TokenId::new(eventlog::allocate_ids(&mut connection, &caller.resident, 1).await?);
    drop(connection);
    let secret = new_api_token(desk);
    let command = person::IssueToken {
        token,
        token_sha256: token_sha256(&secret).into(),
        description: description.clone().into(),
        expires_at,
    };
    let done = execute::<Person>(desk, by, StreamName::Person(person), None, &command.into()).await;
    let done = done.map_err(|refusal| match refusal {
        Refusal::Rejected(person::Rejection::Unknown) => {
            ApiError::invalid("user_id", "user_id: takes the id of a person", "InvalidValue")
        }
        other => other.into(),
    })?;
    let shown =
        Shown { id: token.get(), user_id: person.get(), description, active: true, expires_at, created_at: by.at };
    Ok(Issued { shown, secret: (!done.replayed).then_some(secret), done })
}

fn read(mut fields: Fields<'_>, caller: &Caller, now: Timestamp) -> Result<Wanted, ApiError> {
    let description = fields.required("description", text::description);
    let person = fields.integer("user_id").map_or(caller.person, PersonId::new);
    let expires_at = fields.checked("expires_at", |text| match text.parse::<Timestamp>() {
        Ok(time) if time > now => Ok(time),
        _ => Err("takes a moment in the future, such as 2030-01-31T12:00:00Z"),
    });
    fields.finish()?;
    let description = description.ok_or_else(|| ApiError::internal("a token without a fault lacks a description"))?;
    // Stores keep whole microseconds; what is answered and what is kept are the same.
    let expires_at = expires_at.and_then(|time| Timestamp::from_microsecond(time.as_microsecond()).ok());
    Ok(Wanted { person, description, expires_at })
}
