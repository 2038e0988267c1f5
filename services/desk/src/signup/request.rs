//! What a signup asks for, checked field by field.

use domain::text;
use regions::LocalityDecision;
use schemas::{Personal, RegionId, Slug, values::Plan};
use serde_json::{Map, Value};

use crate::{body::Fields, host::Origin, problem::ApiError, state::Desk};

/// A signup whose every field is right and that belongs into this region.
pub(super) struct Request {
    pub(super) slug: Slug,
    pub(super) company: Personal<String>,
    pub(super) plan: Plan,
    pub(super) decision: LocalityDecision,
    pub(super) admin: Admin,
}

/// The tenant's first person.
pub(super) struct Admin {
    pub(super) name: Personal<String>,
    pub(super) email: Personal<String>,
    pub(super) password: Personal<String>,
}

impl Request {
    /// Reads `{"subdomain", "company", "plan", "locality", "admin": {"name", "email", "password"}}`. Everything that is wrong
    /// is refused at once; a signup for another region is 421 with that region's address.
    pub(super) fn read(desk: &Desk, origin: &Origin, object: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut fields = Fields::new(object, "");
        let slug = fields.required("subdomain", |name| text::slug(name, desk.regions.iter().map(|region| &region.id)));
        let company = fields.required("company", text::company);
        let plan = fields.required("plan", str::parse::<Plan>);
        let decision = decide(desk, &mut fields, plan);
        let admin = admin(&mut fields, object);
        fields.finish()?;
        let (Some(slug), Some(company), Some(plan), Some(decision), Some(admin)) =
            (slug, company, plan, decision, admin)
        else {
            return Err(ApiError::internal("a signup without a fault lacks a field"));
        };
        if decision.granted != desk.region.id {
            return Err(elsewhere(desk, origin, &decision.granted));
        }
        Ok(Self { slug, company: company.into(), plan, decision, admin })
    }
}

/// What the hosting policy says. Without a plan there is nothing to decide, but the region is looked at all the same.
fn decide(desk: &Desk, fields: &mut Fields<'_>, plan: Option<Plan>) -> Option<LocalityDecision> {
    let takes = || desk.regions.iter().map(|region| region.id.as_str()).collect::<Vec<_>>().join(", ");
    let known = |word: &str| match word.parse::<RegionId>() {
        Ok(id) if desk.regions.get(&id).is_some() => Ok(id),
        _ => Err(format!("takes one of {}", takes())),
    };
    let requested = fields.checked("locality", known);
    if requested.is_none() && fields.value("locality").is_some() {
        return None;
    }
    match desk.regions.policy().decide(plan?, requested.as_ref()) {
        Ok(decision) => Some(decision),
        Err(refusal) => {
            fields.fault("locality", refusal.to_string(), "InvalidValue");
            None
        }
    }
}

fn admin(fields: &mut Fields<'_>, object: &Map<String, Value>) -> Option<Admin> {
    let nothing = Map::new();
    let mut admin = match object.get("admin") {
        None | Some(Value::Null) => Fields::new(&nothing, "admin."),
        Some(_) => fields.object("admin")?,
    };
    let name = admin.required("name", text::name);
    let email = admin.required("email", text::email);
    let password = admin.required("password", |password| text::password(password).map(|()| password.to_owned()));
    fields.absorb(admin);
    Some(Admin { name: name?.into(), email: email?.into(), password: password?.into() })
}

fn elsewhere(desk: &Desk, origin: &Origin, granted: &RegionId) -> ApiError {
    desk.metrics.misdirected_requests.inc();
    let url = origin.url_of(granted.as_str(), "/api/signup");
    let detail = format!("This tenant's home is the region {granted}; nothing was stored here. Sign up at {url}");
    ApiError::misdirected(desk.region.id.as_str(), detail, Some(url))
}
