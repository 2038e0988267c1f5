//! `GET /trust`: what is promised about data, rendered from what this process runs under: the region files, the hosting policy, the
//! classes that the schemas give every field of every event, the table of cookies. Nothing on it is written twice, so it cannot be out
//! of date.

use askama::Template;
use axum::{Router, extract::State, routing::get};
use regions::{HostingPolicy, Region};
use schemas::{
    DataClass, EventType,
    access::AccessEvent,
    audit::AuditEvent,
    claim::ClaimEvent,
    erasure::ErasureEvent,
    job::JobEvent,
    name::NameEvent,
    organization::OrganizationEvent,
    person::{EmailEvent, PersonEvent},
    rule::RuleEvent,
    session::SessionEvent,
    tenant::TenantEvent,
    ticket::TicketEvent,
    ticket_field::TicketFieldEvent,
    upload::UploadEvent,
    webhook::WebhookEvent,
};

use super::{
    cookies,
    frame::Frame,
    landing::backups,
    places::{self, Stated},
    words::Words,
};
use crate::{host::Origin, problem::ApiResult, state::Desk};

/// What each part of the product records, and the sentence that says what the part is called.
const PARTS: &[(&str, &[&[EventType]])] = &[
    ("trust-part-tenant", &[TenantEvent::TYPES]),
    (
        "trust-part-people",
        &[PersonEvent::TYPES, EmailEvent::TYPES, SessionEvent::TYPES, OrganizationEvent::TYPES, ClaimEvent::TYPES],
    ),
    ("trust-part-tickets", &[TicketEvent::TYPES, TicketFieldEvent::TYPES, UploadEvent::TYPES]),
    ("trust-part-rules", &[RuleEvent::TYPES, WebhookEvent::TYPES, JobEvent::TYPES]),
    ("trust-part-logs", &[AccessEvent::TYPES, AuditEvent::TYPES, ErasureEvent::TYPES]),
    ("trust-part-directory", &[NameEvent::TYPES]),
];

/// `/trust`, on every host.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/trust", get(show))
}

/// A region and who holds what it stores.
struct Place {
    name: String,
    jurisdiction: String,
    cloud_region: String,
    backups: String,
    /// The object store's host, if it is somebody else's.
    store: Option<String>,
}

/// A destination outside the home region, with a row for each class.
struct Way {
    destination: String,
    rules: Vec<(String, bool, Stated)>,
}

/// A part of the product, with the names of its fields by class.
struct Part {
    name: String,
    classes: Vec<(String, String)>,
}

/// What went wrong in a region.
struct Incident {
    region: String,
    span: String,
    what: String,
}

/// A cookie: name, purpose, life.
type CookieRow = (&'static str, String, String);

#[derive(Template)]
#[template(path = "trust.html")]
struct TrustPage<'a> {
    frame: &'a Frame,
    apex: String,
    places: Vec<Place>,
    policy_version: u32,
    ways: Vec<Way>,
    parts: Vec<Part>,
    deletion: Vec<String>,
    incidents: Vec<Incident>,
    cookies: Vec<CookieRow>,
}

async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame) -> ApiResult {
    let (words, policy) = (&frame.words, desk.regions.policy());
    let cookies = cookies::ALL.iter().map(|cookie| (cookie.name, cookie.purpose(words), cookie.life(words)));
    frame.page(&TrustPage {
        frame: &frame,
        apex: origin.url_of_apex("/"),
        places: desk.regions.iter().map(|region| place(words, region)).collect(),
        policy_version: policy.version(),
        ways: ways(words, policy),
        parts: PARTS.iter().map(|(name, events)| part(words, name, events)).collect(),
        deletion: deletion(words, policy),
        incidents: desk.regions.iter().flat_map(|region| incidents(words, region)).collect(),
        cookies: cookies.collect(),
    })
}

fn place(words: &Words, region: &Region) -> Place {
    Place {
        name: places::region(words, region),
        jurisdiction: places::jurisdiction(words, region),
        cloud_region: region.cloud_region.clone(),
        backups: backups(words, region),
        store: region.s3().and_then(|store| host_of_others(&store.url)),
    }
}

/// The host of an address, unless it is this machine's or has no public name.
fn host_of_others(url: &str) -> Option<String> {
    let host = url.split_once("://")?.1.split(['/', ':']).next()?;
    let is_named = host.contains('.') && host.contains(|letter: char| letter.is_ascii_alphabetic());
    Some(host.to_owned()).filter(|_| is_named)
}

fn ways(words: &Words, policy: &HostingPolicy) -> Vec<Way> {
    let mut ways: Vec<(&str, Way)> = Vec::new();
    for rule in policy.egress() {
        let row = (places::class(words, rule.class), rule.allowed, places::reason(words, rule));
        match ways.iter_mut().find(|(known, _)| *known == rule.destination) {
            Some((_, way)) => way.rules.push(row),
            None => {
                let destination = places::destination(words, &rule.destination);
                ways.push((&rule.destination, Way { destination, rules: vec![row] }));
            }
        }
    }
    ways.into_iter().map(|(_, way)| way).collect()
}

fn part(words: &Words, name: &str, events: &[&[EventType]]) -> Part {
    let of = |class: DataClass| {
        let fields = events.iter().copied().flatten().flat_map(|event| event.fields);
        let mut names: Vec<&str> = fields.filter(|field| field.class == class).map(|field| field.name).collect();
        names.sort_unstable();
        names.dedup();
        (places::class(words, class), names.join(", "))
    };
    let classes = DataClass::ALL.into_iter().map(of).filter(|(_, names)| !names.is_empty()).collect();
    Part { name: words.known(name).unwrap_or_default(), classes }
}

/// What becomes of what was deleted, with the policy's own spans.
fn deletion(words: &Words, policy: &HostingPolicy) -> Vec<String> {
    let spans = policy.deletion();
    vec![
        words.say("trust-deletion-promise").with("days", spans.promise_days).to_string(),
        words.say("trust-deletion-keys").with("days", spans.keys_days).to_string(),
        words.say("trust-deletion-versions").with("days", spans.noncurrent_days).to_string(),
        words.say("trust-deletion-access").with("days", policy.access_log_days()).to_string(),
        words.say("trust-deletion-grants").with("days", policy.auditor_grant_days()).to_string(),
        words.say("trust-deletion-drills").with("days", spans.drills_days).to_string(),
    ]
}

/// The incidents of a region, as its file tells them.
fn incidents(words: &Words, region: &Region) -> Vec<Incident> {
    let incident = |incident: &regions::Incident| {
        let began = words.moment(incident.began);
        Incident {
            region: places::region(words, region),
            span: match incident.ended {
                Some(ended) => format!("{began} – {}", words.moment(ended)),
                None => words.say("trust-incident-lasts").with("moment", began).to_string(),
            },
            what: incident.what.clone(),
        }
    };
    region.incidents.iter().map(incident).collect()
}

#[cfg(test)]
mod tests;
