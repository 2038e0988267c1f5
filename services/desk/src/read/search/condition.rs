//! What is asked of one kind of thing, as a condition of a statement. Each is true or is not: never unknown where `not` stands before it.

use domain::{
    rule::Worded,
    search::{
        Kind, Sought, Test, Whom,
        asked::{Given, Moment, Part, Place},
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{TenantId, TicketFieldId};

use super::{Query, groups, memberships::Kind as To, table, texts};

pub(super) struct Condition<'a> {
    pub(super) kind: Kind,
    pub(super) tenant: TenantId,
    pub(super) groups: &'a [groups::Names],
}

/// When it last changed.
pub(super) const fn updated(kind: Kind) -> &'static str {
    match kind {
        Kind::Ticket => "ticket_list.updated_at",
        Kind::User => "person.updated_at",
        Kind::Organization => "organization.updated_at",
        Kind::Group => "coalesce(agent_group.changed_at, agent_group.created_at)",
    }
}

impl Condition<'_> {
    /// A test, of a kind that has what it asks for.
    pub(super) fn push(&self, query: &mut Query, test: &Test) {
        let (table, key) = table(self.kind);
        match test {
            Test::Text(place, sought) => self.text(query, *place, sought),
            Test::Number(number) => {
                query.push(format_args!("{table}.{key} = ")).push_bind(*number);
            }
            Test::Word(of, among) => {
                let among: Vec<String> = among.iter().map(|&word| word.to_owned()).collect();
                query
                    .push(format_args!("coalesce(ticket_list.{} = any(", worded(*of)))
                    .push_bind(among)
                    .push("), false)");
            }
            Test::NoWord(of) => drop(query.push(format_args!("ticket_list.{} is null", worded(*of)))),
            Test::Person(part, whom) => self.person(query, *part, whom),
            Test::Group(whom) if self.kind == Kind::Ticket => self.group(query, whom),
            Test::Group(whom) => self.member(query, (To::Group, "person.person_id"), whom),
            Test::Organization(whom) => {
                let person = if self.kind == Kind::Ticket { "ticket_list.requester_id" } else { "person.person_id" };
                self.member(query, (To::Organization, person), whom);
            }
            Test::Tags(tags) => drop(query.push(format_args!("{table}.tags @> ")).push_bind(tags.clone())),
            Test::Tagged(has) => drop(query.push(format_args!("({table}.tags <> '{{}}') = {has}"))),
            Test::When(moment, from, to) => self.when(query, *moment, (*from, *to)),
            Test::Field(field, given) => self.field(query, *field, given),
            Test::ExternalId(asked) => {
                let id = match self.kind {
                    Kind::Ticket => "ticket_list.external_id".to_owned(),
                    _ => format!("{table}.details ->> 'external_id'"),
                };
                query.push("coalesce(");
                given(query, &id, asked);
                query.push(", false)");
            }
            Test::HasAttachment(has) => {
                query.push(if *has { "exists " } else { "not exists " });
                query.push("(select from comment where comment.tenant_id = ").push_bind(self.tenant.get());
                query.push(" and comment.ticket_id = ticket_list.ticket_id and comment.attachment_ids <> '{}')");
            }
            Test::Role(among) => {
                let among: Vec<String> = among.iter().map(|&word| word.to_owned()).collect();
                query.push("person.role = any(").push_bind(among).push(")");
            }
            Test::Email(asked) => {
                query.push(if *asked == Given::Nothing { "not exists " } else { "exists " });
                self.addresses(query);
                if !matches!(asked, Given::Nothing | Given::Anything) {
                    query.push(" and ");
                    given(query, "identity.value", asked);
                }
                query.push(")");
            }
            Test::Address(beginning) => {
                query.push("exists ");
                self.addresses(query);
                let pattern = super::super::organizations::beginning_with(beginning);
                query.push(" and (identity.value like ").push_bind(pattern.clone());
                query.push(" or identity.value like ").push_bind(format!("%@{pattern}")).push("))");
            }
        }
    }

    /// The addresses of a person: a select that is not closed.
    fn addresses(&self, query: &mut Query) {
        query.push("(select from identity where identity.tenant_id = ").push_bind(self.tenant.get());
        query.push(" and identity.person_id = person.person_id and identity.kind = 'email'");
    }

    fn text(&self, query: &mut Query, place: Place, sought: &Sought) {
        let (table, key) = table(self.kind);
        if self.kind == Kind::Group {
            let found = self
                .groups
                .iter()
                .filter(|names| names.has(sought) || (place == Place::Anywhere && names.is_described_with(sought)));
            let ids: Vec<i64> = found.map(|names| names.group_id).collect();
            query.push(format_args!("{table}.{key} = any(")).push_bind(ids).push(")");
            return;
        }
        query.push(format_args!("{table}.{key} in "));
        self.things(query, (self.kind, place.parts()), sought);
    }

    /// The things of a kind that hold a text.
    fn things(&self, query: &mut Query, (kind, parts): (Kind, &[&'static str]), sought: &Sought) {
        query.push("(select thing_id from texts_with(").push_bind(kind.as_str()).push(", ");
        query.push_bind(texts::query(self.tenant, sought)).push("::tsquery)");
        if !parts.is_empty() {
            let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            query.push(" where part = any(").push_bind(parts).push(")");
        }
        query.push(")");
    }

    fn person(&self, query: &mut Query, part: Part, whom: &Whom) {
        let column = match part {
            Part::Requester => "ticket_list.requester_id",
            Part::Submitter => "ticket_list.submitter_id",
            Part::Assignee => "ticket_list.assignee_id",
            Part::Cc => return self.copied(query, whom),
        };
        match whom {
            Whom::Nobody => drop(query.push(format_args!("{column} is null"))),
            Whom::Anybody => drop(query.push(format_args!("{column} is not null"))),
            Whom::Known(id) => drop(query.push(format_args!("coalesce({column} = ")).push_bind(*id).push(", false)")),
            Whom::Address(_) | Whom::Named(_) => {
                query.push(format_args!("coalesce({column} in "));
                self.people(query, whom);
                query.push(", false)");
            }
        }
    }

    /// Who gets copies.
    fn copied(&self, query: &mut Query, whom: &Whom) {
        match whom {
            Whom::Nobody => drop(query.push("ticket_list.email_cc_ids = '{}'")),
            Whom::Anybody => drop(query.push("ticket_list.email_cc_ids <> '{}'")),
            Whom::Known(id) => drop(query.push_bind(*id).push(" = any(ticket_list.email_cc_ids)")),
            Whom::Address(_) | Whom::Named(_) => {
                query.push("ticket_list.email_cc_ids && array");
                self.people(query, whom);
            }
        }
    }

    /// The people with an address or a name.
    fn people(&self, query: &mut Query, whom: &Whom) {
        match whom {
            Whom::Named(sought) => self.things(query, (Kind::User, Place::Name.parts()), sought),
            Whom::Address(address) => {
                query.push("(select identity.person_id from identity where identity.tenant_id = ");
                query.push_bind(self.tenant.get()).push(" and identity.kind = 'email' and identity.value = ");
                query.push_bind(address.clone()).push(")");
            }
            Whom::Nobody | Whom::Anybody | Whom::Known(_) => drop(query.push("(select null::bigint)")),
        }
    }

    /// The group of a ticket.
    fn group(&self, query: &mut Query, whom: &Whom) {
        match whom {
            Whom::Nobody => drop(query.push("ticket_list.group_id is null")),
            Whom::Anybody => drop(query.push("ticket_list.group_id is not null")),
            Whom::Known(_) | Whom::Address(_) | Whom::Named(_) => {
                query.push("coalesce(ticket_list.group_id = any(").push_bind(self.groups_of(whom)).push("), false)");
            }
        }
    }

    /// The groups of an id or a name.
    fn groups_of(&self, whom: &Whom) -> Vec<i64> {
        match whom {
            Whom::Known(id) => vec![*id],
            Whom::Named(sought) => {
                self.groups.iter().filter(|names| names.has(sought)).map(|names| names.group_id).collect()
            }
            Whom::Nobody | Whom::Anybody | Whom::Address(_) => Vec::new(),
        }
    }

    /// The groups or organizations that a person belongs to.
    fn member(&self, query: &mut Query, (to, person): (To, &'static str), whom: &Whom) {
        let column = to.column();
        query.push(if *whom == Whom::Nobody { "not exists " } else { "exists " });
        query.push("(select from membership where membership.tenant_id = ").push_bind(self.tenant.get());
        query.push(format_args!(" and membership.person_id = {person}"));
        to.that_is_there(query);
        match whom {
            Whom::Nobody | Whom::Anybody => {}
            Whom::Named(sought) if to == To::Organization => {
                query.push(format_args!(" and membership.{column} in "));
                self.things(query, (Kind::Organization, Place::Name.parts()), sought);
            }
            Whom::Known(id) => drop(query.push(format_args!(" and membership.{column} = ")).push_bind(*id)),
            Whom::Named(_) | Whom::Address(_) => {
                query.push(format_args!(" and membership.{column} = any(")).push_bind(self.groups_of(whom)).push(")");
            }
        }
        query.push(")");
    }

    fn when(&self, query: &mut Query, moment: Moment, (from, to): (Option<Timestamp>, Option<Timestamp>)) {
        let column = match moment {
            Moment::Created => format!("{}.created_at", table(self.kind).0),
            Moment::Updated => updated(self.kind).to_owned(),
            Moment::Due => "ticket_list.due_at".to_owned(),
        };
        query.push(format_args!("({column} is not null"));
        if let Some(from) = from {
            query.push(format_args!(" and {column} >= ")).push_bind(from.to_sqlx());
        }
        if let Some(to) = to {
            query.push(format_args!(" and {column} < ")).push_bind(to.to_sqlx());
        }
        query.push(")");
    }

    /// What fields hold that the tenant made; each of several is held.
    fn field(&self, query: &mut Query, field: Option<TicketFieldId>, asked: &Given) {
        query.push(if *asked == Given::Nothing { "not exists " } else { "exists " });
        query.push(
            "(select from jsonb_each(ticket_list.custom_fields) as field, jsonb_array_elements_text(\
             case jsonb_typeof(field.value) when 'array' then field.value else jsonb_build_array(field.value) end) as held \
             where true",
        );
        if let Some(field) = field {
            query.push(" and field.key = ").push_bind(field.to_string());
        }
        if !matches!(asked, Given::Nothing | Given::Anything) {
            query.push(" and ");
            given(query, "held", asked);
        }
        query.push(")");
    }
}

const fn worded(of: Worded) -> &'static str {
    match of {
        Worded::Status => "status",
        Worded::Priority => "priority",
        Worded::Type => "ticket_type",
        Worded::Channel => "channel",
    }
}

/// A text, in small letters; the collation is named, since they are the same in every database then.
fn given(query: &mut Query, text: &str, given: &Given) {
    match given {
        Given::Nothing => drop(query.push(format_args!("({text}) is null"))),
        Given::Anything => drop(query.push(format_args!("({text}) is not null"))),
        Given::Is(value) => {
            query.push(format_args!("lower(({text}) collate \"und-x-icu\") = ")).push_bind(value.clone());
        }
        Given::Begins(value) => {
            query.push(format_args!("starts_with(lower(({text}) collate \"und-x-icu\"), ")).push_bind(value.clone());
            query.push(")");
        }
    }
}
