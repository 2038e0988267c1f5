//! Profiles and API tokens.

use std::collections::{BTreeMap, HashSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use schemas::{
    PersonId, TenantId, TenantLogEvent,
    person::{ApiTokenIssued, PersonDetailSet, PersonEvent},
    values::Role,
};
use serde_json::{Value, json};
use sqlx::error::BoxDynError;

use super::identity::Identities;
use crate::{
    batch::{Applied, Payload},
    build::{Columns, OpenBuild, Row},
    error::{ApplyError, Missing},
    projections::{ERASED, ERASED_PERSON, column},
};

struct Person {
    person_id: i64,
    name: String,
    email: Option<String>,
    role: String,
    password_phc: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
    granted_until: Option<Timestamp>,
    granted_tickets: Vec<i64>,
    details: Value,
    tags: Vec<String>,
    suspended_at: Option<Timestamp>,
}

struct Token<'event> {
    person_id: i64,
    event: &'event ApiTokenIssued,
    created_at: Timestamp,
}

struct Revocation {
    token_id: i64,
    revoked_at: Timestamp,
}

#[derive(Default)]
struct Fold<'event> {
    people: BTreeMap<PersonId, Person>,
    issued: Vec<Token<'event>>,
    revoked: Vec<Revocation>,
    erased: Vec<i64>,
}

pub(super) async fn apply(
    build: &mut OpenBuild,
    tenant: TenantId,
    (wanted, identities): (&[(PersonId, &Applied)], &mut Identities),
) -> Result<(), ApplyError> {
    let mut fold = Fold { people: load(build, tenant, wanted).await?, ..Fold::default() };
    let known: HashSet<PersonId> = fold.people.keys().copied().collect();
    for (person, event) in wanted {
        fold.take(*person, event, identities)?;
    }
    let (changed, new): (Vec<_>, Vec<_>) = fold.people.into_values().partition(|person| person.is_among(&known));
    build.put(&changed).await?;
    build.add(&new).await?;
    build.add(&fold.issued).await?;
    store_revoked(build, tenant, &fold.revoked).await?;
    remove_tokens(build, tenant, &fold.erased).await
}

impl<'event> Fold<'event> {
    fn take(&mut self, id: PersonId, event: &'event Applied, identities: &mut Identities) -> Result<(), Missing> {
        if event.envelope.event_type == "person_added" {
            let person = added(id, event);
            if person.role != Role::Auditor.as_str() {
                identities.begin(id, person.email.as_deref(), person.created_at);
            }
            self.people.insert(id, person);
            return Ok(());
        }
        let at = event.envelope.recorded_at.to_sqlx();
        let person = self.people.get_mut(&id).ok_or(Missing::Person(id))?;
        person.updated_at = at;
        let Payload::Event(TenantLogEvent::Person(event)) = &event.payload else { return Ok(()) };
        if let Some(email) = identities.take((id, person.created_at), event, at) {
            person.email = email;
        }
        match event {
            PersonEvent::PersonAdded(_) => {}
            PersonEvent::PersonRenamed(event) => person.name.clone_from(event.name.expose()),
            // What they make of the address, the identities have said.
            PersonEvent::PersonEmailChanged(_)
            | PersonEvent::IdentityAdded(_)
            | PersonEvent::IdentityChanged(_)
            | PersonEvent::IdentityVerified(_)
            | PersonEvent::IdentityRemoved(_)
            | PersonEvent::PrimaryIdentityChosen(_) => {}
            // In a table of their own.
            PersonEvent::OrganizationJoined(_)
            | PersonEvent::OrganizationLeft(_)
            | PersonEvent::DefaultOrganizationChosen(_)
            | PersonEvent::GroupJoined(_)
            | PersonEvent::GroupLeft(_)
            | PersonEvent::DefaultGroupChosen(_) => {}
            PersonEvent::PersonDetailSet(event) => person.tell(event),
            PersonEvent::PersonTagsSet(event) => person.tags.clone_from(event.tags.expose()),
            PersonEvent::PersonSuspended(_) => person.suspended_at = Some(at),
            PersonEvent::PersonReinstated(_) => person.suspended_at = None,
            PersonEvent::RoleChanged(event) => event.role.as_str().clone_into(&mut person.role),
            PersonEvent::PasswordSet(event) => person.password_phc = Some(event.phc.expose().clone()),
            PersonEvent::ApiTokenIssued(event) => {
                self.issued.push(Token { person_id: id.get(), event, created_at: at });
            }
            PersonEvent::ApiTokenRevoked(event) => {
                self.revoked.push(Revocation { token_id: event.token.get(), revoked_at: at });
            }
            PersonEvent::AuditorGranted(event) => {
                person.granted_until = Some(event.expires_at.to_sqlx());
                person.granted_tickets = column(&event.tickets, |ticket| ticket.get());
            }
            PersonEvent::PersonDeleted(_) => person.deleted_at = Some(at),
            PersonEvent::PersonErased(_) => {
                person.erase();
                self.erased.push(id.get());
            }
        }
        Ok(())
    }
}

/// A new row; of an erased person, one that tells nothing and may do the least.
fn added(id: PersonId, event: &Applied) -> Person {
    let at = event.envelope.recorded_at.to_sqlx();
    let (name, email, role) = match event.event() {
        Some(TenantLogEvent::Person(PersonEvent::PersonAdded(added))) => {
            (added.name.expose().clone(), added.email.expose().clone(), added.role)
        }
        _ => (ERASED.to_owned(), None, Role::EndUser),
    };
    let role = role.as_str().to_owned();
    Person {
        person_id: id.get(),
        name,
        email,
        role,
        password_phc: None,
        created_at: at,
        updated_at: at,
        deleted_at: None,
        granted_until: None,
        granted_tickets: Vec::new(),
        details: json!({}),
        tags: Vec::new(),
        suspended_at: None,
    }
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    wanted: &[(PersonId, &Applied)],
) -> Result<BTreeMap<PersonId, Person>, sqlx::Error> {
    let ids: Vec<_> = wanted.iter().map(|(person, _)| person.get()).collect();
    let people = sqlx::query_as!(
        Person,
        r#"select person_id, name, email, role, password_phc,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp",
                  deleted_at as "deleted_at: Timestamp", granted_until as "granted_until: Timestamp", granted_tickets,
                  details, tags, suspended_at as "suspended_at: Timestamp"
           from person where tenant_id = $1 and person_id = any($2)"#,
        tenant.get(),
        &ids,
    )
    .fetch_all(build)
    .await?;
    Ok(people.into_iter().map(|person| (PersonId::new(person.person_id), person)).collect())
}

impl Person {
    fn is_among(&self, people: &HashSet<PersonId>) -> bool {
        people.contains(&PersonId::new(self.person_id))
    }

    /// Tells nothing any more, and the same in a build that was filled after the erasure.
    fn erase(&mut self) {
        ERASED_PERSON.clone_into(&mut self.name);
        Role::EndUser.as_str().clone_into(&mut self.role);
        (self.email, self.password_phc, self.granted_until) = (None, None, None);
        self.granted_tickets.clear();
        (self.details, self.suspended_at) = (json!({}), None);
        self.tags.clear();
    }

    fn tell(&mut self, event: &PersonDetailSet) {
        let Some(details) = self.details.as_object_mut() else { return };
        match event.value.expose() {
            Some(value) => details.insert(event.detail.to_string(), json!(value)),
            None => details.remove(event.detail.as_str()),
        };
    }
}

impl Row for Person {
    const TABLE: &'static str = "person";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("person_id", self.person_id)?;
        to.value("name", self.name.as_str())?;
        to.value("email", self.email.as_deref())?;
        to.value("role", self.role.as_str())?;
        to.value("password_phc", self.password_phc.as_deref())?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)?;
        to.value("deleted_at", self.deleted_at)?;
        to.value("granted_until", self.granted_until)?;
        to.list("granted_tickets", &self.granted_tickets)?;
        to.value("details", &self.details)?;
        to.list("tags", &self.tags)?;
        to.value("suspended_at", self.suspended_at)
    }
}

impl Row for Token<'_> {
    const TABLE: &'static str = "api_token";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("token_id", self.event.token.get())?;
        to.value("token_sha256", self.event.token_sha256.expose().as_str())?;
        to.value("person_id", self.person_id)?;
        to.value("description", self.event.description.expose().as_str())?;
        to.value("expires_at", self.event.expires_at.map(ToSqlx::to_sqlx))?;
        to.value("created_at", self.created_at)
    }
}

async fn store_revoked(build: &mut OpenBuild, tenant: TenantId, revoked: &[Revocation]) -> Result<(), ApplyError> {
    if revoked.is_empty() {
        return Ok(());
    }
    // A token of an erased person has no row: nothing to revoke.
    sqlx::query!(
        "update api_token as token set revoked_at = row.revoked_at
         from unnest($2::bigint[], $3::timestamptz[]) as row (token_id, revoked_at)
         where token.tenant_id = $1 and token.token_id = row.token_id and token.revoked_at is null",
        tenant.get(),
        &column(revoked, |row| row.token_id),
        &column(revoked, |row| row.revoked_at) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn remove_tokens(build: &mut OpenBuild, tenant: TenantId, erased: &[i64]) -> Result<(), ApplyError> {
    if !erased.is_empty() {
        sqlx::query!("delete from api_token where tenant_id = $1 and person_id = any($2)", tenant.get(), erased)
            .execute(build)
            .await?;
    }
    Ok(())
}
