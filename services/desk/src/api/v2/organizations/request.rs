//! An organization as a client sends it, for every operation that takes one.

use std::collections::BTreeMap;

use domain::{organization::Change, text};
use schemas::{GroupId, Personal, values::OrganizationDetail};

use crate::{
    api::who,
    body::{Body, Fields},
    caller::Caller,
    problem::ApiError,
    state::Desk,
};

/// The attributes of an organization that a client may send. `None` was not sent.
#[derive(Clone)]
pub(super) struct OrganizationRequest {
    /// The id, for `create_or_update`.
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) details: BTreeMap<OrganizationDetail, Personal<Option<String>>>,
    domain_names: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    group: Option<Option<GroupId>>,
}

impl OrganizationRequest {
    /// Reads the object under `organization`.
    pub(super) fn read(body: &Body) -> Result<Self, ApiError> {
        let mut fields = Fields::root(body, "organization")?;
        let mut details = BTreeMap::new();
        for detail in OrganizationDetail::ALL {
            let name = detail.as_str();
            if fields.has(name) {
                let value = fields.checked(name, |text| text::organization_detail(*detail, text));
                details.insert(*detail, value.flatten().into());
            }
        }
        for name in ["shared_tickets", "shared_comments"] {
            if fields.boolean(name) == Some(true) {
                fields.fault(
                    name,
                    "takes false: what an organization's users see of one another is not shared",
                    "InvalidValue",
                );
            }
        }
        let request = Self {
            id: fields.integer("id"),
            name: fields.checked("name", text::name),
            details,
            domain_names: texts(&mut fields, "domain_names", text::domain_names),
            tags: texts(&mut fields, "tags", text::tags),
            group: fields.has("group_id").then(|| fields.integer("group_id").map(GroupId::new)),
        };
        if fields.has("name") && fields.value("name").is_none() {
            fields.fault("name", "cannot be blank", "BlankValue");
        }
        fields.finish()?;
        Ok(request)
    }

    /// Refuses a group that is none.
    pub(super) async fn check(&self, desk: &Desk, caller: &Caller) -> Result<(), ApiError> {
        match self.group.flatten() {
            Some(group) if !who::is_group(desk, &caller.resident, group).await? => {
                Err(ApiError::invalid("group_id", "group_id: takes the id of a group", "InvalidValue"))
            }
            _ => Ok(()),
        }
    }

    /// Whether nothing is asked for but notes, which agents may write.
    pub(super) fn is_notes_only(&self) -> bool {
        let others = [self.name.is_some(), self.domain_names.is_some(), self.tags.is_some(), self.group.is_some()];
        !others.contains(&true) && self.details.keys().all(|detail| *detail == OrganizationDetail::Notes)
    }

    /// The id elsewhere, if one was sent.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.details.get(&OrganizationDetail::ExternalId)?.expose().as_deref()
    }

    /// What is asked for.
    pub(super) fn change(&self) -> Change {
        Change {
            name: self.name.clone().map(Into::into),
            details: self.details.clone(),
            domain_names: self.domain_names.clone().map(Into::into),
            tags: self.tags.clone().map(Into::into),
            group: self.group,
        }
    }
}

/// A list of texts; null is an empty one.
fn texts(
    fields: &mut Fields<'_>,
    name: &str,
    rule: impl FnOnce(&[String]) -> Result<Vec<String>, text::Invalid>,
) -> Option<Vec<String>> {
    if !fields.has(name) {
        return None;
    }
    let sent: Vec<String> = fields.strings(name).unwrap_or_default().into_iter().map(str::to_owned).collect();
    rule(&sent).map_err(|invalid| fields.fault(name, invalid.to_string(), "InvalidValue")).ok()
}
