//! The signup form: shown, read, and shown again with what was wrong, in the reader's language.

use axum::extract::State;
use schemas::{Slug, values::Plan};
use serde_json::{Map, Value, json};

use super::name;
use crate::{
    host::Origin,
    pages::{Choice, Input, SignupPage, frame::Frame, places, words::Words},
    problem::{ApiResult, FieldFault},
    state::Desk,
};

/// `GET /signup`.
pub(super) async fn show(State(desk): State<Desk>, origin: Origin, frame: Frame) -> ApiResult {
    let blank = json!({});
    let page = page((&desk, &frame), &origin, blank.as_object().expect("a literal object"), &[]);
    frame.page(&page)
}

/// The form with what was typed, and what was wrong with it.
pub(super) fn page<'a>(
    (desk, frame): (&Desk, &'a Frame),
    origin: &Origin,
    typed: &Map<String, Value>,
    faults: &[FieldFault],
) -> SignupPage<'a> {
    let policy = desk.regions.policy();
    let default = desk.regions.get(policy.default_region());
    let default = default.map_or_else(String::new, |region| places::region(&frame.words, region));
    let said = Said { words: &frame.words, typed, faults, default: &default };
    let input = |name: &'static str| Input { value: value(typed, name), error: said.error(name) };
    let is_default = policy.default_region() == &desk.region.id;
    let chosen = value(typed, "plan");
    let plans = Plan::ALL.iter().filter(|plan| is_default || policy.is_entitled(**plan));
    let plans = plans.map(|plan| Choice { value: plan.as_str(), is_chosen: plan.as_str() == chosen });
    SignupPage {
        frame,
        region: desk.region.id.to_string(),
        region_name: places::region(&frame.words, &desk.region),
        jurisdiction: places::jurisdiction(&frame.words, &desk.region),
        address_end: origin.url_of("", "").split_once("://.").map_or_else(String::new, |(_, end)| format!(".{end}")),
        has_every_plan: is_default,
        default_signup: origin.url_of(policy.default_region().as_str(), "/signup"),
        apex: origin.url_of_apex("/"),
        plans: plans.collect(),
        // A locality that is refused is refused because of the plan; that is where it can be mended.
        plan_error: said.error("plan").or_else(|| said.error("locality")),
        subdomain: input("subdomain"),
        taken_desk: said.taken().map(|slug| origin.url_of(slug.as_str(), "/signin")),
        company: input("company"),
        name: input("admin.name"),
        email: input("admin.email"),
        password: Input { value: String::new(), error: said.error("admin.password") },
    }
}

fn value(typed: &Map<String, Value>, name: &str) -> String {
    let value = match name.split_once('.') {
        Some((outer, inner)) => typed.get(outer).and_then(|outer| outer.get(inner)),
        None => typed.get(name),
    };
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What was wrong, as the page says it.
struct Said<'a> {
    words: &'a Words,
    typed: &'a Map<String, Value>,
    faults: &'a [FieldFault],
    /// The name of the default region.
    default: &'a str,
}

impl Said<'_> {
    /// What is wrong with a field, as a sentence below its label.
    fn error(&self, field: &str) -> Option<String> {
        let fault = self.faults.iter().find(|fault| fault.field == field)?;
        let sentence = match (field, fault.code) {
            (_, "BlankValue") => self.words.say("signup-error-blank"),
            (_, "DuplicateValue") => self.words.say("signup-error-taken"),
            ("subdomain", _) if name::refused(&value(self.typed, field)) == "reserved" => {
                self.words.say("signup-error-reserved")
            }
            ("subdomain", _) => self.words.say("signup-error-subdomain"),
            ("company" | "admin.name", _) => self.words.say("signup-error-line"),
            ("plan", _) => self.words.say("signup-error-plan"),
            ("locality", _) => self.words.say("signup-error-locality").with("region", self.default),
            ("admin.email", _) => self.words.say("signup-error-email"),
            ("admin.password", _) => self.words.say("signup-error-password"),
            // A field that the form does not have.
            _ => return Some(fault.description.clone()),
        };
        Some(sentence.to_string())
    }

    /// The name that somebody has already; perhaps whoever sends this form did, a moment ago, by sending it twice.
    fn taken(&self) -> Option<Slug> {
        let is_taken = self.faults.iter().any(|fault| fault.field == "subdomain" && fault.code == "DuplicateValue");
        value(self.typed, "subdomain").parse().ok().filter(|_| is_taken)
    }
}
