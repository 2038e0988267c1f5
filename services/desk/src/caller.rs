//! Who asks: authentication by API token, password or session.
//!
//! A [`Caller`] in a handler's arguments means: the tenant is at home here, and this person of it proved who they are.
//! Taken are `Basic <email>/token:<api token>`, `Basic <email>:<password>` and `Bearer <api token>`; without any of them, the cookie of a
//! session ([`crate::session`]). Anything else is answered 401 in the dialect of the path, without a word about which part was wrong.

mod auditor;
pub(crate) mod client;
mod credentials;
pub(crate) mod guard;
pub(crate) mod password;
pub(crate) mod provenance;
mod session;
pub(crate) mod sign_ins;

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::person::Person;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    Actor, Hash, PersonId, SessionId, StreamName, TokenId,
    job::JobQueued,
    values::{Means, Role},
};

use self::{client::Client, credentials::Credentials, provenance::Provenance, sign_ins::Outcome};
use crate::{
    access::{Reader, Reading},
    api::settle,
    body::RequestPrint,
    execute::{Failure, Issuer, load},
    host::{Origin, Site},
    limits,
    problem::ApiError,
    state::Desk,
    visible::Visible,
};

/// A person of a tenant that is at home here, authenticated.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The tenant.
    pub(crate) resident: Resident,
    /// The person.
    pub(crate) person: PersonId,
    /// What the person may do.
    pub(crate) role: Role,
    /// The person's address, if there is one.
    pub(crate) email: Option<String>,
    /// The tickets an auditor may read; everything, when there are none.
    granted_tickets: Vec<i64>,
    /// By what the person came in, and from where.
    pub(crate) provenance: Provenance,
    /// The session they came in with, if it was one.
    pub(crate) session: Option<SessionId>,
    /// What the request reads.
    pub(crate) reading: Reading,
    /// The address the request was sent to, for absolute URLs in answers: `origin.url("/api/v2/...")`.
    pub(crate) origin: Origin,
}

impl Caller {
    /// Whether the person works on tickets: agents and admins do.
    pub(crate) fn is_agent(&self) -> bool {
        matches!(self.role, Role::Agent | Role::Admin)
    }

    /// Whether the person may read whatever there is about tickets and people.
    pub(crate) fn is_insider(&self) -> bool {
        self.is_agent() || self.role == Role::Auditor
    }

    /// Whether a ticket, or what belongs to one, is within an auditor's grant; everything is for others.
    pub(crate) fn is_granted(&self, ticket: Option<i64>) -> bool {
        self.granted_tickets.is_empty() || ticket.is_some_and(|ticket| self.granted_tickets.contains(&ticket))
    }

    /// Refuses end users a read.
    pub(crate) fn require_insider(&self) -> Result<(), ApiError> {
        if self.is_insider() { Ok(()) } else { Err(ApiError::forbidden("Agents only")) }
    }

    /// Refuses everybody but admins and auditors a read.
    pub(crate) fn require_overseer(&self) -> Result<(), ApiError> {
        if self.role == Role::Auditor { Ok(()) } else { self.require_admin() }
    }

    /// Refuses end users.
    pub(crate) fn require_agent(&self) -> Result<(), ApiError> {
        if self.is_agent() { Ok(()) } else { Err(ApiError::forbidden("Agents only")) }
    }

    /// Refuses everybody but admins.
    pub(crate) fn require_admin(&self) -> Result<(), ApiError> {
        if self.role == Role::Admin { Ok(()) } else { Err(ApiError::forbidden("Admins only")) }
    }

    /// Whoever asked for a job, as they are now; nobody, if they were deleted since.
    pub(crate) async fn of_job(desk: &Desk, resident: &Resident, queued: &JobQueued) -> Result<Option<Self>, Failure> {
        let (person, _) = load::<Person>(desk, resident, &StreamName::Person(queued.by)).await?;
        let profile = person.profile().filter(|profile| !profile.is_deleted);
        Ok(profile.map(|profile| Self {
            resident: resident.clone(),
            person: queued.by,
            role: profile.role,
            email: profile.email.expose().clone(),
            granted_tickets: Vec::new(),
            provenance: Provenance { means: queued.means, token: queued.token, ..Provenance::system() },
            session: None,
            reading: Reading::default(),
            origin: Origin::default(),
        }))
    }

    /// The first admin of a tenant that was made with this very request.
    pub(crate) fn of_signup(resident: &Resident, person: PersonId, email: String, provenance: Provenance) -> Self {
        Self {
            resident: resident.clone(),
            person,
            role: Role::Admin,
            email: Some(email),
            granted_tickets: Vec::new(),
            provenance,
            session: None,
            reading: Reading::default(),
            origin: Origin::default(),
        }
    }

    /// The frame of a command this person gives now: the clock is read here, once.
    pub(crate) fn issuer(&self, desk: &Desk, print: &RequestPrint) -> Issuer {
        Issuer {
            resident: self.resident.clone(),
            actor: Actor::Person(self.person),
            provenance: self.provenance.clone(),
            command_id: desk.new_command_id(),
            at: desk.clock.now(),
            idempotency: print.idempotency(self.person),
            trace_parent: runtime::telemetry::trace_parent(),
            blob: None,
            part_of: None,
        }
    }
}

impl FromRequestParts<Desk> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let Some(Site::Tenant(resident)) = parts.extensions.get::<Site>().cloned() else {
            return Err(ApiError::unknown_path());
        };
        let origin = Origin::from_request_parts(parts, desk).await?;
        let (means, proof) = match Credentials::read(&parts.headers) {
            None => (Means::Session, session::by(desk, &resident, parts).await?),
            Some(credentials) => Self::by_credentials(desk, &resident, parts, credentials).await?,
        };
        let Identity { reader, role, email, granted_tickets, session } = match proof {
            Ok(identity) => identity,
            Err(account) => {
                // A session that is over is nobody's attempt at anything.
                if means != Means::Session {
                    let from = Provenance { means, ..Provenance::of(parts) };
                    password::count(desk, &resident, (Outcome::Failed, Client::of(parts), from), account);
                }
                return Err(ApiError::unauthorized());
            }
        };
        if means == Means::Password {
            let from = Provenance { means, ..Provenance::of(parts) };
            let account = Some((reader.person, email.clone().unwrap_or_default()));
            password::count(desk, &resident, (Outcome::Proven, Client::of(parts), from), account);
        }
        let Ok(reading) = Reading::from_request_parts(parts, desk).await;
        limits::count(desk, &resident, reader, parts).await?;
        reading.by(reader);
        if role == Role::Auditor {
            auditor::check(&granted_tickets, parts)?;
        }
        let provenance = Provenance { means: reader.means, token: reader.token, ..Provenance::of(parts) };
        let person = reader.person;
        Ok(Self { resident, person, role, email, granted_tickets, provenance, session, reading, origin })
    }
}

impl Caller {
    /// By what an `Authorization` header says.
    async fn by_credentials(
        desk: &Desk,
        resident: &Resident,
        parts: &Parts,
        credentials: Credentials,
    ) -> Result<(Means, Proof), ApiError> {
        Ok(match credentials {
            Credentials::Token { email, token } => {
                let means = if email.is_some() { Means::BasicToken } else { Means::BearerToken };
                (means, by_token_of_now(desk, resident, email, &token).await?)
            }
            Credentials::Password { email, password } => {
                let proof = password::prove(desk, resident, Client::of(parts), (&email, password)).await?;
                (Means::Password, proof.map(|(identity, _)| identity))
            }
        })
    }
}

/// Somebody who proved who they are.
struct Identity {
    reader: Reader,
    role: Role,
    email: Option<String>,
    granted_tickets: Vec<i64>,
    session: Option<SessionId>,
}

/// Somebody, or the person whose address was given, with that address, if there is one.
type Proof<T = Identity> = Result<T, Option<(PersonId, String)>>;

/// The same as [`by_token`], also for a token that the read models do not show yet: nobody is told that it is wrong before they
/// show everything there is.
async fn by_token_of_now(
    desk: &Desk,
    resident: &Resident,
    email: Option<String>,
    token: &str,
) -> Result<Proof, ApiError> {
    let known = by_token(desk, resident, email.clone(), token).await?;
    if let Ok(Identity { reader, role, .. }) = &known {
        let is_over = *role == Role::Auditor && !auditor::is_granted(desk, resident, *reader).await?;
        return Ok(if is_over { Err(None) } else { known });
    }
    let _place = desk.guard().unknown_token()?;
    match settle::catch_up(desk, resident, settle::PEOPLE).await? {
        Visible::Yes => by_token(desk, resident, email, token).await,
        Visible::NotYet => Err(ApiError::unavailable("the read models do not show yet who may come in")),
    }
}

/// The person a token speaks for: this tenant's, neither expired nor revoked, and sent with the person's own address if
/// it was sent with one.
async fn by_token(desk: &Desk, resident: &Resident, email: Option<String>, token: &str) -> Result<Proof, ApiError> {
    let now: Timestamp = desk.clock.now();
    let mut transaction = desk.reading(resident).await?;
    let row = sqlx::query!(
        "select person.person_id, person.role, person.email, person.granted_tickets, token.token_id
         from api_token token
         join person on person.tenant_id = token.tenant_id and person.person_id = token.person_id
         where token.tenant_id = $1 and token.token_sha256 = $2 and token.revoked_at is null
           and person.deleted_at is null and person.suspended_at is null
           and (token.expires_at is null or token.expires_at > $3)
           and (person.role <> 'auditor' or person.granted_until > $3)",
        resident.tenant_id().get(),
        Hash::of(&[token.as_bytes()]).to_string(),
        now.to_sqlx() as _,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = row.filter(|row| email.is_none() || row.email == email) else {
        let Some(email) = email.filter(|email| password::is_possible(email)) else { return Ok(Err(None)) };
        let person = sqlx::query_scalar!(
            "select person_id from person where tenant_id = $1 and email = $2 and deleted_at is null order by person_id limit 1",
            resident.tenant_id().get(),
            email,
        );
        let person = person.fetch_optional(&mut *transaction).await?;
        return Ok(Err(person.map(|person| (PersonId::new(person), email))));
    };
    drop(transaction);
    let means = if email.is_some() { Means::BasicToken } else { Means::BearerToken };
    let reader = Reader { person: PersonId::new(row.person_id), means, token: Some(TokenId::new(row.token_id)) };
    Ok(Ok(Identity {
        reader,
        role: role(&row.role)?,
        email: row.email,
        granted_tickets: row.granted_tickets,
        session: None,
    }))
}

fn role(word: &str) -> Result<Role, ApiError> {
    word.parse().map_err(ApiError::internal)
}

#[cfg(test)]
mod tests;
