//! `PUT /api/v2/users/{id}`: changes a user. Users change their own name, agents the name and address of end users, admins
//! everybody's, and admins alone the role.
//!
//! End users keep their address: nobody verifies a new one yet, and whoever has an address is taken for its owner.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    email::{self, EmailClaim},
    person::{Change, Person},
};
use futures::FutureExt;
use schemas::{PersonId, values::Role};

use super::{
    answer, last_admin,
    request::{Name, UserRequest},
};
use crate::{
    api::{add_person, v2::ids::Id, who},
    body::Body,
    caller::Caller,
    execute::{Batch, Done, Failure, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    read,
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
        None => change(&desk, &caller, &by, (person, UserRequest::read(&body, Name::Optional)?)).await?,
    };
    let (written, body) = answer::written(&desk, &caller, person, &done).await.map_err(ApiError::after_done)?;
    Ok((written, Json(body)))
}

/// Changes the user. When the address changes, its claim moves in the same command.
pub(crate) async fn change(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (person, request): (PersonId, UserRequest),
) -> Result<Done, ApiError> {
    let request = &request;
    retried(|| async move { Ok(decide(desk, caller, by, (person, request)).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(
    desk: &'a Desk,
    caller: &Caller,
    by: &'a Issuer,
    (person, request): (PersonId, &UserRequest),
) -> Result<Batch<'a>, ApiError> {
    let (row, version) = answer::folded(desk, caller, person).await?.ok_or_else(ApiError::not_found)?;
    may_change(caller, &row, request)?;
    let UserRequest { name, email, role } = request.clone();
    let email = email.filter(|asked| *asked != row.email);
    let change = Change { name: name.map(Into::into), email: email.clone().map(Into::into), role };
    let stream = schemas::StreamName::Person(person);
    let mut batch = Batch::new(desk, by).decide::<Person>(stream, Some(version), &change.into()).await?;
    if row.role == Role::Admin.as_str() && role.is_some_and(|role| role != Role::Admin) {
        batch = last_admin::withdraw(batch, desk, by, person).await?;
    }
    if let Some(asked) = email {
        batch = match move_claim(batch, desk, by, (person, row.email, asked)).await? {
            Ok(batch) => batch,
            Err(_) => return Err(add_person::email_taken()),
        };
    }
    Ok(batch)
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

fn may_change(caller: &Caller, row: &read::people::Person, request: &UserRequest) -> Result<(), ApiError> {
    let is_end_user = row.role == Role::EndUser.as_str();
    if row.person_id != caller.person.get() && !is_end_user && caller.role != Role::Admin {
        return Err(ApiError::forbidden("Only admins change agents and admins"));
    }
    let changes_email = request.email.as_ref().is_some_and(|asked| *asked != row.email);
    if changes_email && !caller.is_agent() {
        return Err(ApiError::forbidden("email: only agents may change this"));
    }
    let changes_role = request.role.is_some_and(|role| role.as_str() != row.role);
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
    async fn a_moved_address_is_free_again() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let moved = change(&bench, ALAN, ADA.id, json!({"name": "Ada L", "email": "Countess@example.org"})).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
        assert_eq!(
            (&moved.body["user"]["name"], &moved.body["user"]["email"]),
            (&json!("Ada L"), &json!("countess@example.org"))
        );
        let taken = change(&bench, ALAN, EVE.id, json!({"email": "countess@example.org"})).await;
        assert_eq!(taken.body["details"]["email"][0]["error"], "DuplicateValue");
        let freed = change(&bench, ALAN, EVE.id, json!({"email": email("acme", ADA)})).await;
        assert_eq!((freed.status.as_u16(), &freed.body["user"]["email"]), (200, &json!(email("acme", ADA))));
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
