//! `GET /api/domicile/v1/residency`: where the tenant's data lives, and, for agents, what was promised about it.

use axum::{Json, extract::State};
use regions::Resident;
use serde_json::{Value, json};

use crate::{
    api::settle,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, account::Account},
    state::Desk,
};

/// Answers the home region; to agents also the decision that the tenant's first events record: `entitled`, `selected` and `committed` are
/// three things.
pub(crate) async fn residency(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    let region = &desk.region;
    let region = json!({
        "id": region.id,
        "name": region.name,
        "jurisdiction": region.jurisdiction,
        "cloud_region": region.cloud_region,
    });
    if !caller.is_insider() {
        return Ok(Json(json!({"region": region})));
    }
    let resident = &caller.resident;
    let account = decision(&desk, resident).await?;
    Ok(Json(json!({
        "tenant": {"id": resident.tenant_id(), "subdomain": resident.slug()},
        "region": region,
        "epoch": resident.epoch(),
        "plan": account.plan,
        "requested": account.requested,
        "granted": account.granted,
        "entitled": account.entitled,
        "selected": account.selected,
        "committed": account.committed,
        "policy_version": account.policy_version,
    })))
}

/// What the tenant's first events say was decided.
pub(crate) async fn decision(desk: &Desk, resident: &Resident) -> Result<Account, ApiError> {
    if let Some(account) = recorded(desk, resident).await? {
        return Ok(account);
    }
    settle::catch_up(desk, resident, settle::ACCOUNT).await?;
    recorded(desk, resident).await?.ok_or_else(ApiError::not_found)
}

async fn recorded(desk: &Desk, resident: &Resident) -> Result<Option<Account>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    Ok(read::account::one(&mut transaction, resident).await?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn everybody_may_know_where_the_data_lives() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let body = bench.get(ALAN, "/api/domicile/v1/residency").await.body;
        assert_eq!(body["region"]["id"], "eu");
        let adas = bench.get(ADA, "/api/domicile/v1/residency").await.body;
        assert_eq!(adas, json!({"region": body["region"]}), "the contract is not an end user's business");
        assert_eq!(body["tenant"], json!({"id": bench.acme.tenant_id(), "subdomain": "acme"}));
        for (field, value) in [
            ("epoch", json!(1)),
            ("plan", json!("professional")),
            ("requested", json!("eu")),
            ("granted", json!("eu")),
            ("entitled", json!(true)),
            ("selected", json!(true)),
            ("committed", json!(true)),
            ("policy_version", json!(1)),
        ] {
            assert_eq!(body[field], value, "{field}");
        }
        Ok(())
    }
}
