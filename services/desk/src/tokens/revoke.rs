//! `DELETE /api/v2/api_tokens/{id}`: an admin revokes any token, everybody else their own.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use domain::person::{self, Person};
use schemas::{PersonId, StreamName, TokenId};

use crate::{
    api::settle::{self, settled},
    body::RequestPrint,
    caller::Caller,
    execute::{Done, Issuer, execute},
    problem::{ApiError, ApiResult},
    state::Desk,
};

pub(super) async fn revoke(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    print: RequestPrint,
) -> ApiResult {
    let token: TokenId = id.parse().map_err(|_| ApiError::invalid_parameter("id", "an integer"))?;
    let by = caller.issuer(&desk, &print);
    let done = carry_out(&desk, &caller, &by, token).await?;
    let written = settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    Ok((StatusCode::NO_CONTENT, written, ()).into_response())
}

/// Revokes a token: any of the tenant for an admin, their own for everybody else.
pub(crate) async fn carry_out(desk: &Desk, caller: &Caller, by: &Issuer, token: TokenId) -> Result<Done, ApiError> {
    let person = holder(desk, caller, token).await?;
    // Whether a token exists is a secret to those who may not see it.
    if person != caller.person && caller.require_admin().is_err() {
        return Err(ApiError::not_found());
    }
    let command = person::RevokeToken { token };
    Ok(execute::<Person>(desk, by, StreamName::Person(person), None, &command.into()).await?)
}

/// Whose token it is.
async fn holder(desk: &Desk, caller: &Caller, token: TokenId) -> Result<PersonId, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let person = sqlx::query_scalar!(
        "select person_id from api_token where tenant_id = $1 and token_id = $2",
        caller.resident.tenant_id().get(),
        token.get(),
    );
    let person = person.fetch_optional(&mut *transaction).await?;
    person.map(PersonId::new).ok_or_else(ApiError::not_found)
}
