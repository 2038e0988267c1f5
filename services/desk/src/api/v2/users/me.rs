//! `GET /api/v2/users/me`: the caller.

use axum::{Extension, Json, extract::State};
use serde_json::{Value, json};

use crate::{
    api::{v2::present, who},
    caller::Caller,
    problem::{ApiError, ApiResult},
    session::layer::Taken,
    state::Desk,
};

/// Answers the caller's profile.
pub(crate) async fn me(
    State(desk): State<Desk>,
    caller: Caller,
    session: Option<Extension<Taken>>,
) -> ApiResult<Json<Value>> {
    let row = who::profile(&desk, &caller.resident, caller.person).await?.ok_or_else(ApiError::not_found)?;
    caller.reading.of([row.person_id]);
    let mut user = present::user::user(&caller, &row);
    // What a client with a session bears on whatever changes something; others need none.
    user["authenticity_token"] = json!(session.map(|Extension(taken)| taken.presented.csrf()));
    Ok(Json(json!({"user": user})))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn everybody_learns_who_they_are() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [ADA, ALAN] {
            let body = bench.get(who, "/api/v2/users/me.json").await.body;
            assert_eq!((&body["user"]["id"], &body["user"]["authenticity_token"]), (&json!(who.id), &json!(null)));
        }
        Ok(())
    }
}
