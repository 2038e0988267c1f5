//! `/ops/v1/backups`: make, look at and verify backups of a region, for whoever holds its token.
//!
//! The same as `domicile backup` by the same code, for programs on other machines: what takes long is begun (202) and looked at.

use archive::BackupManifest;
use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use replicator::backup::{self, Kept, Listed, OnRequest, Progress, State as Work, UnderWay, Verified};
use runtime::Access;
use serde_json::{Value, json};

const BACKUPS: &str = "/ops/v1/backups";

/// A refusal, as RFC 9457 has it.
struct Problem {
    status: StatusCode,
    detail: String,
}

/// The routes, open to whoever holds the token.
pub fn routes(backups: OnRequest, token: &str) -> Router {
    Router::new()
        .route(BACKUPS, get(list).post(create))
        .route(&format!("{BACKUPS}/{{id}}"), get(show))
        .route(&format!("{BACKUPS}/{{id}}/verification"), post(verify).get(verification))
        .with_state(backups)
        .route_layer(middleware::from_fn_with_state(Access::new(token), permitted))
}

async fn permitted(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.permits(request.headers().get(AUTHORIZATION).map(|value| value.as_bytes())) {
        return next.run(request).await;
    }
    let detail = "Authorization: takes Bearer and the token in the region's keys/ops.token".to_owned();
    let problem = Problem { status: StatusCode::UNAUTHORIZED, detail };
    ([(WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

async fn create(State(backups): State<OnRequest>) -> Result<Response, Problem> {
    let id = backups.create()?;
    let body = Json(json!({ "backup": { "id": id, "state": "running" } }));
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("{BACKUPS}/{id}"))], body).into_response())
}

/// Every backup, oldest first; before them what lies among them and is none.
async fn list(State(backups): State<OnRequest>) -> Result<Json<Value>, Problem> {
    let listed = backup::list(backups.deps()).await?;
    Ok(Json(json!({ "backups": listed.iter().map(listed_one).collect::<Vec<_>>() })))
}

fn listed_one(listed: &Listed) -> Value {
    match &listed.manifest {
        Ok(manifest) => {
            let mut shown = head(manifest);
            shown["is_due"] = json!(listed.kept == Kept::Over);
            if let Kept::Until(time) = listed.kept {
                shown["kept_until"] = json!(time);
            }
            shown
        }
        Err(error) => json!({ "id": listed.backup_id, "state": "unreadable", "reason": error.to_string() }),
    }
}

/// One backup: what this process is making of it, or its manifest.
async fn show(State(backups): State<OnRequest>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let shown = match state_of(&backups, &id) {
        Some(Work::Creating(at)) => json!({ "id": id, "state": "running", "progress": progress(at) }),
        state => match (backup::show(backups.deps(), &id).await, state) {
            (Err(replicator::Error::NoSuchBackup { .. }), Some(Work::Failed(why))) => {
                json!({ "id": id, "state": "failed", "reason": why })
            }
            (manifest, _) => whole(&manifest?),
        },
    };
    Ok(Json(json!({ "backup": shown })))
}

async fn verify(State(backups): State<OnRequest>, Path(id): Path<String>) -> Result<Response, Problem> {
    // Whether there is one is said now, not by what was begun.
    backup::show(backups.deps(), &id).await?;
    backups.verify(&id)?;
    let body = Json(json!({ "verification": { "backup": id, "state": "running" } }));
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("{BACKUPS}/{id}/verification"))], body).into_response())
}

/// The verification that was begun last, if it is this backup's.
async fn verification(State(backups): State<OnRequest>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let shown = match state_of(&backups, &id) {
        Some(Work::Verifying(tenants, total)) => {
            json!({ "backup": id, "state": "running", "progress": { "tenants": tenants, "tenants_total": total } })
        }
        Some(Work::Verified(verified)) => found(&verified),
        Some(Work::Failed(why)) => json!({ "backup": id, "state": "failed", "reason": why }),
        _ => {
            let detail =
                format!("backup {id}: another one was made or verified since, or nobody asked; POST begins it");
            return Err(Problem { status: StatusCode::NOT_FOUND, detail });
        }
    };
    Ok(Json(json!({ "verification": shown })))
}

/// What was asked for last, if it is about this backup.
fn state_of(backups: &OnRequest, id: &str) -> Option<Work> {
    backups.latest().filter(|work| work.backup_id == id).map(|work| work.state)
}

fn progress(at: Progress) -> Value {
    json!({
        "tenants": at.tenants, "tenants_total": at.tenants_total,
        "events": at.events, "events_total": at.events_total,
    })
}

fn head(manifest: &BackupManifest) -> Value {
    let incomplete = manifest.incomplete().count();
    json!({
        "id": manifest.backup_id, "state": if incomplete == 0 { "complete" } else { "incomplete" },
        "region": manifest.region, "cut_at": manifest.cut_at, "completed_at": manifest.completed_at,
        "tenants": manifest.tenants.len(), "tenants_incomplete": incomplete, "events": manifest.events(),
    })
}

fn whole(manifest: &BackupManifest) -> Value {
    let mut shown = head(manifest);
    shown["tenants"] = json!(manifest.tenants);
    shown
}

fn found(verified: &Verified) -> Value {
    let wrong = verified.tenants.iter().filter(|tenant| !tenant.is_clean());
    let wrong = wrong.map(|tenant| json!({ "tenant_id": tenant.tenant_id, "findings": tenant.findings() }));
    let incomplete: Vec<_> = verified
        .backup
        .incomplete()
        .map(|tenant| json!({ "tenant_id": tenant.tenant_id, "reason": tenant.reason }))
        .collect();
    let state = match (verified.is_clean(), incomplete.as_slice()) {
        (false, _) => "wrong",
        (true, []) => "verified",
        (true, _) => "incomplete",
    };
    let not_checked =
        verified.not_checked().into_iter().map(|(what, tenants)| json!({ "what": what, "tenants": tenants }));
    json!({
        "backup": verified.backup.backup_id, "state": state,
        "tenants": verified.tenants.len(), "wrong": wrong.collect::<Vec<_>>(), "incomplete": incomplete,
        "not_checked": not_checked.collect::<Vec<_>>(),
    })
}

impl From<UnderWay> for Problem {
    fn from(under_way: UnderWay) -> Self {
        Self { status: StatusCode::CONFLICT, detail: under_way.to_string() }
    }
}

impl From<replicator::Error> for Problem {
    fn from(error: replicator::Error) -> Self {
        let status = match error {
            replicator::Error::NoSuchBackup { .. } => StatusCode::NOT_FOUND,
            replicator::Error::NotOurs { .. } | replicator::Error::AnotherBackup { .. } => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, detail: format!("{:#}", anyhow::Error::from(error)) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = json!({ "title": title, "status": self.status.as_u16(), "detail": self.detail });
        (self.status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
