//! A tenant's front page: what this address is, where it is at home, how to call it.
//!
//! It is shown to everybody, so it says nothing but what the address and the directory say anyway.

use askama::Template;
use axum::{Extension, Router, extract::State, response::IntoResponse, routing::get};

use super::render;
use crate::{
    host::{Origin, Site},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// `/`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/", get(show))
}

/// The front page.
#[derive(Template)]
#[template(path = "tenant.html")]
pub(crate) struct TenantPage<'a> {
    pub(crate) slug: &'a str,
    pub(crate) region_name: &'a str,
    pub(crate) jurisdiction: &'a str,
    /// `http://acme.localhost:8080`
    pub(crate) url: String,
}

async fn show(State(desk): State<Desk>, origin: Origin, Extension(site): Extension<Site>) -> ApiResult {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    let page = TenantPage {
        slug: resident.slug().as_str(),
        region_name: &desk.region.name,
        jurisdiction: &desk.region.jurisdiction,
        url: origin.url(""),
    };
    Ok(render(&page)?.into_response())
}
