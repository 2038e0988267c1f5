//! `GET /api/v2/organization_memberships/{id}` and `group_memberships/{id}`, and the same under `/api/v2/users/{id}`, for agents.

use axum::{Json, extract::State};
use schemas::{MembershipId, PersonId};
use serde_json::{Value, json};

use super::{Side, answer};
use crate::{
    api::v2::{
        ids::{Id, TwoIds},
        present,
    },
    caller::Caller,
    problem::ApiResult,
    read::memberships::Kind,
    state::Desk,
};

/// Answers the membership.
pub(crate) async fn show<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(membership): Id<MembershipId>,
) -> ApiResult<Json<Value>> {
    shown(&desk, &caller, S::KIND, (None, membership)).await
}

/// The same of a user's.
pub(crate) async fn show_of_user<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, membership): TwoIds<PersonId, MembershipId>,
) -> ApiResult<Json<Value>> {
    shown(&desk, &caller, S::KIND, (Some(person), membership)).await
}

async fn shown(
    desk: &Desk,
    caller: &Caller,
    kind: Kind,
    which: (Option<PersonId>, MembershipId),
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = answer::find(desk, caller, kind, which).await?;
    caller.reading.of([row.membership_id]);
    let shown = present::membership::membership(caller, kind, &row);
    Ok(Json(json!({present::membership::root(kind).0: shown})))
}
