//! `GET /api/v2/api_tokens`: an admin sees all of the tenant, everybody else their own.

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Value, json};

use super::{Shown, present};
use crate::{
    caller::Caller,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// How many are shown. A person has at most a hundred, and few people have any.
const TOKENS_MAX: i64 = 1000;

pub(super) async fn list(State(desk): State<Desk>, caller: Caller) -> ApiResult {
    let tokens: Vec<Value> = rows(&desk, &caller).await?.iter().map(|token| present(token, &caller.origin)).collect();
    let count = tokens.len();
    let answer = json!({ "api_tokens": tokens, "count": count, "next_page": null, "previous_page": null });
    Ok(Json(answer).into_response())
}

/// The tokens that the caller may see. Reading them is noted.
pub(crate) async fn rows(desk: &Desk, caller: &Caller) -> Result<Vec<Shown>, ApiError> {
    let only = if caller.require_admin().is_ok() { None } else { Some(caller.person.get()) };
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = sqlx::query!(
        r#"select token_id, person_id, description, expires_at as "expires_at: jiff_sqlx::Timestamp",
               revoked_at is null as "active!", created_at as "created_at: jiff_sqlx::Timestamp"
           from api_token where tenant_id = $1 and ($2::bigint is null or person_id = $2)
           order by token_id limit $3"#,
        caller.resident.tenant_id().get(),
        only,
        TOKENS_MAX,
    )
    .fetch_all(&mut *transaction)
    .await?;
    caller.reading.of(rows.iter().map(|row| row.token_id));
    let now = desk.clock.now();
    let tokens = rows.into_iter().map(|row| {
        let expires_at = row.expires_at.map(jiff_sqlx::Timestamp::to_jiff);
        Shown {
            id: row.token_id,
            user_id: row.person_id,
            description: row.description,
            active: row.active && expires_at.is_none_or(|expires_at| expires_at > now),
            expires_at,
            created_at: row.created_at.to_jiff(),
        }
    });
    Ok(tokens.collect())
}
