//! Rules that a tenant makes about its tickets: views, which show some of them, macros, which change one when somebody says so, triggers,
//! which do so by themselves when somebody opens or changes one, and automations, which do so when time has gone by.
//!
//! ```text
//! nothing --make--> made --change--> … --delete--> deleted   (final)
//! ```
//!
//! A change that shares what was somebody's own, or the other way round, makes the rule anew: what is one's own can be erased with its
//! owner, and nothing that is shared depends on it.
//!
//! The log keeps a rule in the words it was sent in, and so it is shown. What the words mean is read when a rule is made, and refused
//! there, and again whenever it is used.
//!
//! Files: [`Command`] is what may be asked, `decide` who may ask it, `check` what may be said; [`Conditions`] are what a view asks of a
//! ticket (`condition` the types, `holds` whether it is so, `read` the words for it, `value` what these name), [`Watches`] what a trigger
//! asks of what happened (`cost` what that takes), [`Automation`] what is asked every hour, [`Action`] is what a macro or a trigger does, [`Column`] what a view shows, `placeholder` what a text leaves to be
//! filled in.

mod action;
mod automation;
mod check;
mod column;
mod condition;
mod cost;
mod decide;
mod holds;
mod placeholder;
mod read;
mod trigger;
mod value;

use schemas::{
    PersonId, Personal, RuleId, TenantLogEvent,
    audit::ChangeNoted,
    rule::{Audience, RuleDefinition, RuleEvent, RuleMade},
    values::{AuditAction, AuditSource, RuleKind},
};

pub use self::{
    action::{Action, Said, said},
    automation::Automation,
    check::definition as checked,
    column::Column,
    condition::{
        Asking, Compare, Condition, Conditions, Facts, FieldTest, Moment, Moments, Party, Prose, Whom, Worded,
    },
    cost::{Lowered, attempt, words_in_use},
    placeholder::fill,
    read::{Unknown, Vocabulary},
    trigger::{Audible, Changing, Happened, Trigger, Triggers, Updater, Watch, Watches, Watching},
};
use crate::{
    aggregate::{Aggregate, said as field_said},
    text::Invalid,
    ticket::By,
    ticket_field,
};

/// How many conditions, and how many actions, a rule has at most.
pub const CLAUSES_MAX: usize = 100;
/// How many words the conditions of a rule look for in texts at most, all together: each goes through a text of every ticket.
pub const WORDS_MAX: usize = 100;
/// How many triggers a tenant has at most, in use or not: one command puts all of them in order, and each takes an event of its own and
/// one of the audit log, beside the one that says where the command came from.
pub const TRIGGERS_MAX: usize = 499;
/// How many automations of a tenant are in use at most, as the reference has it.
pub const AUTOMATIONS_MAX: usize = 500;
/// How many words all triggers that are in use look for in texts at most, all together: one command may be asked for every one of them.
pub const TRIGGER_WORDS_MAX: usize = 500;
/// How many words all automations that are in use look for in texts at most, all together: each is asked of every ticket.
pub const AUTOMATION_WORDS_MAX: usize = 500;
/// How many events what triggers do takes in one command at most: an append holds 1,000, and what people did needs its part.
pub const EFFECTS_MAX: usize = 380;
/// How many bytes the conditions and actions of a trigger have at most, as the reference has it.
pub const TRIGGER_BYTES_MAX: usize = 65_535;
/// How many columns a view shows at most.
pub const COLUMNS_MAX: usize = 10;
/// How many groups share a rule at most.
pub const GROUPS_MAX: usize = 100;

/// A rule, or the id of one that nobody made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    known: Option<Known>,
    is_deleted: bool,
}

/// A rule that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Which.
    pub rule: RuleId,
    /// What it is for.
    pub kind: RuleKind,
    /// Whose it is.
    pub audience: Audience,
    /// What it says.
    pub definition: Personal<RuleDefinition>,
}

impl Rule {
    /// What is known of it, while it is there.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref().filter(|_| !self.is_deleted)
    }
}

/// What may be asked of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it.
    Make {
        /// Who asks.
        by: By,
        /// What it shall be.
        rule: Known,
        /// The fields that the tenant made: its words may be about them.
        fields: Vec<ticket_field::Known>,
    },
    /// Say something else by it, or make it somebody else's.
    Change {
        /// Who asks.
        by: By,
        /// Whose it shall be.
        audience: Audience,
        /// What it shall say.
        definition: Personal<RuleDefinition>,
        /// The fields that the tenant made.
        fields: Vec<ticket_field::Known>,
    },
    /// Delete it.
    Delete(By),
}

/// Why a rule refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// There is no such rule, or it is somebody else's own.
    #[error("there is no such rule")]
    Unknown,
    /// The id is in use.
    #[error("the rule was made already")]
    AlreadyExists,
    /// An agent asks for what others share.
    #[error("restriction: only admins make, change and delete what agents share; an agent's own names them as a User")]
    AdminsOnly,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}

/// The person whose own a rule is.
pub const fn owner(audience: &Audience) -> Option<PersonId> {
    match audience {
        Audience::Person(person) => Some(*person),
        Audience::Everybody | Audience::Groups(_) => None,
    }
}

impl Aggregate for Rule {
    type Command = Command;
    type Event = RuleEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<RuleEvent>, Rejection> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &RuleEvent) {
        match event {
            RuleEvent::RuleMade(made) => {
                let RuleMade { rule, kind, audience, definition } = made.clone();
                self.known = Some(Known { rule, kind, audience, definition });
            }
            RuleEvent::RuleChanged(changed) => {
                if let Some(known) = &mut self.known {
                    known.audience = changed.audience.clone();
                    known.definition = changed.definition.clone();
                }
            }
            RuleEvent::RuleDeleted(_) => self.is_deleted = true,
        }
    }

    /// What agents share is the admins' business; what somebody has for themselves is not.
    fn change(&self, event: &RuleEvent) -> Option<ChangeNoted> {
        let before = self.known.as_ref();
        let (action, after) = match event {
            RuleEvent::RuleMade(made) => {
                let action = if before.is_some() { AuditAction::Update } else { AuditAction::Create };
                (action, Some((made.rule, &made.audience, &made.definition)))
            }
            RuleEvent::RuleChanged(changed) => {
                let after = before.map(|known| (known.rule, &changed.audience, &changed.definition));
                (AuditAction::Update, after)
            }
            RuleEvent::RuleDeleted(_) => {
                (AuditAction::Destroy, before.map(|known| (known.rule, &known.audience, &known.definition)))
            }
        };
        let (rule, audience, definition) = after?;
        let is_own = |audience: &Audience| owner(audience).is_some();
        let stays_own = is_own(audience) && before.is_none_or(|known| is_own(&known.audience));
        // What becomes somebody's own is called here what it was called while it was shared.
        let shown = before.map(|known| &known.definition).filter(|_| is_own(audience)).unwrap_or(definition);
        let label = match event {
            // An admin may have deleted it: that is told, and not what it was called.
            RuleEvent::RuleDeleted(_) if stays_own => String::new(),
            _ if stays_own => return None,
            _ => shown.expose().title.clone(),
        };
        let changes = vec![field_said("definition")].into();
        let source = AuditSource::Rule;
        Some(ChangeNoted { action, source, source_id: rule.get(), person: None, label: label.into(), changes })
    }

    fn pick(event: TenantLogEvent) -> Option<RuleEvent> {
        match event {
            TenantLogEvent::Rule(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
