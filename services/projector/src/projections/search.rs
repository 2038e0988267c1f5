//! The projection `search`: the texts of tickets, people and organizations, by the words they are found by.
//!
//! One row a text, so that a comment adds a row and a new subject replaces one; nothing is read before it is written. A text that is too
//! long for a `tsvector` has more rows, below the place of the first. Addresses of people are not here: searches find those in the
//! projection `people`.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use domain::search::Indexed;
use regions::Resident;
use schemas::{
    StreamName, TenantId, TenantLogEvent,
    organization::OrganizationEvent,
    person::PersonEvent,
    ticket::TicketEvent,
    ticket_field::FieldValue,
    values::{OrganizationDetail, PersonDetail},
};
use sqlx::error::BoxDynError;

use self::words::{Weight, Words};
use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "search",
    shape: 1,
    tables_sql: include_str!("../../sql/search/tables.sql"),
    indexes_sql: include_str!("../../sql/search/indexes.sql"),
    tables: &[Table { name: "searched_text", key: "place" }],
    reads: |stream| matches!(stream, StreamName::Ticket(_) | StreamName::Person(_) | StreamName::Organization(_)),
    passes_over: &[
        "status_set",
        "priority_set",
        "type_set",
        "assignee_set",
        "group_set",
        "requester_set",
        "due_set",
        "problem_set",
        "email_ccs_set",
        "followers_set",
        "recipient_noted",
        "followup_linked",
        "ticket_imported",
        // Who searches does not see it; it stays, for when it is restored.
        "ticket_deleted",
        "ticket_restored",
        "person_email_changed",
        "role_changed",
        "password_set",
        "api_token_issued",
        "api_token_revoked",
        "auditor_granted",
        "person_suspended",
        "person_reinstated",
        "identity_added",
        "identity_changed",
        "identity_verified",
        "identity_removed",
        "primary_identity_chosen",
        "organization_joined",
        "organization_left",
        "default_organization_chosen",
        "group_joined",
        "group_left",
        "default_group_chosen",
        "person_deleted",
        "organization_group_set",
    ],
    span: || apply_span!("projection.search.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// A ticket, a person or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Thing {
    kind: &'static str,
    id: i64,
}

struct Text {
    place: String,
    thing: Thing,
    part: &'static str,
    words: Words,
}

/// What a batch makes of the texts.
struct Fold {
    tenant: TenantId,
    texts: BTreeMap<String, Text>,
    /// Places that may hold a text from before.
    replaced: BTreeSet<String>,
    /// Things of which nothing is left.
    gone: BTreeSet<Thing>,
    /// Tickets whose first comment was in the batch.
    described: BTreeSet<Thing>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let mut fold = Fold {
        tenant,
        texts: BTreeMap::new(),
        replaced: BTreeSet::new(),
        gone: BTreeSet::new(),
        described: BTreeSet::new(),
    };
    for applied in events {
        fold.take(applied);
    }
    fold.store(build).await
}

impl Fold {
    fn take(&mut self, applied: &Applied) {
        match applied.envelope.stream {
            StreamName::Ticket(ticket) => self.ticket(Thing { kind: "ticket", id: ticket.get() }, applied),
            StreamName::Person(person) => self.person(Thing { kind: "user", id: person.get() }, applied),
            StreamName::Organization(organization) => {
                self.organization(Thing { kind: "organization", id: organization.get() }, applied);
            }
            _ => {}
        }
    }

    fn ticket(&mut self, ticket: Thing, applied: &Applied) {
        let event = match applied.event() {
            Some(TenantLogEvent::Ticket(event)) => Some(event),
            _ => None,
        };
        if applied.envelope.event_type == "comment_added" {
            let is_first = applied.is_of_opening_command() && self.described.insert(ticket);
            if let Some(TicketEvent::CommentAdded(comment)) = event {
                let part = if is_first { "description" } else { "comment" };
                self.add(ticket, &format!("comment-{}", applied.position), (part, comment.body.expose()));
            }
            return;
        }
        match event {
            Some(TicketEvent::TicketOpened(opened)) => {
                self.add(ticket, "subject", ("subject", opened.subject.expose()));
                self.add(ticket, "tags", ("tag", &opened.tags.expose().join(" ")));
                self.add(
                    ticket,
                    "external_id",
                    ("external_id", opened.external_id.expose().as_deref().unwrap_or_default()),
                );
            }
            Some(TicketEvent::SubjectSet(set)) => self.set(ticket, "subject", ("subject", set.subject.expose())),
            Some(TicketEvent::TagsSet(set)) => self.set(ticket, "tags", ("tag", &set.tags.expose().join(" "))),
            Some(TicketEvent::ExternalIdSet(set)) => {
                self.set(
                    ticket,
                    "external_id",
                    ("external_id", set.external_id.expose().as_deref().unwrap_or_default()),
                );
            }
            Some(TicketEvent::CustomFieldsSet(set)) => {
                for set in set.fields.expose() {
                    self.set(ticket, &format!("field-{}", set.field), ("field", &text_of(set.value.as_ref())));
                }
            }
            Some(TicketEvent::TicketErased(_)) => self.forget(ticket),
            _ => {}
        }
    }

    fn person(&mut self, person: Thing, applied: &Applied) {
        let Some(TenantLogEvent::Person(event)) = applied.event() else { return };
        match event {
            PersonEvent::PersonAdded(added) => self.add(person, "name", ("name", added.name.expose())),
            PersonEvent::PersonRenamed(renamed) => self.set(person, "name", ("name", renamed.name.expose())),
            PersonEvent::PersonTagsSet(set) => self.set(person, "tags", ("tag", &set.tags.expose().join(" "))),
            PersonEvent::PersonDetailSet(set) if is_told_of(set.detail) => {
                let (detail, value) = (set.detail.as_str(), set.value.expose().as_deref());
                self.set(person, detail, (detail, value.unwrap_or_default()));
            }
            PersonEvent::PersonErased(_) => self.forget(person),
            _ => {}
        }
    }

    fn organization(&mut self, organization: Thing, applied: &Applied) {
        let Some(TenantLogEvent::Organization(event)) = applied.event() else { return };
        match event {
            OrganizationEvent::OrganizationAdded(added) => {
                self.add(organization, "name", ("name", added.name.expose()))
            }
            OrganizationEvent::OrganizationRenamed(renamed) => {
                self.set(organization, "name", ("name", renamed.name.expose()));
            }
            OrganizationEvent::OrganizationDetailSet(set) => {
                let detail: OrganizationDetail = set.detail;
                let value = set.value.expose().as_deref().unwrap_or_default();
                self.set(organization, detail.as_str(), (detail.as_str(), value));
            }
            OrganizationEvent::OrganizationDomainsSet(set) => {
                self.set(organization, "domains", ("domain", &set.domain_names.expose().join(" ")));
            }
            OrganizationEvent::OrganizationTagsSet(set) => {
                self.set(organization, "tags", ("tag", &set.tags.expose().join(" ")));
            }
            OrganizationEvent::OrganizationGroupSet(_) => {}
            OrganizationEvent::OrganizationDeleted(_) => self.forget(organization),
        }
    }

    /// A text where there was none.
    fn add(&mut self, thing: Thing, at: &str, (part, text): (&'static str, &str)) {
        let place = format!("{}{at}", thing.places());
        let weight = if matches!(part, "subject" | "name") { Weight::A } else { Weight::D };
        let pieces = Indexed::of(text);
        for (number, piece) in pieces.iter().enumerate() {
            let place = piece_at(&place, number);
            let words = Words::new(self.tenant, piece, weight);
            self.texts.insert(place.clone(), Text { place, thing, part, words });
        }
        // What the batch itself put there before may have been longer.
        let mut left = pieces.len()..;
        while left.next().is_some_and(|number| self.texts.remove(&piece_at(&place, number)).is_some()) {}
    }

    /// A text where there may be one.
    fn set(&mut self, thing: Thing, at: &str, text: (&'static str, &str)) {
        self.replaced.insert(format!("{}{at}", thing.places()));
        self.add(thing, at, text);
    }

    fn forget(&mut self, thing: Thing) {
        self.texts.retain(|_, text| text.thing != thing);
        self.gone.insert(thing);
    }

    async fn store(self, build: &mut OpenBuild) -> Result<(), ApplyError> {
        let tenant = self.tenant.get();
        for thing in self.gone {
            sqlx::query!(
                "delete from searched_text where tenant_id = $1 and place >= $2 and place < $3",
                tenant,
                thing.places(),
                thing.after(),
            )
            .execute(&mut *build)
            .await?;
        }
        if !self.replaced.is_empty() {
            let replaced = Vec::from_iter(self.replaced);
            // With its other pieces: `0` is the character after `/`.
            sqlx::query!(
                "delete from searched_text using unnest($2::text[]) as replaced (place)
                 where searched_text.tenant_id = $1
                   and (searched_text.place = replaced.place
                        or (searched_text.place >= replaced.place || '/' and searched_text.place < replaced.place || '0'))",
                tenant,
                &replaced,
            )
            .execute(&mut *build)
            .await?;
        }
        build.add(&Vec::from_iter(self.texts.into_values())).await?;
        Ok(())
    }
}

impl Thing {
    /// What its places begin with.
    fn places(self) -> String {
        format!("{}-{}/", self.kind, self.id)
    }

    /// What comes after them: `0` is the character after `/`.
    fn after(self) -> String {
        format!("{}-{}0", self.kind, self.id)
    }
}

/// Where a piece of a text stands: the first at the text's own place, the others below it.
fn piece_at(place: &str, number: usize) -> String {
    if number == 0 { place.to_owned() } else { format!("{place}/{number}") }
}

/// Whether it is about the person rather than about how they work.
const fn is_told_of(detail: PersonDetail) -> bool {
    match detail {
        PersonDetail::Phone
        | PersonDetail::Alias
        | PersonDetail::Details
        | PersonDetail::Notes
        | PersonDetail::ExternalId => true,
        PersonDetail::Signature | PersonDetail::TimeZone | PersonDetail::Locale => false,
    }
}

fn text_of(value: Option<&FieldValue>) -> String {
    match value {
        Some(FieldValue::Text(text)) => text.clone(),
        Some(FieldValue::Many(many)) => many.join(" "),
        Some(FieldValue::Integer(number)) => number.to_string(),
        Some(FieldValue::Decimal(number)) => number.to_string(),
        Some(FieldValue::Flag(_)) | None => String::new(),
    }
}

impl Row for Text {
    const TABLE: &'static str = "searched_text";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("place", self.place.as_str())?;
        to.value("kind", self.thing.kind)?;
        to.value("thing_id", self.thing.id)?;
        to.value("part", self.part)?;
        to.value("words", &self.words)
    }
}
