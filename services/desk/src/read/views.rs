//! The tickets of a view: its conditions as a query over `ticket_list`.
//!
//! Each condition becomes a condition of the statement, with its values bound; nothing that anybody sent is part of its text. It says of
//! every ticket what [`domain::rule::Condition::holds`] says of one.

use std::ops::Bound;

use domain::rule::{Asking, Column, Compare, Condition, Conditions, FieldTest, Moment, Party, Prose, Whom, Worded};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{
    GroupId, TicketFieldId,
    values::{Priority, SortOrder, Status},
};
use serde_json::json;
use sqlx::{Postgres, QueryBuilder, types::Json};

use super::List;

type Query = QueryBuilder<Postgres>;

/// By what tickets are sorted.
pub(crate) type Order = Vec<(Column, SortOrder)>;

/// The tickets of which the conditions hold. Pages by offset are in this order; by cursor tickets go by their numbers.
pub(crate) fn tickets(conditions: Conditions, asking: Asking, order: &[(Column, SortOrder)]) -> List {
    let list = List::new(("ticket_list", "ticket_id"), move |query| {
        query.push(" and ticket_list.deleted_at is null");
        push_all(query, &conditions, &asking);
    });
    let order: Vec<String> = order.iter().map(|(column, order)| sorted(*column, *order)).collect();
    if order.is_empty() { list } else { list.ordered(order.join(", ")) }
}

/// All conditions of a rule, on the rows of `ticket_list`.
pub(super) fn push_all(query: &mut Query, conditions: &Conditions, asking: &Asking) {
    for condition in &conditions.all {
        query.push(" and ");
        push(query, condition, asking);
    }
    if !conditions.any.is_empty() {
        let mut separator = " and (";
        for condition in &conditions.any {
            query.push(separator);
            push(query, condition, asking);
            separator = " or ";
        }
        query.push(")");
    }
}

/// A condition, which is true or is not: never unknown where something stands around it.
fn push(query: &mut Query, condition: &Condition, asking: &Asking) {
    match condition {
        Condition::Word { of, among, or_none } => word(query, *of, (among, *or_none)),
        Condition::Party { of, whom, is } => party(query, (*of, *whom, *is), asking),
        Condition::Tags { any_of, has } => {
            query.push(negated(!has)).push("(ticket_list.tags && ").push_bind(any_of.clone()).push(")");
        }
        Condition::Text { of, any_of, has } => text(query, *of, (any_of, *has)),
        Condition::Field { field, test, is } => {
            query.push(negated(!is)).push("coalesce(");
            field_test(query, *field, test);
            query.push(", false)");
        }
        Condition::Hours { moment, compare, hours } => {
            hours_from(query, *moment, moment.range(*compare, *hours, asking));
        }
        Condition::Fixed(holds) => drop(query.push(if *holds { "true" } else { "false" })),
    }
}

const fn negated(is_negated: bool) -> &'static str {
    if is_negated { "not " } else { "" }
}

fn word(query: &mut Query, of: Worded, (among, or_none): (&[&'static str], bool)) {
    let column = match of {
        Worded::Status => "status",
        Worded::Priority => "priority",
        Worded::Type => "ticket_type",
        Worded::Channel => "channel",
    };
    let among: Vec<String> = among.iter().map(|&word| word.to_owned()).collect();
    query.push(format_args!("(ticket_list.{column} = any(")).push_bind(among).push(")");
    if or_none {
        query.push(format_args!(" or ticket_list.{column} is null"));
    }
    query.push(")");
}

fn party(query: &mut Query, (of, whom, is): (Party, Whom, bool), asking: &Asking) {
    let column = match of {
        Party::Group => "ticket_list.group_id",
        Party::Assignee => "ticket_list.assignee_id",
        Party::Requester => "ticket_list.requester_id",
    };
    // Said plainly where it is asked for, so that it finds its index.
    let same = if is { "=" } else { "is distinct from" };
    match whom {
        Whom::Nobody => {
            query.push(format_args!("{column} is {}null", negated(!is)));
        }
        Whom::Asker => {
            query.push(format_args!("{column} {same} ")).push_bind(asking.person.get());
        }
        Whom::Known(id) => {
            query.push(format_args!("{column} {same} ")).push_bind(id);
        }
        Whom::GroupsOfAsker => {
            let groups: Vec<i64> = asking.groups.iter().copied().map(GroupId::get).collect();
            query.push(negated(!is)).push(format_args!("coalesce({column} = any(")).push_bind(groups).push("), false)");
        }
        Whom::Requester => {
            query.push(format_args!("{column} {same} ticket_list.requester_id"));
        }
        // Nobody is nobody's assignee.
        Whom::Assignee => {
            query.push(negated(!is)).push(format_args!("coalesce({column} = ticket_list.assignee_id, false)"));
        }
    }
}

fn text(query: &mut Query, of: Prose, (any_of, has): (&[String], bool)) {
    let column = match of {
        Prose::Subject => "subject",
        Prose::Description => "description",
    };
    query.push(negated(!has));
    let mut separator = "(";
    for piece in any_of {
        // The collation is named: small letters are the same in every database.
        query.push(format_args!("{separator}strpos(lower(ticket_list.{column} collate \"und-x-icu\"), "));
        query.push_bind(piece.clone()).push(") > 0");
        separator = " or ";
    }
    query.push(")");
}

fn field_test(query: &mut Query, field: TicketFieldId, test: &FieldTest) {
    let key = field.to_string();
    match test {
        FieldTest::Present => {
            query.push("ticket_list.custom_fields ? ").push_bind(key);
        }
        FieldTest::Is(value) => {
            query.push("ticket_list.custom_fields -> ").push_bind(key).push(" = ").push_bind(Json(json!(value)));
        }
        FieldTest::AnyOf(values) => {
            query.push("(ticket_list.custom_fields -> ").push_bind(key).push(") ?| ").push_bind(values.clone());
        }
        FieldTest::Number(compare, than) => {
            of_type(query, &key, "number");
            query.push(format_args!("::double precision {} ", sign(*compare))).push_bind(*than).push(" end");
        }
        FieldTest::Day(compare, than) => {
            of_type(query, &key, "string");
            query.push(format_args!(" collate \"C\" {} ", sign(*compare))).push_bind(than.clone()).push(" end");
        }
    }
}

/// A field's value as a text, where it is of this type: the first half of a `case`.
fn of_type(query: &mut Query, key: &str, json_type: &'static str) {
    query.push("case when jsonb_typeof(ticket_list.custom_fields -> ").push_bind(key.to_owned());
    query.push(format_args!(") = '{json_type}' then (ticket_list.custom_fields ->> ")).push_bind(key.to_owned());
    query.push(")");
}

const fn sign(compare: Compare) -> &'static str {
    match compare {
        Compare::Is => "=",
        Compare::Less => "<",
        Compare::Greater => ">",
    }
}

fn hours_from(query: &mut Query, moment: Moment, (from, to): (Bound<Timestamp>, Bound<Timestamp>)) {
    let column = match moment {
        Moment::Created => "ticket_list.created_at",
        Moment::Updated => "ticket_list.updated_at",
        Moment::Due | Moment::UntilDue => "ticket_list.due_at",
        Moment::Since(_) => "ticket_metric.status_updated_at",
        Moment::Assigned => "ticket_metric.assigned_at",
        Moment::RequesterUpdated => "ticket_metric.requester_updated_at",
        Moment::AssigneeUpdated => "ticket_metric.assignee_updated_at",
    };
    query.push(match moment {
        Moment::Created | Moment::Updated | Moment::Due | Moment::UntilDue => "(true",
        Moment::Since(_) | Moment::Assigned | Moment::RequesterUpdated | Moment::AssigneeUpdated => {
            "exists (select from ticket_metric where ticket_metric.tenant_id = ticket_list.tenant_id \
             and ticket_metric.ticket_id = ticket_list.ticket_id"
        }
    });
    if let Moment::Since(status) = moment {
        // Of the same row as the moment: the list may know of another change already.
        query.push(" and ticket_metric.status = ").push_bind(status.as_str());
    }
    query.push(format_args!(" and {column} is not null"));
    let bounds = [(from, ">", ">="), (to, "<", "<=")];
    for (bound, beyond, from) in bounds {
        let (sign, at) = match bound {
            Bound::Excluded(at) => (beyond, at),
            Bound::Included(at) => (from, at),
            Bound::Unbounded => continue,
        };
        query.push(format_args!(" and {column} {sign} ")).push_bind(at.to_sqlx());
    }
    query.push(")");
}

/// A column as tickets are sorted by it: words by their rank, people and groups by their names, what is not there last.
fn sorted(column: Column, order: SortOrder) -> String {
    let ranked = |column: &str, words: Vec<&str>| {
        format!("array_position(array['{}'], ticket_list.{column})", words.join("','"))
    };
    let person = |column: &str| {
        format!(
            "(select person.name from person where person.tenant_id = ticket_list.tenant_id and person.person_id = ticket_list.{column})"
        )
    };
    let by = match column {
        Column::Number | Column::Field(_) => "ticket_list.ticket_id".to_owned(),
        Column::Subject => "ticket_list.subject".to_owned(),
        Column::Status => ranked("status", Status::ALL.iter().map(|status| status.as_str()).collect()),
        Column::Priority => ranked("priority", Priority::ALL.iter().map(|priority| priority.as_str()).collect()),
        Column::Type => "ticket_list.ticket_type".to_owned(),
        Column::Requester => person("requester_id"),
        Column::Submitter => person("submitter_id"),
        Column::Assignee => person("assignee_id"),
        Column::Group => {
            "(select agent_group.name from agent_group where agent_group.tenant_id = ticket_list.tenant_id \
                           and agent_group.group_id = ticket_list.group_id)"
                .to_owned()
        }
        Column::Created => "ticket_list.created_at".to_owned(),
        Column::Updated => "ticket_list.updated_at".to_owned(),
        Column::Due => "ticket_list.due_at".to_owned(),
    };
    format!("{by} {} nulls last", order.as_str())
}

#[cfg(test)]
mod tests;
