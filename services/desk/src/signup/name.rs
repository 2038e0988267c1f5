//! `GET /api/signup/name?subdomain=`: whether a name could be had, for the form as somebody types.
//!
//! It tells what signing up would tell, earlier, and takes nothing: only the signup holds a name.

use axum::{
    Json,
    extract::{Query, State},
};
use domain::text;
use schemas::Slug;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    caller::client::Client,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// What is asked.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    subdomain: String,
}

/// Answers `{"subdomain", "state"}`; the state is `free`, `taken`, `reserved`, or `invalid`.
pub(super) async fn check(
    State(desk): State<Desk>,
    client: Client,
    Query(Asked { subdomain }): Query<Asked>,
) -> ApiResult<Json<Value>> {
    desk.limits().count_name_check(client, desk.clock.now())?;
    let state = match text::slug(&subdomain, desk.regions.iter().map(|region| &region.id)) {
        Ok(slug) if is_taken(&desk, &slug).await? => "taken",
        Ok(_) => "free",
        Err(_) => refused(&subdomain),
    };
    Ok(Json(json!({ "subdomain": subdomain, "state": state })))
}

/// Why a name cannot be had that nobody can have.
pub(super) fn refused(name: &str) -> &'static str {
    if name.parse::<Slug>().is_ok() { "reserved" } else { "invalid" }
}

async fn is_taken(desk: &Desk, slug: &Slug) -> Result<bool, ApiError> {
    use directory::ClaimError;
    desk.directory.is_taken(slug).await.map_err(|error| match error {
        ClaimError::Unavailable { .. } => ApiError::unavailable(error),
        other => ApiError::internal(other),
    })
}
