//! `POST /api/v2/users/{id}/identities`: a user is known by one thing more, for agents.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::person::{Person, identity};
use futures::FutureExt;
use schemas::{
    IdentityId, PersonId, Personal, Position, StreamName, TenantLogEvent, person::PersonEvent, values::IdentityKind,
};
use serde_json::json;

use super::{changeable, folded};
use crate::{
    api::{
        add_person::allocate_id,
        settle,
        v2::{ids::Id, present, users::write},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    read::{self, identities},
    state::Desk,
    visible::Visible,
};

/// What a client asks for.
struct Request {
    kind: IdentityKind,
    value: String,
    is_verified: bool,
    is_primary: bool,
}

/// Answers the identity.
pub(crate) async fn create(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    body: Body,
) -> ApiResult {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            changeable(&desk, &caller, person).await?;
            add(&desk, &caller, &by, (person, read(&body)?)).await?
        }
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    let identity = added(&desk, &caller, &done).await.map_err(ApiError::after_done)?;
    let row = match written.visible {
        Visible::Yes => {
            let reading = desk.reading(&caller.resident).await;
            let mut transaction = reading.map_err(|error| ApiError::from(error).after_done())?;
            identities::one(&mut transaction, &caller.resident, (person, identity)).await
        }
        Visible::NotYet => Ok(None),
    };
    let row = match row.map_err(|error| ApiError::from(error).after_done())? {
        Some(row) => row,
        None => folded(&desk, &caller, (person, identity)).await.map_err(ApiError::after_done)?,
    };
    let shown = present::identity::identity(&caller, &row);
    let location = [(LOCATION, shown["url"].as_str().unwrap_or_default().to_owned())];
    Ok((StatusCode::CREATED, location, written, Json(json!({"identity": shown}))).into_response())
}

fn read(body: &Body) -> Result<Request, ApiError> {
    let mut fields = Fields::root(body, "identity")?;
    if fields.value("type").is_none() {
        fields.fault("type", "cannot be blank", "BlankValue");
    }
    let kind: Option<IdentityKind> = fields.word("type");
    let value = fields.required("value", |sent| match kind {
        Some(kind) => identity::value(kind, sent),
        None => Ok(String::new()),
    });
    let is_verified = fields.boolean("verified").unwrap_or(false);
    let is_primary = fields.boolean("primary").unwrap_or(false);
    fields.finish()?;
    let kind = kind.unwrap_or(IdentityKind::Email);
    Ok(Request { kind, value: value.unwrap_or_default(), is_verified, is_primary })
}

async fn add(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (person, request): (PersonId, Request),
) -> Result<Done, ApiError> {
    let identity = IdentityId::new(allocate_id(desk, &caller.resident).await?);
    let stream = &StreamName::Person(person);
    let request = &request;
    let attempt = || async move {
        let value: Personal<String> = request.value.clone().into();
        let add = identity::Command::Add(identity, request.kind, value).into();
        let mut batch = Batch::new(desk, by).decide::<Person>(stream.clone(), None, &add).await?;
        if request.is_verified {
            batch = batch.decide::<Person>(stream.clone(), None, &identity::Command::Verify(identity).into()).await?;
        }
        if request.is_primary {
            let choose = identity::Command::MakePrimary(identity).into();
            batch = batch.decide::<Person>(stream.clone(), None, &choose).await?;
        }
        batch = write::claim(batch, (desk, by), (person, request.kind, &request.value)).await?;
        Ok(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}

/// The identity that a command added, by the log itself: a repeated request finds the one of then.
async fn added(desk: &Desk, caller: &Caller, done: &Done) -> Result<IdentityId, ApiError> {
    let before = Position::new(done.first.get() - 1);
    let logged = read::log::page(desk, &caller.resident, before, 1).await?.pop();
    match logged.and_then(|logged| logged.event) {
        Some(TenantLogEvent::Person(PersonEvent::IdentityAdded(added))) => Ok(added.identity),
        _ => Err(ApiError::idempotency_key_reused()),
    }
}
