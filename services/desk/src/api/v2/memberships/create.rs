//! `POST /api/v2/organization_memberships` and `group_memberships`, and the same under `/api/v2/users/{id}`: lets a user belong to an
//! organization, for agents, or an agent to a group, for admins.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::person::Person;
use futures::FutureExt;
use schemas::{GroupId, MembershipId, OrganizationId, PersonId, StreamName};
use serde_json::json;

use super::{Side, answer, choose, field, join};
use crate::{
    api::{
        add_person::allocate_id,
        settle,
        v2::{ids::Id, present},
        who,
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    read::memberships::Kind,
    state::Desk,
    visible::Visible,
};

/// What a client asks for.
struct Request {
    person: PersonId,
    /// The organization or the group.
    to: i64,
    is_default: bool,
}

/// Answers the membership.
pub(crate) async fn create<S: Side>(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult {
    begin(&desk, &caller, S::KIND, (None, &body)).await
}

/// The same for the user in the path.
pub(crate) async fn create_of_user<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    body: Body,
) -> ApiResult {
    begin(&desk, &caller, S::KIND, (Some(person), &body)).await
}

async fn begin(desk: &Desk, caller: &Caller, kind: Kind, (person, body): (Option<PersonId>, &Body)) -> ApiResult {
    may_change(caller, kind)?;
    let by = caller.issuer(desk, &body.print);
    let done = match replayed(desk, &by).await? {
        Some(done) => done,
        None => {
            let fields = Fields::root(body, present::membership::root(kind).0)?;
            carry_out(desk, caller, &by, (kind, person, fields)).await?
        }
    };
    let written = settle::settled(desk, &caller.resident, &done, settle::PEOPLE).await;
    let begun = answer::begun(desk, caller, &done).await.map_err(ApiError::after_done)?;
    let row = match written.visible {
        Visible::Yes => answer::one(desk, caller, MembershipId::new(begun.membership_id)).await,
        Visible::NotYet => Ok(None),
    };
    let row = row.map_err(ApiError::after_done)?.unwrap_or(begun);
    caller.reading.of([row.membership_id]);
    let location = [(LOCATION, present::membership::url(caller, kind, row.membership_id))];
    let body = json!({present::membership::root(kind).0: present::membership::membership(caller, kind, &row)});
    Ok((StatusCode::CREATED, location, written, Json(body)).into_response())
}

/// Lets somebody belong to what was sent.
pub(crate) async fn carry_out(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (kind, person, fields): (Kind, Option<PersonId>, Fields<'_>),
) -> Result<Done, ApiError> {
    may_change(caller, kind)?;
    let request = read(kind, person, fields)?;
    check(desk, caller, kind, &request).await?;
    add(desk, by, kind, &request).await
}

/// Groups are a matter of admins.
pub(super) fn may_change(caller: &Caller, kind: Kind) -> Result<(), ApiError> {
    match kind {
        Kind::Organization => caller.require_agent(),
        Kind::Group => caller.require_admin(),
    }
}

fn read(kind: Kind, person: Option<PersonId>, mut fields: Fields<'_>) -> Result<Request, ApiError> {
    let mut required = |name: &'static str, known: Option<i64>| {
        let found = known.or_else(|| fields.integer(name));
        if found.is_none() && fields.value(name).is_none_or(|sent| sent == "") {
            fields.fault(name, "cannot be blank", "BlankValue");
        }
        found.unwrap_or_default()
    };
    let person = PersonId::new(required("user_id", person.map(PersonId::get)));
    let to = required(field(kind), None);
    let is_default = fields.boolean("default").unwrap_or(false);
    fields.finish()?;
    Ok(Request { person, to, is_default })
}

async fn check(desk: &Desk, caller: &Caller, kind: Kind, request: &Request) -> Result<(), ApiError> {
    let wrong = |field: &str, what: &str| ApiError::invalid(field, format!("{field}: takes {what}"), "InvalidValue");
    if who::by_id(desk, &caller.resident, request.person).await?.is_none() {
        return Err(wrong("user_id", "the id of a user"));
    }
    let is_there = match kind {
        Kind::Organization => who::is_organization(desk, &caller.resident, OrganizationId::new(request.to)).await?,
        Kind::Group => who::is_group(desk, &caller.resident, GroupId::new(request.to)).await?,
    };
    match (is_there, kind) {
        (true, _) => Ok(()),
        (false, Kind::Organization) => Err(wrong("organization_id", "the id of an organization")),
        (false, Kind::Group) => Err(wrong("group_id", "the id of a group")),
    }
}

async fn add(desk: &Desk, by: &Issuer, kind: Kind, request: &Request) -> Result<Done, ApiError> {
    let membership = MembershipId::new(allocate_id(desk, &by.resident).await?);
    let stream = &StreamName::Person(request.person);
    let attempt = || async move {
        let joining = join(kind, membership, request.to).into();
        let mut batch = Batch::new(desk, by).decide::<Person>(stream.clone(), None, &joining).await?;
        if request.is_default {
            batch = batch.decide::<Person>(stream.clone(), None, &choose(kind, request.to).into()).await?;
        }
        Ok(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}
