//! A user as a client sends it, for every operation that takes one.

use std::collections::BTreeMap;

use domain::{person::identity, text};
use schemas::{
    GroupId, OrganizationId, Personal,
    values::{IdentityKind, PersonDetail, Role},
};

use crate::{
    body::{Body, Fields},
    caller::Caller,
    problem::ApiError,
};

/// The attributes of a user that a client may send. `None` was not sent.
#[derive(Clone)]
pub(crate) struct UserRequest {
    /// The id, for `create_or_update`.
    pub(crate) id: Option<i64>,
    pub(crate) name: Option<String>,
    /// `Some(None)` was sent as null: no address.
    pub(crate) email: Option<Option<String>>,
    pub(crate) role: Option<Role>,
    pub(crate) details: BTreeMap<PersonDetail, Personal<Option<String>>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) is_suspended: Option<bool>,
    pub(crate) is_verified: Option<bool>,
    /// The default organization; `Some(None)` was sent as null.
    pub(crate) organization: Option<Option<OrganizationId>>,
    pub(crate) default_group: Option<GroupId>,
    /// By what else a new user is known.
    pub(crate) identities: Vec<(IdentityKind, String)>,
}

/// Whether a name must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// A new user has one.
    Required,
    /// A change may leave it out.
    Optional,
}

/// What users may change of themselves.
const OWN_DETAILS: [PersonDetail; 3] = [PersonDetail::Phone, PersonDetail::TimeZone, PersonDetail::Locale];

/// A role of people who work here. An auditor's comes with a grant, not with a profile.
fn role(word: &str) -> Result<Role, &'static str> {
    let found = word.parse().ok().filter(|role| *role != Role::Auditor);
    found.ok_or("takes one of end-user, agent, admin")
}

impl UserRequest {
    /// Reads the object under `user`.
    pub(crate) fn read(body: &Body, name: Name) -> Result<Self, ApiError> {
        Self::of(Fields::root(body, "user")?, name)
    }

    /// Reads the object itself.
    pub(crate) fn of(mut fields: Fields<'_>, name: Name) -> Result<Self, ApiError> {
        let request = Self {
            id: fields.integer("id"),
            name: match name {
                Name::Required => fields.required("name", text::name),
                Name::Optional => fields.checked("name", text::name),
            },
            email: fields.has("email").then(|| fields.checked("email", text::email)),
            role: if fields.value("role").is_some_and(|sent| sent == "") { None } else { fields.checked("role", role) },
            details: details(&mut fields),
            tags: fields.has("tags").then(|| tags(&mut fields)),
            is_suspended: fields.boolean("suspended"),
            is_verified: fields.boolean("verified"),
            organization: fields
                .has("organization_id")
                .then(|| fields.integer("organization_id").map(OrganizationId::new)),
            default_group: fields.integer("default_group_id").map(GroupId::new),
            identities: identities(&mut fields),
        };
        fields.finish()?;
        Ok(request)
    }

    /// Refuses roles the caller may not give: agents add end users, admins whom they want.
    pub(crate) fn check_role(&self, caller: &Caller) -> Result<(), ApiError> {
        match self.role {
            Some(role) if role != Role::EndUser && caller.role != Role::Admin => {
                Err(ApiError::forbidden("role: only admins make agents and admins"))
            }
            _ => Ok(()),
        }
    }

    /// The field that only agents may send, if one was sent: what is left is a matter of the user.
    pub(crate) fn for_agents_only(&self) -> Option<&'static str> {
        let others = [
            ("tags", self.tags.is_some()),
            ("suspended", self.is_suspended.is_some()),
            ("verified", self.is_verified.is_some()),
            ("organization_id", self.organization.is_some()),
            ("default_group_id", self.default_group.is_some()),
        ];
        let detail = self.details.keys().find(|detail| !OWN_DETAILS.contains(detail)).map(|detail| detail.as_str());
        detail.or_else(|| others.into_iter().find(|(_, was_sent)| *was_sent).map(|(field, _)| field))
    }

    /// The id elsewhere, if one was sent.
    pub(crate) fn external_id(&self) -> Option<&str> {
        self.details.get(&PersonDetail::ExternalId)?.expose().as_deref()
    }
}

/// What the profile tells. Time zone and language have each two names.
fn details(fields: &mut Fields<'_>) -> BTreeMap<PersonDetail, Personal<Option<String>>> {
    let mut details = BTreeMap::new();
    for detail in PersonDetail::ALL {
        let name = match detail {
            PersonDetail::TimeZone if !fields.has("time_zone") => "iana_time_zone",
            detail => detail.as_str(),
        };
        if fields.has(name) {
            let value = fields.checked(name, |text| text::person_detail(*detail, text));
            details.insert(*detail, value.flatten().into());
        }
    }
    if !details.contains_key(&PersonDetail::Locale)
        && let Some(id) = fields.integer("locale_id")
    {
        match text::LOCALES.iter().find(|(_, known)| *known == id) {
            Some((locale, _)) => {
                details.insert(PersonDetail::Locale, Some((*locale).to_owned()).into());
            }
            None => {
                let ids: Vec<String> = text::LOCALES.iter().map(|(_, id)| id.to_string()).collect();
                fields.fault("locale_id", format!("takes one of {}", ids.join(", ")), "InvalidValue");
            }
        }
    }
    details
}

fn tags(fields: &mut Fields<'_>) -> Vec<String> {
    let sent: Vec<String> = fields.strings("tags").unwrap_or_default().into_iter().map(str::to_owned).collect();
    text::tags(&sent).map_err(|invalid| fields.fault("tags", invalid.to_string(), "InvalidValue")).unwrap_or_default()
}

fn identities(fields: &mut Fields<'_>) -> Vec<(IdentityKind, String)> {
    let Some(sent) = fields.value("identities") else { return Vec::new() };
    let read = |sent: &serde_json::Value| {
        let kind: IdentityKind = sent["type"].as_str()?.parse().ok()?;
        Some((kind, identity::value(kind, sent["value"].as_str()?).ok()?))
    };
    let found: Option<Vec<_>> = sent.as_array().and_then(|all| all.iter().map(read).collect());
    if found.is_none() {
        let takes = format!("takes a list of objects with a type, one of {}, and a value", IdentityKind::TAKES);
        fields.fault("identities", takes, "InvalidValue");
    }
    found.unwrap_or_default()
}
