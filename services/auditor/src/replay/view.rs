//! States as JSON. This is where personal data is exposed, to whoever holds the keys; credentials are not.

use std::collections::BTreeMap;

use domain::{
    email::EmailClaim,
    erasure::Erasures,
    job::Job,
    name::Name,
    organization::Organization,
    person::{Identity, Person, Profile, Token},
    rule::Rule,
    session::Session,
    tenant::{Group, Tenant},
    ticket::Ticket,
    ticket_field::TicketField,
    upload::Upload,
    webhook::Webhook,
};
use jiff::Timestamp;
use schemas::{
    GroupId, IdentityId, PersonId, Position, Recorded, TenantLogEvent, TokenId,
    ticket::{CommentAdded, TicketEvent},
};
use serde_json::{Value, json};

/// A comment of a ticket; without content once its key is destroyed.
#[derive(Debug)]
pub(super) struct Comment {
    position: Position,
    at: Timestamp,
    content: Option<CommentAdded>,
}

impl Comment {
    pub(super) fn of(recorded: &Recorded, event: &TenantLogEvent) -> Option<Self> {
        match event {
            TenantLogEvent::Ticket(TicketEvent::CommentAdded(comment)) => {
                Some(Self { content: Some(comment.clone()), ..Self::erased(recorded) })
            }
            _ => None,
        }
    }

    pub(super) fn erased(recorded: &Recorded) -> Self {
        Self { position: recorded.position, at: recorded.sealed.envelope.recorded_at, content: None }
    }

    fn view(&self) -> Value {
        let mut view = json!({"position": self.position, "recorded_at": self.at, "is_erased": self.content.is_none()});
        if let Some(comment) = &self.content {
            view["author"] = json!(comment.author);
            view["visibility"] = json!(comment.visibility);
            view["body"] = json!(comment.body.expose());
            view["html_body"] = json!(comment.html_body.expose());
            view["attachments"] = json!(comment.attachments);
            view["channel"] = json!(comment.channel);
        }
        view
    }
}

pub(super) fn ticket(ticket: &Ticket, comments: &[Comment]) -> Value {
    let comments: Vec<_> = comments.iter().map(Comment::view).collect();
    let Some(details) = ticket.details() else {
        return if comments.is_empty() { Value::Null } else { json!({"comments": comments}) };
    };
    json!({
        "subject": details.subject.expose(),
        "status": details.status,
        "priority": details.priority,
        "type": details.ticket_type,
        "requester": details.requester,
        "submitter": details.submitter,
        "assignee": details.assignee,
        "group": details.group,
        "tags": details.tags.expose(),
        "channel": details.channel,
        "external_id": details.external_id.expose(),
        "due_at": details.due_at,
        "problem": details.problem,
        "email_ccs": details.email_ccs,
        "followers": details.followers,
        "recipient": details.recipient.expose(),
        "followup_of": details.followup_of,
        "fields": details.fields.expose(),
        "is_deleted": details.is_deleted,
        "comments": comments,
    })
}

pub(super) fn tenant(tenant: &Tenant) -> Value {
    let Some(account) = tenant.account() else { return Value::Null };
    let groups: Vec<_> = account.groups.iter().map(group).collect();
    let locality = account.locality.as_ref().map(|locality| {
        json!({
            "requested": locality.requested,
            "granted": locality.granted,
            "policy_version": locality.policy_version,
            "entitled": locality.entitled,
            "selected": locality.selected,
            "committed": locality.committed,
        })
    });
    json!({
        "slug": account.slug,
        "company": account.company.expose(),
        "plan": account.plan,
        "locality": locality,
        "policy_version": account.operations.policy_version,
        "signing_key_successions": account.operations.succession,
        "restores": account.operations.restores,
        "groups": groups,
    })
}

fn group((id, group): (&GroupId, &Group)) -> Value {
    json!({
        "group": id,
        "name": group.name.expose(),
        "description": group.description.expose(),
        "is_public": group.is_public,
        "is_deleted": group.is_deleted,
    })
}

pub(super) fn organization(organization: &Organization) -> Value {
    let Some(profile) = organization.profile() else { return Value::Null };
    let details: BTreeMap<_, _> =
        profile.details.iter().map(|(detail, value)| (detail.as_str(), value.expose())).collect();
    json!({
        "organization": profile.organization,
        "name": profile.name.expose(),
        "details": details,
        "domain_names": profile.domain_names.expose(),
        "tags": profile.tags.expose(),
        "group": profile.group,
    })
}

pub(super) fn person(person: &Person) -> Value {
    let Some(profile) = person.profile() else { return Value::Null };
    let Profile { person, name, email, role, password_phc, tokens, grant, is_deleted, .. } = profile;
    let details: BTreeMap<_, _> =
        profile.details.iter().map(|(detail, value)| (detail.as_str(), value.expose())).collect();
    json!({
        "person": person,
        "name": name.expose(),
        "email": email.expose(),
        "role": role,
        "has_password": password_phc.expose().is_some(),
        "tokens": tokens.iter().map(token).collect::<Vec<_>>(),
        "grant": grant.as_ref().map(|grant| json!({"expires_at": grant.expires_at, "tickets": grant.tickets})),
        "details": details,
        "tags": profile.tags.expose(),
        "identities": profile.identities.iter().map(identity).collect::<Vec<_>>(),
        "organizations": profile.organizations.memberships.values().collect::<Vec<_>>(),
        "default_organization": profile.organizations.chosen,
        "groups": profile.groups.memberships.values().collect::<Vec<_>>(),
        "default_group": profile.groups.chosen,
        "is_suspended": profile.is_suspended,
        "is_deleted": is_deleted,
    })
}

fn identity((id, identity): (&IdentityId, &Identity)) -> Value {
    json!({
        "identity": id,
        "type": identity.kind,
        "value": identity.value.expose(),
        "is_verified": identity.is_verified,
    })
}

fn token((id, token): (&TokenId, &Token)) -> Value {
    json!({"token": id, "description": token.description.expose(), "expires_at": token.expires_at})
}

pub(super) fn email(email: &EmailClaim) -> Value {
    let holder: Option<PersonId> = email.holder();
    json!({"holder": holder})
}

pub(super) fn upload(upload: &Upload) -> Value {
    let Some(received) = upload.received() else { return Value::Null };
    json!({
        "attachment": received.attachment,
        "file_name": received.file_name.expose(),
        "content_type": received.content_type.expose(),
        "size_bytes": received.size_bytes,
        "uploader": received.uploader,
        "claimed_for_ticket": upload.claimed().map(|claimed| claimed.ticket),
    })
}

pub(super) fn job(job: &Job) -> Value {
    let Some(queued) = job.queued() else { return Value::Null };
    json!({"kind": queued.kind, "total": queued.total, "done": job.done(), "is_finished": job.is_finished()})
}

pub(super) fn ticket_field(field: &TicketField) -> Value {
    let Some(known) = field.known() else { return Value::Null };
    json!({"field": known.field, "kind": known.kind, "definition": known.definition.expose()})
}

pub(super) fn rule(rule: &Rule) -> Value {
    let Some(known) = rule.known() else { return Value::Null };
    json!({"rule": known.rule, "kind": known.kind, "audience": known.audience, "definition": known.definition.expose()})
}

/// Without what it proves itself with, which is sealed even here.
pub(super) fn webhook(webhook: &Webhook) -> Value {
    let Some(known) = webhook.known() else { return Value::Null };
    json!({"webhook": known.webhook, "settings": known.settings.expose()})
}

/// Without the hash of its secret.
pub(super) fn session(session: &Session) -> Value {
    let Some(known) = session.known() else { return Value::Null };
    json!({
        "session": known.session,
        "person": known.person,
        "address": known.address.expose(),
        "client": known.client.expose(),
        "expires_at": known.expires_at,
    })
}

pub(super) fn erasures(erasures: &Erasures) -> Value {
    json!({"keys_destroyed": erasures.keys_destroyed()})
}

pub(super) fn name(name: &Name) -> Value {
    let Some(holding) = name.holding() else { return json!({"holder": null}) };
    json!({
        "holder": holding.tenant,
        "region": holding.region,
        "epoch": holding.epoch,
        "is_confirmed": holding.is_confirmed,
    })
}

/// An event as it is.
pub(super) fn plain(event: &TenantLogEvent) -> Value {
    serde_json::from_slice(&event.encode()).unwrap_or_default()
}
