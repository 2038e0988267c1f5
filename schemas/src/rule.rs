//! Events of the streams `rule-<id>`: views, macros and whatever else a tenant says once about its tickets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    events,
    ids::{GroupId, PersonId, RuleId},
    values::{RuleKind, SortOrder},
};

events! {
    /// What happens to a rule.
    pub enum RuleEvent {
        /// It was made.
        "rule_made" @ 1 => RuleMade {
            /// The rule.
            operational rule: RuleId,
            /// What it is for: that never changes.
            operational kind: RuleKind,
            /// Whose it is.
            operational audience: Audience,
            /// What it says.
            content definition: RuleDefinition,
        },
        /// It says something else, or is for others.
        "rule_changed" @ 1 => RuleChanged {
            /// Whose it is now.
            operational audience: Audience,
            /// All that it says now.
            content definition: RuleDefinition,
        },
        /// It is gone.
        "rule_deleted" @ 1 => RuleDeleted {},
    }
}

/// Whose a rule is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// All agents'.
    #[default]
    Everybody,
    /// Those agents' who belong to one of these groups, and all admins'.
    Groups(Vec<GroupId>),
    /// One agent's own.
    Person(PersonId),
}

/// What a rule says. A view has conditions and an output, a macro has actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDefinition {
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it stands among the others of its kind.
    pub position: i64,
    /// Whether it is in use.
    pub is_active: bool,
    /// Which tickets it is about.
    pub conditions: RuleConditions,
    /// What it does.
    pub actions: Vec<RuleAction>,
    /// What it shows.
    pub output: Option<Box<RuleOutput>>,
}

/// Which tickets a rule is about: those of which all of `all` hold and, if there are any, one of `any`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleConditions {
    /// All of these hold.
    pub all: Vec<RuleCondition>,
    /// One of these holds.
    pub any: Vec<RuleCondition>,
}

/// A condition, in the words it was sent in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCondition {
    /// What of a ticket it is about.
    pub field: String,
    /// How that is compared.
    pub operator: String,
    /// With what.
    pub value: RuleValue,
}

/// An action, in the words it was sent in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleAction {
    /// What of a ticket it changes.
    pub field: String,
    /// What that is then.
    pub value: RuleValue,
}

/// What a condition or an action names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Decimal(f64),
    /// A text.
    Text(String),
    /// Several texts.
    Many(Vec<String>),
    /// Nothing.
    Nothing,
}

/// What a view shows of its tickets, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleOutput {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// By what tickets stand together.
    pub group_by: Option<String>,
    /// In which order.
    pub group_order: SortOrder,
    /// By what they are sorted, within a group.
    pub sort_by: Option<String>,
    /// In which order.
    pub sort_order: SortOrder,
}
