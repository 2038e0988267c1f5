//! The apex: what Domicile promises, which localities there are and under which law, what a plan is entitled to, and the way to each
//! region's signup. Every fact on it is read from the region files and the policy that this very process runs under.

use askama::Template;
use axum::{Router, extract::State, response::Redirect, routing::get};
use jiff::SignedDuration;
use regions::{HostingPolicy, Region};
use schemas::values::Plan;

use super::{
    frame::Frame,
    places::{self, Stated},
    words::Words,
};
use crate::{host::Origin, problem::ApiResult, state::Desk};

const HOURS_OF_A_DAY: i64 = 24;

/// `/`, and `/signup`, which has to choose a region first.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/", get(show)).route("/signup", get(async || Redirect::to("/#localities")))
}

/// A region one may choose.
pub(crate) struct Locality {
    id: String,
    name: String,
    jurisdiction: String,
    cloud_region: String,
    /// Where backups lie, how often they are made and how long they are kept and locked.
    backups: String,
    /// The plans that may live here.
    plans: String,
    signup: String,
    /// Where on the map.
    place: Option<(u16, u16)>,
}

/// What may go to a destination outside the home region.
pub(crate) struct Way {
    destination: String,
    /// What, and why.
    allowed: Vec<(String, Stated)>,
}

/// What a plan is entitled to.
pub(crate) struct Entitlement {
    name: &'static str,
    place: String,
    requests: String,
}

/// The landing page.
#[derive(Template)]
#[template(path = "landing.html")]
pub(crate) struct LandingPage<'a> {
    frame: &'a Frame,
    localities: Vec<Locality>,
    policy_version: u32,
    ways: Vec<Way>,
    plans: Vec<Entitlement>,
}

async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame) -> ApiResult {
    let (words, policy) = (&frame.words, desk.regions.policy());
    let locality = |region: &Region| Locality {
        id: region.id.to_string(),
        name: places::region(words, region),
        jurisdiction: places::jurisdiction(words, region),
        cloud_region: region.cloud_region.clone(),
        backups: backups(words, region),
        plans: plans_in(policy, region),
        signup: origin.url_of(region.id.as_str(), "/signup"),
        place: places::on_the_map(&region.jurisdiction),
    };
    frame.page(&LandingPage {
        frame: &frame,
        localities: desk.regions.iter().map(locality).collect(),
        policy_version: policy.version(),
        ways: ways(words, policy),
        plans: entitlements(words, &desk),
    })
}

/// How a region is backed up, in sentences.
pub(crate) fn backups(words: &Words, region: &Region) -> String {
    let days = words.number(region.backup_keep.as_hours() / HOURS_OF_A_DAY);
    let made = match region.backup_every {
        Some(every) => words.say("public-backups-daily").with("hours", hours(every)).with("days", days),
        None => words.say("public-backups-asked").with("days", days),
    };
    match region.storage.lock {
        Some(lock) => format!("{made} {}", words.say("public-backups-locked").with("days", lock.days)),
        None => made.to_string(),
    }
}

fn hours(span: SignedDuration) -> i64 {
    span.as_hours().max(1)
}

/// The plans whose tenants may live in a region: every one in the default region, those with a choice in the others.
fn plans_in(policy: &HostingPolicy, region: &Region) -> String {
    let may = |plan: &&Plan| policy.default_region() == &region.id || policy.is_entitled(**plan);
    let plans: Vec<&str> = Plan::ALL.iter().filter(may).map(|plan| plan.as_str()).collect();
    plans.join(", ")
}

/// What the policy lets go, by destination, in the policy's order.
fn ways(words: &Words, policy: &HostingPolicy) -> Vec<Way> {
    let mut destinations: Vec<&str> = Vec::new();
    for rule in policy.egress() {
        if !destinations.contains(&rule.destination.as_str()) {
            destinations.push(&rule.destination);
        }
    }
    let way = |destination: &str| Way {
        destination: places::destination(words, destination),
        allowed: allowed(words, policy, destination),
    };
    destinations.into_iter().map(way).collect()
}

/// What may go to a destination; classes that go for the same reason are said together.
fn allowed(words: &Words, policy: &HostingPolicy, destination: &str) -> Vec<(String, Stated)> {
    let mut allowed: Vec<(String, Stated)> = Vec::new();
    for rule in policy.egress().iter().filter(|rule| rule.allowed && rule.destination == destination) {
        let (what, why) = (places::class(words, rule.class), places::reason(words, rule));
        match allowed.iter_mut().find(|(_, known)| *known == why) {
            Some((others, _)) => *others = format!("{others}; {what}"),
            None => allowed.push((what, why)),
        }
    }
    allowed
}

fn entitlements(words: &Words, desk: &Desk) -> Vec<Entitlement> {
    let policy = desk.regions.policy();
    let default = desk.regions.get(policy.default_region());
    let default = default.map_or_else(String::new, |region| places::region(words, region));
    let entitlement = |plan: &Plan| Entitlement {
        name: plan.as_str(),
        place: match policy.is_entitled(*plan) {
            true => words.say("public-plan-choice").to_string(),
            false => words.say("public-plan-default").with("region", &default).to_string(),
        },
        requests: match policy.rate_limits().requests_per_minute(*plan) {
            Some(requests) => words.number(requests.into()),
            None => words.say("public-plan-unlimited").to_string(),
        },
    };
    Plan::ALL.iter().map(entitlement).collect()
}

#[cfg(test)]
mod tests;
