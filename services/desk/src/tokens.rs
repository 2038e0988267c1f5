//! API tokens: `/api/v2/api_tokens`. A token is shown once, when it is issued; only its hash is kept.

pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod revoke;

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

/// A token as it is shown.
pub(crate) struct Shown {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) description: String,
    pub(crate) active: bool,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

fn present(token: &Shown, origin: &Origin) -> Value {
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
