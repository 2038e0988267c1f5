//! The directory's HTTP API, for regions and routers.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State},
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::name::Rejection;
use runtime::{Access, Shutdown};
use schemas::{Epoch, Position, RegionId, Slug, TenantId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    client::{ClaimRequest, Found, HoldRequest, Pending, Problem, Written, code},
    error::Error,
    service::Directory,
};

/// The longest a request for the map may wait for a newer one.
const WAIT_MAX: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Api {
    directory: Directory,
    access: Access,
    shutdown: Shutdown,
}

/// A request that is not answered with what it asked for.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingQuery {
    region: RegionId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapQuery {
    after: Option<Position>,
    #[serde(default)]
    wait_ms: u64,
}

#[derive(Serialize)]
struct Health {
    version: Position,
}

pub(crate) fn router(directory: Directory, token: &str, shutdown: Shutdown) -> Router {
    let api = Api { directory, access: Access::new(token), shutdown };
    Router::new()
        .route("/names/{slug}", get(look_up))
        .route("/names/{slug}/claim", post(claim))
        .route("/names/{slug}/confirm", post(confirm))
        .route("/names/{slug}/release", post(release))
        .route("/pending", get(pending))
        .route("/map", get(map))
        .route_layer(middleware::from_fn_with_state(api.clone(), authenticate))
        .route("/healthz", get(healthz))
        .with_state(api)
}

async fn authenticate(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.access.permits(request.headers().get(AUTHORIZATION).map(|value| value.as_bytes())) {
        return next.run(request).await;
    }
    let refusal =
        Refusal::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, "Authorization: takes the directory's token");
    ([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

async fn claim(State(api): State<Api>, Path(slug): Path<String>, body: Bytes) -> Result<Response, Refusal> {
    let ClaimRequest { tenant_id, region, epoch } = read(&body)?;
    if epoch < Epoch::FIRST {
        return Err(Refusal::invalid("epoch: takes 1 or more"));
    }
    written(api.directory.claim(slug_of(&slug)?, tenant_id, region, epoch).await)
}

async fn confirm(State(api): State<Api>, Path(slug): Path<String>, body: Bytes) -> Result<Response, Refusal> {
    written(api.directory.confirm(slug_of(&slug)?, holder(&body)?).await)
}

async fn release(State(api): State<Api>, Path(slug): Path<String>, body: Bytes) -> Result<Response, Refusal> {
    written(api.directory.release(slug_of(&slug)?, holder(&body)?).await)
}

/// Whether somebody holds a name: no more than a claim would be told, and nothing is written.
async fn look_up(State(api): State<Api>, Path(slug): Path<String>) -> Result<Response, Refusal> {
    let is_taken = api.directory.is_taken(&slug_of(&slug)?);
    Ok(Json(Found { is_taken }).into_response())
}

async fn pending(
    State(api): State<Api>,
    query: Result<Query<PendingQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|_| Refusal::invalid("region: takes a region's id"))?;
    let claims = api.directory.pending(&query.region);
    Ok(Json(Pending { pending: claims }).into_response())
}

/// The signed map. With `after` and `wait_ms` the answer waits for a newer one, and comes with what there is in the end.
async fn map(
    State(api): State<Api>,
    query: Result<Query<MapQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|_| Refusal::invalid("after, wait_ms: take whole numbers"))?;
    if let Some(after) = query.after {
        let wait = Duration::from_millis(query.wait_ms).min(WAIT_MAX);
        tokio::select! {
            _ = tokio::time::timeout(wait, api.directory.changed_after(after)) => {}
            () = api.shutdown.requested() => {}
        }
    }
    let signed = api.directory.signed_map();
    let caching = [(ETAG, signed.etag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == signed.etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(CONTENT_TYPE, "application/json")], signed.bytes).into_response())
}

async fn healthz(State(api): State<Api>) -> Response {
    Json(Health { version: api.directory.signed_map().version }).into_response()
}

fn written(result: Result<Position, Error>) -> Result<Response, Refusal> {
    Ok(Json(Written { position: result? }).into_response())
}

fn slug_of(text: &str) -> Result<Slug, Refusal> {
    text.parse().map_err(|_| Refusal::invalid(format!("slug: takes {}", Slug::TAKES)))
}

fn holder(body: &[u8]) -> Result<TenantId, Refusal> {
    read::<HoldRequest>(body).map(|request| request.tenant_id)
}

/// The JSON of a body. serde_json names the field and what it takes; the bodies hold routing data only.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::INVALID, detail)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Rejected(Rejection::Taken) | Error::Reserved => (StatusCode::CONFLICT, code::TAKEN),
            Error::Rejected(Rejection::NotClaimed) => (StatusCode::CONFLICT, code::NOT_CLAIMED),
            Error::Rejected(Rejection::Confirmed) => (StatusCode::CONFLICT, code::CONFIRMED),
            Error::UnknownRegion => (StatusCode::UNPROCESSABLE_ENTITY, code::INVALID),
            _ => {
                tracing::error!(error = runtime::chain(&error), "the directory cannot answer");
                return Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    code::UNAVAILABLE,
                    "the directory cannot answer now",
                );
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = Problem { code: self.code.to_owned(), detail: self.detail };
        let body = json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": problem.code,
            "detail": problem.detail,
        });
        (self.status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
