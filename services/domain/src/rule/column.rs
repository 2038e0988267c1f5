//! What a view shows of a ticket, and by what it sorts them.

use schemas::TicketFieldId;

use super::{Unknown, Vocabulary};
use crate::text::Invalid;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The ticket's number.
    Number,
    /// What it is about.
    Subject,
    /// Where it is in its life.
    Status,
    /// How urgent.
    Priority,
    /// What kind.
    Type,
    /// Who wants something.
    Requester,
    /// Who typed it in.
    Submitter,
    /// Who works on it.
    Assignee,
    /// Which group does.
    Group,
    /// When it was opened.
    Created,
    /// When it last changed.
    Updated,
    /// When it is to be done.
    Due,
    /// What a field holds that the tenant made.
    Field(TicketFieldId),
}

impl Column {
    /// Those that every tenant has, with the word and the title of each.
    pub const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Number, "nice_id", "ID"),
        (Self::Subject, "subject", "Subject"),
        (Self::Status, "status", "Status"),
        (Self::Priority, "priority", "Priority"),
        (Self::Type, "type", "Type"),
        (Self::Requester, "requester", "Requester"),
        (Self::Submitter, "submitter", "Submitter"),
        (Self::Assignee, "assignee", "Assignee"),
        (Self::Group, "group", "Group"),
        (Self::Created, "created", "Requested"),
        (Self::Updated, "updated", "Updated"),
        (Self::Due, "due_date", "Due date"),
    ];

    /// Those of a view that names none.
    pub const DEFAULT: [&'static str; 6] = ["subject", "requester", "created", "updated", "group", "assignee"];

    /// Reads a word; other words for the same are taken, too, as clients send them.
    pub fn read(name: &'static str, word: &str, vocabulary: Vocabulary<'_>) -> Result<Self, Invalid> {
        let plain = match word {
            "id" | "ticket_id" => "nice_id",
            "created_at" => "created",
            "updated_at" => "updated",
            "due_at" => "due_date",
            "ticket_type" => "type",
            "description" => "subject",
            other => other.strip_suffix("_id").filter(|_| other != "nice_id").unwrap_or(other),
        };
        if let Some((column, ..)) = Self::ALL.iter().find(|(_, known, _)| *known == plain) {
            return Ok(*column);
        }
        let id = word.strip_prefix("custom_fields_").unwrap_or(word);
        let field = id.parse().ok().map(TicketFieldId::new);
        let is_known =
            |field: &TicketFieldId| vocabulary.unknown == Unknown::Empty || vocabulary.field(*field).is_some();
        field.filter(is_known).map(Self::Field).ok_or_else(|| {
            let takes = Self::ALL.map(|(_, word, _)| word).join(", ");
            Invalid::new(name, format!("{takes}, or the id of a ticket field"))
        })
    }

    /// Its word.
    pub fn word(self) -> String {
        match self {
            Self::Field(field) => field.to_string(),
            _ => self.named().0.to_owned(),
        }
    }

    /// What people read above it. A field's title is the tenant's.
    pub fn title(self) -> &'static str {
        self.named().1
    }

    /// Whether tickets are sorted by it.
    pub const fn is_sortable(self) -> bool {
        !matches!(self, Self::Field(_))
    }

    /// Those that tickets are sorted by, for refusals.
    pub fn sortable() -> String {
        Self::ALL.map(|(_, word, _)| word).join(", ")
    }

    fn named(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(column, ..)| *column == self);
        found.map_or(("", ""), |(_, word, title)| (word, title))
    }
}
