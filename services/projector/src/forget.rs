//! Forgetting what was made of a tenant's log, after the log itself was mended: it is folded anew from its beginning.

use schemas::TenantId;
use sqlx::{Connection, PgConnection, QueryBuilder};

use crate::{Error, projections};

/// Deletes a tenant's rows and checkpoints in every build, as the owner of the database. The projector begins again at its first
/// event; until then the tenant is to be closed, or people see it half made.
///
/// # Errors
/// If the database fails; nothing is deleted then.
pub async fn forget(owner: &mut PgConnection, tenant: TenantId) -> Result<(), Error> {
    let mut transaction = owner.begin().await.map_err(Error::Transaction)?;
    // First the checkpoints: whoever is applying a batch holds them, and finds none when it is done.
    sqlx::query!("delete from read.checkpoint where tenant_id = $1", tenant.get())
        .execute(&mut *transaction)
        .await
        .map_err(Error::Checkpoint)?;
    let builds = sqlx::query!("select projection, version from read.build");
    let builds = builds.fetch_all(&mut *transaction).await.map_err(Error::Builds)?;
    for build in builds {
        let Some(known) = projections::ALL.iter().find(|known| known.name == build.projection) else { continue };
        for table in known.tables {
            // Names are literals of this crate, and numbers.
            let rows = format!("delete from read_{}_{}.{} where tenant_id = ", known.name, build.version, table.name);
            QueryBuilder::new(rows)
                .push_bind(tenant.get())
                .build()
                .execute(&mut *transaction)
                .await
                .map_err(|source| Error::Table { table: table.name, source })?;
        }
    }
    transaction.commit().await.map_err(Error::Transaction)
}
