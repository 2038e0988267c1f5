//! What holds for people and organizations whatever is asked of them, and in whichever order.

use std::collections::BTreeSet;

use domain::{
    Aggregate,
    organization::{self, Organization},
    person::{Add, Change, Command, Person, Profile, affiliation, identity},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    GroupId, IdentityId, MembershipId, OrganizationId, PersonId, Personal, TenantLogEvent,
    person::PersonEvent,
    values::{IdentityKind, OrganizationDetail, PersonDetail, Role},
};

const ADA: PersonId = PersonId::new(7);

/// Few, so that they meet.
fn addresses() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&["a@x.example", "b@x.example", "c@x.example"][..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn texts() -> impl Strategy<Value = Personal<Option<String>>> {
    option::of(prop_oneof![8 => "[a-z ]{1,8}", 1 => Just("de".to_owned()), 1 => any::<String>()])
        .prop_map(Personal::new)
}

fn changes() -> impl Strategy<Value = Command> {
    let told = vec((select(PersonDetail::ALL), texts()), 0..3);
    let email = option::weighted(0.2, option::of(addresses()));
    let tags = option::weighted(0.3, vec(prop_oneof![9 => "[a-c]{1,2}", 1 => any::<String>()], 0..3));
    (told, email, tags, option::weighted(0.2, select(Role::ALL))).prop_map(|(told, email, tags, role)| {
        let change = Change {
            details: told.into_iter().collect(),
            email: email.map(Into::into),
            tags: tags.map(Into::into),
            role,
            ..Change::default()
        };
        change.into()
    })
}

fn identities() -> impl Strategy<Value = Command> {
    let id = prop_oneof![1 => Just(identity::first_of(ADA)), 3 => (20..24_i64).prop_map(IdentityId::new)];
    let value = prop_oneof![3 => addresses(), 1 => Just("+442079460000".to_owned())].prop_map(Personal::new);
    (0..5, id, select(IdentityKind::ALL), value).prop_map(|(which, id, kind, value)| {
        Command::Identity(match which {
            0 => identity::Command::Add(id, kind, value),
            1 => identity::Command::Change(id, value),
            2 => identity::Command::Verify(id),
            3 => identity::Command::Remove(id),
            _ => identity::Command::MakePrimary(id),
        })
    })
}

fn affiliations() -> impl Strategy<Value = Command> {
    use affiliation::Command as C;
    let ids = ((30..34_i64).prop_map(MembershipId::new), 1..4_i64);
    (0..6, ids).prop_map(|(which, (membership, to))| {
        Command::Affiliation(match which {
            0 => C::JoinOrganization(membership, OrganizationId::new(to)),
            1 => C::LeaveOrganization(membership),
            2 => C::ChooseOrganization(OrganizationId::new(to)),
            3 => C::JoinGroup(membership, GroupId::new(to)),
            4 => C::LeaveGroup(membership),
            _ => C::ChooseGroup(GroupId::new(to)),
        })
    })
}

fn commands() -> impl Strategy<Value = Command> {
    let last = prop_oneof![Just(Command::Delete), Just(Command::Erase)];
    let suspensions = any::<bool>().prop_map(Command::Suspend);
    prop_oneof![10 => changes(), 12 => identities(), 10 => affiliations(), 3 => suspensions, 1 => last]
}

fn added() -> Vec<PersonEvent> {
    let (name, email) = ("Ada".to_owned().into(), Some("a@x.example".to_owned()).into());
    let add = Add { person: ADA, name, email, role: Role::Agent };
    Person::default().decide(&add.into()).expect("a plain person is added")
}

/// Lives through `commands` and calls `check` with each that was carried out, and the person before and after it.
fn live(
    commands: &[Command],
    mut check: impl FnMut(&Command, &Person, &Person) -> Result<(), TestCaseError>,
) -> Result<Vec<PersonEvent>, TestCaseError> {
    let mut history = added();
    let mut person = Person::after(&history);
    for command in commands {
        let before = person.clone();
        let Ok(events) = before.decide(command) else { continue };
        events.iter().for_each(|event| person.evolve(event));
        check(command, &before, &person)?;
        history.extend(events);
    }
    Ok(history)
}

fn is_sound(profile: &Profile) -> Result<(), TestCaseError> {
    let values: Vec<_> = profile.identities.values().map(|known| (known.kind, known.value.expose())).collect();
    prop_assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len(), "nothing is there twice");
    let has_email = values.iter().any(|(kind, _)| *kind == IdentityKind::Email);
    prop_assert_eq!(profile.primary().is_some(), has_email, "whoever has addresses has a primary one");
    prop_assert_eq!(profile.email.expose().is_some(), has_email);
    let organizations: Vec<_> = profile.organizations.memberships.values().collect();
    prop_assert_eq!(organizations.iter().collect::<BTreeSet<_>>().len(), organizations.len());
    if let Some(chosen) = profile.organizations.chosen {
        prop_assert!(profile.organizations.to(chosen).is_some(), "the default is one they belong to");
    }
    prop_assert!(profile.role != Role::EndUser || profile.groups.memberships.is_empty(), "groups are for agents");
    prop_assert!(profile.role != Role::Admin || !profile.is_suspended);
    Ok(())
}

proptest! {
    #[test]
    fn a_person_is_sound_whatever_is_asked(commands in vec(commands(), 0..40)) {
        live(&commands, |_, _, after| after.profile().map_or(Ok(()), is_sound))?;
    }

    #[test]
    fn what_was_done_is_not_done_again(commands in vec(commands(), 0..30)) {
        live(&commands, |command, _, after| {
            // What adds, ends or deletes is refused the second time; everything else changes nothing more.
            let again = after.decide(command).unwrap_or_default();
            prop_assert!(again.is_empty(), "{:?}", command);
            Ok(())
        })?;
    }

    #[test]
    fn a_persons_history_reads_back_as_it_was_written(commands in vec(commands(), 0..30)) {
        let history = live(&commands, |_, _, _| Ok(()))?;
        let read: Vec<PersonEvent> = history
            .iter()
            .filter_map(|event| {
                let again = TenantLogEvent::decode(event.event_type(), event.schema_version(), &event.encode());
                Person::pick(again.expect("an event that was decided decodes"))
            })
            .collect();
        prop_assert_eq!(Person::after(&read), Person::after(&history));
    }

    #[test]
    fn a_refusal_never_repeats_what_was_sent(mark in "canary[a-z]{8}") {
        let person = Person::after(&added());
        let details = PersonDetail::ALL.iter().map(|detail| (*detail, Some(format!("{mark}\0")).into())).collect();
        let told = Change { details, ..Change::default() }.into();
        let known = Command::Identity(identity::Command::Add(IdentityId::new(20), IdentityKind::Email, mark.clone().into()));
        for command in [told, known] {
            let refused = person.decide(&command).expect_err("no address, and no text");
            let shown = format!("{refused} {refused:?} {command:?}");
            prop_assert!(!shown.contains(&mark), "{shown}");
        }
    }

    #[test]
    fn an_organization_tells_what_it_was_told_last(told in vec((select(OrganizationDetail::ALL), texts()), 0..20)) {
        let add = organization::Add { organization: OrganizationId::new(1), name: "Engines".to_owned().into() };
        let mut state = Organization::default();
        let mut history = state.decide(&add.into()).expect("a plain organization is added");
        history.iter().for_each(|event| state.evolve(event));
        for (detail, text) in told {
            let change = organization::Change { details: [(detail, text.clone())].into(), ..Default::default() };
            let before = state.clone();
            let Ok(events) = before.decide(&change.clone().into()) else { continue };
            events.iter().for_each(|event| state.evolve(event));
            history.extend(events);
            prop_assert!(state.decide(&change.into()).unwrap_or_default().is_empty(), "the same again changes nothing");
            let expected = domain::text::organization_detail(detail, text.expose().as_deref().unwrap_or_default());
            prop_assert_eq!(Ok(state.profile().and_then(|profile| profile.detail(detail)).map(str::to_owned)), expected);
        }
        prop_assert_eq!(Organization::after(&history), state);
    }
}
