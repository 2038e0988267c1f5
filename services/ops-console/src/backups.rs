//! `/ops/backups`: the backups of the region. Make one, look at one, verify one. What takes long goes on when the page is left.

use archive::BackupManifest;
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use desk::foundation::{ApiError, ApiResult, Frame, Words};
use jiff::Timestamp;
use replicator::{
    Error,
    backup::{self, Kept, Listed, State as Stage, TenantVerified, Verified},
};

use crate::{
    health::is_whole,
    signed::{Order, Signed, unkept},
    state::Console,
};

/// Findings of a tenant that the page lists; the command line has them all.
const FINDINGS_SHOWN: usize = 5;

/// `/ops/backups` and below.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/ops/backups", get(list).post(create))
        .route("/ops/backups/{id}", get(show))
        .route("/ops/backups/{id}/verification", post(verify))
}

/// A moment for machines and for people.
type Moment = (Timestamp, String);

/// A backup, as the list shows it.
struct Row {
    id: String,
    /// When it was cut, how many tenants and events it has; nothing, if it is none.
    made: Option<(Moment, String, String)>,
    is_good: bool,
    result: String,
    kept: String,
}

/// Something that was asked for and is not done yet.
struct UnderWay {
    id: String,
    what: String,
    done: u64,
    total: u64,
    said: String,
}

#[derive(Template)]
#[template(path = "ops/backups.html")]
struct BackupsPage<'a> {
    frame: &'a Frame,
    signed: &'a Signed,
    region: &'a str,
    here: &'static str,
    rows: Vec<Row>,
    under_way: Option<UnderWay>,
}

/// A tenant of a backup.
struct TenantRow {
    id: String,
    events: String,
    root: String,
    is_good: bool,
    result: String,
    /// What the program says of it, in its own language.
    said: Vec<String>,
}

/// What a verification found.
struct Report {
    is_good: bool,
    said: String,
    /// What was not checked, and of how many tenants.
    not_checked: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "ops/backup.html")]
struct BackupPage<'a> {
    frame: &'a Frame,
    signed: &'a Signed,
    region: &'a str,
    here: &'static str,
    id: &'a str,
    under_way: Option<UnderWay>,
    failed: Option<String>,
    made: Option<(Moment, Moment, String)>,
    /// What was found just now, if it was verified.
    verified: Option<Report>,
    tenants: Vec<TenantRow>,
}

fn refused(error: Error) -> ApiError {
    match error {
        Error::NoSuchBackup { .. } => ApiError::not_found(),
        other => ApiError::unavailable(other),
    }
}

/// What is under way in this process, if something is.
fn under_way(console: &Console, words: &Words) -> Option<UnderWay> {
    let work = console.backups.latest()?;
    let (what, done, total) = match work.state {
        Stage::Creating(at) => ("ops-backup-making", at.tenants, at.tenants_total),
        Stage::Verifying(done, total) => ("ops-backup-verifying", done, total),
        Stage::Created(_) | Stage::Verified(_) | Stage::Failed(_) => return None,
    };
    let number = |number: u64| words.number(i64::try_from(number).unwrap_or(i64::MAX));
    let said = words.say("ops-progress").with("done", number(done)).with("total", number(total)).to_string();
    Some(UnderWay { id: work.backup_id, what: words.say(what).to_string(), done, total: total.max(1), said })
}

async fn list(State(console): State<Console>, signed: Signed) -> ApiResult {
    let words = &signed.frame.words;
    let listed = backup::list(console.backups.deps()).await.map_err(refused)?;
    let page = BackupsPage {
        frame: &signed.frame,
        signed: &signed,
        region: console.desk.region.id.as_str(),
        here: "/ops/backups",
        rows: listed.iter().rev().map(|listed| row(words, listed)).collect(),
        under_way: under_way(&console, words),
    };
    Ok(unkept(signed.frame.page(&page)?))
}

fn row(words: &Words, listed: &Listed) -> Row {
    let kept = match listed.kept {
        Kept::Until(time) => words.say("ops-backup-kept").with("moment", words.moment(time)).to_string(),
        Kept::AsNewest => words.say("ops-backup-stays").to_string(),
        Kept::Over => words.say("ops-backup-over").to_string(),
        Kept::Unknown => String::new(),
    };
    let id = listed.backup_id.clone();
    match &listed.manifest {
        Ok(manifest) => {
            let tenants = words.number(i64::try_from(manifest.tenants.len()).unwrap_or(i64::MAX));
            let cut = (manifest.cut_at, words.moment(manifest.cut_at));
            let made = Some((cut, tenants, events(words, manifest.events())));
            Row { id, made, is_good: is_whole(manifest), result: result(words, manifest), kept }
        }
        Err(_) => Row { id, made: None, is_good: false, result: words.say("ops-backup-unreadable").to_string(), kept },
    }
}

fn events(words: &Words, events: u64) -> String {
    words.number(i64::try_from(events).unwrap_or(i64::MAX))
}

fn result(words: &Words, manifest: &BackupManifest) -> String {
    let incomplete = i64::try_from(manifest.incomplete().count()).unwrap_or(i64::MAX);
    words.say("ops-backup-result").count("incomplete", incomplete).to_string()
}

async fn create(State(console): State<Console>, order: Order) -> Response {
    // Sent twice, or while another one is made: whoever asks is shown that one.
    let id = console.backups.create().unwrap_or_else(|under_way| under_way.backup_id);
    tracing::info!(operator = order.by.name, backup_id = id, "an operator asked for a backup");
    Redirect::to(&format!("/ops/backups/{id}")).into_response()
}

async fn verify(State(console): State<Console>, Path(id): Path<String>, order: Order) -> ApiResult {
    let manifest = backup::show(console.backups.deps(), &id).await.map_err(refused)?;
    let id = console.backups.verify(&manifest.backup_id).map_or_else(|under_way| under_way.backup_id, |()| id);
    tracing::info!(operator = order.by.name, backup_id = id, "an operator asked for a backup to be verified");
    Ok(Redirect::to(&format!("/ops/backups/{id}")).into_response())
}

async fn show(State(console): State<Console>, Path(id): Path<String>, signed: Signed) -> ApiResult {
    let words = &signed.frame.words;
    let under_way = under_way(&console, words).filter(|work| work.id == id);
    let latest = console.backups.latest().filter(|work| work.backup_id == id).map(|work| work.state);
    let (failed, verified) = match &latest {
        Some(Stage::Failed(why)) => (Some(why.clone()), None),
        Some(Stage::Verified(verified)) => (None, Some(verified.as_ref())),
        _ => (None, None),
    };
    let manifest = match backup::show(console.backups.deps(), &id).await {
        Ok(manifest) => Some(manifest),
        // It is not whole yet, or it never became one.
        Err(Error::NoSuchBackup { .. }) if under_way.is_some() || failed.is_some() => None,
        Err(error) => return Err(refused(error)),
    };
    let tenants = manifest.iter().flat_map(|manifest| tenant_rows(words, manifest, verified)).collect();
    let moment = |at: Timestamp| (at, words.moment(at));
    let page = BackupPage {
        frame: &signed.frame,
        signed: &signed,
        region: console.desk.region.id.as_str(),
        here: "/ops/backups",
        id: &id,
        under_way,
        failed,
        made: manifest
            .as_ref()
            .map(|manifest| (moment(manifest.cut_at), moment(manifest.completed_at), events(words, manifest.events()))),
        verified: verified.map(|verified| report(words, verified)),
        tenants,
    };
    Ok(unkept(signed.frame.page(&page)?))
}

fn report(words: &Words, verified: &Verified) -> Report {
    let said = match (verified.is_clean(), is_whole(&verified.backup)) {
        (true, true) => "ops-verified",
        (true, false) => "ops-verified-incomplete",
        (false, _) => "ops-verified-wrong",
    };
    let number = |tenants: usize| words.number(i64::try_from(tenants).unwrap_or(i64::MAX));
    Report {
        is_good: verified.is_clean() && is_whole(&verified.backup),
        said: words.say(said).to_string(),
        not_checked: verified.not_checked().into_iter().map(|(what, tenants)| (what, number(tenants))).collect(),
    }
}

/// Every tenant, with what was found of it when it was verified just now.
fn tenant_rows(words: &Words, manifest: &BackupManifest, verified: Option<&Verified>) -> Vec<TenantRow> {
    let found = |place: usize| verified.and_then(|verified| verified.tenants.get(place));
    let row = |(place, tenant): (usize, &archive::backup::TenantBackup)| {
        let found = found(place);
        let is_clean = found.is_none_or(TenantVerified::is_clean);
        let result = match (&tenant.reason, found) {
            _ if !is_clean => "ops-tenant-wrong",
            (Some(_), _) => "ops-tenant-incomplete",
            (None, Some(_)) => "ops-tenant-verified",
            (None, None) => "ops-tenant-whole",
        };
        let findings = found.into_iter().flat_map(TenantVerified::findings).take(FINDINGS_SHOWN);
        TenantRow {
            id: tenant.tenant_id.to_string(),
            events: events(words, tenant.size),
            root: tenant.root.to_string(),
            is_good: is_clean && tenant.reason.is_none(),
            result: words.say(result).to_string(),
            said: tenant.reason.clone().into_iter().chain(findings).collect(),
        }
    };
    manifest.tenants.iter().enumerate().map(row).collect()
}
