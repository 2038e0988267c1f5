//! Groups of agents: who works together, and gets tickets together. Who belongs to one is on the people's own streams.

use schemas::{
    GroupId, Personal,
    tenant::{
        GroupAdded, GroupDeleted, GroupDescribed, GroupMadePrivate, GroupRenamed, TenantEvent, TenantGroupChosen,
    },
};

use super::{Account, AddGroup, ChangeGroup, Rejection};
use crate::text;

/// How many groups a tenant has at most, deleted ones among them.
pub const GROUPS_MAX: usize = 1000;

/// A group of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Personal<String>,
    /// What it is for; empty, if nobody says.
    pub description: Personal<String>,
    /// Whether all agents may see it.
    pub is_public: bool,
    /// Whether it was put away.
    pub is_deleted: bool,
}

impl Account {
    /// A group that is there.
    pub fn group(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(&group).filter(|found| !found.is_deleted)
    }

    /// The group that stands first: the chosen one, if it is there, or the oldest.
    pub fn default_group(&self) -> Option<GroupId> {
        let mut there = self.groups.iter().filter(|(_, group)| !group.is_deleted).map(|(id, _)| *id);
        self.chosen_group.filter(|chosen| self.group(*chosen).is_some()).or_else(|| there.next())
    }

    fn refuse_name_taken(&self, name: &str, but: GroupId) -> Result<(), Rejection> {
        let is_same = |known: &Group| known.name.expose().to_lowercase() == name.to_lowercase();
        let mut others = self.groups.iter().filter(|(id, group)| **id != but && !group.is_deleted);
        if others.any(|(_, group)| is_same(group)) { Err(Rejection::GroupNameTaken) } else { Ok(()) }
    }
}

pub(super) fn decide_add(account: &Account, add: &AddGroup) -> Result<Vec<TenantEvent>, Rejection> {
    let name = text::name(add.name.expose())?;
    if account.groups.contains_key(&add.group) {
        return Err(Rejection::GroupExists);
    }
    account.refuse_name_taken(&name, add.group)?;
    if account.groups.len() >= GROUPS_MAX {
        return Err(Rejection::Invalid { field: "group", takes: format!("at most {GROUPS_MAX} groups") });
    }
    Ok(vec![GroupAdded { group: add.group, name: name.into() }.into()])
}

pub(super) fn decide_change(account: &Account, change: &ChangeGroup) -> Result<Vec<TenantEvent>, Rejection> {
    let id = change.group;
    let group = account.group(id).ok_or(Rejection::UnknownGroup)?;
    let mut events = Vec::new();
    if let Some(name) = &change.name {
        let name = text::name(name.expose())?;
        account.refuse_name_taken(&name, id)?;
        if name != *group.name.expose() {
            events.push(GroupRenamed { group: id, name: name.into() }.into());
        }
    }
    if let Some(description) = &change.description {
        let description = Personal::new(text::group_description(description.expose())?);
        if description != group.description {
            events.push(GroupDescribed { group: id, description }.into());
        }
    }
    match (group.is_public, change.is_public) {
        // public -> private, and never back
        (true, Some(false)) => events.push(GroupMadePrivate { group: id }.into()),
        (false, Some(true)) => {
            let takes = "false: a private group never becomes public".to_owned();
            return Err(Rejection::Invalid { field: "is_public", takes });
        }
        _ => {}
    }
    if change.is_default == Some(true) && account.default_group() != Some(id) {
        events.push(TenantGroupChosen { group: id }.into());
    }
    Ok(events)
}

/// there -> deleted. One group always remains: tickets and agents would belong nowhere.
pub(super) fn decide_delete(account: &Account, group: GroupId) -> Result<Vec<TenantEvent>, Rejection> {
    account.group(group).ok_or(Rejection::UnknownGroup)?;
    if account.groups.values().filter(|group| !group.is_deleted).count() < 2 {
        return Err(Rejection::Invalid { field: "id", takes: "a group that is not the last one".to_owned() });
    }
    Ok(vec![GroupDeleted { group }.into()])
}

pub(super) fn evolve(account: &mut Account, event: &TenantEvent) {
    match event {
        TenantEvent::GroupAdded(added) => {
            let group = Group {
                name: added.name.clone(),
                description: Personal::default(),
                is_public: true,
                is_deleted: false,
            };
            account.groups.insert(added.group, group);
        }
        TenantEvent::GroupRenamed(renamed) => {
            if let Some(group) = account.groups.get_mut(&renamed.group) {
                group.name = renamed.name.clone();
            }
        }
        TenantEvent::GroupDescribed(described) => {
            if let Some(group) = account.groups.get_mut(&described.group) {
                group.description = described.description.clone();
            }
        }
        TenantEvent::GroupMadePrivate(private) => {
            if let Some(group) = account.groups.get_mut(&private.group) {
                group.is_public = false;
            }
        }
        TenantEvent::GroupDeleted(deleted) => {
            if let Some(group) = account.groups.get_mut(&deleted.group) {
                group.is_deleted = true;
            }
        }
        TenantEvent::TenantGroupChosen(chosen) => account.chosen_group = Some(chosen.group),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use schemas::{
        tenant::{PlanChosen, TenantRegistered},
        values::Plan,
    };

    use super::*;
    use crate::{
        Aggregate,
        scenario::given,
        tenant::{Command, Tenant},
    };

    fn registered() -> Vec<TenantEvent> {
        let registered = TenantRegistered { slug: "acme".parse().expect("a slug"), company: "Acme".to_owned().into() };
        vec![registered.into(), PlanChosen { plan: Plan::Team }.into()]
    }

    fn with(more: Vec<TenantEvent>) -> Vec<TenantEvent> {
        registered().into_iter().chain(more).collect()
    }

    fn add(group: i64, name: &str) -> AddGroup {
        AddGroup { group: GroupId::new(group), name: name.to_owned().into() }
    }

    fn added(group: i64, name: &str) -> TenantEvent {
        GroupAdded { group: GroupId::new(group), name: name.to_owned().into() }.into()
    }

    fn deleted(group: i64) -> TenantEvent {
        GroupDeleted { group: GroupId::new(group) }.into()
    }

    fn change(group: i64) -> ChangeGroup {
        ChangeGroup::of(GroupId::new(group))
    }

    #[test]
    fn groups_have_ids_and_names_of_their_own() {
        given::<Tenant>(registered()).when(add(1, " Support ")).then([added(1, "Support")]);
        let one = || with(vec![added(1, "Support")]);
        given::<Tenant>(one()).when(add(1, "Sales")).then_refused(Rejection::GroupExists);
        given::<Tenant>(one()).when(add(2, "SUPPORT")).then_refused(Rejection::GroupNameTaken);
        given::<Tenant>([]).when(add(1, "Support")).then_refused(Rejection::Unknown);
        let two = || with(vec![added(1, "Support"), added(2, "Sales")]);
        let rename = |name: &str| ChangeGroup { name: Some(name.to_owned().into()), ..change(2) };
        given::<Tenant>(two()).when(rename("support")).then_refused(Rejection::GroupNameTaken);
        let renamed = GroupRenamed { group: GroupId::new(2), name: "SALES".to_owned().into() };
        given::<Tenant>(two()).when(rename("SALES")).then([renamed.into()]);
        let gone = with(vec![added(1, "Support"), added(2, "Sales"), deleted(1)]);
        given::<Tenant>(gone).when(add(3, "Support")).then([added(3, "Support")]);
    }

    #[test]
    fn a_private_group_stays_private() {
        let set = |is_public| ChangeGroup { is_public: Some(is_public), ..change(1) };
        let private = || TenantEvent::from(GroupMadePrivate { group: GroupId::new(1) });
        given::<Tenant>(with(vec![added(1, "Support")])).when(set(true)).then_nothing();
        given::<Tenant>(with(vec![added(1, "Support")])).when(set(false)).then([private()]);
        given::<Tenant>(with(vec![added(1, "Support"), private()])).when(set(true)).then_refused_field("is_public");
    }

    #[test]
    fn a_deleted_group_is_not_changed_and_the_last_one_stays() {
        let two = || with(vec![added(1, "Support"), added(2, "Sales")]);
        given::<Tenant>(two()).when(Command::DeleteGroup(GroupId::new(1))).then([deleted(1)]);
        let one = || two().into_iter().chain([deleted(1)]).collect::<Vec<_>>();
        given::<Tenant>(one()).when(Command::DeleteGroup(GroupId::new(1))).then_refused(Rejection::UnknownGroup);
        given::<Tenant>(one()).when(change(1)).then_refused(Rejection::UnknownGroup);
        given::<Tenant>(one()).when(Command::DeleteGroup(GroupId::new(2))).then_refused_field("id");
    }

    #[test]
    fn the_oldest_group_stands_first_until_another_is_chosen() {
        let first = |events: &[TenantEvent]| Tenant::after(events).account().and_then(Account::default_group);
        let two = || with(vec![added(1, "Support"), added(2, "Sales")]);
        let chosen = || TenantEvent::from(TenantGroupChosen { group: GroupId::new(2) });
        let choose = |group| ChangeGroup { is_default: Some(true), ..change(group) };
        given::<Tenant>(two()).when(choose(1)).then_nothing();
        given::<Tenant>(two()).when(choose(2)).then([chosen()]);
        assert_eq!(first(&two()), Some(GroupId::new(1)));
        let with_chosen = two().into_iter().chain([chosen()]).collect::<Vec<_>>();
        assert_eq!(first(&with_chosen), Some(GroupId::new(2)));
        let without = with_chosen.into_iter().chain([deleted(2)]).collect::<Vec<_>>();
        assert_eq!(first(&without), Some(GroupId::new(1)));
    }
}
