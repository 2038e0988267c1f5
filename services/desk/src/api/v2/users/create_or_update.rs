//! `POST /api/v2/users/create_or_update`: the user with this id, this id elsewhere or this address is changed, or made known; for agents.

use axum::{Json, extract::State, response::IntoResponse};
use schemas::{PersonId, Position, StreamName, TenantLogEvent, person::PersonEvent};

use super::{
    answer, create,
    request::{Name, UserRequest},
    update,
};
use crate::{
    api::{unique::Unique, who},
    body::Body,
    caller::Caller,
    execute::{Done, replayed},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the user: 200 when there was one, 201 when not.
pub(crate) async fn create_or_update(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let request = UserRequest::read(&body, Name::Required)?;
    if let Some(done) = replayed(&desk, &by).await? {
        return again(&desk, &caller, &done, &request).await;
    }
    match holder(&desk, &caller, &request).await? {
        Some(person) => {
            let done = update::change(&desk, &caller, &by, (person, None, request)).await?;
            changed(&desk, &caller, person, &done).await
        }
        None => create::created(&desk, &caller, &create::add(&desk, &caller, &by, request).await?).await,
    }
}

/// The answer to a repeated request, whoever has the address by now.
async fn again(desk: &Desk, caller: &Caller, done: &Done, request: &UserRequest) -> ApiResult {
    let before = Position::new(done.first.get() - 1);
    let first = read::log::page(desk, &caller.resident, before, 1).await?.pop();
    let is_added =
        first.is_some_and(|logged| matches!(logged.event, Some(TenantLogEvent::Person(PersonEvent::PersonAdded(_)))));
    match done.stream {
        Some(StreamName::Person(_)) if is_added => create::created(desk, caller, done).await,
        Some(StreamName::Person(person)) => changed(desk, caller, person, done).await,
        // The first one changed nothing.
        _ => {
            let person = holder(desk, caller, request).await?.ok_or_else(ApiError::not_found)?;
            changed(desk, caller, person, done).await
        }
    }
}

async fn changed(desk: &Desk, caller: &Caller, person: PersonId, done: &Done) -> ApiResult {
    let (written, body) = answer::written(desk, caller, person, done).await.map_err(ApiError::after_done)?;
    Ok((written, Json(body)).into_response())
}

async fn holder(desk: &Desk, caller: &Caller, request: &UserRequest) -> Result<Option<PersonId>, ApiError> {
    if let Some(id) = request.id {
        return Ok(Some(PersonId::new(id)));
    }
    if let Some(id) = request.external_id()
        && let Some(holder) = Unique::UserExternalId.holder(desk, &caller.resident, id).await?
    {
        return Ok(Some(PersonId::new(holder)));
    }
    match request.email.as_ref().and_then(Option::as_deref) {
        Some(email) => who::holder(desk, &caller.resident, email).await,
        None => Ok(None),
    }
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
        let max = |name: &str| json!({"user": {"name": name, "email": "max@example.org"}});
        let keyed = async |name, key| bench.keyed("POST", ALAN, (path, max(name)), key).await;
        let (added, changed) = (keyed("Max", "add").await, keyed("Maxi", "change").await);
        assert_eq!((added.status.as_u16(), changed.status.as_u16()), (201, 200));
        for (name, key, status) in [("Max", "add", 201), ("Maxi", "change", 200)] {
            let again = keyed(name, key).await;
            assert_eq!((again.status.as_u16(), again.header("x-domicile-replayed")), (status, "yes"));
            assert_eq!(again.body["user"]["name"], "Maxi", "what it is by now");
        }
        assert_eq!(bench.post(ADA, path, json!({"user": {"name": "x"}})).await.status, 403);
        assert_eq!(bench.post(ALAN, path, json!({"user": {"email": 5}})).await.wrong_fields(), ["email", "name"]);
        Ok(())
    }
}
