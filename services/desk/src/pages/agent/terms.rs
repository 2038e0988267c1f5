//! What tickets hold, in the reader's words. Each is said in so many words, so that a test finds the one that no language has.

use domain::{rule::Column, ticket_field::Known};

use crate::pages::words::Words;

/// Where a ticket is in its life.
pub(super) fn status(words: &Words, status: &str) -> String {
    let sentence = match status {
        "new" => words.say("agent-status-new"),
        "open" => words.say("agent-status-open"),
        "pending" => words.say("agent-status-pending"),
        "hold" => words.say("agent-status-hold"),
        "solved" => words.say("agent-status-solved"),
        "closed" => words.say("agent-status-closed"),
        other => return other.to_owned(),
    };
    sentence.to_string()
}

/// How urgent.
pub(super) fn priority(words: &Words, priority: &str) -> String {
    let sentence = match priority {
        "low" => words.say("agent-priority-low"),
        "normal" => words.say("agent-priority-normal"),
        "high" => words.say("agent-priority-high"),
        "urgent" => words.say("agent-priority-urgent"),
        other => return other.to_owned(),
    };
    sentence.to_string()
}

/// What kind.
pub(super) fn ticket_type(words: &Words, ticket_type: &str) -> String {
    let sentence = match ticket_type {
        "question" => words.say("agent-type-question"),
        "incident" => words.say("agent-type-incident"),
        "problem" => words.say("agent-type-problem"),
        "task" => words.say("agent-type-task"),
        other => return other.to_owned(),
    };
    sentence.to_string()
}

/// What stands above a column. A field's title is the tenant's own.
pub(super) fn column(words: &Words, column: Column, known: &[Known]) -> String {
    let sentence = match column {
        Column::Number => words.say("agent-column-number"),
        Column::Subject => words.say("agent-field-subject"),
        Column::Status => words.say("agent-field-status"),
        Column::Priority => words.say("agent-field-priority"),
        Column::Type => words.say("agent-field-type"),
        Column::Requester => words.say("agent-field-requester"),
        Column::Submitter => words.say("agent-column-submitter"),
        Column::Assignee => words.say("agent-field-assignee"),
        Column::Group => words.say("agent-field-group"),
        Column::Created => words.say("agent-column-created"),
        Column::Updated => words.say("agent-column-updated"),
        Column::Due => words.say("agent-field-due"),
        Column::Field(field) => {
            let known = known.iter().find(|known| known.field == field);
            return known.map_or_else(|| field.to_string(), |known| known.definition.expose().title.clone());
        }
    };
    sentence.to_string()
}

/// What a form or an audit calls a field of a ticket, by the API's name of it.
pub(super) fn field(words: &Words, name: &str, known: &[Known]) -> String {
    let sentence = match name {
        "subject" => words.say("agent-field-subject"),
        "status" => words.say("agent-field-status"),
        "priority" => words.say("agent-field-priority"),
        "type" => words.say("agent-field-type"),
        "requester" | "requester_id" | "requester.email" | "requester.name" => words.say("agent-field-requester"),
        "assignee" | "assignee_id" => words.say("agent-field-assignee"),
        "group" | "group_id" => words.say("agent-field-group"),
        "tags" => words.say("agent-field-tags"),
        "ccs" | "email_ccs" | "email_cc_ids" => words.say("agent-field-ccs"),
        "follower_ids" => words.say("agent-field-followers"),
        "due_at" => words.say("agent-field-due"),
        "problem_id" => words.say("agent-field-problem"),
        "external_id" => words.say("agent-field-external"),
        "recipient" => words.say("agent-field-recipient"),
        "comment" | "comment.body" | "comment.html_body" => words.say("agent-field-comment"),
        "into" => words.say("agent-field-into"),
        "comment.uploads" | "file" => words.say("agent-field-files"),
        other => {
            let id = other.strip_prefix("field.").or_else(|| other.strip_prefix("custom_fields_")).unwrap_or(other);
            let known = known.iter().find(|known| known.field.to_string() == id);
            return known.map_or_else(|| other.to_owned(), |known| known.definition.expose().title.clone());
        }
    };
    sentence.to_string()
}
