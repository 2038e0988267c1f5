//! `GET /ops/tenants`: who is at home in the region, and how far each log is safe. Names, plans and positions, and no content.

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use desk::foundation::{ApiError, ApiResult, Frame, percent, plan};
use jiff::Timestamp;
use regions::Resident;
use serde::Deserialize;

use crate::{
    signed::{Signed, unkept},
    state::Console,
};

/// Tenants of a page.
const PAGE_LENGTH: usize = 50;

/// `/ops/tenants`.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/ops/tenants", get(show))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: String,
}

/// A tenant, as the table shows it.
struct Row {
    slug: String,
    plan: String,
    is_open: bool,
    state: String,
    created: (Timestamp, String),
    /// Events, and how many of them are sealed, archived and verified.
    marks: [String; 4],
}

#[derive(Template)]
#[template(path = "ops/tenants.html")]
struct TenantsPage<'a> {
    frame: &'a Frame,
    signed: &'a Signed,
    region: &'a str,
    here: &'static str,
    rows: Vec<Row>,
    /// Where the next page begins.
    next: Option<String>,
}

async fn show(State(console): State<Console>, signed: Signed, Query(After { after }): Query<After>) -> ApiResult {
    let words = &signed.frame.words;
    let pool = &console.backups.deps().pool;
    let mut connection = pool.acquire().await.map_err(ApiError::unavailable)?;
    let found = eventlog::standings(&mut connection, &after, PAGE_LENGTH as i64 + 1).await;
    let mut found = found.map_err(ApiError::unavailable)?;
    let has_more = found.len() > PAGE_LENGTH;
    found.truncate(PAGE_LENGTH);
    let next = found.last().filter(|_| has_more).map(|last| format!("/ops/tenants?after={}", percent(&last.slug)));
    let mut rows = Vec::with_capacity(found.len());
    for one in &found {
        let resident = Resident::prove_id(&mut connection, &console.desk.region.id, one.tenant_id).await;
        let plan = match resident.map_err(ApiError::unavailable)? {
            Some(resident) => plan(&console.desk, &resident).await.map_err(ApiError::unavailable)?,
            None => None,
        };
        rows.push(Row {
            slug: one.slug.clone(),
            plan: plan.unwrap_or_default(),
            is_open: one.state == "active",
            state: words.known(&format!("ops-state-{}", one.state)).unwrap_or_else(|| one.state.clone()),
            created: (one.created_at, words.moment(one.created_at)),
            marks: [one.acked, one.sealed, one.archived, one.verified].map(|position| words.number(position.get())),
        });
    }
    let region = console.desk.region.id.as_str();
    let page = TenantsPage { frame: &signed.frame, signed: &signed, region, here: "/ops/tenants", rows, next };
    Ok(unkept(signed.frame.page(&page)?))
}
