//! By what a person is reached and known: addresses, of which one is the primary, and telephone numbers.
//!
//! Whoever adds one claims its value in the same append, whoever removes one releases it: nobody else has it meanwhile.

use schemas::{
    IdentityId, PersonId, Personal,
    person::{IdentityAdded, IdentityChanged, IdentityRemoved, IdentityVerified, PersonEvent, PrimaryIdentityChosen},
    values::IdentityKind,
};

use super::{Profile, Rejection};
use crate::text;

/// How many identities a person has at most.
pub const IDENTITIES_MAX: usize = 50;

/// One thing that a person is reached and known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What kind.
    pub kind: IdentityKind,
    /// The address, lower case, or the number.
    pub value: Personal<String>,
    /// Whether it is known to be the person's.
    pub is_verified: bool,
}

/// What may be asked about what a person is known by.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// One more.
    Add(IdentityId, IdentityKind, Personal<String>),
    /// Another address or number in its place.
    Change(IdentityId, Personal<String>),
    /// It is known to be the person's.
    Verify(IdentityId),
    /// One less.
    Remove(IdentityId),
    /// The address that is shown and written to.
    MakePrimary(IdentityId),
}

/// The identity of the address a person came with: it has the person's own number, which no other identity gets.
pub const fn first_of(person: PersonId) -> IdentityId {
    IdentityId::new(person.get())
}

/// What a value is recorded as.
pub fn value(kind: IdentityKind, sent: &str) -> Result<String, text::Invalid> {
    match kind {
        IdentityKind::Email => text::email(sent).map_err(|invalid| text::Invalid { field: "value", ..invalid }),
        IdentityKind::PhoneNumber => text::phone_number(sent),
    }
}

impl Profile {
    /// The identity of the primary address.
    pub fn primary(&self) -> Option<IdentityId> {
        let email = self.email.expose().as_ref()?;
        self.identity_of(IdentityKind::Email, email)
    }

    /// The identity with a value.
    pub fn identity_of(&self, kind: IdentityKind, value: &str) -> Option<IdentityId> {
        let mut identities = self.identities.iter();
        let found = identities.find(|(_, known)| known.kind == kind && known.value.expose() == value);
        found.map(|(identity, _)| *identity)
    }

    fn identity(&self, identity: IdentityId) -> Result<&Identity, Rejection> {
        self.identities.get(&identity).ok_or(Rejection::UnknownIdentity)
    }
}

pub(super) fn decide(profile: &Profile, command: &Command) -> Result<Vec<PersonEvent>, Rejection> {
    match command {
        Command::Add(identity, kind, sent) => decide_add(profile, (*identity, *kind), sent),
        Command::Change(identity, sent) => {
            let known = profile.identity(*identity)?;
            let value = value(known.kind, sent.expose())?;
            match profile.identity_of(known.kind, &value) {
                Some(same) if same == *identity => Ok(Vec::new()),
                Some(_) => Err(Rejection::IdentityExists),
                None => Ok(vec![IdentityChanged { identity: *identity, value: value.into() }.into()]),
            }
        }
        Command::Verify(identity) if profile.identity(*identity)?.is_verified => Ok(Vec::new()),
        Command::Verify(identity) => Ok(vec![IdentityVerified { identity: *identity }.into()]),
        Command::Remove(identity) => {
            profile.identity(*identity)?;
            if profile.primary() == Some(*identity) {
                let takes = "an identity that is not the primary one: make another primary first".to_owned();
                return Err(Rejection::Invalid { field: "id", takes });
            }
            Ok(vec![IdentityRemoved { identity: *identity }.into()])
        }
        Command::MakePrimary(identity) => match profile.identity(*identity)?.kind {
            _ if profile.primary() == Some(*identity) => Ok(Vec::new()),
            IdentityKind::Email => Ok(vec![PrimaryIdentityChosen { identity: *identity }.into()]),
            IdentityKind::PhoneNumber => {
                Err(Rejection::Invalid { field: "id", takes: "an identity of type email".to_owned() })
            }
        },
    }
}

/// The first address is the primary one.
fn decide_add(
    profile: &Profile,
    (identity, kind): (IdentityId, IdentityKind),
    sent: &Personal<String>,
) -> Result<Vec<PersonEvent>, Rejection> {
    let value = value(kind, sent.expose())?;
    if profile.identity_of(kind, &value).is_some() || profile.identities.contains_key(&identity) {
        return Err(Rejection::IdentityExists);
    }
    if profile.identities.len() >= IDENTITIES_MAX {
        let takes = format!("at most {IDENTITIES_MAX} identities a user");
        return Err(Rejection::Invalid { field: "identity", takes });
    }
    let added = IdentityAdded { identity, kind, value: value.into() }.into();
    let is_first = kind == IdentityKind::Email && profile.email.expose().is_none();
    Ok(std::iter::once(added).chain(is_first.then(|| PrimaryIdentityChosen { identity }.into())).collect())
}

pub(super) fn evolve(profile: &mut Profile, event: &PersonEvent) {
    match event {
        PersonEvent::IdentityAdded(added) => {
            let identity = Identity { kind: added.kind, value: added.value.clone(), is_verified: false };
            profile.identities.insert(added.identity, identity);
        }
        PersonEvent::IdentityChanged(changed) => {
            let is_primary = profile.primary() == Some(changed.identity);
            let Some(identity) = profile.identities.get_mut(&changed.identity) else { return };
            (identity.value, identity.is_verified) = (changed.value.clone(), false);
            if is_primary {
                profile.email = Some(changed.value.expose().clone()).into();
            }
        }
        PersonEvent::IdentityVerified(verified) => {
            if let Some(identity) = profile.identities.get_mut(&verified.identity) {
                identity.is_verified = true;
            }
        }
        PersonEvent::IdentityRemoved(removed) => {
            profile.identities.remove(&removed.identity);
        }
        PersonEvent::PrimaryIdentityChosen(set) => {
            if let Some(identity) = profile.identities.get(&set.identity) {
                profile.email = Some(identity.value.expose().clone()).into();
            }
        }
        // The primary address is another, or there is one now, or none.
        PersonEvent::PersonEmailChanged(changed) => {
            let identity = profile.primary().unwrap_or(first_of(profile.person));
            profile.email = changed.email.clone();
            profile.identities.remove(&identity);
            profile.identities.extend(first(changed.email.expose()).map(|first| (identity, first)));
        }
        _ => {}
    }
}

/// The identity that an address makes.
pub(super) fn first(email: &Option<String>) -> Option<Identity> {
    let value = Personal::new(email.clone()?);
    Some(Identity { kind: IdentityKind::Email, value, is_verified: false })
}

#[cfg(test)]
mod tests {
    use schemas::{person::PersonAdded, person::PersonEmailChanged, values::Role};

    use super::*;
    use crate::{Aggregate, person::Person, scenario::given};

    const PHONE: IdentityId = IdentityId::new(21);
    const OTHER: IdentityId = IdentityId::new(22);

    fn ada() -> PersonEvent {
        let (name, email) = ("Ada".to_owned().into(), Some("ada@a.example".to_owned()).into());
        PersonAdded { person: PersonId::new(7), name, email, role: Role::EndUser }.into()
    }

    fn added(identity: IdentityId, kind: IdentityKind, value: &str) -> PersonEvent {
        IdentityAdded { identity, kind, value: value.to_owned().into() }.into()
    }

    fn other() -> PersonEvent {
        added(OTHER, IdentityKind::Email, "ada@b.example")
    }

    fn chosen(identity: IdentityId) -> PersonEvent {
        PrimaryIdentityChosen { identity }.into()
    }

    fn add(identity: IdentityId, kind: IdentityKind, value: &str) -> Command {
        Command::Add(identity, kind, value.to_owned().into())
    }

    fn emails(events: &[PersonEvent]) -> (Option<String>, Vec<(i64, String)>) {
        let person = Person::after(events);
        let profile = person.profile().expect("a person");
        let all = profile.identities.iter().map(|(id, known)| (id.get(), known.value.expose().clone()));
        (profile.email.expose().clone(), all.collect())
    }

    #[test]
    fn a_person_is_known_by_several_things_each_once() {
        given::<Person>([ada()]).when(add(OTHER, IdentityKind::Email, "ADA@b.example")).then([other()]);
        given::<Person>([ada()]).when(add(PHONE, IdentityKind::PhoneNumber, "+44 20 7946 0000")).then([added(
            PHONE,
            IdentityKind::PhoneNumber,
            "+442079460000",
        )]);
        given::<Person>([ada()])
            .when(add(OTHER, IdentityKind::Email, "ada@a.example"))
            .then_refused(Rejection::IdentityExists);
        given::<Person>([ada()]).when(add(PHONE, IdentityKind::PhoneNumber, "call me")).then_refused_field("value");
        given::<Person>([ada()]).when(add(OTHER, IdentityKind::Email, "@")).then_refused_field("value");
        let many = (100..149).map(|id| added(IdentityId::new(id), IdentityKind::Email, &format!("a{id}@b.example")));
        given::<Person>([ada()].into_iter().chain(many))
            .when(add(OTHER, IdentityKind::Email, "ada@b.example"))
            .then_refused_field("identity");
    }

    #[test]
    fn the_first_address_is_the_primary_one() {
        let nobody = PersonAdded {
            person: PersonId::new(7),
            name: "Ada".to_owned().into(),
            email: None.into(),
            role: Role::EndUser,
        };
        given::<Person>([nobody.into()])
            .when(add(OTHER, IdentityKind::Email, "ada@b.example"))
            .then([other(), chosen(OTHER)]);
    }

    #[test]
    fn another_address_becomes_the_primary_one_and_the_first_stays() {
        given::<Person>([ada(), other()]).when(Command::MakePrimary(OTHER)).then([chosen(OTHER)]);
        given::<Person>([ada(), other(), chosen(OTHER)]).when(Command::MakePrimary(OTHER)).then_nothing();
        let phone = added(PHONE, IdentityKind::PhoneNumber, "+442079460000");
        given::<Person>([ada(), phone]).when(Command::MakePrimary(PHONE)).then_refused_field("id");
        given::<Person>([ada()]).when(Command::MakePrimary(OTHER)).then_refused(Rejection::UnknownIdentity);
        let both = vec![(7, "ada@a.example".to_owned()), (22, "ada@b.example".to_owned())];
        assert_eq!(emails(&[ada(), other(), chosen(OTHER)]), (Some("ada@b.example".to_owned()), both));
    }

    #[test]
    fn the_primary_address_changes_with_its_identity_and_is_not_removed() {
        let value = || Personal::new("countess@a.example".to_owned());
        let first = first_of(PersonId::new(7));
        given::<Person>([ada(), other()]).when(Command::Remove(first)).then_refused_field("id");
        given::<Person>([ada(), other()])
            .when(Command::Remove(OTHER))
            .then([IdentityRemoved { identity: OTHER }.into()]);
        let changed = PersonEvent::from(IdentityChanged { identity: first, value: value() });
        given::<Person>([ada()]).when(Command::Change(first, value())).then([changed.clone()]);
        given::<Person>([ada(), other()])
            .when(Command::Change(first, "ada@b.example".to_owned().into()))
            .then_refused(Rejection::IdentityExists);
        assert_eq!(emails(&[ada(), changed]).0.as_deref(), Some("countess@a.example"));
    }

    #[test]
    fn what_is_changed_is_to_be_verified_anew() {
        let first = first_of(PersonId::new(7));
        let verified = || PersonEvent::from(IdentityVerified { identity: first });
        given::<Person>([ada()]).when(Command::Verify(first)).then([verified()]);
        given::<Person>([ada(), verified()]).when(Command::Verify(first)).then_nothing();
        let changed = IdentityChanged { identity: first, value: "ada@c.example".to_owned().into() }.into();
        given::<Person>([ada(), verified(), changed]).when(Command::Verify(first)).then([verified()]);
    }

    #[test]
    fn an_address_that_replaced_another_took_its_place() {
        let moved =
            |email: Option<&str>| PersonEvent::from(PersonEmailChanged { email: email.map(str::to_owned).into() });
        let expected = (Some("x@a.example".to_owned()), vec![(7, "x@a.example".to_owned())]);
        assert_eq!(emails(&[ada(), moved(Some("x@a.example"))]), expected);
        assert_eq!(emails(&[ada(), moved(None)]), (None, vec![]));
        assert_eq!(emails(&[ada(), moved(None), moved(Some("x@a.example"))]), expected);
    }
}
