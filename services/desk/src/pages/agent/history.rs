//! `GET /agent/tickets/{id}/history?version=`: the life of a ticket, event by event: what it held after each, what the event
//! changed, who or which trigger did it, and the proof that the event is in the log.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use domain::ticket_field::Known as KnownField;
use schemas::{Actor, StreamName, TenantLogEvent, TicketId, Version, ticket::TicketEvent};

use super::{Insider, Shell, attributes::Attributes, names::Names, table::written, terms, ticket::facts};
use crate::{
    api::{
        fold::Fold,
        html,
        v2::{ids::Id, page::PageQuery},
    },
    pages::{frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{self, Sight, log::Logged, tickets::Ticket},
    state::Desk,
};

/// Events before and after the chosen one that are listed.
const AROUND: usize = 8;
/// Comments of then that are shown, the newest first.
const COMMENTS_MAX: usize = 20;

#[derive(Template)]
#[template(path = "agent/history.html")]
struct HistoryPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    id: i64,
    version: usize,
    last: usize,
    event: Told,
    around: Vec<Told>,
    /// What the event changed: field, was, is.
    changes: Vec<(String, String, String)>,
    /// The ticket as it was then; nothing before it was opened, while it was deleted and after it was erased.
    state: Option<Then>,
    /// Whether the reader may take the proof along.
    may_prove: bool,
}

/// The ticket at a version.
struct Then {
    subject: String,
    status: String,
    status_word: String,
    facts: Vec<(String, String)>,
    comments: Vec<Said>,
    comment_count: i64,
}

/// A comment of then.
struct Said {
    author: String,
    is_public: bool,
    moment: String,
    at: String,
    html: String,
}

/// An event in a line.
struct Told {
    version: usize,
    position: i64,
    what: String,
    who: String,
    rule: Option<String>,
    moment: String,
    at: String,
}

/// The ticket at a version of it, the last one unless the address names another.
pub(super) async fn show(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult {
    let stream = StreamName::Ticket(ticket);
    let logged = read::log::whole_stream(&desk, &caller.resident, &stream, Version::ZERO).await?;
    if logged.is_empty() {
        return Err(ApiError::not_found());
    }
    let last = logged.len();
    let version = match query.get("version").filter(|text| !text.is_empty()) {
        None => last,
        Some(text) => text
            .parse()
            .ok()
            .filter(|version| (1..=last).contains(version))
            .ok_or_else(|| ApiError::invalid_parameter("version", &format!("an integer from 1 to {last}")))?,
    };
    let (then, before) = (Fold::of(ticket, &logged[..version]), Fold::of(ticket, &logged[..version - 1]));
    let (row, was) = (then.row(ticket, Sight::Everything), before.row(ticket, Sight::Everything));
    let listed = version.saturating_sub(AROUND + 1)..(version + AROUND).min(last);
    let mut transaction = desk.reading(&caller.resident).await?;
    let fields = read::ticket_fields::known(&mut transaction, &caller.resident).await?;
    let (mut people, mut groups) = (BTreeSet::new(), BTreeSet::new());
    people.extend(logged[listed.clone()].iter().filter_map(author));
    let recent = || then.comments.iter().rev().take(COMMENTS_MAX);
    people.extend(recent().map(|comment| comment.author_id));
    for row in row.iter().chain(&was) {
        people.extend([row.requester_id].into_iter().chain(row.assignee_id));
        people.extend(row.email_cc_ids.iter().chain(&row.follower_ids));
        groups.extend(row.group_id);
    }
    let names = Names::load(&mut transaction, &caller, &people, &groups).await?;
    drop(transaction);
    let words = &frame.words;
    let rules = rules(&logged);
    let told = |index: usize| told((index, &logged[index]), (words, &names), rules[index].clone());
    let state = row.as_ref().map(|row| Then {
        subject: row.subject.clone(),
        status: row.status.clone(),
        status_word: terms::status(words, &row.status),
        facts: facts(row, (&names, &fields), words),
        comments: recent().map(|comment| said(comment, &names, words)).collect(),
        comment_count: i64::try_from(then.comments.len()).unwrap_or(i64::MAX),
    });
    frame.page(&HistoryPage {
        frame: &frame,
        shell: Shell::of(&caller),
        id: ticket.get(),
        version,
        last,
        event: told(version - 1),
        around: listed.map(told).collect(),
        changes: changes((was.as_ref(), row.as_ref()), (words, &names, &fields)),
        state,
        may_prove: caller.require_overseer().is_ok(),
    })
}

fn author(logged: &Logged) -> Option<i64> {
    match logged.envelope.actor {
        Actor::Person(person) => Some(person.get()),
        Actor::System => None,
    }
}

/// Of each event, the trigger whose doing it is: the event before those says so, and how many they are.
fn rules(logged: &[Logged]) -> Vec<Option<String>> {
    let mut left: Option<(String, u32)> = None;
    let each = logged.iter().map(|logged| {
        if let Some(TenantLogEvent::Ticket(TicketEvent::RuleApplied(applied))) = &logged.event {
            left = Some((applied.title.expose().clone(), applied.changes));
            return Some(applied.title.expose().clone());
        }
        let (title, count) = left.take().filter(|(_, count)| *count > 0)?;
        left = Some((title.clone(), count - 1));
        Some(title)
    });
    each.collect()
}

fn told((index, logged): (usize, &Logged), (words, names): (&Words, &Names), rule: Option<String>) -> Told {
    let at = logged.envelope.recorded_at;
    Told {
        version: index + 1,
        position: logged.position.get(),
        what: what(logged, words),
        who: author(logged).map_or_else(String::new, |author| names.person(author).to_owned()),
        rule,
        moment: at.to_string(),
        at: words.moment(at),
    }
}

/// What happened, in the reader's words.
fn what(logged: &Logged, words: &Words) -> String {
    let Some(TenantLogEvent::Ticket(event)) = &logged.event else { return words.say("agent-event-gone").to_string() };
    let sentence = match event {
        TicketEvent::TicketOpened(_) => words.say("agent-event-opened"),
        TicketEvent::CommentAdded(_) => words.say("agent-event-comment"),
        TicketEvent::RuleApplied(_) => words.say("agent-event-rule"),
        TicketEvent::TicketImported(_) => words.say("agent-event-imported"),
        TicketEvent::FollowupLinked(_) => words.say("agent-event-followup"),
        TicketEvent::TicketDeleted(_) => words.say("agent-event-deleted"),
        TicketEvent::TicketRestored(_) => words.say("agent-event-restored"),
        TicketEvent::TicketErased(_) => words.say("agent-event-erased"),
        _ => words.say("agent-event-changed"),
    };
    sentence.to_string()
}

/// What is not as it was, field by field.
fn changes(
    (was, is): (Option<&Ticket>, Option<&Ticket>),
    (words, names, fields): (&Words, &Names, &[KnownField]),
) -> Vec<(String, String, String)> {
    let attributes = |row: Option<&Ticket>| row.map(|row| Attributes::of(row, names, fields)).unwrap_or_default();
    let (was, is) = (attributes(was), attributes(is));
    let text = |of: &Attributes, name: &str| {
        let shown = |text: &String| match name {
            "status" => terms::status(words, text),
            "priority" => terms::priority(words, text),
            "type" => terms::ticket_type(words, text),
            "assignee" => text.parse().map_or_else(|_| text.clone(), |id| names.person(id).to_owned()),
            "requester" | "ccs" => {
                text.parse().ok().map(|id| names.person(id)).filter(|name| !name.is_empty()).unwrap_or(text).to_owned()
            }
            "group" => text.parse().map_or_else(|_| text.clone(), |id| names.group(id).to_owned()),
            _ => written(&text.as_str().into()),
        };
        of.all(name).iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    let changed = is.changed_from(&was);
    let change = |name: &str| (terms::field(words, name, fields), text(&was, name), text(&is, name));
    changed.names().map(change).filter(|(_, was, is)| was != is).collect()
}

fn said(comment: &read::comments::Comment, names: &Names, words: &Words) -> Said {
    Said {
        author: names.person(comment.author_id).to_owned(),
        is_public: comment.is_public,
        moment: comment.created_at.to_string(),
        at: words.moment(comment.created_at),
        html: html::of_comment(&comment.body, comment.html_body.as_deref()),
    }
}

#[cfg(test)]
mod tests;
