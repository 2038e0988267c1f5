//! Other people a request names: by id, or by address.

use domain::{Aggregate, email::EmailClaim, organization::Organization, ticket::By};
use regions::Resident;
use schemas::{OrganizationId, PersonId, StreamName, Version, values::Role};

use super::settle;
use crate::{
    caller::Caller,
    execute::load,
    problem::ApiError,
    read::{self, Sight},
    state::Desk,
};

impl Caller {
    /// Whose tickets and comments the caller may see.
    pub(crate) fn sight(&self) -> Sight {
        if self.is_insider() { Sight::Everything } else { Sight::Own(self.person) }
    }

    /// The caller as the rules of tickets know them.
    pub(crate) fn by(&self) -> By {
        By { person: self.person, role: self.role }
    }
}

/// The profile of a person, also of one who was added a moment ago; none of one who was deleted.
pub(crate) async fn profile(
    desk: &Desk,
    resident: &Resident,
    person: PersonId,
) -> Result<Option<read::people::Person>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    if let Some(row) = read::people::one(&mut transaction, resident, person).await? {
        return Ok(Some(row).filter(is_there));
    }
    drop(transaction);
    settle::catch_up(desk, resident, settle::PEOPLE).await?;
    let mut transaction = desk.reading(resident).await?;
    Ok(read::people::one(&mut transaction, resident, person).await?.filter(is_there))
}

const fn is_there(row: &read::people::Person) -> bool {
    row.is_active
}

/// The person with this id as the rules of tickets know them; nobody, if it is an auditor's, who has no part in any.
pub(crate) async fn by_id(desk: &Desk, resident: &Resident, person: PersonId) -> Result<Option<By>, ApiError> {
    let row = profile(desk, resident, person).await?;
    let row = row.filter(|row| row.role != Role::Auditor.as_str());
    row.map(|row| Ok(By { person, role: row.role.parse().map_err(ApiError::internal)? })).transpose()
}

/// Whether there is such a group, also one that was added a moment ago.
pub(crate) async fn is_group(desk: &Desk, resident: &Resident, group: schemas::GroupId) -> Result<bool, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    if let Some(row) = read::groups::one(&mut transaction, resident, group).await? {
        return Ok(!row.is_deleted);
    }
    drop(transaction);
    settle::catch_up(desk, resident, settle::ACCOUNT).await?;
    let mut transaction = desk.reading(resident).await?;
    Ok(read::groups::one(&mut transaction, resident, group).await?.is_some_and(|row| !row.is_deleted))
}

/// Whether there is such an organization, by the log itself.
pub(crate) async fn is_organization(
    desk: &Desk,
    resident: &Resident,
    organization: OrganizationId,
) -> Result<bool, ApiError> {
    let (state, _) = load::<Organization>(desk, resident, &StreamName::Organization(organization)).await?;
    Ok(state.profile().is_some())
}

/// The organization that people with an address belong to by its domain: whoever gave an organization its domains was answered
/// when they could be read.
pub(crate) async fn organization_of(
    desk: &Desk,
    resident: &Resident,
    email: &str,
) -> Result<Option<OrganizationId>, ApiError> {
    let Some((_, domain)) = email.split_once('@') else { return Ok(None) };
    let mut transaction = desk.reading(resident).await?;
    Ok(read::organizations::with_domain(&mut transaction, resident, domain).await?)
}

/// The stream that says who holds an address (as `text::email` made it).
pub(crate) async fn email_stream(desk: &Desk, resident: &Resident, email: &str) -> Result<StreamName, ApiError> {
    Ok(StreamName::Email(desk.vault.blind_index(resident, "email", email).await?))
}

/// Who holds an address, by the log itself: no read model is between the answer and a claim made just now.
pub(crate) async fn holder(desk: &Desk, resident: &Resident, email: &str) -> Result<Option<PersonId>, ApiError> {
    let stream = email_stream(desk, resident, email).await?;
    let logged = read::log::whole_stream(desk, resident, &stream, Version::ZERO).await?;
    let events: Vec<_> = logged.into_iter().filter_map(|logged| EmailClaim::pick(logged.event?)).collect();
    Ok(EmailClaim::after(&events).holder())
}
