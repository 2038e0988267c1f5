//! Proving by an address and its password who one is: in the header of a request, or once, on the page where one signs in.

use domain::person::Person;
use regions::Resident;
use schemas::{
    PersonId, StreamName,
    values::{Means, Role},
};

use super::{
    Identity, Proof,
    client::Client,
    guard::Turn,
    provenance::Provenance,
    sign_ins::{Attempt, Outcome},
};
use crate::{access::Reader, execute::load, problem::ApiError, state::Desk};

/// The longest address that somebody has (RFC 5321, section 4.5.3.1.3).
const ADDRESS_LENGTH_MAX: usize = 254;

/// Somebody who proved who they are on a page.
pub(crate) struct Proven {
    /// Who.
    pub(crate) reader: Reader,
    /// What they may do.
    pub(crate) role: Role,
    /// The hash that the password was checked against.
    phc: String,
}

impl Proven {
    /// Whether what was checked still holds by the log: the read models, which it was checked by, may be behind.
    pub(crate) async fn is_still_so(&self, desk: &Desk, resident: &Resident) -> Result<bool, ApiError> {
        let (person, _) = load::<Person>(desk, resident, &StreamName::Person(self.reader.person)).await?;
        Ok(person.profile().is_some_and(|profile| {
            let is_in = !profile.is_suspended && !profile.is_deleted && profile.role != Role::Auditor;
            is_in && profile.password_phc.expose().as_deref() == Some(self.phc.as_str())
        }))
    }
}

/// Signs somebody in on a page: none, if they are not who they say. It is braked and told in the audit log like every other way to guess.
pub(crate) async fn sign_in(
    desk: &Desk,
    resident: &Resident,
    (client, from): (Client, Provenance),
    (email, password): (&str, String),
) -> Result<Option<Proven>, ApiError> {
    let (outcome, account, proven) = match prove(desk, resident, client, (email, password)).await? {
        Ok((Identity { reader, role, .. }, phc)) => {
            let proven = Proven { reader, role, phc };
            (Outcome::Proven, Some((reader.person, email.to_owned())), Some(proven))
        }
        Err(account) => (Outcome::Failed, account, None),
    };
    count(desk, resident, (outcome, client, from), account);
    Ok(proven)
}

/// Whose an address and a password are, asked of somebody who is in already. That it failed is told as everywhere; that it did not is no
/// sign-in.
pub(crate) async fn confirm(
    desk: &Desk,
    resident: &Resident,
    (client, from): (Client, Provenance),
    (email, password): (&str, String),
) -> Result<Option<PersonId>, ApiError> {
    match prove(desk, resident, client, (email, password)).await? {
        Ok((identity, _)) => Ok(Some(identity.reader.person)),
        Err(account) => {
            count(desk, resident, (Outcome::Failed, client, from), account);
            Ok(None)
        }
    }
}

/// Somebody with an address and the hash their password was checked against, if it is theirs and they have not guessed too often.
pub(super) async fn prove(
    desk: &Desk,
    resident: &Resident,
    client: Client,
    (email, password): (&str, String),
) -> Result<Proof<(Identity, String)>, ApiError> {
    let turn = desk.guard().turn(client).await?;
    let attempt = client.attempt(resident.tenant_id(), email);
    desk.guard().brake.count(attempt, desk.clock.now())?;
    let proof = by_password(desk, resident, email, (password, turn)).await;
    if !matches!(proof, Ok(Err(_))) {
        desk.guard().brake.take_back(attempt);
    }
    proof
}

/// Counts an attempt for the audit log; `account` is the person whose address was given, if there is one, with that address.
pub(super) fn count(
    desk: &Desk,
    resident: &Resident,
    (outcome, client, from): (Outcome, Client, Provenance),
    account: Option<(PersonId, String)>,
) {
    let (person, account) = account.unzip();
    let account = account.unwrap_or_default();
    desk.sign_ins().count(resident, Attempt { outcome, client, person, account, from });
}

/// The person with an address, if the password is theirs. An auditor may have the address of somebody else, and has no password. An unknown address takes as long as a wrong password.
async fn by_password(
    desk: &Desk,
    resident: &Resident,
    email: &str,
    (password, turn): (String, Turn),
) -> Result<Proof<(Identity, String)>, ApiError> {
    // Where nobody can have the address, as much is done as for one that nobody has.
    let asked = if is_possible(email) { email } else { "" };
    let mut transaction = desk.reading(resident).await?;
    let row = sqlx::query!(
        "select person_id, role, password_phc from person
         where tenant_id = $1 and email = $2 and deleted_at is null and suspended_at is null and role <> 'auditor'",
        resident.tenant_id().get(),
        asked,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    drop(transaction);
    let phc = row.as_ref().and_then(|row| row.password_phc.clone());
    let is_right = desk.guard().verify(turn, password, phc.clone()).await?;
    let Some(row) = row else { return Ok(Err(None)) };
    let Some(phc) = phc.filter(|_| is_right) else {
        return Ok(Err(Some((PersonId::new(row.person_id), email.to_owned()))));
    };
    let reader = Reader { person: PersonId::new(row.person_id), means: Means::Password, token: None };
    let email = Some(email.to_owned());
    let identity =
        Identity { reader, role: super::role(&row.role)?, email, granted_tickets: Vec::new(), session: None };
    Ok(Ok((identity, phc)))
}

/// Whether somebody may have the address at all; the database cannot be asked for every text.
pub(super) fn is_possible(email: &str) -> bool {
    email.len() <= ADDRESS_LENGTH_MAX && !email.contains('\0')
}
