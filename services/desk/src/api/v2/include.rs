//! `include=`: what stands beside a list, so that a client need not ask for it one by one. Names that are unknown are passed over.

use std::collections::{BTreeSet, HashMap};

use schemas::values::ReadKind;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    problem::ApiError,
    read::{self, groups::Group, people::Person},
    state::Desk,
};

use super::present;

/// What a client wants beside what it asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Include {
    users: bool,
    groups: bool,
    comment_count: bool,
}

/// The attributes of a ticket that name people.
const PEOPLE_OF_TICKETS: [&str; 6] =
    ["requester_id", "submitter_id", "assignee_id", "collaborator_ids", "follower_ids", "email_cc_ids"];

impl Include {
    /// What `include=` names, as far as the caller may see it: nobody learns of people here whom they could not ask for.
    pub(crate) fn of(names: Option<&str>, caller: &Caller) -> Self {
        if !caller.is_insider() || !caller.is_granted(None) {
            return Self::default();
        }
        let names: Vec<&str> = names.unwrap_or_default().split(',').map(str::trim).collect();
        let has = |name: &str| names.contains(&name);
        Self { users: has("users"), groups: has("groups"), comment_count: has("comment_count") }
    }

    /// Puts it beside `tickets`, or beside one `ticket`.
    pub(crate) async fn beside_tickets(self, desk: &Desk, caller: &Caller, answer: &mut Value) -> Result<(), ApiError> {
        if self == Self::default() {
            return Ok(());
        }
        let mut transaction = desk.reading(&caller.resident).await?;
        if self.comment_count {
            let ids = named(answer, &["id"]);
            let counts = read::comments::counts(&mut transaction, &caller.resident, &ids).await?;
            let counts: HashMap<i64, i64> = counts.into_iter().collect();
            for ticket in tickets_of(answer) {
                let id = ticket["id"].as_i64().unwrap_or_default();
                ticket["comment_count"] = json!(counts.get(&id).copied().unwrap_or_default());
            }
        }
        if self.users {
            let ids = named(answer, &PEOPLE_OF_TICKETS);
            let rows = read::people::many(&mut transaction, &caller.resident, &ids).await?;
            answer["users"] = people(caller, &rows);
        }
        if self.groups {
            let ids = named(answer, &["group_id"]);
            let rows = read::groups::many(&mut transaction, &caller.resident, &ids).await?;
            answer["groups"] = groups(caller, &rows);
        }
        Ok(())
    }

    /// Puts the authors beside `comments`.
    pub(crate) async fn beside_comments(
        self,
        desk: &Desk,
        caller: &Caller,
        answer: &mut Value,
    ) -> Result<(), ApiError> {
        if !self.users {
            return Ok(());
        }
        let comments = answer["comments"].as_array().into_iter().flatten();
        let ids: BTreeSet<i64> = comments.filter_map(|comment| comment["author_id"].as_i64()).collect();
        let mut transaction = desk.reading(&caller.resident).await?;
        let rows = read::people::many(&mut transaction, &caller.resident, &Vec::from_iter(ids)).await?;
        answer["users"] = people(caller, &rows);
        Ok(())
    }
}

/// People as they stand beside something: their profiles are read too.
pub(crate) fn people(caller: &Caller, rows: &[Person]) -> Value {
    caller.reading.beside(ReadKind::User, rows.iter().map(|row| row.person_id));
    rows.iter().map(|row| present::user::user(caller, row)).collect()
}

/// Groups as they stand beside something.
pub(crate) fn groups(caller: &Caller, rows: &[Group]) -> Value {
    caller.reading.beside(ReadKind::Group, rows.iter().map(|row| row.group_id));
    rows.iter().map(|row| present::group::group(caller, row)).collect()
}

/// The tickets of an answer: a list, or one.
fn tickets_of(answer: &mut Value) -> impl Iterator<Item = &mut Value> {
    let Some(answer) = answer.as_object_mut() else { return Vec::new().into_iter() };
    let tickets = answer.iter_mut().filter_map(|(name, value)| match (name.as_str(), value) {
        ("tickets", Value::Array(tickets)) => Some(tickets.iter_mut().collect::<Vec<_>>()),
        ("ticket", ticket) => Some(vec![ticket]),
        _ => None,
    });
    tickets.flatten().collect::<Vec<_>>().into_iter()
}

/// The ids that the tickets have under these names, alone or in arrays, each once.
fn named(answer: &mut Value, names: &[&str]) -> Vec<i64> {
    let mut ids = BTreeSet::new();
    for ticket in tickets_of(answer) {
        for name in names {
            let of_array = ticket[name].as_array().into_iter().flatten();
            ids.extend(of_array.chain([&ticket[name]]).filter_map(Value::as_i64).filter(|id| *id > 0));
        }
    }
    ids.into_iter().collect()
}
