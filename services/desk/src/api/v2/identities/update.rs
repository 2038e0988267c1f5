//! `PUT /api/v2/users/{id}/identities/{id}`: another address or number in its place, or that it is known to be the user's; `…/verify` and
//! `…/make_primary`. For agents.

use axum::{Json, extract::State, response::IntoResponse};
use domain::person::{
    Person,
    identity::{self, Command},
};
use futures::FutureExt;
use schemas::{IdentityId, PersonId, StreamName};
use serde_json::json;

use super::{changeable, find, folded, known, list};
use crate::{
    api::{
        settle,
        v2::{ids::TwoIds, page::PageQuery, present, users::write},
    },
    body::{Body, Fields, RequestPrint},
    caller::Caller,
    execute::{Batch, Done, Issuer, execute, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::Visible,
};

/// Answers the identity as changed.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, id): TwoIds<PersonId, IdentityId>,
    body: Body,
) -> ApiResult {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => change(&desk, &caller, &by, (person, id, &body)).await?,
    };
    answer(&desk, &caller, (person, id), &done).await
}

/// Answers the identity, verified.
pub(crate) async fn verify(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, id): TwoIds<PersonId, IdentityId>,
    print: RequestPrint,
) -> ApiResult {
    let done = decided(&desk, &caller, (person, Command::Verify(id)), &print).await?;
    answer(&desk, &caller, (person, id), &done).await
}

/// Answers everything the user is known by, as it is then.
pub(crate) async fn make_primary(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, id): TwoIds<PersonId, IdentityId>,
    (query, print): (PageQuery, RequestPrint),
) -> ApiResult {
    let done = decided(&desk, &caller, (person, Command::MakePrimary(id)), &print).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    let page = query.offset_page(&caller)?;
    let all = list::page(&desk, &caller, &page, person).await.map_err(ApiError::after_done)?;
    Ok((written, Json(all)).into_response())
}

async fn decided(
    desk: &Desk,
    caller: &Caller,
    (person, command): (PersonId, Command),
    print: &RequestPrint,
) -> Result<Done, ApiError> {
    changeable(desk, caller, person).await?;
    let by = caller.issuer(desk, print);
    Ok(execute::<Person>(desk, &by, StreamName::Person(person), None, &command.into()).await?)
}

async fn answer(desk: &Desk, caller: &Caller, which: (PersonId, IdentityId), done: &Done) -> ApiResult {
    let written = settle::settled(desk, &caller.resident, done, settle::PEOPLE).await;
    let row = match written.visible {
        Visible::Yes => find(desk, caller, which).await,
        Visible::NotYet => folded(desk, caller, which).await,
    };
    let row = row.map_err(ApiError::after_done)?;
    Ok((written, Json(json!({"identity": present::identity::identity(caller, &row)}))).into_response())
}

/// When the value changes, its claim moves in the same command. What is verified stays so until the value changes.
async fn change(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (person, id, body): (PersonId, IdentityId, &Body),
) -> Result<Done, ApiError> {
    let stream = &StreamName::Person(person);
    let attempt = || async move {
        let (profile, version) = changeable(desk, caller, person).await?;
        let (kind, before) = known(&profile, id)?;
        let mut fields = Fields::root(body, "identity")?;
        let value = fields.checked("value", |sent| identity::value(kind, sent)).filter(|value| *value != before);
        let is_verified = fields.boolean("verified") == Some(true);
        fields.finish()?;
        let mut batch = Batch::new(desk, by);
        if let Some(value) = &value {
            let command = Command::Change(id, value.clone().into()).into();
            batch = batch.decide::<Person>(stream.clone(), Some(version), &command).await?;
            batch = write::release(batch, (desk, by), (person, kind, &before)).await?;
            batch = write::claim(batch, (desk, by), (person, kind, value)).await?;
        }
        let verify =
            if is_verified { Command::Verify(id) } else { Command::Change(id, value.unwrap_or(before).into()) };
        batch = batch.decide::<Person>(stream.clone(), Some(version), &verify.into()).await?;
        Ok(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}
