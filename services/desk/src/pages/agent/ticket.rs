//! `GET /agent/tickets/{id}?before=`: a ticket with its thread, and the form that answers it and changes it.

use std::collections::BTreeSet;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use schemas::{
    TicketId,
    values::{ReadKind, RuleKind},
};

use super::{
    Insider, Shell,
    attributes::Attributes,
    choices::{Choices, Field, Offered, Pick},
    faults::Faults,
    names::Names,
    terms,
    thread::{self, Thread},
};
use crate::{
    api::v2::{ids::Id, page::PageQuery, tickets::update::in_sight},
    caller::Caller,
    pages::{frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{self, Window, rules::Filter, tickets::Ticket},
    state::Desk,
};

/// Macros that are offered at most.
const MACROS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "agent/ticket.html")]
struct TicketPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    ticket: &'a Ticket,
    status: String,
    requester: String,
    requester_address: String,
    /// Whether the reader may know how to reach people.
    may_reach: bool,
    created: String,
    updated: String,
    /// What it holds, for readers without a form.
    facts: Vec<(String, String)>,
    form: Option<ReplyForm<'a>>,
    thread: Thread,
    /// Whether these are not the newest entries.
    is_older_page: bool,
}

/// The form that answers a ticket and changes it.
struct ReplyForm<'a> {
    once: String,
    /// Whose draft it is.
    person: i64,
    draft: &'a Draft,
    /// What the fields hold while nobody touched them.
    was: Vec<(String, Vec<String>)>,
    macros: Vec<Pick>,
    status: Field,
    fields: Vec<Field>,
}

/// What somebody is about to say and change.
#[derive(Default)]
pub(super) struct Draft {
    /// The version of the ticket that they saw.
    pub(super) version: i64,
    /// What the form holds; of a new one, what the ticket does.
    pub(super) attributes: Attributes,
    pub(super) comment: String,
    pub(super) is_note: bool,
    /// The token of files that came with an earlier sending, and what they are called.
    pub(super) upload: String,
    pub(super) files: Vec<String>,
    pub(super) faults: Faults,
    /// What others did since that version, if that is why it was not sent.
    pub(super) meanwhile: Option<Vec<String>>,
    /// Whether a macro has just been laid over it.
    pub(super) is_filled: bool,
    /// Whether what was in the form before has just been saved.
    pub(super) is_saved: bool,
}

impl Draft {
    /// Whether there is something in it that is nowhere else.
    fn is_begun(&self) -> bool {
        let has_text = !self.comment.is_empty() || !self.upload.is_empty();
        has_text || self.is_filled || self.meanwhile.is_some() || !self.faults.all().is_empty()
    }

    fn subject(&self) -> &str {
        self.attributes.text("subject")
    }

    fn requester(&self) -> &str {
        self.attributes.text("requester")
    }
}

/// What the form and the page are made of.
pub(super) struct Known {
    pub(super) offered: Offered,
    pub(super) names: Names,
    macros: Vec<(i64, String)>,
}

impl Known {
    /// What there is to choose from, and the people of these states of the ticket.
    pub(super) async fn load(desk: &Desk, caller: &Caller, rows: &[&Ticket]) -> Result<Self, ApiError> {
        let mut transaction = desk.reading(&caller.resident).await?;
        let offered = Offered::load(&mut transaction, caller).await?;
        let (mut people, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            people.extend([row.requester_id].into_iter().chain(row.assignee_id));
            people.extend(row.email_cc_ids.iter().chain(&row.follower_ids));
            groups.extend(row.group_id);
        }
        let names = Names::load(&mut transaction, caller, &people, &groups).await?;
        let mut macros = Vec::new();
        if caller.is_agent() {
            let filter = Filter { is_active: Some(true), ..Filter::of(RuleKind::Macro, caller.by()) };
            let window = Window { after: 0, before: None, limit: MACROS_MAX, offset: 0, is_by_offset: true };
            let ids = read::rules::list(filter).ids(&mut transaction, &caller.resident, window).await?;
            let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &ids)).await?;
            macros.extend(rows.into_iter().map(|row| (row.rule_id, row.definition.0.title)));
        }
        Ok(Self { offered, names, macros })
    }

    /// The attributes of a state of the ticket.
    pub(super) fn attributes(&self, row: &Ticket) -> Attributes {
        Attributes::of(row, &self.names, &self.offered.known)
    }
}

/// The ticket as it is, and an empty draft.
pub(super) async fn show(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult {
    let row = in_sight(&desk, &caller, ticket).await?;
    let known = Known::load(&desk, &caller, &[&row]).await?;
    let (version, attributes, is_saved) = (row.version, known.attributes(&row), query.get("sent").is_some());
    let draft = Draft { version, attributes, is_saved, ..Draft::default() };
    let before = query.get("before").filter(|text| !text.is_empty());
    let before = before.map(|text| text.parse().map_err(|_| ApiError::invalid_parameter("before", "an integer")));
    let around = (&desk, &caller, &frame);
    page(around, (&row, &known), (&draft, before.transpose()?), StatusCode::OK).await
}

/// The page of a ticket with a draft.
pub(super) async fn page(
    (desk, caller, frame): (&Desk, &Caller, &Frame),
    (row, known): (&Ticket, &Known),
    (draft, before): (&Draft, Option<i64>),
    status: StatusCode,
) -> Result<Response, ApiError> {
    let words = &frame.words;
    let ticket = TicketId::new(row.ticket_id);
    let thread = thread::load(desk, caller, (ticket, before), (words, &known.offered.known)).await?;
    let Choices { status: statuses, fields } = known.offered.choices(&draft.attributes, words, &draft.faults);
    let may_write = caller.is_agent() && row.status != "closed";
    let macros = known.macros.iter();
    let macros = macros.map(|(id, name)| Pick { value: id.to_string(), name: name.clone(), is_chosen: false });
    if may_write {
        caller.reading.beside(ReadKind::User, known.offered.agents());
    }
    let was = known.attributes(row);
    let form = ReplyForm {
        once: desk.ids.uuid().to_string(),
        person: caller.person.get(),
        draft,
        was: was.names().map(|name| (name.to_owned(), was.all(name).to_vec())).collect(),
        macros: macros.collect(),
        status: statuses,
        fields,
    };
    let page = TicketPage {
        frame,
        shell: Shell::of(caller),
        ticket: row,
        status: terms::status(words, &row.status),
        requester: known.names.person(row.requester_id).to_owned(),
        requester_address: known.names.address(row.requester_id),
        may_reach: caller.is_granted(None),
        created: words.moment(row.created_at),
        updated: words.moment(row.updated_at),
        facts: facts(row, (&known.names, &known.offered.known), words),
        form: may_write.then_some(form),
        thread,
        is_older_page: before.is_some(),
    };
    frame.respond(status, &page)
}

/// What a ticket holds, as texts.
pub(super) fn facts(
    row: &Ticket,
    (names, fields): (&Names, &[domain::ticket_field::Known]),
    words: &Words,
) -> Vec<(String, String)> {
    let people = |ids: &[i64]| ids.iter().map(|id| names.person(*id).to_owned()).collect::<Vec<_>>().join(", ");
    let mut facts: Vec<(&str, String)> = vec![
        ("requester", names.person(row.requester_id).to_owned()),
        ("assignee", row.assignee_id.map(|id| names.person(id).to_owned()).unwrap_or_default()),
        ("group", row.group_id.map(|id| names.group(id).to_owned()).unwrap_or_default()),
        ("priority", row.priority.as_ref().map(|word| terms::priority(words, word)).unwrap_or_default()),
        ("type", row.ticket_type.as_ref().map(|word| terms::ticket_type(words, word)).unwrap_or_default()),
        ("tags", row.tags.join(" ")),
        ("ccs", people(&row.email_cc_ids)),
        ("follower_ids", people(&row.follower_ids)),
        ("due_at", row.due_at.map(|due_at| words.moment(due_at.to_jiff())).unwrap_or_default()),
    ];
    facts.retain(|(_, text)| !text.is_empty());
    let mut facts: Vec<_> = facts.into_iter().map(|(name, text)| (terms::field(words, name, fields), text)).collect();
    for field in fields {
        let name = field.field.to_string();
        let text = thread::shown(&name, &row.custom_fields[&name], (words, fields, names));
        if !text.is_empty() {
            facts.push((field.definition.expose().title.clone(), text));
        }
    }
    facts
}

#[cfg(test)]
mod tests;
