//! `POST /api/v2/users/create_or_update`: the user with this address is changed, or made known; for agents.

use axum::{Json, extract::State, response::IntoResponse};

use super::{
    answer, create,
    request::{Name, UserRequest},
    update,
};
use crate::{api::who, body::Body, caller::Caller, problem::ApiResult, state::Desk};

/// Answers the user: 200 when there was one, 201 when not.
pub(crate) async fn create_or_update(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_agent()?;
    let mut by = caller.issuer(&desk, &body.print);
    // The address makes a repeated request find the user that the first one added.
    by.idempotency = None;
    let request = UserRequest::read(&body, Name::Required)?;
    let holder = match request.email.as_ref().and_then(Option::as_deref) {
        Some(email) => who::holder(&desk, &caller.resident, email).await?,
        None => None,
    };
    let Some(person) = holder else {
        let done = create::add(&desk, &caller, &by, request).await?;
        return create::created(&desk, &caller, &done).await;
    };
    let done = update::change(&desk, &caller, &by, (person, request)).await?;
    let (written, body) = answer::written(&desk, &caller, person, &done).await?;
    Ok((written, Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, email};

    #[tokio::test]
    async fn a_known_address_is_changed_and_an_unknown_one_added() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let path = "/api/v2/users/create_or_update";
        let known =
            bench.post(ALAN, path, json!({"user": {"name": "Ada Lovelace", "email": email("acme", ADA)}})).await;
        assert_eq!(known.status, 200, "{}", known.body);
        assert_eq!((&known.body["user"]["id"], &known.body["user"]["name"]), (&json!(ADA.id), &json!("Ada Lovelace")));
        let user = json!({"user": {"name": "Zoe", "email": "zoe@example.org"}});
        let (added, again) = (bench.post(ALAN, path, user.clone()).await, bench.post(ALAN, path, user).await);
        assert_eq!((added.status.as_u16(), again.status.as_u16()), (201, 200));
        assert_eq!(added.body, again.body);
        assert_eq!(bench.post(ADA, path, json!({"user": {"name": "x"}})).await.status, 403);
        assert_eq!(bench.post(ALAN, path, json!({"user": {"email": 5}})).await.wrong_fields(), ["email", "name"]);
        Ok(())
    }
}
