//! The rules of organizations.

use schemas::{
    Personal,
    organization::{
        OrganizationAdded, OrganizationDeleted, OrganizationDetailSet, OrganizationDomainsSet, OrganizationEvent,
        OrganizationGroupSet, OrganizationRenamed, OrganizationTagsSet,
    },
};

use super::{Add, Change, Command, Organization, Profile, Rejection};
use crate::text;

pub(super) fn decide(organization: &Organization, command: &Command) -> Result<Vec<OrganizationEvent>, Rejection> {
    let profile = organization.profile.as_ref().ok_or(Rejection::Unknown);
    match command {
        Command::Add(_) if organization.profile.is_some() || organization.is_deleted => Err(Rejection::AlreadyExists),
        Command::Add(add) => decide_add(add),
        Command::Change(change) => decide_change(profile?, change),
        // there -> gone
        Command::Delete => profile.map(|_| vec![OrganizationDeleted {}.into()]),
    }
}

fn decide_add(add: &Add) -> Result<Vec<OrganizationEvent>, Rejection> {
    let name = text::name(add.name.expose())?.into();
    Ok(vec![OrganizationAdded { organization: add.organization, name }.into()])
}

fn decide_change(profile: &Profile, change: &Change) -> Result<Vec<OrganizationEvent>, Rejection> {
    let mut events = Vec::new();
    if let Some(name) = &change.name {
        let name = text::name(name.expose())?.into();
        if name != profile.name {
            events.push(OrganizationRenamed { name }.into());
        }
    }
    for (detail, asked) in &change.details {
        let asked = asked.expose().as_deref().unwrap_or_default();
        let value = text::organization_detail(*detail, asked)?;
        if value.as_deref() != profile.detail(*detail) {
            events.push(OrganizationDetailSet { detail: *detail, value: value.into() }.into());
        }
    }
    if let Some(asked) = &change.domain_names {
        let domain_names = Personal::new(text::domain_names(asked.expose())?);
        if domain_names != profile.domain_names {
            events.push(OrganizationDomainsSet { domain_names }.into());
        }
    }
    if let Some(asked) = &change.tags {
        let tags = Personal::new(text::tags(asked.expose())?);
        if tags != profile.tags {
            events.push(OrganizationTagsSet { tags }.into());
        }
    }
    if let Some(group) = change.group.filter(|asked| *asked != profile.group) {
        events.push(OrganizationGroupSet { group }.into());
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use schemas::{GroupId, OrganizationId, values::OrganizationDetail};

    use super::*;
    use crate::scenario::given;

    const ENGINES: OrganizationId = OrganizationId::new(12);

    fn add(name: &str) -> Add {
        Add { organization: ENGINES, name: name.to_owned().into() }
    }

    fn added() -> OrganizationEvent {
        OrganizationAdded { organization: ENGINES, name: "Engines".to_owned().into() }.into()
    }

    fn note(text: Option<&str>) -> Change {
        let details = [(OrganizationDetail::Notes, text.map(str::to_owned).into())].into();
        Change { details, ..Change::default() }
    }

    fn noted(text: Option<&str>) -> OrganizationEvent {
        let value = text.map(str::to_owned).into();
        OrganizationDetailSet { detail: OrganizationDetail::Notes, value }.into()
    }

    #[test]
    fn an_organization_is_added_once_and_deleted_for_good() {
        let deleted = || OrganizationEvent::from(OrganizationDeleted {});
        given::<Organization>([]).when(add(" Engines ")).then([added()]);
        given::<Organization>([added()]).when(add("Other")).then_refused(Rejection::AlreadyExists);
        given::<Organization>([added()]).when(Command::Delete).then([deleted()]);
        given::<Organization>([added(), deleted()]).when(Command::Delete).then_refused(Rejection::Unknown);
        given::<Organization>([added(), deleted()]).when(add("Engines")).then_refused(Rejection::AlreadyExists);
        given::<Organization>([]).when(note(Some("x"))).then_refused(Rejection::Unknown);
        given::<Organization>([]).when(add("")).then_refused_field("name");
    }

    #[test]
    fn only_what_differs_is_an_event() {
        given::<Organization>([added()]).when(note(Some("x"))).then([noted(Some("x"))]);
        given::<Organization>([added(), noted(Some("x"))]).when(note(Some("x"))).then_nothing();
        given::<Organization>([added(), noted(Some("x"))]).when(note(None)).then([noted(None)]);
        given::<Organization>([added()]).when(note(Some(" "))).then_nothing();
        let name = Change { name: Some("Engines".to_owned().into()), ..Change::default() };
        given::<Organization>([added()]).when(name).then_nothing();
    }

    #[test]
    fn domains_tags_and_the_group_are_set_as_a_whole() {
        let texts = |texts: &[&str]| Personal::new(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        let change = Change {
            domain_names: Some(texts(&["B.example", "a.example"])),
            tags: Some(texts(&["VIP"])),
            group: Some(Some(GroupId::new(5))),
            ..Change::default()
        };
        given::<Organization>([added()]).when(change).then([
            OrganizationDomainsSet { domain_names: texts(&["a.example", "b.example"]) }.into(),
            OrganizationTagsSet { tags: texts(&["vip"]) }.into(),
            OrganizationGroupSet { group: Some(GroupId::new(5)) }.into(),
        ]);
        let bad = Change { domain_names: Some(texts(&["nonsense"])), ..Change::default() };
        given::<Organization>([added()]).when(bad).then_refused_field("domain_names");
    }
}
