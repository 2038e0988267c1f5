//! The region's own host: what it is, and where to sign up.

use askama::Template;
use axum::{Router, extract::State, routing::get};

use super::{frame::Frame, places};
use crate::{host::Origin, problem::ApiResult, state::Desk};

/// `/`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/", get(show))
}

/// The region's page.
#[derive(Template)]
#[template(path = "region.html")]
pub(crate) struct RegionPage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) name: String,
    pub(crate) jurisdiction: String,
    pub(crate) apex: String,
}

async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame) -> ApiResult {
    let page = RegionPage {
        frame: &frame,
        name: places::region(&frame.words, &desk.region),
        jurisdiction: places::jurisdiction(&frame.words, &desk.region),
        apex: origin.url_of_apex("/"),
    };
    frame.page(&page)
}
