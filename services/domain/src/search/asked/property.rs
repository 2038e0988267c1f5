//! The properties that can be asked for, and the values they take.

use schemas::{
    TicketFieldId,
    values::{Channel, Priority, Role, Status, TicketType},
};

use super::{Asking, Given, Moment, Part, Place, Test, Whom, moment};
use crate::{
    rule::Worded,
    search::{
        words::Sought,
        written::{Operator, Term},
    },
};

const KNOWN: [&str; 35] = [
    "type",
    "order_by",
    "sort",
    "id",
    "ticket_id",
    "subject",
    "description",
    "comment",
    "status",
    "priority",
    "ticket_type",
    "via",
    "tags",
    "assignee",
    "requester",
    "submitter",
    "cc",
    "group",
    "organization",
    "created",
    "updated",
    "due_date",
    "solved",
    "fieldvalue",
    "external_id",
    "has_attachment",
    "role",
    "email",
    "phone",
    "name",
    "notes",
    "details",
    "created_at",
    "updated_at",
    "user",
];

/// Whether a name before an operator is a property's.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || field_of(name).is_some()
}

fn field_of(name: &str) -> Option<TicketFieldId> {
    name.strip_prefix("custom_field_")?.parse().ok().map(TicketFieldId::new)
}

/// What a term asks of a property. Refusals say what it takes.
pub(super) fn test(term: &Term, (name, operator): (&str, Operator), asking: &Asking) -> Result<Test, String> {
    let value = Value { term, text: term.value.trim().to_lowercase(), asking };
    // What has an order takes every operator.
    match name {
        "status" => return value.word(Worded::Status, operator),
        "priority" => return value.word(Worded::Priority, operator),
        "created" | "created_at" => return value.when(Moment::Created, operator),
        "updated" | "updated_at" => return value.when(Moment::Updated, operator),
        "due_date" => return value.when(Moment::Due, operator),
        "solved" => return Err("created, updated or due_date: when tickets were solved is not kept".to_owned()),
        _ if operator != Operator::Is => return Err(format!("{name}:<value>")),
        _ => {}
    }
    Ok(match name {
        "id" | "ticket_id" => Test::Number(value.number("the number of a ticket")?),
        "subject" => value.text(Place::Subject)?,
        "description" => value.text(Place::Description)?,
        "comment" => value.text(Place::Comment)?,
        "name" | "user" => value.text(Place::Name)?,
        "notes" => value.text(Place::Notes)?,
        "details" => value.text(Place::Details)?,
        "phone" => value.text(Place::Phone)?,
        "ticket_type" => value.word(Worded::Type, operator)?,
        "via" => value.channel()?,
        "tags" => value.tags(),
        "requester" => Test::Person(Part::Requester, value.whom(true)?),
        "submitter" => Test::Person(Part::Submitter, value.whom(true)?),
        "assignee" => Test::Person(Part::Assignee, value.whom(true)?),
        "cc" => Test::Person(Part::Cc, value.whom(true)?),
        "group" => Test::Group(value.whom(false)?),
        "organization" => Test::Organization(value.whom(false)?),
        "external_id" => Test::ExternalId(value.given()),
        "email" => Test::Email(value.given()),
        "role" => value.role()?,
        "has_attachment" => Test::HasAttachment(value.text.parse().map_err(|_| "true or false")?),
        "fieldvalue" => Test::Field(None, value.given()),
        name => Test::Field(Some(field_of(name).ok_or("a property")?), value.given()),
    })
}

/// The words of it, in their order.
pub(super) fn words_of(of: Worded) -> Vec<&'static str> {
    match of {
        Worded::Status => Status::ALL.iter().map(|word| word.as_str()).collect(),
        Worded::Priority => Priority::ALL.iter().map(|word| word.as_str()).collect(),
        Worded::Type => TicketType::ALL.iter().map(|word| word.as_str()).collect(),
        Worded::Channel => Channel::ALL.iter().map(|word| word.as_str()).collect(),
    }
}

struct Value<'a> {
    term: &'a Term,
    /// In small letters.
    text: String,
    asking: &'a Asking,
}

impl Value<'_> {
    fn text(&self, place: Place) -> Result<Test, String> {
        let sought = Sought::of(&self.term.value, self.term.is_quoted).ok_or("a word")?;
        Ok(Test::Text(place, sought))
    }

    fn number(&self, takes: &str) -> Result<i64, String> {
        self.text.parse().ok().filter(|number| *number > 0).ok_or_else(|| takes.to_owned())
    }

    fn word(&self, of: Worded, operator: Operator) -> Result<Test, String> {
        let words = words_of(of);
        if self.text == "none" && of != Worded::Status && operator == Operator::Is {
            return Ok(Test::NoWord(of));
        }
        let at = words.iter().position(|word| *word == self.text).ok_or_else(|| words.join(", "))?;
        let among = match operator {
            Operator::Is => &words[at..=at],
            Operator::Less => &words[..at],
            Operator::AtMost => &words[..=at],
            Operator::Greater => &words[at + 1..],
            Operator::AtLeast => &words[at..],
        };
        Ok(Test::Word(of, among.to_vec()))
    }

    fn channel(&self) -> Result<Test, String> {
        let word = if self.text == "mail" { "email" } else { &self.text };
        let word = words_of(Worded::Channel).into_iter().find(|known| *known == word);
        Ok(Test::Word(Worded::Channel, vec![word.ok_or_else(|| words_of(Worded::Channel).join(", "))?]))
    }

    fn role(&self) -> Result<Test, String> {
        let word = self.text.replace('_', "-");
        let roles = [Role::EndUser, Role::Agent, Role::Admin].map(Role::as_str);
        let role = roles.into_iter().find(|role| *role == word).ok_or_else(|| roles.join(", "))?;
        Ok(Test::Role(vec![role]))
    }

    fn tags(&self) -> Test {
        match self.text.as_str() {
            "none" => Test::Tagged(false),
            "*" => Test::Tagged(true),
            text => Test::Tags(text.split([' ', ',']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()),
        }
    }

    fn when(&self, of: Moment, operator: Operator) -> Result<Test, String> {
        let (from, to) = moment::between(&self.text, operator, self.asking.now)?;
        Ok(Test::When(of, from, to))
    }

    fn whom(&self, is_person: bool) -> Result<Whom, String> {
        Ok(match self.text.as_str() {
            "none" => Whom::Nobody,
            "*" => Whom::Anybody,
            "me" if is_person => Whom::Known(self.asking.person.get()),
            text => match text.parse() {
                Ok(id) => Whom::Known(id),
                Err(_) if is_person && text.contains('@') => Whom::Address(text.to_owned()),
                Err(_) => {
                    Whom::Named(Sought::of(text, self.term.is_quoted).ok_or("none, me, an id, an address or a name")?)
                }
            },
        })
    }

    fn given(&self) -> Given {
        match self.text.as_str() {
            "none" => Given::Nothing,
            "*" => Given::Anything,
            text => match text.strip_suffix('*') {
                Some(beginning) if !self.term.is_quoted => Given::Begins(beginning.to_owned()),
                _ => Given::Is(text.to_owned()),
            },
        }
    }
}
