//! Events of the streams `ticket-field-<id>`: what a tenant asks of its tickets besides what every ticket has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{events, ids::TicketFieldId, values::FieldKind};

events! {
    /// What happens to a field that a tenant made for its tickets.
    pub enum TicketFieldEvent {
        /// It was made.
        "ticket_field_made" @ 1 => TicketFieldMade {
            /// The field.
            operational field: TicketFieldId,
            /// What its values are: that never changes.
            operational kind: FieldKind,
            /// What else is said of it.
            content definition: FieldDefinition,
        },
        /// Something else is said of it.
        "ticket_field_changed" @ 1 => TicketFieldChanged {
            /// All that is said of it now.
            content definition: FieldDefinition,
        },
        /// It is gone; values of it stay in the histories of tickets.
        "ticket_field_deleted" @ 1 => TicketFieldDeleted {},
    }
}

/// What is said of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldDefinition {
    /// What it is called.
    pub title: String,
    /// What end users read as its name.
    pub title_in_portal: String,
    /// What it is for.
    pub description: String,
    /// The same, for agents only.
    pub agent_description: Option<String>,
    /// Where it stands among the others.
    pub position: i64,
    /// Whether tickets take values of it.
    pub is_active: bool,
    /// Whether agents fill it in before they solve a ticket.
    pub is_required: bool,
    /// Whether end users fill it in when they open a ticket.
    pub is_required_in_portal: bool,
    /// Whether end users see it.
    pub is_visible_in_portal: bool,
    /// Whether end users fill it in.
    pub is_editable_in_portal: bool,
    /// Whether it is folded away where agents work.
    pub is_collapsed_for_agents: bool,
    /// What a value matches, for one of the kind that has an expression.
    pub regexp: Option<String>,
    /// The tag of a ticket where it is checked.
    pub tag: Option<String>,
    /// What there is to choose from.
    pub options: Vec<FieldOption>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldOption {
    /// Its id.
    pub id: i64,
    /// What people read.
    pub name: String,
    /// What the field holds: a tag of the ticket, too.
    pub value: String,
}

/// What a field holds on a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// Checked or not.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Decimal(f64),
    /// Several of what there is to choose from.
    Many(Vec<String>),
    /// Anything else: a text, a day as `2026-11-22`, one of what there is to choose from.
    Text(String),
}

/// A field of a ticket, with what it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldSet {
    /// The field.
    pub field: TicketFieldId,
    /// What it holds now, if anything.
    pub value: Option<FieldValue>,
}
