//! `GET`, `POST`, `PUT` and `DELETE` of `/api/v2/users/{id}/tags` and `/api/v2/organizations/{id}/tags`: the tags of one; sets, adds and
//! removes some. Agents tag end users, admins everybody and organizations.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::{
    Aggregate,
    organization::{self, Organization},
    person::{self, Person},
    text,
};
use futures::FutureExt;
use schemas::{OrganizationId, PersonId, StreamName, values::Role};
use serde_json::{Value, json};

use crate::{
    api::{settle, v2::ids::Id},
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, load, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// What has tags.
pub(crate) trait Tagged:
    Aggregate<Command: Send + Sync, Rejection: Send + Sync + 'static> + Send + Sync + 'static
where
    ApiError: From<Self::Rejection>,
{
    /// Its stream.
    fn stream(id: i64) -> StreamName;
    /// Its tags; none, if it is not there.
    fn tags(&self) -> Option<&[String]>;
    /// Refuses callers who may not change them.
    fn may_change(&self, caller: &Caller) -> Result<(), ApiError>;
    /// Sets all of them.
    fn setting(tags: Vec<String>) -> Self::Command;
}

impl Tagged for Person {
    fn stream(id: i64) -> StreamName {
        StreamName::Person(PersonId::new(id))
    }

    fn tags(&self) -> Option<&[String]> {
        let profile = self.profile().filter(|profile| !profile.is_deleted && profile.role != Role::Auditor)?;
        Some(profile.tags.expose())
    }

    fn may_change(&self, caller: &Caller) -> Result<(), ApiError> {
        let is_end_user = self.profile().is_some_and(|profile| profile.role == Role::EndUser);
        if is_end_user { caller.require_agent() } else { caller.require_admin() }
    }

    fn setting(tags: Vec<String>) -> person::Command {
        person::Change { tags: Some(tags.into()), ..person::Change::default() }.into()
    }
}

impl Tagged for Organization {
    fn stream(id: i64) -> StreamName {
        StreamName::Organization(OrganizationId::new(id))
    }

    fn tags(&self) -> Option<&[String]> {
        Some(self.profile()?.tags.expose())
    }

    fn may_change(&self, caller: &Caller) -> Result<(), ApiError> {
        caller.require_admin()
    }

    fn setting(tags: Vec<String>) -> organization::Command {
        organization::Change { tags: Some(tags.into()), ..organization::Change::default() }.into()
    }
}

/// What is to become of the tags.
type Turn = fn(&[String], Vec<String>) -> Vec<String>;

/// Answers the tags.
pub(crate) async fn show<T: Tagged>(State(desk): State<Desk>, caller: Caller, Id(id): Id<i64>) -> ApiResult<Json<Value>>
where
    ApiError: From<T::Rejection>,
{
    caller.require_insider()?;
    caller.reading.of([id]);
    Ok(Json(json!({"tags": now::<T>(&desk, &caller, id).await?})))
}

/// Answers the tags that were set.
pub(crate) async fn set<T: Tagged>(State(desk): State<Desk>, caller: Caller, Id(id): Id<i64>, body: Body) -> ApiResult
where
    ApiError: From<T::Rejection>,
{
    change::<T>(&desk, &caller, (id, &body), (StatusCode::CREATED, |_, sent| sent)).await
}

/// Answers all tags, with those that were added.
pub(crate) async fn add<T: Tagged>(State(desk): State<Desk>, caller: Caller, Id(id): Id<i64>, body: Body) -> ApiResult
where
    ApiError: From<T::Rejection>,
{
    change::<T>(&desk, &caller, (id, &body), (StatusCode::OK, |known, sent| [known, &sent].concat())).await
}

/// Answers nothing.
pub(crate) async fn remove<T: Tagged>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(id): Id<i64>,
    body: Body,
) -> ApiResult
where
    ApiError: From<T::Rejection>,
{
    let without: Turn = |known, sent| known.iter().filter(|tag| !sent.contains(tag)).cloned().collect();
    change::<T>(&desk, &caller, (id, &body), (StatusCode::NO_CONTENT, without)).await
}

async fn change<T: Tagged>(
    desk: &Desk,
    caller: &Caller,
    (id, body): (i64, &Body),
    (status, turn): (StatusCode, Turn),
) -> ApiResult
where
    ApiError: From<T::Rejection>,
{
    caller.require_agent()?;
    let by = &caller.issuer(desk, &body.print);
    let sent = &read(body)?;
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => {
            let attempt = || async move { decide::<T>(desk, caller, by, (id, sent, turn)).await };
            retried(|| attempt().boxed()).await?
        }
    };
    let written = settle::settled(desk, &caller.resident, &done, settle::PEOPLE).await;
    if status == StatusCode::NO_CONTENT {
        return Ok((status, written, ()).into_response());
    }
    let tags = now::<T>(desk, caller, id).await.map_err(ApiError::after_done)?;
    Ok((status, written, Json(json!({"tags": tags}))).into_response())
}

async fn decide<T: Tagged>(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (id, sent, turn): (i64, &[String], Turn),
) -> Result<Result<Done, crate::execute::Failure>, ApiError>
where
    ApiError: From<T::Rejection>,
{
    let stream = T::stream(id);
    let (state, version) = load::<T>(desk, &caller.resident, &stream).await?;
    let known = state.tags().ok_or_else(ApiError::not_found)?;
    state.may_change(caller)?;
    let command = T::setting(turn(known, sent.to_vec()));
    Ok(Batch::new(desk, by).decide::<T>(stream, Some(version), &command).await?.commit().await)
}

fn read(body: &Body) -> Result<Vec<String>, ApiError> {
    let mut fields = Fields::new(&body.object, "");
    let sent: Option<Vec<String>> = fields.strings("tags").map(|tags| tags.into_iter().map(str::to_owned).collect());
    let tags = match sent {
        Some(sent) => {
            text::tags(&sent).map_err(|invalid| fields.fault("tags", invalid.to_string(), "InvalidValue")).ok()
        }
        None => {
            fields.fault("tags", "takes a list of tags", "BlankValue");
            None
        }
    };
    fields.finish()?;
    Ok(tags.unwrap_or_default())
}

/// By the log itself: one stream holds all there is to say.
async fn now<T: Tagged>(desk: &Desk, caller: &Caller, id: i64) -> Result<Vec<String>, ApiError>
where
    ApiError: From<T::Rejection>,
{
    let (state, _) = load::<T>(desk, &caller.resident, &T::stream(id)).await?;
    Ok(state.tags().ok_or_else(ApiError::not_found)?.to_vec())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, GRACE, request};

    #[tokio::test]
    async fn tags_are_shown_set_added_and_removed() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": "Engines"}})).await;
        for path in ["/api/v2/users/3/tags.json", "/api/v2/organizations/6/tags.json"] {
            let set = bench.post(GRACE, path, json!({"tags": ["b", "A"]})).await;
            assert_eq!((set.status.as_u16(), &set.body), (201, &json!({"tags": ["a", "b"]})), "{path}");
            let added = bench.put(GRACE, path, json!({"tags": ["c", "a"]})).await;
            assert_eq!((added.status.as_u16(), &added.body), (200, &json!({"tags": ["a", "b", "c"]})));
            let remove =
                request("DELETE", "acme", Some(GRACE), path, Body::from(json!({"tags": ["b", "x"]}).to_string()));
            assert_eq!(bench.send(remove).await.status, 204);
            assert_eq!(bench.get(ALAN, path).await.body, json!({"tags": ["a", "c"]}));
            assert_eq!(bench.put(GRACE, path, json!({})).await.wrong_fields(), ["tags"]);
            assert_eq!(bench.get(ADA, path).await.status, 403);
        }
        assert_eq!(bench.get(ALAN, "/api/v2/users/3").await.body["user"]["tags"], json!(["a", "c"]));
        Ok(())
    }

    #[tokio::test]
    async fn agents_tag_end_users_only() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let put = async |who, path: &str| bench.put(who, path, json!({"tags": ["a"]})).await.status.as_u16();
        assert_eq!(put(ALAN, "/api/v2/users/3/tags").await, 200);
        assert_eq!((put(ALAN, "/api/v2/users/1/tags").await, put(ADA, "/api/v2/users/3/tags").await), (403, 403));
        assert_eq!((put(GRACE, "/api/v2/users/2/tags").await, put(GRACE, "/api/v2/users/99/tags").await), (200, 404));
        Ok(())
    }
}
