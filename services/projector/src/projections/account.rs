//! The projection `account`: the tenant itself, what was decided about its locality, and its groups of agents.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    GroupId, StreamName, TenantId, TenantLogEvent,
    tenant::{GroupAdded, LocalityChosen, PlanChosen, TenantEvent, TenantRegistered},
};

use crate::{
    batch::{Applied, Payload},
    build::OpenBuild,
    error::{ApplyError, Missing},
    projections::{ERASED, Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "account",
    shape: 1,
    tables_sql: include_str!("../../sql/account/tables.sql"),
    indexes_sql: include_str!("../../sql/account/indexes.sql"),
    tables: &[Table { name: "account", key: "tenant_id" }, Table { name: "agent_group", key: "group_id" }],
    reads: |stream| matches!(stream, StreamName::Tenant),
    passes_over: &["admin_withdrawn", "signing_key_succeeded", "hosting_policy_replaced", "log_restored"],
    span: || apply_span!("projection.account.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// A tenant has a handful of these events in its life: one statement each.
async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    for event in events.iter().filter(|event| PROJECTION.wants(&event.envelope)) {
        let at = event.envelope.recorded_at;
        match &event.payload {
            Payload::Event(TenantLogEvent::Tenant(tenant_event)) => change(build, tenant, tenant_event, at).await?,
            Payload::Erased if event.envelope.event_type == "tenant_registered" => {
                let tombstone = TenantRegistered { slug: resident.slug().clone(), company: ERASED.to_owned().into() };
                register(build, tenant, &tombstone, at).await?;
            }
            // The rest of an erased tenant stays unknown.
            Payload::Event(_) | Payload::Erased | Payload::Unwanted | Payload::Unreadable(_) => {}
        }
    }
    Ok(())
}

async fn change(build: &mut OpenBuild, tenant: TenantId, event: &TenantEvent, at: Timestamp) -> Result<(), ApplyError> {
    match event {
        TenantEvent::TenantRegistered(registered) => register(build, tenant, registered, at).await,
        TenantEvent::PlanChosen(chosen) => choose_plan(build, tenant, chosen).await,
        TenantEvent::LocalityChosen(chosen) => choose_locality(build, tenant, chosen).await,
        TenantEvent::GroupAdded(added) => add_group(build, tenant, added, at).await,
        TenantEvent::GroupRenamed(to) => {
            let name = GroupChange { name: Some(to.name.expose()), ..GroupChange::default() };
            change_group(build, (tenant, to.group, at), name).await
        }
        TenantEvent::GroupDescribed(to) => {
            let described = GroupChange { description: Some(to.description.expose()), ..GroupChange::default() };
            change_group(build, (tenant, to.group, at), described).await
        }
        TenantEvent::GroupMadePrivate(of) => {
            let private = GroupChange { is_private: true, ..GroupChange::default() };
            change_group(build, (tenant, of.group, at), private).await
        }
        TenantEvent::GroupDeleted(of) => {
            let deleted = GroupChange { is_deleted: true, ..GroupChange::default() };
            change_group(build, (tenant, of.group, at), deleted).await
        }
        TenantEvent::TenantGroupChosen(chosen) => choose_group(build, tenant, chosen.group).await,
        // Passed over: who is an admin is in the projection `people`, what the operator did in `audit_log`.
        TenantEvent::AdminWithdrawn(_)
        | TenantEvent::SigningKeySucceeded(_)
        | TenantEvent::HostingPolicyReplaced(_)
        | TenantEvent::LogRestored(_) => Ok(()),
    }
}

async fn register(
    build: &mut OpenBuild,
    tenant: TenantId,
    event: &TenantRegistered,
    at: Timestamp,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into account (tenant_id, slug, company, registered_at) values ($1, $2, $3, $4)",
        tenant.get(),
        event.slug.as_str(),
        event.company.expose(),
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn choose_plan(build: &mut OpenBuild, tenant: TenantId, event: &PlanChosen) -> Result<(), ApplyError> {
    let changed = sqlx::query!("update account set plan = $2 where tenant_id = $1", tenant.get(), event.plan.as_str())
        .execute(build)
        .await?;
    one_row(changed.rows_affected())
}

async fn choose_locality(build: &mut OpenBuild, tenant: TenantId, event: &LocalityChosen) -> Result<(), ApplyError> {
    let changed = sqlx::query!(
        "update account
         set requested = $2, granted = $3, policy_version = $4::bigint::integer, entitled = $5, selected = $6, committed = $7
         where tenant_id = $1",
        tenant.get(),
        event.requested.as_ref().map(schemas::RegionId::as_str),
        event.granted.as_str(),
        i64::from(event.policy_version),
        event.entitled,
        event.selected,
        event.committed,
    )
    .execute(build)
    .await?;
    one_row(changed.rows_affected())
}

async fn add_group(
    build: &mut OpenBuild,
    tenant: TenantId,
    event: &GroupAdded,
    at: Timestamp,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into agent_group (tenant_id, group_id, name, created_at) values ($1, $2, $3, $4)",
        tenant.get(),
        event.group.get(),
        event.name.expose(),
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

/// What is different of a group.
#[derive(Default)]
struct GroupChange<'event> {
    name: Option<&'event String>,
    description: Option<&'event String>,
    is_private: bool,
    is_deleted: bool,
}

async fn change_group(
    build: &mut OpenBuild,
    (tenant, group, at): (TenantId, GroupId, Timestamp),
    change: GroupChange<'_>,
) -> Result<(), ApplyError> {
    // A group without a row was added under a key that is destroyed: there is nothing to change.
    sqlx::query!(
        "update agent_group
         set name = coalesce($3, name), description = coalesce($4, description), is_public = is_public and not $5,
             deleted_at = case when $6 then $7 else deleted_at end, changed_at = $7
         where tenant_id = $1 and group_id = $2",
        tenant.get(),
        group.get(),
        change.name,
        change.description,
        change.is_private,
        change.is_deleted,
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn choose_group(build: &mut OpenBuild, tenant: TenantId, group: GroupId) -> Result<(), ApplyError> {
    let changed =
        sqlx::query!("update account set chosen_group_id = $2 where tenant_id = $1", tenant.get(), group.get())
            .execute(build)
            .await?;
    one_row(changed.rows_affected())
}

fn one_row(rows_affected: u64) -> Result<(), ApplyError> {
    if rows_affected == 1 { Ok(()) } else { Err(Missing::Account.into()) }
}
