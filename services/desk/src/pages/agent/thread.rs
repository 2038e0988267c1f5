//! What was said on a ticket and what was changed about it, newest first: an entry for each command.

use std::collections::BTreeSet;

use domain::ticket_field::Known;
use schemas::TicketId;
use serde_json::Value;

use super::{names::Names, table::written, terms};
use crate::{
    api::{html, v2::present::attachment::Files},
    caller::Caller,
    pages::words::Words,
    problem::ApiError,
    read::{self, Window, audits::Audit},
    state::Desk,
};

/// Entries on a page.
const PAGE_LENGTH: i64 = 50;
/// Characters from which on a comment scrolls by itself.
const LONG: usize = 6_000;
/// Lines from which on it does.
const LINES: usize = 80;

/// A page of a ticket's thread.
pub(super) struct Thread {
    pub(super) entries: Vec<Entry>,
    /// Where the page of older entries begins.
    pub(super) older: Option<i64>,
}

/// One command.
pub(super) struct Entry {
    pub(super) author: String,
    pub(super) moment: String,
    pub(super) at: String,
    pub(super) said: Vec<Said>,
    pub(super) changes: Vec<Change>,
}

/// A comment.
pub(super) struct Said {
    pub(super) id: i64,
    pub(super) author: String,
    pub(super) is_public: bool,
    /// Cleaned when it was taken, or made from text here: the one thing of a page that is markup already.
    pub(super) html: String,
    pub(super) is_long: bool,
    pub(super) files: Vec<File>,
}

/// A file that came along.
pub(super) struct File {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) kibibytes: i64,
}

/// A field that was changed.
pub(super) struct Change {
    pub(super) field: String,
    pub(super) was: String,
    pub(super) is: String,
    /// The trigger that did it.
    pub(super) rule: Option<String>,
}

/// The entries before one of them, or the newest.
pub(super) async fn load(
    desk: &Desk,
    caller: &Caller,
    (ticket, before): (TicketId, Option<i64>),
    (words, known): (&Words, &[Known]),
) -> Result<Thread, ApiError> {
    let window = Window {
        after: 0,
        before: Some(before.unwrap_or(i64::MAX)),
        limit: PAGE_LENGTH + 1,
        offset: 0,
        is_by_offset: false,
    };
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let mut ids = read::audits::list(Some(ticket)).ids(&mut transaction, resident, window).await?;
    let has_older = ids.len() > usize::try_from(PAGE_LENGTH).unwrap_or_default();
    if has_older {
        ids.remove(0);
    }
    let audits = read::audits::many(&mut transaction, resident, ticket, &ids).await?;
    let comments: Vec<i64> =
        events(&audits).filter(|event| is_comment(event)).filter_map(|event| event["id"].as_i64()).collect();
    let comments = read::comments::many(&mut transaction, resident, &comments).await?;
    let (people, groups) = named(&audits);
    let names = Names::load(&mut transaction, caller, &people, &groups).await?;
    drop(transaction);
    let files: Vec<i64> = comments.iter().flat_map(|comment| comment.attachment_ids.iter().copied()).collect();
    let files = Files::load(desk, caller, &files).await?;
    let entry = |audit: &Audit| {
        let said = comments.iter().filter(|comment| comment.audit_id == audit.audit_id);
        // What was brought in from elsewhere was said when it was said there.
        let at = comments.iter().find(|comment| comment.audit_id == audit.audit_id);
        let at = at.map_or(audit.created_at, |comment| comment.created_at);
        Entry {
            author: audit.author_id.map_or_else(String::new, |author| names.person(author).to_owned()),
            moment: at.to_string(),
            at: words.moment(at),
            said: said.map(|comment| self::said(comment, &names, &files)).collect(),
            changes: changes(audit, (words, known, &names)),
        }
    };
    let entries = audits.iter().rev().map(entry).filter(|entry| !entry.said.is_empty() || !entry.changes.is_empty());
    Ok(Thread { entries: entries.collect(), older: ids.first().copied().filter(|_| has_older) })
}

fn said(comment: &read::comments::Comment, names: &Names, files: &Files) -> Said {
    let file = |file: &&Value| File {
        name: file["file_name"].as_str().unwrap_or_default().to_owned(),
        link: file["content_url"].as_str().unwrap_or_default().to_owned(),
        kibibytes: file["size"].as_i64().map_or(0, |size| (size + 1023) / 1024),
    };
    Said {
        id: comment.comment_id,
        author: names.person(comment.author_id).to_owned(),
        is_public: comment.is_public,
        html: html::of_comment(&comment.body, comment.html_body.as_deref()),
        is_long: comment.body.len() > LONG || comment.body.lines().count() > LINES,
        files: files.of(&comment.attachment_ids).iter().map(file).collect(),
    }
}

fn events(audits: &[Audit]) -> impl Iterator<Item = &Value> {
    audits.iter().flat_map(|audit| audit.events.as_array().into_iter().flatten())
}

fn is_comment(event: &Value) -> bool {
    event["type"] == "Comment"
}

/// Whom the entries name: ids are texts where they are values of fields.
fn named(audits: &[Audit]) -> (BTreeSet<i64>, BTreeSet<i64>) {
    let (mut people, mut groups) = (BTreeSet::new(), BTreeSet::new());
    people.extend(audits.iter().filter_map(|audit| audit.author_id));
    for event in events(audits) {
        people.extend(event["author_id"].as_i64());
        for list in ["previous_email_ccs", "current_email_ccs", "previous_followers", "current_followers"] {
            people.extend(event[list].as_array().into_iter().flatten().filter_map(Value::as_i64));
        }
        let ids = ["value", "previous_value"].iter().filter_map(|side| event[*side].as_str()?.parse::<i64>().ok());
        match event["field_name"].as_str() {
            Some("assignee_id" | "requester_id") => people.extend(ids),
            Some("group_id") => groups.extend(ids),
            _ => {}
        }
    }
    (people, groups)
}

/// What a command changed. What an opening created is beside the thread; what rules did at once is told.
fn changes(audit: &Audit, around: (&Words, &[Known], &Names)) -> Vec<Change> {
    let (words, known, names) = around;
    let list = |value: &Value| {
        let ids = value.as_array().into_iter().flatten().filter_map(Value::as_i64);
        ids.map(|id| names.person(id).to_owned()).collect::<Vec<_>>().join(", ")
    };
    let events = audit.events.as_array().into_iter().flatten();
    let change = |event: &Value| {
        let rule = (event["via"]["channel"] == "rule")
            .then(|| event["via"]["source"]["from"]["title"].as_str().unwrap_or_default().to_owned());
        let (field, was, is) = match event["type"].as_str()? {
            "Change" => {
                let field = event["field_name"].as_str()?;
                let value = |side: &str| shown(field, &event[side], around);
                (field, value("previous_value"), value("value"))
            }
            "EmailCcChange" => ("ccs", list(&event["previous_email_ccs"]), list(&event["current_email_ccs"])),
            "FollowersChange" => {
                ("follower_ids", list(&event["previous_followers"]), list(&event["current_followers"]))
            }
            _ => return None,
        };
        Some(Change { field: terms::field(words, field, known), was, is, rule })
    };
    events.filter_map(change).collect()
}

/// A value as people read it.
pub(super) fn shown(field: &str, value: &Value, (words, known, names): (&Words, &[Known], &Names)) -> String {
    let text = written(value);
    let id = || text.parse::<i64>().unwrap_or_default();
    match field {
        _ if text.is_empty() => text,
        "status" => terms::status(words, &text),
        "priority" => terms::priority(words, &text),
        "type" => terms::ticket_type(words, &text),
        "assignee_id" | "requester_id" => names.person(id()).to_owned(),
        "group_id" => names.group(id()).to_owned(),
        "due_at" => text.parse().map_or(text, |due_at: jiff::Timestamp| words.moment(due_at)),
        field => {
            let known = known.iter().find(|known| known.field.to_string() == field);
            let option = known.and_then(|known| {
                known.definition.expose().options.iter().find(|option| option.value == text).cloned()
            });
            option.map_or(text, |option| option.name)
        }
    }
}
