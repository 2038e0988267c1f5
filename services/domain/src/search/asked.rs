//! What a query asks for, typed.
//!
//! Terms about the same property with `:` are alternatives: `status:open status:new` is either. All else is asked at once. A property that
//! a kind of thing has not got, or a text that is not there, leaves the kind out.

mod moment;
mod property;

use jiff::Timestamp;
use schemas::{PersonId, TicketFieldId, values::SortOrder};

use super::{
    words::Sought,
    written::{Operator, Term, Written},
};
use crate::rule::Worded;

/// The longest query, in characters.
const LENGTH_MAX: usize = 2_000;
/// The most terms of one.
const TERMS_MAX: usize = 50;

/// The shortest beginning of an address that is worth looking for.
const ADDRESS_LENGTH_MIN: usize = 3;

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tickets.
    Ticket,
    /// People.
    User,
    /// Organizations.
    Organization,
    /// Groups of agents.
    Group,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ticket, Self::User, Self::Organization, Self::Group];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::User => "user",
            Self::Organization => "organization",
            Self::Group => "group",
        }
    }

    /// What the word means.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where a text is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever there is text.
    Anywhere,
    /// In subjects.
    Subject,
    /// In first comments.
    Description,
    /// In comments.
    Comment,
    /// In names.
    Name,
    /// In notes.
    Notes,
    /// In details.
    Details,
    /// In telephone numbers.
    Phone,
}

impl Place {
    /// The parts of the index that it is about; all, if it names none.
    pub const fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Anywhere => &[],
            Self::Subject => &["subject"],
            Self::Description => &["description"],
            Self::Comment => &["description", "comment"],
            Self::Name => &["name"],
            Self::Notes => &["notes"],
            Self::Details => &["details"],
            Self::Phone => &["phone"],
        }
    }
}

/// What part somebody has in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// They want something.
    Requester,
    /// They typed it in.
    Submitter,
    /// They work on it.
    Assignee,
    /// They get copies of its mails.
    Cc,
}

/// Somebody, some group or some organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Nobody.
    Nobody,
    /// Anybody.
    Anybody,
    /// The one with this id.
    Known(i64),
    /// Whoever has this address, in small letters.
    Address(String),
    /// Those whose names hold this.
    Named(Sought),
}

/// A value that may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// There is none.
    Nothing,
    /// There is one.
    Anything,
    /// It is this one, in small letters.
    Is(String),
    /// It begins so, in small letters.
    Begins(String),
}

/// A moment in the life of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When it was made.
    Created,
    /// When it last changed.
    Updated,
    /// When it is to be done.
    Due,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It holds a text.
    Text(Place, Sought),
    /// It is the ticket of this number.
    Number(i64),
    /// A ticket's status, priority, type or channel is among these.
    Word(Worded, Vec<&'static str>),
    /// A ticket has no priority, or no type.
    NoWord(Worded),
    /// Somebody has a part in a ticket.
    Person(Part, Whom),
    /// A ticket's group; the groups of an agent.
    Group(Whom),
    /// The organizations of a person, or of whoever requested a ticket.
    Organization(Whom),
    /// It has all of these tags.
    Tags(Vec<String>),
    /// It has a tag, or none.
    Tagged(bool),
    /// From a moment on, and before another.
    When(Moment, Option<Timestamp>, Option<Timestamp>),
    /// A field of tickets that the tenant made; without an id, any of them.
    Field(Option<TicketFieldId>, Given),
    /// The id elsewhere.
    ExternalId(Given),
    /// Whether a comment brought a file along.
    HasAttachment(bool),
    /// A person's role is among these.
    Role(Vec<&'static str>),
    /// A person's addresses.
    Email(Given),
    /// A person's address begins so, or what stands behind its `@`. In small letters.
    Address(String),
}

impl Test {
    /// Whether a kind of thing has what is asked for.
    pub const fn is_about(&self, kind: Kind) -> bool {
        match self {
            Self::Text(Place::Anywhere, _) | Self::When(Moment::Created | Moment::Updated, ..) => true,
            Self::Text(Place::Name, _) => !matches!(kind, Kind::Ticket),
            Self::Text(Place::Notes | Place::Details, _) => matches!(kind, Kind::User | Kind::Organization),
            Self::Text(Place::Phone, _) | Self::Role(_) | Self::Email(_) | Self::Address(_) => {
                matches!(kind, Kind::User)
            }
            Self::Group(_) | Self::Organization(_) => matches!(kind, Kind::Ticket | Kind::User),
            Self::Tags(_) | Self::Tagged(_) | Self::ExternalId(_) => !matches!(kind, Kind::Group),
            Self::Text(Place::Subject | Place::Description | Place::Comment, _)
            | Self::Number(_)
            | Self::Word(..)
            | Self::NoWord(_)
            | Self::Person(..)
            | Self::When(Moment::Due, ..)
            | Self::Field(..)
            | Self::HasAttachment(_) => matches!(kind, Kind::Ticket),
        }
    }
}

/// Alternatives, of which one holds, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The alternatives.
    pub any_of: Vec<Test>,
    /// Whether one is to hold.
    pub is: bool,
}

/// By what results are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// How well they fit.
    Relevance,
    /// When they were made.
    Created,
    /// When they last changed.
    Updated,
    /// How urgent tickets are.
    Priority,
    /// Where tickets are in their life.
    Status,
    /// What kind tickets are.
    Type,
}

impl OrderBy {
    /// What a word of `sort_by`, or of `order_by:`, means.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "relevance" => Self::Relevance,
            "created_at" | "created" => Self::Created,
            "updated_at" | "updated" => Self::Updated,
            "priority" => Self::Priority,
            "status" => Self::Status,
            "ticket_type" => Self::Type,
            _ => return None,
        })
    }
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Who: `me`.
    pub person: PersonId,
    /// What relative times are relative to.
    pub now: Timestamp,
}

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is found. As far as `clauses` are about it, see [`Asked::finds`].
    pub kinds: Vec<Kind>,
    /// Whether the query names kinds.
    pub names_kinds: bool,
    /// All of these hold.
    pub clauses: Vec<Clause>,
    /// By what results are sorted, if the query says so.
    pub order_by: Option<OrderBy>,
    /// In which direction, if the query says so.
    pub sort_order: Option<SortOrder>,
}

/// A term that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{takes}, not {term}")]
pub struct Refused {
    /// The term, as it was written.
    pub term: String,
    /// What it could be.
    pub takes: String,
}

impl Asked {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// Names the first term whose property does not take its value.
    pub fn read(query: &str, asking: &Asking) -> Result<Self, Refused> {
        let written = Written::read(query, property::is_known);
        let is_short = query.chars().count() <= LENGTH_MAX && written.0.len() <= TERMS_MAX;
        if !is_short {
            let takes = format!("at most {TERMS_MAX} terms and {LENGTH_MAX} characters");
            return Err(Refused { term: "this many".to_owned(), takes });
        }
        let mut asked =
            Self { kinds: Vec::new(), names_kinds: false, clauses: Vec::new(), order_by: None, sort_order: None };
        let mut reading = Reading::default();
        for term in &written.0 {
            asked.take(term, asking, &mut reading).map_err(|takes| Refused { term: term.to_string(), takes })?;
        }
        let Reading { named, excluded, .. } = reading;
        asked.names_kinds = !(named.is_empty() && excluded.is_empty());
        let is_meant = |kind: &Kind| (named.is_empty() || named.contains(kind)) && !excluded.contains(kind);
        asked.kinds = Kind::ALL.into_iter().filter(is_meant).collect();
        Ok(asked)
    }

    /// The kinds that are found: those that are named and have what is asked for.
    pub fn finds(&self, kind: Kind) -> bool {
        let has = |clause: &Clause| clause.any_of.iter().any(|test| test.is_about(kind));
        self.kinds.contains(&kind) && self.clauses.iter().all(has)
    }

    /// The texts that are sought anywhere: results fit the better, the more they are about them.
    pub fn texts(&self) -> impl Iterator<Item = &Sought> {
        let tests = self.clauses.iter().filter(|clause| clause.is).flat_map(|clause| &clause.any_of);
        tests.filter_map(|test| match test {
            Test::Text(_, sought) => Some(sought),
            _ => None,
        })
    }

    fn take(&mut self, term: &Term, asking: &Asking, reading: &mut Reading) -> Result<(), String> {
        let Some((name, operator)) = &term.property else {
            self.add(anywhere(term), (!term.is_negated, None), reading);
            return Ok(());
        };
        let value = term.value.to_lowercase();
        match name.as_str() {
            "type" => self.narrow(&value, term.is_negated, reading)?,
            "order_by" => {
                let takes = "relevance, created, updated, priority, status or ticket_type";
                self.order_by = Some(OrderBy::of(&value).ok_or(takes)?);
            }
            "sort" => self.sort_order = Some(value.parse().map_err(|_| "asc or desc".to_owned())?),
            _ => {
                let test = property::test(term, (name, *operator), asking)?;
                // Alternatives are said with `:` only; bounds are held together.
                let same = (*operator == Operator::Is && !term.is_negated).then(|| name.clone());
                self.add(vec![test], (!term.is_negated, same), reading);
            }
        }
        Ok(())
    }

    fn add(&mut self, any_of: Vec<Test>, (is, same): (bool, Option<String>), reading: &mut Reading) {
        if any_of.is_empty() {
            return;
        }
        let known = reading.properties.iter().position(|property| same.is_some() && *property == same);
        if let Some(at) = known {
            self.clauses[at].any_of.extend(any_of);
        } else {
            self.clauses.push(Clause { any_of, is });
            reading.properties.push(same);
        }
    }

    fn narrow(&mut self, word: &str, is_negated: bool, reading: &mut Reading) -> Result<(), String> {
        if let Some(kind) = Kind::of(word) {
            if is_negated { &mut reading.excluded } else { &mut reading.named }.push(kind);
            return Ok(());
        }
        let word = property::words_of(Worded::Type).into_iter().find(|known| *known == word);
        let word = word.ok_or("ticket, user, organization or group")?;
        let same = (!is_negated).then(|| "type".to_owned());
        self.add(vec![Test::Word(Worded::Type, vec![word])], (!is_negated, same), reading);
        Ok(())
    }
}

/// What is known of the terms that were read.
#[derive(Default)]
struct Reading {
    /// The property of each clause that takes alternatives.
    properties: Vec<Option<String>>,
    /// The kinds that `type:` names: one of them is found, of all if there are none.
    named: Vec<Kind>,
    /// The kinds that `-type:` names: none of them is found.
    excluded: Vec<Kind>,
}

/// A text; it may begin somebody's address, and a number may be a ticket's.
fn anywhere(term: &Term) -> Vec<Test> {
    let text = Sought::of(&term.value, term.is_quoted).map(|sought| Test::Text(Place::Anywhere, sought));
    let number = term.value.trim_start_matches('#').parse().ok().filter(|number| *number > 0 && !term.is_quoted);
    let address = text.is_some().then(|| term.value.to_lowercase());
    let address =
        address.filter(|address| !address.contains(char::is_whitespace) && address.len() >= ADDRESS_LENGTH_MIN);
    text.into_iter().chain(number.map(Test::Number)).chain(address.map(Test::Address)).collect()
}

#[cfg(test)]
mod tests;
