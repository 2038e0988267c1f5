//! Where a tenant is that was at home here: for what is written long after the request that led to it.

use regions::Resident;
use schemas::TenantId;

use crate::state::Desk;

/// Where a tenant is.
pub(crate) enum Home {
    /// Here, and open.
    Open(Resident),
    /// Here, and closed for a while: being restored, or being moved.
    Closed,
    /// Elsewhere, or nowhere.
    Elsewhere,
}

/// Asks the database.
pub(crate) async fn home(desk: &Desk, tenant: TenantId) -> Result<Home, sqlx::Error> {
    let mut connection = desk.pool.acquire().await?;
    if let Some(resident) = Resident::prove_id(&mut connection, &desk.region.id, tenant).await? {
        return Ok(Home::Open(resident));
    }
    let known = sqlx::query_scalar!(
        r#"select exists (select from log.tenant where tenant_id = $1 and region = $2) as "known!""#,
        tenant.get(),
        desk.region.id.as_str()
    );
    Ok(if known.fetch_one(&mut *connection).await? { Home::Closed } else { Home::Elsewhere })
}
