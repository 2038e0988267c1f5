//! `GET /api/v2/views/{id}/count` and `views/count_many?ids=`: how many tickets views have. They are counted now, not some time ago.

use axum::{Json, extract::State};
use schemas::{RuleId, rule::RuleDefinition};
use serde_json::{Value, json};

use super::{rules, tickets};
use crate::{
    api::v2::{
        ids::{self, Id},
        page::PageQuery,
        rules::View,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, rules::Filter},
    state::Desk,
};

/// Views that are counted in one request at most.
const COUNTED_MAX: usize = 20;

/// Answers how many tickets a view has.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller, Id(view): Id<RuleId>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = rules::one::<View>(&desk, &caller, view).await?;
    let counted = counted(&desk, &caller, (Some(row.rule_id), &row.definition.0)).await?;
    Ok(Json(json!({ "view_count": counted })))
}

/// Answers how many tickets each of several views has. Those that there are not, or are others' own, are passed over.
pub(crate) async fn count_many(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    // A client of the reference names them by the operation.
    let ids = ids::listed(query.get("ids").or_else(|| query.get("count_many")))?;
    if ids.len() > COUNTED_MAX {
        return Err(ApiError::too_many_values(COUNTED_MAX));
    }
    let filter = Filter::of(schemas::values::RuleKind::View, caller.by());
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &ids)).await?;
    drop(transaction);
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        counts.push(counted(&desk, &caller, (Some(row.rule_id), &row.definition.0)).await?);
    }
    Ok(Json(json!({ "view_counts": counts })))
}

/// How many tickets a view has; one that is not made has no address.
pub(super) async fn counted(
    desk: &Desk,
    caller: &Caller,
    (view, definition): (Option<i64>, &RuleDefinition),
) -> Result<Value, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let list = tickets(desk, caller, &mut transaction, definition).await?;
    let value = list.count(&mut transaction, &caller.resident).await?;
    let mut counted =
        json!({"value": value, "pretty": value.to_string(), "fresh": true, "active": definition.is_active});
    if let Some(view) = view {
        counted["view_id"] = json!(view);
        counted["url"] = json!(caller.origin.url(&format!("/api/v2/views/{view}/count.json")));
    }
    Ok(counted)
}
