//! What is wrong with a form: each fault at its field, and all of them in a list on top.

use domain::ticket_field::Known;

use super::terms;
use crate::{
    pages::words::Words,
    problem::{ApiError, FieldFault},
};

/// The faults of a form.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

/// One of them.
pub(super) struct Fault {
    /// The id of the input it is at, if the page has it.
    pub(super) id: String,
    /// What the field is called.
    pub(super) label: String,
    /// What it takes.
    pub(super) text: String,
}

impl Faults {
    /// Those of a refusal. One that is about no field is about the whole.
    pub(super) fn of(error: &ApiError, words: &Words, known: &[Known]) -> Self {
        let faults = error.fields();
        if faults.is_empty() {
            return Self(vec![Fault { id: "form".to_owned(), label: String::new(), text: error.sentence() }]);
        }
        Self(faults.iter().map(|fault| Self::one(fault, words, known)).collect())
    }

    fn one(fault: &FieldFault, words: &Words, known: &[Known]) -> Fault {
        // Without the field's name in front: the label says it, in the reader's language.
        let text = fault.description.split_once(": ").map_or(fault.description.as_str(), |(_, text)| text);
        let mut letters = text.chars();
        let first = letters.next().map(char::to_uppercase).into_iter().flatten();
        Fault {
            id: input(&fault.field).to_owned(),
            label: terms::field(words, &fault.field, known),
            text: first.chain(letters).collect(),
        }
    }

    /// All of them, for the list on top.
    pub(super) fn all(&self) -> &[Fault] {
        &self.0
    }

    /// What is wrong with the input that has this id.
    pub(super) fn at(&self, id: &str) -> Option<&str> {
        self.0.iter().find(|fault| fault.id == id).map(|fault| fault.text.as_str())
    }
}

/// The input that a field of the API is typed into.
fn input(field: &str) -> &str {
    match field {
        "requester_id" | "requester.email" | "requester.name" | "requester" => "requester",
        "assignee_id" => "assignee",
        "group_id" => "group",
        "email_ccs" | "email_cc_ids" => "ccs",
        "comment.body" | "comment.html_body" => "comment",
        "comment.uploads" => "file",
        other => other,
    }
}
