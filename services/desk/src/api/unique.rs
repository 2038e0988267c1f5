//! Values that only one may have: the name of an organization, an id elsewhere, a telephone number. Whatever their case.

use domain::claim::{Claim, Command, Rejection};
use regions::Resident;
use schemas::StreamName;

use crate::{
    execute::{Batch, Issuer, Refusal, load},
    problem::ApiError,
    state::Desk,
};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    /// An organization's name.
    OrganizationName,
    /// An organization's id elsewhere.
    OrganizationExternalId,
    /// A user's id elsewhere.
    UserExternalId,
    /// A telephone number that a user is known by.
    PhoneNumber,
}

impl Unique {
    /// What values of the kind are indexed under, for ever.
    const fn purpose(self) -> &'static str {
        match self {
            Self::OrganizationName => "organization_name",
            Self::OrganizationExternalId => "organization_external_id",
            Self::UserExternalId => "user_external_id",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// The field that a client sends it in.
    const fn field(self) -> &'static str {
        match self {
            Self::OrganizationName => "name",
            Self::OrganizationExternalId | Self::UserExternalId => "external_id",
            Self::PhoneNumber => "value",
        }
    }

    async fn stream(self, desk: &Desk, resident: &Resident, value: &str) -> Result<StreamName, ApiError> {
        let index = desk.vault.blind_index(resident, self.purpose(), &value.to_lowercase()).await?;
        Ok(StreamName::Claim(index))
    }

    /// Who holds a value, by the log itself: no read model is between the answer and a claim made just now.
    pub(crate) async fn holder(self, desk: &Desk, resident: &Resident, value: &str) -> Result<Option<i64>, ApiError> {
        let stream = self.stream(desk, resident, value).await?;
        let (claim, _) = load::<Claim>(desk, resident, &stream).await?;
        Ok(claim.holder())
    }

    async fn decide<'a>(
        self,
        batch: Batch<'a>,
        (desk, by): (&Desk, &Issuer),
        value: &str,
        command: Command,
    ) -> Result<Batch<'a>, ApiError> {
        let stream = self.stream(desk, &by.resident, value).await?;
        match batch.decide::<Claim>(stream, None, &command).await {
            Ok(batch) => Ok(batch),
            Err(Refusal::Rejected(Rejection::Taken { .. })) => Err(self.taken()),
            Err(Refusal::Failed(failure)) => Err(failure.into()),
        }
    }

    /// Adds to a command that another value is taken in the place of one, if it is another. One that another has is refused.
    pub(crate) async fn move_to<'a>(
        self,
        mut batch: Batch<'a>,
        (desk, by, holder): (&Desk, &Issuer, i64),
        (from, to): (Option<&str>, Option<&str>),
    ) -> Result<Batch<'a>, ApiError> {
        let is_same = from.map(str::to_lowercase) == to.map(str::to_lowercase);
        if let Some(from) = from.filter(|_| !is_same) {
            batch = self.decide(batch, (desk, by), from, Command::Release { holder }).await?;
        }
        if let Some(to) = to.filter(|_| !is_same) {
            batch = self.decide(batch, (desk, by), to, Command::Take { holder }).await?;
        }
        Ok(batch)
    }

    /// The refusal of a value that another has.
    fn taken(self) -> ApiError {
        let field = self.field();
        ApiError::invalid(field, format!("{field}: has already been taken"), "DuplicateValue")
    }
}
