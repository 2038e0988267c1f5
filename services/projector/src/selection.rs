//! Which projections, and whose: what an operator asks to rebuild or to check.

use regions::Resident;
use schemas::TenantId;
use sqlx::PgConnection;

use crate::{
    Error, ProjectorDeps,
    projections::{self, Projection},
};

/// Projections and tenants.
#[derive(Clone)]
pub struct Selection {
    pub(crate) projections: Vec<&'static Projection>,
    tenants: Option<Vec<TenantId>>,
}

impl Default for Selection {
    fn default() -> Self {
        Self::all()
    }
}

impl Selection {
    /// All projections of all tenants at home here.
    pub fn all() -> Self {
        Self { projections: projections::ALL.to_vec(), tenants: None }
    }

    /// The projections of these names.
    pub fn named<S: AsRef<str>>(names: &[S]) -> Result<Self, Error> {
        let projections = names.iter().map(|name| projections::named(name.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { projections, tenants: None })
    }

    /// The same for these tenants only.
    #[must_use]
    pub fn of(self, tenants: Vec<TenantId>) -> Self {
        Self { tenants: Some(tenants), ..self }
    }

    /// Whether all tenants are meant.
    pub(crate) const fn is_of_all(&self) -> bool {
        self.tenants.is_none()
    }

    /// The tenants meant. One that is not at home here is an error when it was named.
    pub(crate) async fn residents(&self, deps: &ProjectorDeps) -> Result<Vec<Resident>, Error> {
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let tenants = match &self.tenants {
            Some(tenants) => tenants.clone(),
            None => all_tenants(&mut conn).await?,
        };
        let mut residents = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            match Resident::prove_id(&mut conn, &deps.region.id, tenant).await.map_err(Error::Resident)? {
                Some(resident) => residents.push(resident),
                None if self.tenants.is_some() => return Err(Error::UnknownTenant(tenant)),
                // It is moving, or has just left.
                None => {}
            }
        }
        Ok(residents)
    }
}

async fn all_tenants(conn: &mut PgConnection) -> Result<Vec<TenantId>, Error> {
    let heads = eventlog::heads(conn).await.map_err(Error::Read)?;
    Ok(heads.into_iter().map(|head| head.tenant_id).collect())
}
