//! The projection `people`: profiles, API tokens by hash, by what people are reached and known, where they belong, and the
//! organizations they belong to.

mod identity;
mod membership;
mod organization;
mod profile;

use regions::Resident;
use schemas::{PersonId, StreamName};

use self::identity::Identities;
use crate::{
    batch::Applied,
    build::OpenBuild,
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "people",
    shape: 1,
    tables_sql: include_str!("../../sql/people/tables.sql"),
    indexes_sql: include_str!("../../sql/people/indexes.sql"),
    tables: &[
        Table { name: "person", key: "person_id" },
        Table { name: "api_token", key: "token_id" },
        Table { name: "identity", key: "identity_id" },
        Table { name: "membership", key: "membership_id" },
        Table { name: "organization", key: "organization_id" },
        Table { name: "organization_domain", key: "place" },
    ],
    reads: |stream| matches!(stream, StreamName::Person(_) | StreamName::Organization(_)),
    passes_over: &[],
    span: || apply_span!("projection.people.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let person_of = |event: &Applied| match event.envelope.stream {
        StreamName::Person(person) => Some(person),
        _ => None,
    };
    let of_people: Vec<(PersonId, &Applied)> =
        events.iter().filter_map(|event| Some((person_of(event)?, event))).collect();
    if !of_people.is_empty() {
        let mut identities = Identities::load(build, tenant, &of_people).await?;
        profile::apply(build, tenant, (&of_people, &mut identities)).await?;
        identities.store(build, tenant).await?;
        membership::apply(build, tenant, &of_people).await?;
    }
    organization::apply(build, tenant, events).await
}

/// Whether the event is of one of these types; also one whose key is destroyed.
fn is_one_of(event: &Applied, types: &[&str]) -> bool {
    types.contains(&event.envelope.event_type.as_str())
}
