//! `DELETE /api/v2/deleted_users/{id}`: erases a deleted user for good, for admins. Name, address and credentials are gone from the
//! log, every copy of it and every archive; what the user wrote stays with the tickets.

use axum::{Json, extract::State, response::IntoResponse};
use schemas::{PersonId, values::Role};
use serde_json::json;

use crate::{
    api::{
        settle,
        v2::{ids::Id, present},
    },
    body::RequestPrint,
    caller::Caller,
    erase,
    problem::{ApiError, ApiResult},
    read::{self, people::Person},
    state::Desk,
};

/// Answers what is left of the user.
pub(crate) async fn destroy(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = erase::person(&desk, &by, person).await?.done;
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE_TEXTS).await;
    let mut transaction = desk.reading(&caller.resident).await.map_err(|error| ApiError::from(error).after_done())?;
    let row = read::people::one(&mut transaction, &caller.resident, person).await;
    let row = row.map_err(|error| ApiError::from(error).after_done())?.ok_or_else(ApiError::not_found)?;
    // Also where the read model is late: the answer to an erasure does not tell what was erased.
    let row = Person {
        name: "Permanently Deleted User".to_owned(),
        email: None,
        role: Role::EndUser.to_string(),
        is_active: false,
        ..row
    };
    Ok((written, Json(json!({"deleted_user": present::user::deleted_user(&caller, &row)}))))
}
