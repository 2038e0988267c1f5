//! The projection `people`: profiles, and API tokens by hash.

use std::collections::BTreeMap;

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    PersonId, StreamName, TenantId, TenantLogEvent,
    person::{ApiTokenIssued, PersonEvent},
    values::Role,
};

use crate::{
    batch::{Applied, Payload},
    build::OpenBuild,
    error::{ApplyError, Missing},
    projections::{ERASED, Projection, apply_span, column},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "people",
    shape: 1,
    tables_sql: include_str!("../../sql/people/tables.sql"),
    indexes_sql: include_str!("../../sql/people/indexes.sql"),
    tables: &[Table { name: "person", key: "person_id" }, Table { name: "api_token", key: "token_id" }],
    reads: |stream| matches!(stream, StreamName::Person(_)),
    passes_over: &[],
    span: || apply_span!("projection.people.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct Person {
    person_id: i64,
    name: String,
    email: Option<String>,
    role: String,
    password_phc: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
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
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let wanted: Vec<_> = events
        .iter()
        .filter_map(|event| match event.envelope.stream {
            StreamName::Person(person) => Some((person, event)),
            _ => None,
        })
        .collect();
    let mut fold = Fold { people: load(build, tenant, &wanted).await?, ..Fold::default() };
    for (person, event) in wanted {
        fold.take(person, event)?;
    }
    store_people(build, tenant, &fold.people).await?;
    store_issued(build, tenant, &fold.issued).await?;
    store_revoked(build, tenant, &fold.revoked).await
}

impl<'event> Fold<'event> {
    fn take(&mut self, id: PersonId, event: &'event Applied) -> Result<(), Missing> {
        if event.envelope.event_type == "person_added" {
            self.people.insert(id, added(id, event));
            return Ok(());
        }
        let at = event.envelope.recorded_at.to_sqlx();
        let person = self.people.get_mut(&id).ok_or(Missing::Person(id))?;
        person.updated_at = at;
        let Payload::Event(TenantLogEvent::Person(event)) = &event.payload else { return Ok(()) };
        match event {
            PersonEvent::PersonAdded(_) => {}
            PersonEvent::PersonRenamed(event) => person.name.clone_from(event.name.expose()),
            PersonEvent::PersonEmailChanged(event) => person.email.clone_from(event.email.expose()),
            PersonEvent::RoleChanged(event) => event.role.as_str().clone_into(&mut person.role),
            PersonEvent::PasswordSet(event) => person.password_phc = Some(event.phc.expose().clone()),
            PersonEvent::ApiTokenIssued(event) => {
                self.issued.push(Token { person_id: id.get(), event, created_at: at });
            }
            PersonEvent::ApiTokenRevoked(event) => {
                self.revoked.push(Revocation { token_id: event.token.get(), revoked_at: at });
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
    Person { person_id: id.get(), name, email, role, password_phc: None, created_at: at, updated_at: at }
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
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
           from person where tenant_id = $1 and person_id = any($2)"#,
        tenant.get(),
        &ids,
    )
    .fetch_all(build)
    .await?;
    Ok(people.into_iter().map(|person| (PersonId::new(person.person_id), person)).collect())
}

async fn store_people(
    build: &mut OpenBuild,
    tenant: TenantId,
    people: &BTreeMap<PersonId, Person>,
) -> Result<(), ApplyError> {
    let rows: Vec<&Person> = people.values().collect();
    sqlx::query!(
        "insert into person (tenant_id, person_id, name, email, role, password_phc, created_at, updated_at)
         select $1, person_id, name, email, role, password_phc, created_at, updated_at
         from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
              as row (person_id, name, email, role, password_phc, created_at, updated_at)
         on conflict (tenant_id, person_id) do update
         set name = excluded.name, email = excluded.email, role = excluded.role, password_phc = excluded.password_phc,
             updated_at = excluded.updated_at",
        tenant.get(),
        &column(&rows, |row| row.person_id),
        &column(&rows, |row| row.name.as_str()) as _,
        &column(&rows, |row| row.email.as_deref()) as _,
        &column(&rows, |row| row.role.as_str()) as _,
        &column(&rows, |row| row.password_phc.as_deref()) as _,
        &column(&rows, |row| row.created_at) as _,
        &column(&rows, |row| row.updated_at) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn store_issued(build: &mut OpenBuild, tenant: TenantId, issued: &[Token<'_>]) -> Result<(), ApplyError> {
    if issued.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Token<'_>> = issued.iter().collect();
    sqlx::query!(
        "insert into api_token (tenant_id, token_id, token_sha256, person_id, description, expires_at, created_at)
         select $1, token_id, token_sha256, person_id, description, expires_at, created_at
         from unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
              as row (token_id, token_sha256, person_id, description, expires_at, created_at)",
        tenant.get(),
        &column(&rows, |row| row.event.token.get()),
        &column(&rows, |row| row.event.token_sha256.expose().as_str()) as _,
        &column(&rows, |row| row.person_id),
        &column(&rows, |row| row.event.description.expose().as_str()) as _,
        &column(&rows, |row| row.event.expires_at.map(ToSqlx::to_sqlx)) as _,
        &column(&rows, |row| row.created_at) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn store_revoked(build: &mut OpenBuild, tenant: TenantId, revoked: &[Revocation]) -> Result<(), ApplyError> {
    if revoked.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Revocation> = revoked.iter().collect();
    // A token of an erased person has no row: nothing to revoke.
    sqlx::query!(
        "update api_token as token set revoked_at = row.revoked_at
         from unnest($2::bigint[], $3::timestamptz[]) as row (token_id, revoked_at)
         where token.tenant_id = $1 and token.token_id = row.token_id and token.revoked_at is null",
        tenant.get(),
        &column(&rows, |row| row.token_id),
        &column(&rows, |row| row.revoked_at) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}
