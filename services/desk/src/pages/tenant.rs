//! A tenant's front page: what this address is, where it is at home, how to call it.
//!
//! It is shown to everybody, so it says nothing but what the address and the directory say anyway.

use askama::Template;
use axum::{Extension, Router, extract::State, routing::get};

use super::{frame::Frame, places};
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
    pub(crate) frame: &'a Frame,
    pub(crate) slug: &'a str,
    pub(crate) region_name: String,
    pub(crate) jurisdiction: String,
    /// `http://acme.localhost:8080`
    pub(crate) url: String,
}

async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame, Extension(site): Extension<Site>) -> ApiResult {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    let page = TenantPage {
        frame: &frame,
        slug: resident.slug().as_str(),
        region_name: places::region(&frame.words, &desk.region),
        jurisdiction: places::jurisdiction(&frame.words, &desk.region),
        url: origin.url(""),
    };
    frame.page(&page)
}
