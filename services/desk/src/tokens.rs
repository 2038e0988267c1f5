//! API tokens: `/api/v2/api_tokens`. A token is shown once, when it is issued; only its hash is kept.

mod issue;
mod list;
mod revoke;

use axum::{
    Router,
    routing::{delete, get},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{host::Origin, state::Desk};

/// The routes.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/api_tokens", get(list::list).post(issue::issue))
        .route("/api/v2/api_tokens/{id}", delete(revoke::revoke))
}

/// A token as the API shows it.
struct Shown<'a> {
    id: i64,
    user_id: i64,
    description: &'a str,
    active: bool,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

fn present(token: &Shown<'_>, origin: &Origin) -> Value {
    json!({
        "id": token.id,
        "url": origin.url(&format!("/api/v2/api_tokens/{}.json", token.id)),
        "user_id": token.user_id,
        "description": token.description,
        "active": token.active,
        "expires_at": token.expires_at.map(seconds),
        "created_at": seconds(token.created_at),
    })
}

/// Times of the v2 API: UTC, whole seconds.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
