//! Proof of residence: a tenant that is at home in this region, now.

use schemas::{Epoch, RegionId, Slug, TenantId};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

/// A tenant proven to be at home in a region: the only way to its log, keys and read models.
///
/// It is made by asking the region's own database, never by hand:
///
/// ```compile_fail,E0451
/// # fn forge(slug: schemas::Slug, region: schemas::RegionId, tenant_id: schemas::TenantId) -> regions::Resident {
/// regions::Resident { tenant_id, epoch: schemas::Epoch::FIRST, slug, region }
/// # }
/// ```
///
/// The proof ages: a tenant may move away a moment later. It therefore carries the epoch, and the append statement checks
/// that once more under the tenant's row lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    tenant_id: TenantId,
    epoch: Epoch,
    slug: Slug,
    region: RegionId,
}

impl Resident {
    /// Proves by name. `None`: no active tenant of that name is at home in `region`.
    pub async fn prove(
        connection: &mut PgConnection,
        region: &RegionId,
        slug: &Slug,
    ) -> Result<Option<Self>, sqlx::Error> {
        let row = sqlx::query!(
            "select tenant_id, epoch from log.tenant where slug = $1 and region = $2 and state = 'active'",
            slug.as_str(),
            region.as_str()
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| Self {
            tenant_id: TenantId::new(row.tenant_id),
            epoch: Epoch::new(row.epoch),
            slug: slug.clone(),
            region: region.clone(),
        }))
    }

    /// Proves by id. `None`: no active tenant of that id is at home in `region`.
    pub async fn prove_id(
        connection: &mut PgConnection,
        region: &RegionId,
        tenant_id: TenantId,
    ) -> Result<Option<Self>, sqlx::Error> {
        let row = sqlx::query!(
            "select slug, epoch from log.tenant where tenant_id = $1 and region = $2 and state = 'active'",
            tenant_id.get(),
            region.as_str()
        )
        .fetch_optional(connection)
        .await?;
        row.map(|row| {
            let slug = row.slug.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok(Self { tenant_id, epoch: Epoch::new(row.epoch), slug, region: region.clone() })
        })
        .transpose()
    }

    /// Who.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Since which move; every append carries it.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The name in its address.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Where it is at home.
    pub const fn region(&self) -> &RegionId {
        &self.region
    }
}

/// Begins a transaction that sees rows of this tenant and of no other, where row-level security applies.
///
/// One round trip: `begin` and the setting travel in one simple query, and the setting ends with the transaction, so a
/// pooled connection never carries it over to the next tenant.
pub async fn begin(pool: &PgPool, resident: &Resident) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // A UUID in its canonical form holds hex digits and hyphens only, so it cannot end the literal.
    let statement = format!("begin; set local domicile.tenant_id = '{}'", resident.tenant_id);
    pool.begin_with(AssertSqlSafe(statement)).await
}
