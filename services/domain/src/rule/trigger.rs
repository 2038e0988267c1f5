//! Triggers: what changes a ticket by itself, when somebody opens or changes one.
//!
//! A view asks what a ticket is; a trigger asks also what has just happened to it: what somebody did, what they said, and what the
//! ticket was before. The words for that are read in `read::trigger`, the meaning is here; what a trigger does is the business of the
//! rules of tickets.

use std::{cell::OnceCell, collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use schemas::{
    Personal, RuleId, TicketFieldId,
    rule::{RuleConditions, RuleDefinition},
    ticket_field::FieldDefinition,
    values::{Channel, FieldKind, Role},
};

use super::{Action, Asking, Condition, EFFECTS_MAX, Facts, Lowered, Unknown, Vocabulary, check::count, read};
use crate::{text::Invalid, ticket::By, ticket_field::Known};

/// A trigger that is in use, as a command on a ticket carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Which.
    pub rule: RuleId,
    /// Since when it says this.
    pub said_at: Timestamp,
    /// What it is called.
    pub title: Personal<String>,
    /// When it does something.
    pub watches: Watches,
    /// What it does.
    pub actions: Vec<Action>,
}

/// All that are in use, in their order, and the fields that they fill in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triggers {
    /// The triggers.
    pub(crate) all: Vec<Trigger>,
    /// What the fields take.
    pub(crate) fields: Arc<[Known]>,
}

/// Triggers that look at a command, and how many events what they do may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    /// The triggers.
    pub triggers: Arc<Triggers>,
    /// The events.
    pub room: usize,
}

impl From<Triggers> for Watching {
    fn from(triggers: Triggers) -> Self {
        Arc::new(triggers).into()
    }
}

impl From<Arc<Triggers>> for Watching {
    /// With all the room that there is for one command.
    fn from(triggers: Arc<Triggers>) -> Self {
        Self { triggers, room: EFFECTS_MAX }
    }
}

impl Triggers {
    /// These, with those of the tenant's fields that they fill in. What must be filled in is for people to fill in.
    pub fn new(all: Vec<Trigger>, mut fields: Vec<Known>) -> Self {
        let named = |action: &Action| if let Action::Field(field, _) = action { Some(*field) } else { None };
        let named: BTreeSet<TicketFieldId> =
            all.iter().flat_map(|trigger| &trigger.actions).filter_map(named).collect();
        fields.retain(|known| named.contains(&known.field));
        for known in &mut fields {
            let definition = known.definition.expose().clone();
            known.definition = FieldDefinition { is_required: false, ..definition }.into();
        }
        Self { all, fields: fields.into() }
    }
}

impl Trigger {
    /// Reads what a trigger says. What is about something that is gone asks of nothing, and does nothing.
    ///
    /// # Errors
    ///
    /// If there is more of it than a rule has.
    pub fn read(
        (rule, said_at): (RuleId, Timestamp),
        definition: &RuleDefinition,
        fields: &[Known],
    ) -> Result<Self, Invalid> {
        let vocabulary = Vocabulary { fields, unknown: Unknown::Empty };
        Ok(Self {
            rule,
            said_at,
            title: definition.title.clone().into(),
            watches: Watches::read(&definition.conditions, vocabulary)?,
            actions: Action::read_all(&definition.actions, vocabulary)?,
        })
    }
}

/// When a trigger does something: when all of `all` hold and, if there are any, one of `any`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watches {
    /// All of these hold.
    pub all: Vec<Watch>,
    /// One of these holds.
    pub any: Vec<Watch>,
}

/// What a trigger asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Watch {
    /// Of the ticket as it is now.
    Ticket(Condition),
    /// Whether the ticket is so now and was not before.
    Became(Condition, bool),
    /// Whether the ticket was so before and is not now.
    Ceased(Condition, bool),
    /// Whether something is another now than before.
    Changed(Changing, bool),
    /// Whether the ticket was opened just now.
    Opened(bool),
    /// Whether somebody said something like this.
    Spoken(Audible, bool),
    /// Whether somebody said one of these pieces of text, in whatever case. Whoever said nothing said none.
    Words(Vec<String>, bool),
    /// Whether what happened came in by one of these.
    Channel(Vec<&'static str>),
    /// Whether it was them.
    Updater(Updater, bool),
    /// Never: it says something that nobody understands any more.
    Never,
}

/// What may be another than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changing {
    /// Where a ticket is in its life.
    Status,
    /// How urgent it is.
    Priority,
    /// What kind it is.
    Type,
    /// Which group works on it.
    Group,
    /// Who works on it.
    Assignee,
    /// Who wants something.
    Requester,
    /// What a field holds that the tenant made.
    Field(TicketFieldId),
}

/// Who hears what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audible {
    /// Everybody.
    ToAll,
    /// Agents.
    ToAgents,
    /// Whoever.
    ToWhomever,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updater {
    /// An end user.
    EndUser,
    /// An agent or an admin.
    Agent,
    /// The ticket's requester.
    Requester,
    /// The ticket's assignee.
    Assignee,
    /// Whoever has this id.
    Known(i64),
}

/// What somebody did to a ticket in one command.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'a> {
    /// The ticket before; nothing, if it was opened.
    pub before: Option<Facts<'a>>,
    /// The ticket now, with what triggers did since.
    pub now: Facts<'a>,
    /// Who did it.
    pub by: By,
    /// What they said, and whether everybody may read it.
    pub said: Option<(&'a str, bool)>,
    /// Where it came in.
    pub channel: Channel,
    /// What of the texts was looked into already.
    pub lowered: &'a Lowered,
}

impl Watches {
    /// Reads the words of a trigger. Where the vocabulary says so, what is about something that is gone asks of nothing.
    ///
    /// # Errors
    ///
    /// Says which field takes what, of the first condition that says something else.
    pub fn read(sent: &RuleConditions, vocabulary: Vocabulary<'_>) -> Result<Self, Invalid> {
        count("conditions", sent.all.len() + sent.any.len())?;
        let read =
            |sent: &[_]| sent.iter().map(|sent| read::trigger::watch(sent, vocabulary)).collect::<Result<_, _>>();
        Ok(Self { all: read(&sent.all)?, any: read(&sent.any)? })
    }

    /// Whether what happened is what the trigger waits for. What is in `found` already is not looked for again.
    pub fn hold(&self, happened: &Happened<'_>, found: &[OnceCell<bool>]) -> bool {
        let asking =
            Asking { person: happened.by.person, groups: Vec::new(), now: happened.now.updated_at, is_past: false };
        let holds = |(watch, found): (&Watch, &OnceCell<bool>)| match watch.is_of_lasting_text() {
            true => *found.get_or_init(|| watch.holds(happened, &asking)),
            false => watch.holds(happened, &asking),
        };
        let (of_all, of_any) = found.split_at(self.all.len());
        let is_any = || self.any.iter().zip(of_any).any(holds);
        self.all.iter().zip(of_all).all(holds) && (self.any.is_empty() || is_any())
    }
}

impl Watch {
    fn holds(&self, happened: &Happened<'_>, asking: &Asking) -> bool {
        let is_now = |condition: &Condition| condition.holds(&happened.now, asking);
        let was = |condition: &Condition| happened.before.is_some_and(|before| condition.holds(&before, asking));
        let has_one = |text: &str, any_of: &[String]| any_of.iter().any(|piece| text.contains(piece));
        match self {
            Self::Ticket(Condition::Text { of, any_of, has }) => {
                has_one(happened.lowered.prose(*of, happened), any_of) == *has
            }
            Self::Ticket(condition) => is_now(condition),
            Self::Became(condition, so) => (is_now(condition) && !was(condition)) == *so,
            Self::Ceased(condition, so) => (was(condition) && !is_now(condition)) == *so,
            Self::Changed(of, so) => of.differs(happened) == *so,
            Self::Opened(so) => happened.before.is_none() == *so,
            Self::Spoken(audible, so) => happened.said.is_some_and(|(_, is_public)| audible.is(is_public)) == *so,
            Self::Words(any_of, so) => has_one(happened.lowered.said(happened), any_of) == *so,
            Self::Channel(among) => among.contains(&happened.channel.as_str()),
            Self::Updater(updater, so) => updater.is(happened) == *so,
            Self::Never => false,
        }
    }
}

impl Changing {
    /// Whether it is another now. Before a ticket was opened it was nothing.
    fn differs(self, happened: &Happened<'_>) -> bool {
        let (before, now) = (happened.before.as_ref(), &happened.now);
        match self {
            Self::Status => before.map(|before| before.status) != Some(now.status),
            Self::Priority => before.and_then(|before| before.priority) != now.priority,
            Self::Type => before.and_then(|before| before.ticket_type) != now.ticket_type,
            Self::Group => before.and_then(|before| before.group) != now.group,
            Self::Assignee => before.and_then(|before| before.assignee) != now.assignee,
            Self::Requester => before.map(|before| before.requester) != Some(now.requester),
            Self::Field(field) => before.and_then(|before| before.fields.get(&field)) != now.fields.get(&field),
        }
    }

    /// Whether a field of this kind can be asked whether it changed to or from a value.
    pub(super) const fn has_one_value(kind: FieldKind) -> bool {
        !matches!(kind, FieldKind::Multiselect)
    }
}

impl Audible {
    const fn is(self, is_public: bool) -> bool {
        match self {
            Self::ToAll => is_public,
            Self::ToAgents => !is_public,
            Self::ToWhomever => true,
        }
    }
}

impl Updater {
    fn is(self, Happened { by, now, .. }: &Happened<'_>) -> bool {
        match self {
            Self::EndUser => by.role == Role::EndUser,
            Self::Agent => by.is_agent(),
            Self::Requester => by.person == now.requester,
            Self::Assignee => Some(by.person) == now.assignee,
            Self::Known(id) => by.person.get() == id,
        }
    }
}
