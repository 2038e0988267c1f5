//! The apex: which localities there are, and the way to each one's signup.

use askama::Template;
use axum::{Router, extract::State, response::Redirect, routing::get};
use schemas::values::Plan;

use super::frame::Frame;
use crate::{host::Origin, problem::ApiResult, state::Desk};

/// `/`, and `/signup`, which has to choose a region first.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/", get(show)).route("/signup", get(async || Redirect::to("/#localities")))
}

/// A region one may choose.
pub(crate) struct Locality {
    pub(crate) name: String,
    pub(crate) jurisdiction: String,
    pub(crate) signup: String,
    /// Whether tenants without a choice live there.
    pub(crate) is_default: bool,
}

/// The landing page.
#[derive(Template)]
#[template(path = "landing.html")]
pub(crate) struct LandingPage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) localities: Vec<Locality>,
    /// The plans that may choose, in words.
    pub(crate) plans_with_choice: String,
}

async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame) -> ApiResult {
    let policy = desk.regions.policy();
    let localities = desk.regions.iter().map(|region| Locality {
        name: region.name.clone(),
        jurisdiction: region.jurisdiction.clone(),
        signup: origin.url_of(region.id.as_str(), "/signup"),
        is_default: policy.default_region() == &region.id,
    });
    let entitled: Vec<&str> =
        Plan::ALL.iter().filter(|plan| policy.is_entitled(**plan)).map(|plan| plan.as_str()).collect();
    let page =
        LandingPage { frame: &frame, localities: localities.collect(), plans_with_choice: entitled.join(" and ") };
    frame.page(&page)
}
