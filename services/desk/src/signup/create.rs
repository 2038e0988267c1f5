//! The steps of a signup, in their order, and what a crash after each leaves behind.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use directory::ClaimError;
use domain::{
    email::{self, EmailClaim},
    person::{self, Person},
    tenant::{self, Tenant},
};
use eventlog::NewTenant;
use regions::{LocalityDecision, Resident};
use schemas::{Epoch, GroupId, Hash, PersonId, Position, Slug, StreamName, TenantId, TokenId, values::Role};

use super::request::{Admin, Request};
use crate::{
    api::who::email_stream,
    caller::{client::Client, provenance::Provenance},
    execute::{Batch, Done, Failure, Issuer, Refusal},
    problem::ApiError,
    state::Desk,
};

/// How many ids a signup hands out: a person's, a group's, a token's.
const IDS_NEEDED: i64 = 3;

/// A tenant that exists.
pub(super) struct Created {
    pub(super) resident: Resident,
    /// The first admin.
    pub(super) person: PersonId,
    /// The first admin's address.
    pub(super) email: String,
    /// The first admin's token, shown once.
    pub(super) api_token: String,
    /// The last position of the signup.
    pub(super) position: Position,
    /// Whether the directory knows already that the tenant exists; if not, the reconciler tells it.
    pub(super) is_confirmed: bool,
}

/// Carries a signup out: claim the name, make the head row, append the first events, confirm the name.
pub(super) async fn create(
    desk: &Desk,
    (client, provenance): (Client, Provenance),
    request: Request,
) -> Result<Created, ApiError> {
    let Request { slug, company, plan, decision, admin } = request;
    let turn = desk.guard().turn(client).await?;
    let phc = desk.guard().hash(turn, admin.password.expose().clone(), desk.ids.secret()).await?;
    let tenant_id = match unfinished(desk, &slug).await? {
        Some(tenant_id) => tenant_id,
        None => TenantId::new(desk.ids.uuid()),
    };

    claim(desk, &slug, tenant_id).await?;
    // A crash here leaves a claim without a tenant: the reconciler releases it.
    let resident = head_row(desk, &slug, tenant_id).await?;
    // A crash here leaves a head row without events too: the next signup for the name takes it up again.
    let register = tenant::Register { slug: slug.clone(), company, plan, decision: decided(decision) };
    let first = First { register, phc, api_token: new_api_token(desk), admin, provenance };
    let (person, done) = append(desk, &resident, &first).await?;
    // A crash here leaves a tenant whose name is not confirmed: the reconciler confirms it.
    let is_confirmed = confirm(desk, &slug, tenant_id).await;

    let email = first.admin.email.into_inner();
    Ok(Created { resident, person, email, api_token: first.api_token, position: done.last, is_confirmed })
}

/// The tenant id of an earlier signup for the name that died before its first event, if there was one.
async fn unfinished(desk: &Desk, slug: &Slug) -> Result<Option<TenantId>, ApiError> {
    let found = sqlx::query_scalar!("select tenant_id from log.tenant where slug = $1 and position = 0", slug.as_str());
    Ok(found.fetch_optional(&desk.pool).await?.map(TenantId::new))
}

async fn claim(desk: &Desk, slug: &Slug, tenant_id: TenantId) -> Result<(), ApiError> {
    match desk.directory.claim(slug, tenant_id, &desk.region.id, Epoch::FIRST).await {
        Ok(()) => Ok(()),
        Err(ClaimError::Taken) => Err(taken()),
        Err(error @ ClaimError::Unavailable { .. }) => Err(ApiError::unavailable(error)),
        Err(error) => Err(ApiError::internal(error)),
    }
}

fn taken() -> ApiError {
    ApiError::taken("subdomain", "subdomain: takes a name that no other tenant has")
}

async fn head_row(desk: &Desk, slug: &Slug, tenant_id: TenantId) -> Result<Resident, ApiError> {
    let mut connection = desk.pool.acquire().await?;
    let new = NewTenant {
        tenant_id,
        slug: slug.clone(),
        region: desk.region.id.clone(),
        epoch: Epoch::FIRST,
        created_at: desk.clock.now(),
    };
    if let Some(resident) = eventlog::create_tenant(&mut connection, &new).await? {
        return Ok(resident);
    }
    // There is one: of this id, left by a signup that died; or of another, which then holds the name.
    let resident = Resident::prove_id(&mut connection, &desk.region.id, tenant_id).await?;
    resident.filter(|resident| resident.slug() == slug).ok_or_else(taken)
}

/// What the first append is made of.
struct First {
    register: tenant::Register,
    admin: Admin,
    phc: String,
    api_token: String,
    provenance: Provenance,
}

/// The tenant's first events, all of them or none: registration, plan, locality, a group, the admin with an address, a
/// password and a token.
async fn append(desk: &Desk, resident: &Resident, first: &First) -> Result<(PersonId, Done), ApiError> {
    // A signup is nobody's command: its first person does not exist yet.
    let by = Issuer::system(desk, resident, first.provenance.clone());
    let mut connection = desk.pool.acquire().await?;
    let id = eventlog::allocate_ids(&mut connection, resident, IDS_NEEDED).await?;
    drop(connection);
    let (person, group, token) = (PersonId::new(id), GroupId::new(id + 1), TokenId::new(id + 2));

    let register = first.register.clone().into();
    let add_group = tenant::AddGroup { group, name: "Support".to_owned().into() }.into();
    let add = person::Add {
        person,
        name: first.admin.name.clone(),
        email: Some(first.admin.email.expose().clone()).into(),
        role: Role::Admin,
    };
    let set_password = person::SetPassword { phc: first.phc.clone().into() };
    let issue_token = person::IssueToken {
        token,
        token_sha256: token_sha256(&first.api_token).into(),
        description: "Issued at signup".to_owned().into(),
        expires_at: None,
    };

    let (of_tenant, of_person) = (StreamName::Tenant, StreamName::Person(person));
    let of_email = email_stream(desk, resident, first.admin.email.expose()).await?;
    let batch = Batch::new(desk, &by)
        .decide::<Tenant>(of_tenant.clone(), None, &register)
        .await
        .map_err(lost_race)?
        .decide::<Tenant>(of_tenant, None, &add_group)
        .await?
        .decide::<Person>(of_person.clone(), None, &add.into())
        .await?
        .decide::<EmailClaim>(of_email, None, &email::Command::Claim { person })
        .await
        .map_err(claimed_by_the_winner)?
        .decide::<Person>(of_person.clone(), None, &set_password.into())
        .await?
        .decide::<Person>(of_person, None, &issue_token.into())
        .await?;
    let done = batch.commit().await.map_err(|failure| match failure {
        Failure::Conflict { .. } => taken(),
        other => other.into(),
    })?;
    Ok((person, done))
}

/// Two signups may take up one head row; the one that registers first has the name.
fn lost_race(refusal: Refusal<tenant::Rejection>) -> ApiError {
    match refusal {
        Refusal::Rejected(tenant::Rejection::AlreadyExists) => taken(),
        other => other.into(),
    }
}

/// Whoever else could have claimed the first admin's address has registered the tenant in between.
fn claimed_by_the_winner(refusal: Refusal<email::Rejection>) -> ApiError {
    match refusal {
        Refusal::Rejected(_) => taken(),
        Refusal::Failed(failure) => failure.into(),
    }
}

/// Tells the directory that the tenant exists. If it cannot be told now, the tenant exists all the same.
async fn confirm(desk: &Desk, slug: &Slug, tenant_id: TenantId) -> bool {
    let confirmed = match desk.directory.confirm(slug, tenant_id).await {
        // Released under our hands, because the signup took so long: claim it again.
        Err(ClaimError::NotClaimed) => match claim(desk, slug, tenant_id).await {
            Ok(()) => desk.directory.confirm(slug, tenant_id).await,
            Err(_) => Err(ClaimError::NotClaimed),
        },
        result => result,
    };
    if let Err(error) = &confirmed {
        tracing::warn!(tenant.id = %tenant_id, error = runtime::chain(error), "a new tenant's name is not confirmed yet");
    }
    confirmed.is_ok()
}

fn decided(decision: LocalityDecision) -> tenant::Decision {
    let LocalityDecision { requested, granted, policy_version, entitled, selected, committed } = decision;
    tenant::Decision { requested, granted, policy_version, entitled, selected, committed }
}

/// 256 bits nobody can guess, with a prefix by which a leaked one is recognised.
pub(crate) fn new_api_token(desk: &Desk) -> String {
    format!("dom_{}", URL_SAFE_NO_PAD.encode(desk.ids.secret()))
}

/// What is kept of a token.
pub(crate) fn token_sha256(token: &str) -> String {
    Hash::of(&[token.as_bytes()]).to_string()
}

/// The first events of a tenant that has a head row already; the first admin's token. The directory hears nothing.
#[cfg(test)]
pub(crate) async fn for_test(desk: &Desk, resident: &Resident, email: &str) -> Result<String, ApiError> {
    let decision = desk
        .regions
        .policy()
        .decide(schemas::values::Plan::Professional, Some(&desk.region.id))
        .expect("the plan may choose this region");
    let register = tenant::Register {
        slug: resident.slug().clone(),
        company: "Acme GmbH".to_owned().into(),
        plan: schemas::values::Plan::Professional,
        decision: decided(decision),
    };
    let admin = Admin {
        name: "Ada Lovelace".to_owned().into(),
        email: email.to_owned().into(),
        password: String::new().into(),
    };
    // A hash no password has: these people come with tokens.
    let phc = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let first = First {
        register,
        admin,
        phc: phc.to_owned(),
        api_token: new_api_token(desk),
        provenance: Provenance::system(),
    };
    let (_, done) = append(desk, resident, &first).await?;
    crate::visible::wait(desk, resident, done.last, &["account", "people"]).await;
    Ok(first.api_token)
}
