//! `POST /api/v2/groups`: adds a group, for admins.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::{
    tenant::{AddGroup, ChangeGroup, Tenant},
    text,
};
use futures::FutureExt;
use schemas::{GroupId, Personal, Position, StreamName, TenantLogEvent, tenant::TenantEvent};
use serde_json::json;

use crate::{
    api::{add_person::allocate_id, settle, v2::present},
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, load, replayed, retried},
    problem::{ApiError, ApiResult},
    read::{self, groups::Group},
    state::Desk,
    visible::{Visible, Written},
};

/// Answers the group as it was added.
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = carry_out(&desk, &caller, &by, Fields::root(&body, "group")?).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::ACCOUNT).await;
    let group = added(&desk, &caller, &done).await.map_err(ApiError::after_done)?;
    let group = group.ok_or_else(ApiError::idempotency_key_reused)?;
    let row = now(&desk, &caller, group, &written).await.map_err(ApiError::after_done)?;
    caller.reading.of([row.group_id]);
    let location = [(LOCATION, present::group::url(&caller, row.group_id))];
    Ok((StatusCode::CREATED, location, written, Json(json!({"group": present::group::group(&caller, &row)}))))
}

/// Adds the group that was sent, for admins.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    mut fields: Fields<'_>,
) -> Result<Done, ApiError> {
    caller.require_admin()?;
    let name: Option<Personal<String>> = fields.required("name", text::name).map(Into::into);
    let (description, is_public) = (description(&mut fields), fields.boolean("is_public"));
    fields.finish()?;
    if let Some(done) = replayed(desk, by).await? {
        return Ok(done);
    }
    let group = GroupId::new(allocate_id(desk, &caller.resident).await?);
    let change = ChangeGroup { description, is_public, ..ChangeGroup::of(group) };
    add(desk, by, (AddGroup { group, name: name.unwrap_or_default() }, change)).await
}

/// What a group is for, if a client says so.
pub(super) fn description(fields: &mut Fields<'_>) -> Option<Personal<String>> {
    let is_emptied = fields.has("description") && fields.value("description").is_none();
    let said = fields.checked("description", text::group_description);
    said.or_else(|| is_emptied.then(String::new)).map(Into::into)
}

async fn add(desk: &Desk, by: &Issuer, (add, change): (AddGroup, ChangeGroup)) -> Result<Done, ApiError> {
    let (add, change) = (add.into(), change.into());
    let (add, change) = (&add, &change);
    let attempt = || async move {
        let batch = Batch::new(desk, by).decide::<Tenant>(StreamName::Tenant, None, add).await?;
        Ok(batch.decide::<Tenant>(StreamName::Tenant, None, change).await?.commit().await)
    };
    retried(|| attempt().boxed()).await
}

/// The group that a command added, by the log itself: a repeated request finds the group of then.
async fn added(desk: &Desk, caller: &Caller, done: &Done) -> Result<Option<GroupId>, ApiError> {
    let before = Position::new(done.first.get() - 1);
    let logged = read::log::page(desk, &caller.resident, before, 1).await?.pop();
    Ok(logged.and_then(|logged| match logged.event? {
        TenantLogEvent::Tenant(TenantEvent::GroupAdded(added)) => Some(added.group),
        _ => None,
    }))
}

/// The group as it is; what cannot be read yet is folded from the log.
pub(super) async fn now(desk: &Desk, caller: &Caller, group: GroupId, written: &Written) -> Result<Group, ApiError> {
    if written.visible == Visible::Yes {
        let mut transaction = desk.reading(&caller.resident).await?;
        let row = read::groups::one(&mut transaction, &caller.resident, group).await?;
        return row.ok_or_else(ApiError::not_found);
    }
    let (tenant, _) = load::<Tenant>(desk, &caller.resident, &StreamName::Tenant).await?;
    let account = tenant.account().ok_or_else(ApiError::not_found)?;
    let folded = account.groups.get(&group).ok_or_else(ApiError::not_found)?;
    let now = desk.clock.now();
    Ok(Group {
        group_id: group.get(),
        name: folded.name.expose().clone(),
        description: folded.description.expose().clone(),
        is_public: folded.is_public,
        is_default: account.default_group() == Some(group),
        is_deleted: folded.is_deleted,
        created_at: now,
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, GRACE};

    #[tokio::test]
    async fn a_group_is_added_and_shown() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let answer = bench.post(GRACE, "/api/v2/groups.json", json!({"group": {"name": "Billing"}})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(
            answer.body,
            json!({"group": {
                "id": 6, "url": "http://acme.localhost:8080/api/v2/groups/6.json", "name": "Billing", "description": "",
                "is_public": true, "default": false, "deleted": false,
                "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
            }})
        );
        assert_eq!(bench.get(ALAN, "/api/v2/groups/6").await.body, answer.body);
        let listed = bench.get(ALAN, "/api/v2/groups").await.body;
        assert_eq!((&listed["count"], &listed["groups"][1]), (&json!(2), &answer.body["group"]));
        Ok(())
    }

    #[tokio::test]
    async fn a_group_is_added_once_however_often_it_is_sent() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let add =
            async || bench.keyed("POST", GRACE, ("/api/v2/groups", json!({"group": {"name": "Billing"}})), "k").await;
        let (first, second) = (add().await, add().await);
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{}", second.body);
        assert_eq!((first.body, second.header("x-domicile-replayed")), (second.body.clone(), "yes"));
        Ok(())
    }

    #[tokio::test]
    async fn groups_are_added_by_admins_and_seen_by_agents() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let group = |name: &str| json!({"group": {"name": name}});
        assert_eq!(bench.post(ALAN, "/api/v2/groups", group("x")).await.status, 403);
        assert_eq!(bench.post(GRACE, "/api/v2/groups", group("SUPPORT")).await.wrong_fields(), ["name"], "taken");
        assert_eq!(bench.post(GRACE, "/api/v2/groups", group("")).await.wrong_fields(), ["name"]);
        assert_eq!(bench.get(ADA, "/api/v2/groups").await.status, 403);
        assert_eq!(bench.get(ADA, "/api/v2/groups/5").await.status, 403);
        assert_eq!(bench.get(ALAN, "/api/v2/groups/99").await.status, 404);
        Ok(())
    }
}
