//! `GET /api/domicile/v1/auditor_grants`: every grant there was, for admins; those that ended too, until the auditor is erased.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Shown, present};
use crate::{caller::Caller, problem::ApiResult, state::Desk};

/// How many are shown, newest first. A tenant makes a few a year.
const GRANTS_MAX: i64 = 1000;

/// Answers the grants, without their tokens.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = sqlx::query!(
        r#"select person.person_id, person.name, person.email,
               person.granted_until as "granted_until!: jiff_sqlx::Timestamp", person.granted_tickets,
               least(person.deleted_at, token.revoked_at) as "revoked_at: jiff_sqlx::Timestamp",
               person.created_at as "created_at: jiff_sqlx::Timestamp"
           from person
           join api_token token on token.tenant_id = person.tenant_id and token.person_id = person.person_id
           where person.tenant_id = $1 and person.role = 'auditor' and person.granted_until is not null
           order by person.person_id desc limit $2"#,
        caller.resident.tenant_id().get(),
        GRANTS_MAX,
    )
    .fetch_all(&mut *transaction)
    .await?;
    caller.reading.of(rows.iter().map(|row| row.person_id));
    let now = desk.clock.now();
    let grants = rows.iter().map(|row| {
        let expires_at = row.granted_until.to_jiff();
        present(&Shown {
            id: row.person_id,
            name: &row.name,
            email: row.email.as_deref(),
            expires_at,
            tickets: &row.granted_tickets,
            active: row.revoked_at.is_none() && expires_at > now,
            revoked_at: row.revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
            created_at: row.created_at.to_jiff(),
        })
    });
    Ok(Json(json!({"auditor_grants": grants.collect::<Vec<_>>()})))
}
