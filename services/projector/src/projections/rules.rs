//! The projection `rules`: one row a view or macro that somebody made and nobody deleted.
//!
//! What is somebody's own is sealed for them, and goes with them: live when the person is erased, in a rebuild because it does not open.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    GroupId, PersonId, RuleId, StreamName, TenantId, TenantLogEvent,
    rule::{Audience, RuleChanged, RuleEvent, RuleMade},
};
use serde_json::json;

use crate::{
    batch::{Applied, Payload},
    build::OpenBuild,
    error::ApplyError,
    projections::{Projection, apply_span, column},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "rules",
    shape: 1,
    tables_sql: include_str!("../../sql/rules/tables.sql"),
    indexes_sql: include_str!("../../sql/rules/indexes.sql"),
    tables: &[Table { name: "rule", key: "rule_id" }],
    reads: |stream| matches!(stream, StreamName::Rule(_) | StreamName::Person(_)),
    passes_over: OF_PEOPLE,
    span: || apply_span!("projection.rules.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// What happens to people, but that they are erased.
const OF_PEOPLE: &[&str] = &[
    "person_added",
    "person_renamed",
    "person_email_changed",
    "role_changed",
    "password_set",
    "api_token_issued",
    "api_token_revoked",
    "auditor_granted",
    "person_detail_set",
    "person_tags_set",
    "person_suspended",
    "person_reinstated",
    "identity_added",
    "identity_changed",
    "identity_verified",
    "identity_removed",
    "primary_identity_chosen",
    "organization_joined",
    "organization_left",
    "default_organization_chosen",
    "group_joined",
    "group_left",
    "default_group_chosen",
    "person_deleted",
];

/// A tenant has a handful of these events in a day: one statement each.
async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    for applied in events {
        let at = applied.envelope.recorded_at;
        match (&applied.envelope.stream, &applied.payload) {
            (StreamName::Person(person), _) if applied.envelope.event_type == "person_erased" => {
                erase(build, (tenant, *person)).await?;
            }
            (StreamName::Rule(rule), Payload::Event(TenantLogEvent::Rule(event))) => match event {
                RuleEvent::RuleMade(made) => make(build, tenant, made, at).await?,
                RuleEvent::RuleChanged(changed) => change(build, (tenant, *rule), changed, at).await?,
                RuleEvent::RuleDeleted(_) => delete(build, (tenant, *rule)).await?,
            },
            // It had become somebody's own, who is erased: what it said before is not what it says.
            (StreamName::Rule(rule), Payload::Erased) => delete(build, (tenant, *rule)).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Whose own it is, and the groups that share it.
fn shared(audience: &Audience) -> (Option<i64>, Vec<i64>) {
    match audience {
        Audience::Everybody => (None, Vec::new()),
        Audience::Groups(groups) => (None, column(groups, |group: &GroupId| group.get())),
        Audience::Person(person) => (Some(PersonId::get(*person)), Vec::new()),
    }
}

/// Also where it was made before: then it is as new, because a rebuild may know only this.
async fn make(build: &mut OpenBuild, tenant: TenantId, made: &RuleMade, at: Timestamp) -> Result<(), ApplyError> {
    let definition = made.definition.expose();
    let (owner_id, group_ids) = shared(&made.audience);
    sqlx::query!(
        "insert into rule
             (tenant_id, rule_id, kind, owner_id, group_ids, definition, position, is_active, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         on conflict (tenant_id, rule_id) do update
         set kind = excluded.kind, owner_id = excluded.owner_id, group_ids = excluded.group_ids, definition = excluded.definition,
             position = excluded.position, is_active = excluded.is_active, created_at = excluded.created_at,
             updated_at = excluded.updated_at",
        tenant.get(),
        made.rule.get(),
        made.kind.as_str(),
        owner_id,
        &group_ids,
        json!(definition),
        definition.position,
        definition.is_active,
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn change(
    build: &mut OpenBuild,
    (tenant, rule): (TenantId, RuleId),
    changed: &RuleChanged,
    at: Timestamp,
) -> Result<(), ApplyError> {
    let definition = changed.definition.expose();
    let (owner_id, group_ids) = shared(&changed.audience);
    sqlx::query!(
        "update rule
         set owner_id = $3, group_ids = $4, definition = $5, position = $6, is_active = $7, updated_at = $8
         where tenant_id = $1 and rule_id = $2",
        tenant.get(),
        rule.get(),
        owner_id,
        &group_ids,
        json!(definition),
        definition.position,
        definition.is_active,
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn delete(build: &mut OpenBuild, (tenant, rule): (TenantId, RuleId)) -> Result<(), ApplyError> {
    sqlx::query!("delete from rule where tenant_id = $1 and rule_id = $2", tenant.get(), rule.get())
        .execute(build)
        .await?;
    Ok(())
}

async fn erase(build: &mut OpenBuild, (tenant, person): (TenantId, PersonId)) -> Result<(), ApplyError> {
    sqlx::query!("delete from rule where tenant_id = $1 and owner_id = $2", tenant.get(), person.get())
        .execute(build)
        .await?;
    Ok(())
}
