//! Memberships as they are, also of a moment ago.

use domain::person::{Affiliations, Person};
use schemas::{
    GroupId, MembershipId, OrganizationId, PersonId, Position, StreamName, TenantLogEvent, person::PersonEvent,
};

use crate::{
    api::settle,
    caller::Caller,
    execute::{Done, load},
    problem::ApiError,
    read::{
        self,
        memberships::{self, Kind, Membership},
    },
    state::Desk,
};

/// The membership, also one that began a moment ago; of a person, if one is named.
pub(super) async fn find(
    desk: &Desk,
    caller: &Caller,
    kind: Kind,
    (person, membership): (Option<PersonId>, MembershipId),
) -> Result<Membership, ApiError> {
    if let Some(row) = one(desk, caller, membership).await? {
        return Some(row).filter(|row| is_asked(row, kind, person)).ok_or_else(ApiError::not_found);
    }
    settle::catch_up(desk, &caller.resident, settle::PEOPLE).await?;
    let row = one(desk, caller, membership).await?.filter(|row| is_asked(row, kind, person));
    row.ok_or_else(ApiError::not_found)
}

fn is_asked(row: &Membership, kind: Kind, person: Option<PersonId>) -> bool {
    row.group_id.is_some() == (kind == Kind::Group) && person.is_none_or(|person| person.get() == row.person_id)
}

/// The row of a membership.
pub(super) async fn one(
    desk: &Desk,
    caller: &Caller,
    membership: MembershipId,
) -> Result<Option<Membership>, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    Ok(memberships::many(&mut transaction, &caller.resident, &[membership.get()]).await?.pop())
}

/// The membership that a command began, by the log itself, for an answer that cannot wait for the read models; and whose it is.
pub(super) async fn begun(desk: &Desk, caller: &Caller, done: &Done) -> Result<Membership, ApiError> {
    let before = Position::new(done.first.get() - 1);
    let logged = read::log::page(desk, &caller.resident, before, 1).await?.pop();
    let logged = logged.ok_or_else(ApiError::idempotency_key_reused)?;
    let StreamName::Person(person) = logged.envelope.stream else { return Err(ApiError::idempotency_key_reused()) };
    let (state, _) = load::<Person>(desk, &caller.resident, &logged.envelope.stream).await?;
    let profile = state.profile().ok_or_else(ApiError::not_found)?;
    let at = logged.envelope.recorded_at;
    let row = |membership: MembershipId, organization_id, group_id, is_default| Membership {
        membership_id: membership.get(),
        person_id: person.get(),
        organization_id,
        organization_name: None,
        group_id,
        is_default,
        created_at: at,
        updated_at: at,
    };
    match logged.event {
        Some(TenantLogEvent::Person(PersonEvent::OrganizationJoined(joined))) => {
            let (organizations, id): (&Affiliations<OrganizationId>, _) = (&profile.organizations, joined.organization);
            Ok(row(joined.membership, Some(id.get()), None, organizations.default_of(|_| true) == Some(id)))
        }
        Some(TenantLogEvent::Person(PersonEvent::GroupJoined(joined))) => {
            let (groups, id): (&Affiliations<GroupId>, _) = (&profile.groups, joined.group);
            Ok(row(joined.membership, None, Some(id.get()), groups.default_of(|_| true) == Some(id)))
        }
        _ => Err(ApiError::idempotency_key_reused()),
    }
}
