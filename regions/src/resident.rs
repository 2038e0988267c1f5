//! Proof of residence: a tenant that is at home in this region, now.

use schemas::{Epoch, RegionId, Slug, TenantId};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, Transaction};

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

/// Which read models a program reads: of each, the shape its statements are written for.
#[derive(Debug, Clone)]
pub struct ReadModels(Vec<(&'static str, i32)>);

impl ReadModels {
    /// Those of the program's projections, by name and shape.
    pub const fn new(shapes: Vec<(&'static str, i32)>) -> Self {
        Self(shapes)
    }

    /// The names, and the shape of each.
    pub fn columns(&self) -> (Vec<&'static str>, Vec<i32>) {
        self.0.iter().copied().unzip()
    }

    /// Only these of them.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().copied().filter(|(name, _)| names.contains(name)).collect())
    }

    /// The statement that leads unqualified names of tables to the builds that serve, until the transaction ends.
    fn set_path(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
        let shapes: Vec<_> = self.0.iter().map(|(_, shape)| shape.to_string()).collect();
        let (names, shapes) = (names.join(","), shapes.join(","));
        format!("select set_config('search_path', read.path_of('{{{names}}}', '{{{shapes}}}'), true)")
    }
}

/// Begins a transaction that sees rows of this tenant and of no other, where row-level security applies.
///
/// One round trip: `begin` and the setting travel in one simple query, and the setting ends with the transaction, so a
/// pooled connection never carries it over to the next tenant.
pub async fn begin(pool: &PgPool, resident: &Resident) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    begin_with(pool, naming(resident)).await
}

/// The same for reading read models: which builds serve is looked up in the same round trip. What a transaction reads comes
/// from these builds to its end; the next one sees a switch.
pub async fn begin_reading(
    pool: &PgPool,
    resident: &Resident,
    models: &ReadModels,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // Names and shapes are literals of the program.
    begin_with(pool, format!("{}; {}", naming(resident), models.set_path())).await
}

/// Begins a transaction with a statement that is made of the program's own text.
///
/// Whoever gives up waiting for the answer leaves no transaction behind: a request whose client went away may be dropped at
/// any `await`. The pool would take such a connection for a free one, and what the next user writes without a transaction of
/// their own would be part of the old one, and be lost with it. So the beginning is always brought to its end, and what
/// nobody waits for any more is rolled back.
pub async fn begin_with(
    pool: &PgPool,
    statement: impl Into<String>,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let statement = AssertSqlSafe(statement.into()).into_sql_str();
    let connection = pool.acquire().await?;
    let begin = Transaction::begin(connection, Some(statement));
    #[expect(clippy::disallowed_methods, reason = "it ends with the server's answer, also when nobody waits for it")]
    let begun = tokio::spawn(begin).await;
    begun.map_err(|_panic| sqlx::Error::WorkerCrashed)?
}

fn naming(resident: &Resident) -> String {
    // A UUID in its canonical form holds hex digits and hyphens only, so it cannot end the literal.
    format!("begin; set local domicile.tenant_id = '{}'", resident.tenant_id)
}
