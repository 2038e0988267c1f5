//! The rules of people.

use schemas::{
    Personal, TicketId,
    person::{
        ApiTokenIssued, ApiTokenRevoked, AuditorGranted, PasswordSet, PersonAdded, PersonDeleted, PersonDetailSet,
        PersonEmailChanged, PersonErased, PersonEvent, PersonReinstated, PersonRenamed, PersonSuspended, PersonTagsSet,
        RoleChanged,
    },
    values::{IdentityKind, Role},
};

use super::{
    Add, Change, Command, GRANTED_TICKETS_MAX, GrantAuditor, IssueToken, Person, Profile, Rejection, TOKENS_MAX,
    affiliation, identity,
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
        Command::Change(_)
        | Command::SetPassword(_)
        | Command::IssueToken(_)
        | Command::Identity(_)
        | Command::Affiliation(_)
        | Command::Suspend(_)
            if profile.role == Role::Auditor =>
        {
            Err(Rejection::Auditor)
        }
        Command::Delete => Ok(vec![PersonDeleted {}.into()]),
        Command::Erase => Ok(vec![PersonErased {}.into()]),
        Command::Change(change) => decide_change(profile, change),
        Command::Identity(command) => identity::decide(profile, command),
        Command::Affiliation(command) => affiliation::decide(profile, *command),
        Command::Suspend(is_wanted) => decide_suspension(profile, *is_wanted),
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
        let has_others = profile.identities.values().filter(|known| known.kind == IdentityKind::Email).count() > 1;
        if email.expose().is_none() && has_others {
            let takes = "an address, as long as the user has others besides the primary one".to_owned();
            return Err(Rejection::Invalid { field: "email", takes });
        }
        let known = email.expose().as_ref().and_then(|email| profile.identity_of(IdentityKind::Email, email));
        if let Some(identity) = known {
            events.extend(identity::decide(profile, &identity::Command::MakePrimary(identity))?);
        } else if email != profile.email {
            events.push(PersonEmailChanged { email }.into());
        }
    }
    if let Some(role) = change.role.filter(|&asked| asked != profile.role) {
        refuse_auditor(role)?;
        if role == Role::Admin && profile.is_suspended {
            return Err(suspended_admin());
        }
        if role == Role::EndUser {
            events.extend(affiliation::leave_groups(profile));
        }
        events.push(RoleChanged { role }.into());
    }
    events.extend(descriptive_events(profile, change)?);
    Ok(events)
}

/// The changes that no other change depends on.
fn descriptive_events(profile: &Profile, change: &Change) -> Result<Vec<PersonEvent>, Rejection> {
    let mut events = Vec::new();
    for (detail, asked) in &change.details {
        let value = text::person_detail(*detail, asked.expose().as_deref().unwrap_or_default())?;
        if value.as_deref() != profile.detail(*detail) {
            events.push(PersonDetailSet { detail: *detail, value: value.into() }.into());
        }
    }
    if let Some(asked) = &change.tags {
        let tags = Personal::new(text::tags(asked.expose())?);
        if tags != profile.tags {
            events.push(PersonTagsSet { tags }.into());
        }
    }
    Ok(events)
}

fn decide_suspension(profile: &Profile, is_wanted: bool) -> Result<Vec<PersonEvent>, Rejection> {
    match (profile.is_suspended, is_wanted) {
        // in -> suspended
        (false, true) if profile.role == Role::Admin => Err(suspended_admin()),
        (false, true) => Ok(vec![PersonSuspended {}.into()]),
        // suspended -> in
        (true, false) => Ok(vec![PersonReinstated {}.into()]),
        (true, true) | (false, false) => Ok(Vec::new()),
    }
}

/// An admin who may not come in would be counted among those who can let others in.
fn suspended_admin() -> Rejection {
    Rejection::Invalid { field: "suspended", takes: "true for end users and agents only".to_owned() }
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
mod tests;
