//! `POST /api/v2/users`: makes a user known, for agents; agents and admins are added by admins.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use futures::FutureExt;
use schemas::{PersonId, StreamName, values::Role};

use super::{
    answer,
    request::{Name, UserRequest},
    write,
};
use crate::{
    api::{
        add_person::{self, NewPerson},
        v2::present,
    },
    body::Body,
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the user as added.
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => add(&desk, &caller, &by, UserRequest::read(&body, Name::Required)?).await?,
    };
    created(&desk, &caller, &done).await
}

/// Makes the user known, with everything that is told of them, in one command.
pub(crate) async fn add(desk: &Desk, caller: &Caller, by: &Issuer, request: UserRequest) -> Result<Done, ApiError> {
    request.check_role(caller)?;
    write::check(desk, caller, &request).await?;
    let name = request.name.clone().ok_or_else(|| ApiError::invalid("name", "name: takes a name", "BlankValue"))?;
    let (email, role) = (request.email.clone().flatten(), request.role.unwrap_or(Role::EndUser));
    let new = NewPerson { name, email, role };
    let person = add_person::allocate(desk, &by.resident).await?;
    let (new, request) = (&new, &request);
    retried(|| async move { Ok(decide(desk, by, (person, new, request)).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(
    desk: &'a Desk,
    by: &'a Issuer,
    (person, new, request): (PersonId, &NewPerson, &UserRequest),
) -> Result<Batch<'a>, ApiError> {
    let batch = Batch::new(desk, by);
    let added = match request.organization.flatten() {
        Some(organization) => add_person::decide_joining(batch, desk, by, (person, new, Some(organization))).await?,
        None => add_person::decide(batch, desk, by, (person, new)).await?,
    };
    let batch = added.map_err(|_| add_person::email_taken())?;
    write::decide_new(batch, (desk, by), (person, request)).await
}

/// 201 with the user a command made known, and where the user is.
pub(crate) async fn created(desk: &Desk, caller: &Caller, done: &Done) -> ApiResult {
    let Some(StreamName::Person(person)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    let (written, body) = answer::written(desk, caller, person, done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::user::url(caller, person.get()))];
    Ok((StatusCode::CREATED, location, written, Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, GRACE, email};

    #[tokio::test]
    async fn a_user_has_every_attribute_of_its_shape() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let answer =
            bench.post(ALAN, "/api/v2/users.json", json!({"user": {"name": "Zoe", "email": "ZOE@Example.org"}})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("location"), "http://acme.localhost:8080/api/v2/users/6.json");
        assert_eq!(answer.header("x-domicile-visible"), "yes");
        assert_eq!(
            answer.body,
            json!({"user": {
                "id": 6, "url": "http://acme.localhost:8080/api/v2/users/6.json", "name": "Zoe", "email": "zoe@example.org",
                "role": "end-user", "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
                "active": true, "verified": false, "suspended": false, "shared": false, "shared_agent": false,
                "moderator": false, "only_private_comments": false, "restricted_agent": true, "report_csv": false,
                "two_factor_auth_enabled": null, "shared_phone_number": null, "ticket_restriction": "requested",
                "time_zone": "UTC", "iana_time_zone": "Etc/UTC", "locale": "en-US", "locale_id": 1, "organization_id": null,
                "default_group_id": null, "custom_role_id": null, "role_type": null, "phone": null, "external_id": null,
                "alias": null, "details": null, "notes": null, "signature": null, "last_login_at": null, "photo": null,
                "tags": [], "user_fields": {},
            }})
        );
        let nameless = bench.post(GRACE, "/api/v2/users", json!({"user": {"name": "Max", "role": "agent"}})).await;
        assert_eq!(
            (nameless.status.as_u16(), &nameless.body["user"]["email"]),
            (201, &json!(null)),
            "a name is enough"
        );
        Ok(())
    }

    #[tokio::test]
    async fn an_address_is_taken_once() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let user = json!({"user": {"name": "Ada again", "email": email("acme", ADA)}});
        let taken = bench.post(ALAN, "/api/v2/users", user).await;
        assert_eq!(taken.wrong_fields(), ["email"]);
        assert_eq!(taken.body["details"]["email"][0]["error"], "DuplicateValue");
        let user = json!({"user": {"name": "Zoe", "email": "zoe@example.org"}});
        let (one, other) = tokio::join!(
            bench.post(ALAN, "/api/v2/users", user.clone()),
            bench.post(ALAN, "/api/v2/users", user.clone())
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422], "two at once");
        Ok(())
    }

    #[tokio::test]
    async fn wrong_fields_and_roles_beyond_the_callers_are_refused() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let wrong = json!({"user": {"name": "", "email": "x", "role": "king"}});
        assert_eq!(bench.post(ALAN, "/api/v2/users", wrong).await.wrong_fields(), ["email", "name", "role"]);
        assert_eq!(bench.post(ALAN, "/api/v2/users", json!({"user": {}})).await.wrong_fields(), ["name"]);
        let agent = json!({"user": {"name": "Max", "role": "agent"}});
        assert_eq!(bench.post(ALAN, "/api/v2/users", agent.clone()).await.status, 403, "agents add end users");
        assert_eq!(bench.post(ADA, "/api/v2/users", agent).await.status, 403, "end users add nobody");
        Ok(())
    }
}
