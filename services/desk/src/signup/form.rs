//! The signup form: shown, read, and shown again with what was wrong.

use axum::extract::State;
use schemas::values::Plan;
use serde_json::{Map, Value, json};

use crate::{
    host::Origin,
    pages::{Choice, Input, SignupPage, frame::Frame},
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
    let input = |name: &'static str| Input { value: value(typed, name), error: error(faults, name) };
    let policy = desk.regions.policy();
    let is_default = policy.default_region() == &desk.region.id;
    let chosen = value(typed, "plan");
    let plans = Plan::ALL.iter().filter(|plan| is_default || policy.is_entitled(**plan));
    let plans = plans.map(|plan| Choice { value: plan.as_str(), is_chosen: plan.as_str() == chosen });
    // A locality that is refused is refused because of the plan; that is where it can be mended.
    let plan_error = error(faults, "plan").or_else(|| error(faults, "locality"));
    SignupPage {
        frame,
        region: desk.region.id.to_string(),
        region_name: desk.region.name.clone(),
        jurisdiction: desk.region.jurisdiction.clone(),
        address_end: origin.url_of("", "").split_once("://.").map_or_else(String::new, |(_, end)| format!(".{end}")),
        has_every_plan: is_default,
        default_signup: origin.url_of(policy.default_region().as_str(), "/signup"),
        apex: origin.url_of_apex("/"),
        plans: plans.collect(),
        plan_error,
        subdomain: input("subdomain"),
        company: input("company"),
        name: input("admin.name"),
        email: input("admin.email"),
        password: Input { value: String::new(), error: error(faults, "admin.password") },
    }
}

fn value(typed: &Map<String, Value>, name: &str) -> String {
    let value = match name.split_once('.') {
        Some((outer, inner)) => typed.get(outer).and_then(|outer| outer.get(inner)),
        None => typed.get(name),
    };
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What is wrong with a field, as a sentence below its label: without the field's name in front.
fn error(faults: &[FieldFault], name: &str) -> Option<String> {
    let fault = faults.iter().find(|fault| fault.field == name)?;
    let text = fault.description.split_once(": ").map_or(fault.description.as_str(), |(_, text)| text);
    let mut letters = text.chars();
    Some(letters.next()?.to_uppercase().chain(letters).collect())
}
