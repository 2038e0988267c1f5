//! `DELETE /api/v2/organization_memberships/{id}` and `group_memberships/{id}`, and the same under `/api/v2/users/{id}`: a user belongs
//! to something no longer.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use domain::person::Person;
use schemas::{MembershipId, PersonId, StreamName};

use super::{Side, answer, create, leave};
use crate::{
    api::{
        settle,
        v2::ids::{Id, TwoIds},
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Done, Issuer, execute, replayed},
    problem::{ApiError, ApiResult},
    read::memberships::Kind,
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn delete<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(membership): Id<MembershipId>,
    print: RequestPrint,
) -> ApiResult {
    end(&desk, &caller, S::KIND, (None, membership), &print).await
}

/// The same for a user's.
pub(crate) async fn delete_of_user<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, membership): TwoIds<PersonId, MembershipId>,
    print: RequestPrint,
) -> ApiResult {
    end(&desk, &caller, S::KIND, (Some(person), membership), &print).await
}

async fn end(
    desk: &Desk,
    caller: &Caller,
    kind: Kind,
    which: (Option<PersonId>, MembershipId),
    print: &RequestPrint,
) -> ApiResult {
    create::may_change(caller, kind)?;
    let by = caller.issuer(desk, print);
    let done = carry_out(desk, caller, &by, (kind, which)).await?;
    let written = settle::settled(desk, &caller.resident, &done, settle::PEOPLE).await;
    Ok((StatusCode::NO_CONTENT, written, ()).into_response())
}

/// Ends the membership; of the person, if one is named.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (kind, which): (Kind, (Option<PersonId>, MembershipId)),
) -> Result<Done, ApiError> {
    create::may_change(caller, kind)?;
    if let Some(done) = replayed(desk, by).await? {
        return Ok(done);
    }
    let row = answer::find(desk, caller, kind, which).await?;
    let stream = StreamName::Person(PersonId::new(row.person_id));
    Ok(execute::<Person>(desk, by, stream, None, &leave(kind, which.1).into()).await?)
}
