//! The tenant itself and what was decided about its locality, from the projection `account`.

use regions::Resident;
use schemas::values::Plan;
use sqlx::PgConnection;

/// What the tenant's first events say about where it is at home.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) plan: Option<String>,
    pub(crate) requested: Option<String>,
    pub(crate) granted: Option<String>,
    pub(crate) policy_version: Option<i32>,
    pub(crate) entitled: Option<bool>,
    pub(crate) selected: Option<bool>,
    pub(crate) committed: Option<bool>,
}

impl Account {
    /// Whether it tries the product out.
    pub(crate) fn is_trial(&self) -> bool {
        self.plan.as_deref() == Some(Plan::Trial.as_str())
    }
}

/// The tenant, once its first events are projected.
pub(crate) async fn one(conn: &mut PgConnection, resident: &Resident) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        "select plan, requested, granted, policy_version, entitled, selected, committed
         from account where tenant_id = $1",
        resident.tenant_id().get(),
    )
    .fetch_optional(conn)
    .await
}
