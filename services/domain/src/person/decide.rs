//! The rules of people.

use schemas::{
    Personal, TicketId,
    person::{
        ApiTokenIssued, ApiTokenRevoked, AuditorGranted, PasswordSet, PersonAdded, PersonDeleted, PersonEmailChanged,
        PersonErased, PersonEvent, PersonRenamed, RoleChanged,
    },
    values::Role,
};

use super::{
    Add, Change, Command, GRANTED_TICKETS_MAX, GrantAuditor, IssueToken, Person, Profile, Rejection, TOKENS_MAX,
};
use crate::text;

pub(super) fn decide(person: &Person, command: &Command) -> Result<Vec<PersonEvent>, Rejection> {
    if let Command::Add(add) = command {
        return decide_add(person, add);
    }
    if let Command::GrantAuditor(grant) = command {
        return decide_grant(person, grant);
    }
    let profile = person.profile.as_ref().ok_or(Rejection::Unknown)?;
    // deleted -> erased, and nothing else
    if profile.is_deleted != matches!(command, Command::Erase) {
        return Err(Rejection::Unknown);
    }
    match command {
        Command::Add(_) | Command::GrantAuditor(_) => Err(Rejection::AlreadyExists),
        Command::Change(_) | Command::SetPassword(_) | Command::IssueToken(_) if profile.role == Role::Auditor => {
            Err(Rejection::Auditor)
        }
        Command::Delete => Ok(vec![PersonDeleted {}.into()]),
        Command::Erase => Ok(vec![PersonErased {}.into()]),
        Command::Change(change) => decide_change(profile, change),
        // Never "no change": the same password has another salt, hence another hash.
        Command::SetPassword(set) => Ok(vec![PasswordSet { phc: set.phc.clone() }.into()]),
        Command::IssueToken(issue) => decide_issue(profile, issue),
        Command::RevokeToken(revoke) if !profile.tokens.contains_key(&revoke.token) => Err(Rejection::UnknownToken),
        Command::RevokeToken(revoke) => Ok(vec![ApiTokenRevoked { token: revoke.token }.into()]),
    }
}

fn decide_add(person: &Person, add: &Add) -> Result<Vec<PersonEvent>, Rejection> {
    if person.profile.is_some() || person.is_erased {
        return Err(Rejection::AlreadyExists);
    }
    refuse_auditor(add.role)?;
    let name = text::name(add.name.expose())?.into();
    Ok(vec![PersonAdded { person: add.person, name, email: email(&add.email)?, role: add.role }.into()])
}

/// The one way to become an auditor: with a token that ends, and no other.
fn decide_grant(person: &Person, grant: &GrantAuditor) -> Result<Vec<PersonEvent>, Rejection> {
    if person.profile.is_some() || person.is_erased {
        return Err(Rejection::AlreadyExists);
    }
    let name: Personal<String> = text::name(grant.name.expose())?.into();
    let email = Some(text::email(grant.email.expose())?).into();
    let (token, token_sha256) = (grant.token, grant.token_sha256.clone());
    let (expires_at, tickets) = (grant.expires_at, tickets(&grant.tickets)?);
    let description = "An auditor's grant".to_owned().into();
    Ok(vec![
        PersonAdded { person: grant.person, name, email, role: Role::Auditor }.into(),
        AuditorGranted { expires_at, tickets }.into(),
        ApiTokenIssued { token, token_sha256, description, expires_at: Some(expires_at) }.into(),
    ])
}

/// Each once, in order.
fn tickets(sent: &[TicketId]) -> Result<Vec<TicketId>, Rejection> {
    let mut tickets = sent.to_vec();
    tickets.sort_unstable();
    tickets.dedup();
    if tickets.len() > GRANTED_TICKETS_MAX {
        let takes = format!("at most {GRANTED_TICKETS_MAX} tickets");
        return Err(Rejection::Invalid { field: "tickets", takes });
    }
    Ok(tickets)
}

fn refuse_auditor(role: Role) -> Result<(), Rejection> {
    match role {
        Role::Auditor => Err(Rejection::Invalid { field: "role", takes: ROLES.to_owned() }),
        Role::EndUser | Role::Agent | Role::Admin => Ok(()),
    }
}

/// The roles of people who work here: an auditor's comes with a grant only.
const ROLES: &str = "one of end-user, agent, admin; auditors are let in by a grant";

fn decide_change(profile: &Profile, change: &Change) -> Result<Vec<PersonEvent>, Rejection> {
    let mut events = Vec::new();
    if let Some(name) = &change.name {
        let name = text::name(name.expose())?.into();
        if name != profile.name {
            events.push(PersonRenamed { name }.into());
        }
    }
    if let Some(asked) = &change.email {
        let email = email(asked)?;
        if email != profile.email {
            events.push(PersonEmailChanged { email }.into());
        }
    }
    if let Some(role) = change.role.filter(|&asked| asked != profile.role) {
        refuse_auditor(role)?;
        events.push(RoleChanged { role }.into());
    }
    Ok(events)
}

fn decide_issue(profile: &Profile, issue: &IssueToken) -> Result<Vec<PersonEvent>, Rejection> {
    if profile.tokens.contains_key(&issue.token) {
        return Err(Rejection::TokenExists);
    }
    if profile.tokens.len() >= TOKENS_MAX {
        let takes = format!("at most {TOKENS_MAX} tokens a person: revoke one first");
        return Err(Rejection::Invalid { field: "api_token", takes });
    }
    let description = text::description(issue.description.expose())?.into();
    let token_sha256 = issue.token_sha256.clone();
    Ok(vec![ApiTokenIssued { token: issue.token, token_sha256, description, expires_at: issue.expires_at }.into()])
}

fn email(sent: &Personal<Option<String>>) -> Result<Personal<Option<String>>, Rejection> {
    Ok(sent.expose().as_deref().map(text::email).transpose()?.into())
}

#[cfg(test)]
mod tests {
    use schemas::{PersonId, TokenId, values::Role};

    use super::*;
    use crate::{
        person::{RevokeToken, SetPassword},
        scenario::given,
    };

    fn add(name: &str, email: Option<&str>) -> Add {
        let email = email.map(str::to_owned).into();
        Add { person: PersonId::new(7), name: name.to_owned().into(), email, role: Role::EndUser }
    }

    fn ada() -> PersonEvent {
        let (name, email) = ("Ada".to_owned().into(), Some("ada@example.com".to_owned()).into());
        PersonAdded { person: PersonId::new(7), name, email, role: Role::EndUser }.into()
    }

    fn issue(token: i64) -> IssueToken {
        let description = "import".to_owned().into();
        IssueToken { token: TokenId::new(token), token_sha256: "00ff".to_owned().into(), description, expires_at: None }
    }

    fn issued(token: i64) -> PersonEvent {
        let IssueToken { token, token_sha256, description, expires_at } = issue(token);
        ApiTokenIssued { token, token_sha256, description, expires_at }.into()
    }

    #[test]
    fn a_person_is_added_with_a_trimmed_name_and_a_lower_cased_address() {
        given::<Person>([]).when(add(" Ada ", Some("Ada@Example.com"))).then([ada()]);
    }

    #[test]
    fn a_person_is_added_once() {
        given::<Person>([ada()]).when(add("Ada", None)).then_refused(Rejection::AlreadyExists);
    }

    #[test]
    fn a_bad_name_or_address_names_its_field() {
        given::<Person>([]).when(add("A\u{0}da", None)).then_refused_field("name");
        given::<Person>([]).when(add("Ada", Some("ada"))).then_refused_field("email");
        let change = Change { email: Some(Some("@".to_owned()).into()), ..Change::default() };
        given::<Person>([ada()]).when(change).then_refused_field("email");
    }

    #[test]
    fn somebody_unknown_cannot_be_changed() {
        given::<Person>([]).when(Change::default()).then_refused(Rejection::Unknown);
        given::<Person>([]).when(SetPassword { phc: "$".to_owned().into() }).then_refused(Rejection::Unknown);
        given::<Person>([]).when(issue(1)).then_refused(Rejection::Unknown);
    }

    #[test]
    fn only_what_differs_is_changed() {
        let change = Change {
            name: Some("Ada Lovelace".to_owned().into()),
            email: Some(Some("ADA@example.com".to_owned()).into()),
            role: Some(Role::Agent),
        };
        given::<Person>([ada()]).when(change).then([
            PersonRenamed { name: "Ada Lovelace".to_owned().into() }.into(),
            RoleChanged { role: Role::Agent }.into(),
        ]);
        given::<Person>([ada()]).when(Change::default()).then_nothing();
    }

    #[test]
    fn a_person_may_give_the_address_up() {
        let change = Change { email: Some(None.into()), ..Change::default() };
        given::<Person>([ada()]).when(change).then([PersonEmailChanged { email: None.into() }.into()]);
    }

    #[test]
    fn a_token_is_issued_and_revoked_once() {
        given::<Person>([ada()]).when(issue(3)).then([issued(3)]);
        given::<Person>([ada(), issued(3)]).when(issue(3)).then_refused(Rejection::TokenExists);
        let revoke = RevokeToken { token: TokenId::new(3) };
        let revoked: PersonEvent = ApiTokenRevoked { token: TokenId::new(3) }.into();
        given::<Person>([ada(), issued(3)]).when(revoke).then([revoked.clone()]);
        given::<Person>([ada(), issued(3), revoked]).when(revoke).then_refused(Rejection::UnknownToken);
    }

    #[test]
    fn a_person_is_deleted_and_then_erased_and_does_nothing_else_any_more() {
        let (deleted, erased): (PersonEvent, PersonEvent) = (PersonDeleted {}.into(), PersonErased {}.into());
        given::<Person>([ada()]).when(Command::Erase).then_refused(Rejection::Unknown);
        given::<Person>([ada()]).when(Command::Delete).then([deleted.clone()]);
        given::<Person>([ada(), deleted.clone()]).when(Command::Delete).then_refused(Rejection::Unknown);
        given::<Person>([ada(), deleted.clone()]).when(issue(1)).then_refused(Rejection::Unknown);
        given::<Person>([ada(), deleted.clone()]).when(Command::Erase).then([erased.clone()]);
        let gone = [ada(), deleted.clone(), erased.clone()];
        given::<Person>(gone.clone()).when(Command::Erase).then_refused(Rejection::Unknown);
        given::<Person>(gone.clone()).when(Change::default()).then_refused(Rejection::Unknown);
        given::<Person>(gone).when(add("Ada", None)).then_refused(Rejection::AlreadyExists);
        // As a reader finds the stream once the key is destroyed.
        given::<Person>([deleted, erased]).when(Command::Erase).then_refused(Rejection::Unknown);
    }

    fn grant(tickets: &[i64]) -> GrantAuditor {
        GrantAuditor {
            person: PersonId::new(7),
            name: " Ada".to_owned().into(),
            email: "Ada@Example.com".to_owned().into(),
            token: TokenId::new(3),
            token_sha256: "00ff".to_owned().into(),
            expires_at: jiff::Timestamp::UNIX_EPOCH,
            tickets: tickets.iter().copied().map(TicketId::new).collect(),
        }
    }

    fn granted(tickets: &[i64]) -> [PersonEvent; 3] {
        let (name, email) = ("Ada".to_owned().into(), Some("ada@example.com".to_owned()).into());
        let expires_at = jiff::Timestamp::UNIX_EPOCH;
        let description = "An auditor's grant".to_owned().into();
        let token_sha256 = "00ff".to_owned().into();
        [
            PersonAdded { person: PersonId::new(7), name, email, role: Role::Auditor }.into(),
            AuditorGranted { expires_at, tickets: tickets.iter().copied().map(TicketId::new).collect() }.into(),
            ApiTokenIssued { token: TokenId::new(3), token_sha256, description, expires_at: Some(expires_at) }.into(),
        ]
    }

    #[test]
    fn an_auditor_is_let_in_with_a_token_that_ends() {
        given::<Person>([]).when(grant(&[4, 2, 4])).then(granted(&[2, 4]));
        given::<Person>([ada()]).when(grant(&[])).then_refused(Rejection::AlreadyExists);
        let many: Vec<i64> = (0..1001).collect();
        given::<Person>([]).when(grant(&many)).then_refused_field("tickets");
    }

    #[test]
    fn a_grant_is_not_changed_and_gives_no_second_token() {
        given::<Person>(granted(&[])).when(issue(4)).then_refused(Rejection::Auditor);
        given::<Person>(granted(&[])).when(SetPassword { phc: "$".to_owned().into() }).then_refused(Rejection::Auditor);
        let raise = Change { role: Some(Role::Admin), ..Change::default() };
        given::<Person>(granted(&[])).when(raise).then_refused(Rejection::Auditor);
        given::<Person>(granted(&[])).when(Command::Delete).then([PersonDeleted {}.into()]);
    }

    #[test]
    fn nobody_becomes_an_auditor_without_a_grant() {
        given::<Person>([]).when(Add { role: Role::Auditor, ..add("Ada", None) }).then_refused_field("role");
        let become_auditor = Change { role: Some(Role::Auditor), ..Change::default() };
        given::<Person>([ada()]).when(become_auditor).then_refused_field("role");
    }

    #[test]
    fn a_person_has_a_bounded_number_of_tokens() {
        let many = (0..100).map(issued);
        given::<Person>([ada()].into_iter().chain(many)).when(issue(100)).then_refused_field("api_token");
    }
}
