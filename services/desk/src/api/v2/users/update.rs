//! `PUT /api/v2/users/{id}`: changes a user. Users change their own name, telephone number, time zone and language, agents everything of
//! end users, admins everybody's, and admins alone the role.
//!
//! An address that is sent for a user who has one is one more, as in the reference; `identities` is where another becomes the primary.
//! End users keep their address: nobody verifies a new one yet, and whoever has an address is taken for its owner.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    email::{self, EmailClaim},
    person::{Change, Person, Profile},
};
use futures::FutureExt;
use schemas::{PersonId, StreamName, Version, values::Role};

use super::{
    answer, last_admin,
    request::{Name, UserRequest},
    write,
};
use crate::{
    api::{add_person, v2::ids::Id, who},
    body::Body,
    caller::Caller,
    execute::{Batch, Done, Failure, Issuer, load, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers the user as changed.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    if !caller.is_agent() && person != caller.person {
        return Err(ApiError::not_found());
    }
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => change(&desk, &caller, &by, (person, None, UserRequest::read(&body, Name::Optional)?)).await?,
    };
    let (written, body) = answer::written(&desk, &caller, person, &done).await.map_err(ApiError::after_done)?;
    Ok((written, Json(body)))
}

/// Changes the user. When the address changes, its claim moves in the same command. Whoever says which version they saw is refused when
/// it is another one by now.
pub(crate) async fn change(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (person, seen, request): (PersonId, Option<Version>, UserRequest),
) -> Result<Done, ApiError> {
    let request = &request;
    let attempt = || async move { Ok(decide(desk, caller, by, (person, seen, request)).await?.commit().await) };
    retried(|| attempt().boxed()).await
}

async fn decide<'a>(
    desk: &'a Desk,
    caller: &Caller,
    by: &'a Issuer,
    (person, seen, request): (PersonId, Option<Version>, &UserRequest),
) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Person(person);
    let (state, version) = load::<Person>(desk, &by.resident, &stream).await?;
    if seen.is_some_and(|seen| seen != version) {
        return Err(ApiError::conflict());
    }
    let profile = state.profile().ok_or_else(ApiError::not_found)?;
    may_change(caller, profile, request)?;
    write::check(desk, caller, request).await?;
    let email = replaced_address(profile, request);
    let change = Change {
        name: request.name.clone().map(Into::into),
        email: email.clone().map(Into::into),
        role: request.role,
        ..Change::default()
    };
    let mut batch = Batch::new(desk, by).decide::<Person>(stream, Some(version), &change.into()).await?;
    if profile.role == Role::Admin && request.role.is_some_and(|role| role != Role::Admin) {
        batch = last_admin::withdraw(batch, desk, by, person).await?;
    }
    if let Some(asked) = email {
        let from = profile.email.expose().clone();
        batch = move_claim(batch, desk, by, (person, from, asked)).await?.map_err(|_| add_person::email_taken())?;
    }
    write::decide_known(batch, (desk, by), (profile, request)).await
}

/// The first address of somebody who has none, or none for somebody who has one.
fn replaced_address(profile: &Profile, request: &UserRequest) -> Option<Option<String>> {
    let asked = request.email.clone()?;
    (asked.is_none() != profile.email.expose().is_none()).then_some(asked)
}

async fn move_claim<'a>(
    batch: Batch<'a>,
    desk: &Desk,
    by: &Issuer,
    (person, from, to): (PersonId, Option<String>, Option<String>),
) -> Result<Result<Batch<'a>, Failure>, ApiError> {
    let mut batch = batch;
    if let Some(from) = from {
        let stream = who::email_stream(desk, &by.resident, &from).await?;
        batch = batch.decide::<EmailClaim>(stream, None, &email::Command::Release { person }).await?;
    }
    match to {
        Some(to) => add_person::claim(batch, who::email_stream(desk, &by.resident, &to).await?, person).await,
        None => Ok(Ok(batch)),
    }
}

fn may_change(caller: &Caller, profile: &Profile, request: &UserRequest) -> Result<(), ApiError> {
    let is_self = profile.person == caller.person;
    if !is_self && profile.role != Role::EndUser && caller.role != Role::Admin {
        return Err(ApiError::forbidden("Only admins change agents and admins"));
    }
    let changes_email = request.email.as_ref().is_some_and(|asked| asked != profile.email.expose());
    if changes_email && !caller.is_agent() {
        return Err(ApiError::forbidden("email: only agents may change this"));
    }
    if let Some(field) = request.for_agents_only().filter(|_| !caller.is_agent()) {
        return Err(ApiError::forbidden(format!("{field}: only agents may change this")));
    }
    if is_self && request.is_suspended == Some(true) {
        return Err(ApiError::forbidden("Nobody suspends themselves"));
    }
    let changes_role = request.role.is_some_and(|role| role != profile.role);
    if changes_role && caller.role != Role::Admin {
        return Err(ApiError::forbidden("role: only admins may set this"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, EVE, GRACE, Who, email};

    async fn change(bench: &Bench, who: Who, id: i64, user: Value) -> crate::api::testing::Answer {
        bench.put(who, &format!("/api/v2/users/{id}"), json!({ "user": user })).await
    }

    #[tokio::test]
    async fn an_address_that_was_given_up_is_free_again() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let taken = change(&bench, ALAN, EVE.id, json!({"email": email("acme", ADA)})).await;
        assert_eq!(taken.body["details"]["email"][0]["error"], "DuplicateValue");
        let none = change(&bench, ALAN, ADA.id, json!({"name": "Ada L", "email": null})).await;
        assert_eq!((none.status.as_u16(), &none.body["user"]["email"]), (200, &Value::Null), "{}", none.body);
        let freed = change(&bench, ALAN, EVE.id, json!({"email": email("acme", ADA)})).await;
        assert_eq!(freed.status, 200);
        let first = change(&bench, ALAN, ADA.id, json!({"email": "Countess@example.org"})).await;
        assert_eq!(first.body["user"]["email"], "countess@example.org", "the first one is the primary one");
        Ok(())
    }

    #[tokio::test]
    async fn a_change_sent_again_does_not_undo_what_came_after_it() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let path = format!("/api/v2/users/{}", ADA.id);
        for (name, key) in [("Ada L", "changes"), ("Ada L", "changes-nothing")] {
            let rename = async || bench.keyed("PUT", ALAN, (&path, json!({"user": {"name": name}})), key).await;
            assert_eq!(rename().await.header("x-domicile-replayed"), "", "{key}");
            change(&bench, GRACE, ADA.id, json!({"name": "Ada K"})).await;
            let again = rename().await;
            assert_eq!((&again.body["user"]["name"], again.header("x-domicile-replayed")), (&json!("Ada K"), "yes"));
            change(&bench, GRACE, ADA.id, json!({"name": "Ada L"})).await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn admins_alone_change_roles_and_other_agents() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(change(&bench, ALAN, ADA.id, json!({"role": "agent"})).await.status, 403);
        assert_eq!(change(&bench, ALAN, GRACE.id, json!({"name": "Amazing"})).await.status, 403);
        assert_eq!(
            change(&bench, ALAN, ALAN.id, json!({"role": "admin"})).await.status,
            403,
            "nobody raises themselves"
        );
        let raised = change(&bench, GRACE, ADA.id, json!({"role": "agent"})).await;
        assert_eq!((raised.status.as_u16(), &raised.body["user"]["role"]), (200, &json!("agent")));
        Ok(())
    }

    #[tokio::test]
    async fn an_end_user_changes_only_themselves() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(change(&bench, ADA, ADA.id, json!({"name": "Ada L"})).await.body["user"]["name"], "Ada L");
        assert_eq!(change(&bench, ADA, EVE.id, json!({"name": "x"})).await.status, 404);
        for email in [json!("else@example.org"), json!(null)] {
            assert_eq!(change(&bench, ADA, ADA.id, json!({"email": email})).await.status, 403, "not even their own");
        }
        assert_eq!(change(&bench, ADA, ADA.id, json!({"email": email("acme", ADA)})).await.status, 200, "no change");
        assert_eq!(change(&bench, ADA, ADA.id, json!({"role": "admin"})).await.status, 403);
        assert_eq!(change(&bench, ALAN, 99, json!({"name": "x"})).await.status, 404);
        assert_eq!(change(&bench, ALAN, ADA.id, json!({"name": "a\nb"})).await.wrong_fields(), ["name"]);
        Ok(())
    }
}
