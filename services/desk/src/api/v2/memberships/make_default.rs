//! `PUT /api/v2/users/{id}/organization_memberships/{id}/make_default` and the same of `group_memberships`: what a user belongs to first.

use axum::{Json, extract::State, response::IntoResponse};
use domain::person::Person;
use schemas::{MembershipId, PersonId, StreamName};

use super::{Side, answer, choose, create, list};
use crate::{
    api::{
        settle,
        v2::{ids::TwoIds, page::PageQuery},
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Done, Issuer, execute, replayed},
    problem::{ApiError, ApiResult},
    read::memberships::{Kind, Which},
    state::Desk,
};

/// Answers all memberships of the user, as they are then.
pub(crate) async fn make_default<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, membership): TwoIds<PersonId, MembershipId>,
    (query, print): (PageQuery, RequestPrint),
) -> ApiResult {
    create::may_change(&caller, S::KIND)?;
    let by = caller.issuer(&desk, &print);
    let done = carry_out(&desk, &caller, &by, (S::KIND, person, membership)).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    let page = query.offset_page(&caller)?;
    let answer = list::page(&desk, &caller, &page, (S::KIND, Which::Of(person.get()))).await;
    Ok((written, Json(answer.map_err(ApiError::after_done)?)).into_response())
}

/// Makes the membership the person's default of its kind.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (kind, person, membership): (Kind, PersonId, MembershipId),
) -> Result<Done, ApiError> {
    create::may_change(caller, kind)?;
    if let Some(done) = replayed(desk, by).await? {
        return Ok(done);
    }
    let row = answer::find(desk, caller, kind, (Some(person), membership)).await?;
    let id = row.organization_id.or(row.group_id).unwrap_or_default();
    Ok(execute::<Person>(desk, by, StreamName::Person(person), None, &choose(kind, id).into()).await?)
}
