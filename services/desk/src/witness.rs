//! This region as a witness of the others' logs (<https://c2sp.org/tlog-witness>), on the region's own host.
//!
//! It cosigns a tree head of another region's log if the log's own key has signed it and it follows on the last one that was
//! cosigned here. One that does not is refused, and both are kept: a region that tells two histories has signed both.
//!
//! ```text
//! POST /witness/add-checkpoint
//! GET  /witness/<SHA-256 of the origin, in hex>/checkpoint      the last one, cosigned
//! GET  /witness/<SHA-256 of the origin, in hex>/conflicts       what was refused, with what it is not shown to follow on
//! GET  /witness/unproven/<region>                               the same of all logs of a region
//! POST /witness/settle                                          the proof that it does follow
//! ```
//!
//! What comes in and is kept are origins, sizes, root hashes and signatures.

mod add_checkpoint;
mod keys;
pub(crate) mod settle;

use archive::{Signer, checkpoint::region_name};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use eventlog::witness;
use schemas::Hash;
use serde_json::Value;
use vault::SigningKeyFolder;

pub use self::keys::{WitnessKeys, published_keys};
use crate::{
    problem::ApiError,
    state::{Deps, Desk},
};

/// Conflicts shown of one log, or one region.
const CONFLICTS_MAX: i64 = 100;

/// What a witness works with.
#[derive(Clone)]
pub struct Witness {
    /// This region's key, which cosigns.
    pub signing: SigningKeyFolder,
    /// The keys of the other regions.
    pub keys: WitnessKeys,
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/witness/add-checkpoint", post(add_checkpoint::add_checkpoint))
        .route("/witness/{origin}/checkpoint", get(checkpoint))
        .route("/witness/{origin}/conflicts", get(conflicts))
        .route("/witness/unproven/{region}", get(settle::unproven))
        .route("/witness/settle", post(settle::settle))
}

/// Shows that nothing was found yet: whoever watches a figure grow must have seen it before.
pub(crate) fn show_nothing_found(deps: &Deps) {
    for region in deps.regions.iter().filter(|region| region.id != deps.region.id) {
        deps.metrics.witness_forks.with_label_values(&[region.id.as_str()]).inc_by(0);
    }
}

/// Signs for this region.
fn signer(desk: &Desk) -> Result<Signer, vault::Error> {
    let key = desk.witness.signing.read()?.key;
    let name = region_name(&desk.region.id);
    Ok(Signer::new(name, key.public_key(), move |message| key.sign(message)))
}

async fn checkpoint(State(desk): State<Desk>, Path(origin): Path<String>) -> Result<Response, ApiError> {
    let Ok(origin) = origin.parse::<Hash>() else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let mut connection = desk.pool.acquire().await?;
    let seen = witness::seen_by_origin(&mut connection, origin).await.map_err(ApiError::internal)?;
    Ok(match seen {
        Some(note) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn conflicts(State(desk): State<Desk>, Path(origin): Path<String>) -> Result<Response, ApiError> {
    let Ok(origin) = origin.parse::<Hash>() else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let mut connection = desk.pool.acquire().await?;
    let found = witness::conflicts_by_origin(&mut connection, origin, CONFLICTS_MAX).await;
    let found: Vec<Value> = found.map_err(ApiError::internal)?.iter().map(settle::present).collect();
    Ok(Json(found).into_response())
}

#[cfg(test)]
mod tests;
