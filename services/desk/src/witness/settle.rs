//! What is held against another region's logs, until that region shows that it is of one history.
//!
//! A head is refused when its proof does not hold. Whoever holds a true head can send it with a false proof, so a refusal alone says
//! nothing of the log: the log's own region looks here for what is held against it, and proves what is true. What it cannot prove
//! stays, and becomes an alarm.

use std::time::Duration;

use archive::{Checkpoint, merkle::proof::consistency_holds, note};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use eventlog::witness;
use jiff::Timestamp;
use runtime::Shutdown;
use schemas::{Hash, RegionId};
use serde_json::{Value, json};

use super::{
    CONFLICTS_MAX,
    add_checkpoint::{MALFORMED, UNKNOWN_LOG, asked, log_of, tree},
};
use crate::{problem::ApiError, state::Desk};

/// How often the figure is brought up to date.
const INTERVAL: Duration = Duration::from_secs(15);

/// `GET /witness/unproven/<region>`: what was refused of a region's logs and not shown since, the oldest first.
pub(super) async fn unproven(State(desk): State<Desk>, Path(region): Path<String>) -> Result<Response, ApiError> {
    let Ok(region) = region.parse::<RegionId>() else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let mut connection = desk.pool.acquire().await?;
    let found = witness::conflicts_of(&mut connection, &region, CONFLICTS_MAX).await.map_err(ApiError::internal)?;
    let found: Vec<Value> = found.iter().map(present).collect();
    Ok(Json(found).into_response())
}

/// A conflict as others see it.
pub(super) fn present(conflict: &witness::Conflict) -> Value {
    json!({ "ours": conflict.ours, "theirs": conflict.theirs, "found_at": conflict.found_at })
}

/// `POST /witness/settle`: the proof that a head which was refused follows on the one that it was compared with, in the shape of a
/// request to cosign it. By whomever: a proof needs no sender.
pub(super) async fn settle(State(desk): State<Desk>, headers: HeaderMap, body: Body) -> Result<Response, ApiError> {
    let Some((request, head)) = asked(&desk, &headers, body).await? else {
        return Ok((StatusCode::BAD_REQUEST, MALFORMED).into_response());
    };
    let Some(log) = log_of(&desk, &head.origin) else {
        return Ok((StatusCode::NOT_FOUND, UNKNOWN_LOG).into_response());
    };
    let text = note::text(&request.checkpoint).map_err(ApiError::internal)?;
    let sha256 = Hash::of(&[text.as_bytes()]);
    let mut connection = desk.pool.acquire().await?;
    let held = witness::conflict(&mut connection, &log, sha256).await.map_err(ApiError::internal)?;
    let Some(held) = held else {
        return Ok((StatusCode::NOT_FOUND, "nothing is held against this tree head\n").into_response());
    };
    let last = Checkpoint::claimed(&held.ours).map_err(ApiError::internal)?;
    let is_proven = request.old_size == last.size
        && last.size < head.size
        && consistency_holds(&tree(&last), &tree(&head), &request.proof);
    if !is_proven {
        let refusal = format!("not shown to follow on the tree head of size {}\n", last.size);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, refusal).into_response());
    }
    witness::settle(&mut connection, &log, sha256).await.map_err(ApiError::internal)?;
    tracing::info!(tenant.id = %log.tenant_id, of = %log.region, size = head.size,
        "a tree head that came with a wrong proof is of the log's one history");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Shows for how long something has been held against each other region, until the process ends.
pub(crate) async fn watch(desk: Desk, shutdown: Shutdown) {
    loop {
        if let Err(error) = look(&desk, desk.clock.now()).await {
            tracing::debug!(error = runtime::chain(&error), "cannot look for what is held against other regions");
        }
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

/// Looks once.
pub(crate) async fn look(desk: &Desk, now: Timestamp) -> Result<(), eventlog::Error> {
    let mut connection = desk.pool.acquire().await.map_err(eventlog::Error::Witness)?;
    let oldest = witness::oldest_conflicts(&mut connection).await?;
    for region in desk.regions.iter().filter(|region| region.id != desk.region.id) {
        let since = oldest.iter().find(|(of, _)| *of == region.id).map(|(_, since)| *since);
        let seconds = since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0));
        desk.metrics.witness_unproven_seconds.with_label_values(&[region.id.as_str()]).set(seconds);
    }
    Ok(())
}
