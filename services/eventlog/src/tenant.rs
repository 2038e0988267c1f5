//! Head rows: making a tenant, and handing out its small ids.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use regions::Resident;
use schemas::{Epoch, RegionId, Slug, TenantId, TicketId};
use sqlx::{Connection as _, PgConnection};

use crate::error::Error;

/// A tenant that is to be at home here.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its id, for ever.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: Slug,
    /// This region.
    pub region: RegionId,
    /// How often its home was set.
    pub epoch: Epoch,
    /// When.
    pub created_at: Timestamp,
}

/// Makes a tenant's head row, with an empty log. `None` if the id or the slug exists here already.
///
/// # Errors
/// If the database fails.
pub async fn create_tenant(connection: &mut PgConnection, tenant: &NewTenant) -> Result<Option<Resident>, Error> {
    if !insert_head(connection, tenant, "active").await.map_err(Error::CreateTenant)? {
        return Ok(None);
    }
    Resident::prove_id(connection, &tenant.region, tenant.tenant_id).await.map_err(Error::CreateTenant)
}

/// Makes a head row in a state, unless the id or the slug exists here already. Whether it did.
pub(crate) async fn insert_head(
    connection: &mut PgConnection,
    tenant: &NewTenant,
    state: &str,
) -> Result<bool, sqlx::Error> {
    let created = sqlx::query!(
        "insert into log.tenant (tenant_id, slug, region, epoch, state, created_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing",
        tenant.tenant_id.get(),
        tenant.slug.as_str(),
        tenant.region.as_str(),
        tenant.epoch.get(),
        state,
        tenant.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(created.rows_affected() > 0)
}

/// The next ticket number of a tenant. Numbers are handed out once; one whose command fails is lost.
///
/// Give it a connection outside of any transaction: then it waits for no disk. Within one, the tenant's head row stays locked
/// until it ends, and the tenant's appends wait.
///
/// # Errors
/// [`Error::NotAtHome`], or if the database fails.
pub async fn allocate_ticket(connection: &mut PgConnection, resident: &Resident) -> Result<TicketId, Error> {
    let allocated = sqlx::query_scalar!(
        "select log.allocate_ticket($1, $2, $3)",
        resident.tenant_id().get(),
        resident.epoch().get(),
        !connection.is_in_transaction()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Allocate)?;
    allocated.map(TicketId::new).ok_or(Error::NotAtHome { tenant_id: resident.tenant_id() })
}

/// The first of `count` consecutive ids for people, groups, attachments or tokens of a tenant; `count` is at least 1.
///
/// Give it a connection outside of any transaction, as for [`allocate_ticket`].
///
/// # Errors
/// [`Error::NotAtHome`], or if the database fails.
pub async fn allocate_ids(connection: &mut PgConnection, resident: &Resident, count: i64) -> Result<i64, Error> {
    let allocated = sqlx::query_scalar!(
        "select log.allocate_ids($1, $2, $3, $4)",
        resident.tenant_id().get(),
        resident.epoch().get(),
        count,
        !connection.is_in_transaction()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Allocate)?;
    allocated.ok_or(Error::NotAtHome { tenant_id: resident.tenant_id() })
}

/// Closes an active tenant whose log ends before what was published of it, until it is restored. Whether it was active.
///
/// # Errors
/// If the database fails.
pub async fn hold_behind(connection: &mut PgConnection, tenant_id: TenantId) -> Result<bool, Error> {
    let held = sqlx::query_scalar!(r#"select log.hold_behind($1) as "held!""#, tenant_id.get());
    held.fetch_one(connection).await.map_err(Error::Hold)
}
