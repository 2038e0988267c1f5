//! To which organizations and groups a person belongs.

use std::collections::BTreeMap;

use schemas::{
    GroupId, MembershipId, OrganizationId,
    person::{
        DefaultGroupChosen, DefaultOrganizationChosen, GroupJoined, GroupLeft, OrganizationJoined, OrganizationLeft,
        PersonEvent,
    },
    values::Role,
};

use super::{Profile, Rejection};

/// How many organizations, and how many groups, a person belongs to at most.
pub const MEMBERSHIPS_MAX: usize = 300;

/// The memberships of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affiliations<T> {
    /// To what each leads.
    pub memberships: BTreeMap<MembershipId, T>,
    /// The one that was chosen as the default.
    pub chosen: Option<T>,
}

impl<T> Default for Affiliations<T> {
    fn default() -> Self {
        Self { memberships: BTreeMap::new(), chosen: None }
    }
}

impl<T: Copy + PartialEq> Affiliations<T> {
    /// The membership that leads to a thing.
    pub fn to(&self, of: T) -> Option<MembershipId> {
        self.memberships.iter().find(|(_, found)| **found == of).map(|(membership, _)| *membership)
    }

    /// The chosen one, if the person belongs to it; otherwise the one of the oldest membership. Of those that `is_there`.
    pub fn default_of(&self, is_there: impl Fn(T) -> bool) -> Option<T> {
        let mut there = self.memberships.values().copied().filter(|of| is_there(*of));
        let chosen = self.chosen.filter(|chosen| is_there(*chosen) && self.to(*chosen).is_some());
        chosen.or_else(|| there.next())
    }

    fn refuse_joining(&self, membership: MembershipId, of: T, field: &'static str) -> Result<(), Rejection> {
        if self.to(of).is_some() {
            return Err(Rejection::MemberAlready { field });
        }
        if self.memberships.contains_key(&membership) {
            return Err(Rejection::AlreadyExists);
        }
        if self.memberships.len() >= MEMBERSHIPS_MAX {
            return Err(Rejection::Invalid { field, takes: format!("at most {MEMBERSHIPS_MAX} of a user") });
        }
        Ok(())
    }

    fn leave(&mut self, membership: MembershipId) {
        let left = self.memberships.remove(&membership);
        self.chosen = self.chosen.filter(|chosen| Some(*chosen) != left);
    }
}

/// What may be asked about where a person belongs. Whoever joins or chooses something has seen that it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Become a member of an organization.
    JoinOrganization(MembershipId, OrganizationId),
    /// Be one no longer.
    LeaveOrganization(MembershipId),
    /// Make it the default.
    ChooseOrganization(OrganizationId),
    /// Become a member of a group.
    JoinGroup(MembershipId, GroupId),
    /// Be one no longer.
    LeaveGroup(MembershipId),
    /// Make it the default.
    ChooseGroup(GroupId),
}

pub(super) fn decide(profile: &Profile, command: Command) -> Result<Vec<PersonEvent>, Rejection> {
    let (organizations, groups) = (&profile.organizations, &profile.groups);
    Ok(vec![match command {
        Command::JoinOrganization(membership, organization) => {
            organizations.refuse_joining(membership, organization, "organization_id")?;
            OrganizationJoined { membership, organization }.into()
        }
        Command::JoinGroup(_, _) if !matches!(profile.role, Role::Agent | Role::Admin) => {
            return Err(Rejection::Invalid { field: "user_id", takes: "the id of an agent".to_owned() });
        }
        Command::JoinGroup(membership, group) => {
            groups.refuse_joining(membership, group, "group_id")?;
            GroupJoined { membership, group }.into()
        }
        Command::LeaveOrganization(membership) if organizations.memberships.contains_key(&membership) => {
            OrganizationLeft { membership }.into()
        }
        Command::LeaveGroup(membership) if groups.memberships.contains_key(&membership) => {
            GroupLeft { membership }.into()
        }
        Command::ChooseOrganization(organization) if organizations.chosen == Some(organization) => {
            return Ok(Vec::new());
        }
        Command::ChooseOrganization(organization) if organizations.to(organization).is_some() => {
            DefaultOrganizationChosen { organization }.into()
        }
        Command::ChooseGroup(group) if groups.chosen == Some(group) => return Ok(Vec::new()),
        Command::ChooseGroup(group) if groups.to(group).is_some() => DefaultGroupChosen { group }.into(),
        Command::ChooseOrganization(_) => return Err(Rejection::NoMember { field: "organization_id" }),
        Command::ChooseGroup(_) => return Err(Rejection::NoMember { field: "default_group_id" }),
        Command::LeaveOrganization(_) | Command::LeaveGroup(_) => return Err(Rejection::UnknownMembership),
    }])
}

/// Whoever works on tickets no longer belongs to no group any more.
pub(super) fn leave_groups(profile: &Profile) -> impl Iterator<Item = PersonEvent> {
    profile.groups.memberships.keys().map(|membership| GroupLeft { membership: *membership }.into())
}

pub(super) fn evolve(profile: &mut Profile, event: &PersonEvent) {
    match event {
        PersonEvent::OrganizationJoined(joined) => {
            profile.organizations.memberships.insert(joined.membership, joined.organization);
        }
        PersonEvent::OrganizationLeft(left) => profile.organizations.leave(left.membership),
        PersonEvent::DefaultOrganizationChosen(set) => profile.organizations.chosen = Some(set.organization),
        PersonEvent::GroupJoined(joined) => {
            profile.groups.memberships.insert(joined.membership, joined.group);
        }
        PersonEvent::GroupLeft(left) => profile.groups.leave(left.membership),
        PersonEvent::DefaultGroupChosen(set) => profile.groups.chosen = Some(set.group),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use schemas::{PersonId, person::PersonAdded, person::RoleChanged};

    use super::*;
    use crate::{
        Aggregate,
        person::{Change, Person},
        scenario::given,
    };

    const FIRST: MembershipId = MembershipId::new(31);
    const SECOND: MembershipId = MembershipId::new(32);
    const ENGINES: OrganizationId = OrganizationId::new(12);
    const LOOMS: OrganizationId = OrganizationId::new(13);
    const SUPPORT: GroupId = GroupId::new(5);

    fn ada(role: Role) -> PersonEvent {
        PersonAdded { person: PersonId::new(7), name: "Ada".to_owned().into(), email: None.into(), role }.into()
    }

    fn joined(membership: MembershipId, organization: OrganizationId) -> PersonEvent {
        OrganizationJoined { membership, organization }.into()
    }

    fn default_of(events: &[PersonEvent]) -> Option<OrganizationId> {
        let person = Person::after(events);
        person.profile().expect("a person").organizations.default_of(|_| true)
    }

    #[test]
    fn a_person_belongs_to_an_organization_once() {
        let user = || ada(Role::EndUser);
        given::<Person>([user()]).when(Command::JoinOrganization(FIRST, ENGINES)).then([joined(FIRST, ENGINES)]);
        given::<Person>([user(), joined(FIRST, ENGINES)])
            .when(Command::JoinOrganization(SECOND, ENGINES))
            .then_refused(Rejection::MemberAlready { field: "organization_id" });
        let left = OrganizationLeft { membership: FIRST }.into();
        given::<Person>([user(), joined(FIRST, ENGINES)]).when(Command::LeaveOrganization(FIRST)).then([left]);
        given::<Person>([user()]).when(Command::LeaveOrganization(FIRST)).then_refused(Rejection::UnknownMembership);
        let many = (100..400).map(|id| joined(MembershipId::new(id), OrganizationId::new(id)));
        given::<Person>([user()].into_iter().chain(many))
            .when(Command::JoinOrganization(FIRST, ENGINES))
            .then_refused_field("organization_id");
    }

    #[test]
    fn the_oldest_is_the_default_until_another_is_chosen_and_again_when_it_is_left() {
        let both = [ada(Role::EndUser), joined(FIRST, ENGINES), joined(SECOND, LOOMS)];
        assert_eq!(default_of(&both), Some(ENGINES));
        let chosen = || PersonEvent::from(DefaultOrganizationChosen { organization: LOOMS });
        given::<Person>(both.clone()).when(Command::ChooseOrganization(LOOMS)).then([chosen()]);
        given::<Person>([ada(Role::EndUser)])
            .when(Command::ChooseOrganization(LOOMS))
            .then_refused(Rejection::NoMember { field: "organization_id" });
        let with = |more: Vec<PersonEvent>| both.iter().cloned().chain(more).collect::<Vec<_>>();
        assert_eq!(default_of(&with(vec![chosen()])), Some(LOOMS));
        let left = || OrganizationLeft { membership: SECOND }.into();
        assert_eq!(default_of(&with(vec![chosen(), left()])), Some(ENGINES));
        assert_eq!(default_of(&with(vec![chosen(), left(), joined(SECOND, LOOMS)])), Some(ENGINES), "chosen anew");
    }

    #[test]
    fn only_agents_belong_to_groups() {
        let joined = || PersonEvent::from(GroupJoined { membership: FIRST, group: SUPPORT });
        given::<Person>([ada(Role::Agent)]).when(Command::JoinGroup(FIRST, SUPPORT)).then([joined()]);
        given::<Person>([ada(Role::EndUser)]).when(Command::JoinGroup(FIRST, SUPPORT)).then_refused_field("user_id");
        let demote = Change { role: Some(Role::EndUser), ..Change::default() };
        given::<Person>([ada(Role::Agent), joined()])
            .when(demote)
            .then([GroupLeft { membership: FIRST }.into(), RoleChanged { role: Role::EndUser }.into()]);
    }
}
