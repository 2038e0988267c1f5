//! `GET /api/v2/users/{id}`: one user. End users see themselves.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the user.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(person): Id<PersonId>) -> ApiResult<Json<Value>> {
    if !caller.is_insider() && person != caller.person {
        return Err(ApiError::not_found());
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::people::one(&mut transaction, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"user": present::user::user(&caller, &row)})))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, email, request};

    #[tokio::test]
    async fn agents_see_everybody_and_end_users_themselves() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["email"], email("acme", ADA));
        assert_eq!(bench.get(ADA, "/api/v2/users/3").await.status, 200);
        assert_eq!(bench.get(EVE, "/api/v2/users/3").await.status, 404);
        assert_eq!(bench.get(ALAN, "/api/v2/users/99").await.status, 404);
        let twin = bench.send(request("GET", "globex", Some(ALAN), "/api/v2/users/3", Body::empty())).await;
        assert_eq!(twin.body["user"]["email"], email("globex", ADA), "the same id is another person there");
        Ok(())
    }
}
