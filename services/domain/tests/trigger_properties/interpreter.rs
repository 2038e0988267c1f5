//! An interpreter of the words of triggers that takes nothing from the rules.

use std::collections::{BTreeMap, BTreeSet};

use domain::ticket::{By, Details};
use schemas::{TicketFieldId, ticket_field::FieldValue, values::Role};

use super::words::{Said, Words};

/// A ticket in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) status: String,
    pub(crate) priority: String,
    pub(crate) kind: String,
    pub(crate) group: String,
    pub(crate) assignee: String,
    pub(crate) requester: String,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) colour: String,
    pub(crate) check: String,
}

/// The tag that a field brings along.
fn tag(field: &str, value: &str) -> Option<String> {
    match field {
        "custom_fields_22" => (value == "true").then(|| "checked".to_owned()),
        _ => Some(value.to_owned()).filter(|value| !value.is_empty()),
    }
}

impl Model {
    pub(crate) fn of(details: &Details) -> Self {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let held = |field| match details.fields.expose().get(&TicketFieldId::new(field)) {
            None => String::new(),
            Some(FieldValue::Flag(flag)) => flag.to_string(),
            Some(FieldValue::Text(text)) => text.clone(),
            Some(other) => panic!("no such value: {other:?}"),
        };
        Self {
            status: details.status.to_string(),
            priority: text(details.priority),
            kind: text(details.ticket_type),
            group: text(details.group),
            assignee: text(details.assignee),
            requester: details.requester.to_string(),
            tags: details.tags.expose().iter().cloned().collect(),
            colour: held(21),
            check: held(22),
        }
    }

    fn get(&self, field: &str) -> &str {
        match field {
            "status" => &self.status,
            "priority" => &self.priority,
            "type" => &self.kind,
            "group_id" => &self.group,
            "assignee_id" => &self.assignee,
            "requester_id" => &self.requester,
            "custom_fields_21" => &self.colour,
            "custom_fields_22" => &self.check,
            other => panic!("no such field: {other}"),
        }
    }
}

/// What happened, in words.
pub(crate) struct World {
    pub(crate) before: Option<Model>,
    pub(crate) by: By,
    pub(crate) said: Option<(String, bool)>,
    pub(crate) is_by_mail: bool,
}

impl World {
    fn person(&self, value: &str) -> String {
        if value == "current_user" { self.by.person.to_string() } else { value.to_owned() }
    }

    fn holds(&self, now: &Model, (field, operator, value): &Said) -> bool {
        const LIVES: [&str; 6] = ["new", "open", "pending", "hold", "solved", "closed"];
        let negated = operator.starts_with("is_not") || operator.starts_with("not_");
        let plain = match (*field, operator.trim_start_matches("not_")) {
            ("update_type", _) => (*value == "Create") == self.before.is_none(),
            ("comment_is_public", _) => match (&self.said, *value) {
                (None, _) => false,
                (Some(_), "not_relevant") => true,
                (Some((_, is_public)), value) => (value == "true") == *is_public,
            },
            ("comment_includes_word", _) => {
                let said = self.said.as_ref().map(|(said, _)| said.to_lowercase()).unwrap_or_default();
                value.split(' ').any(|word| said.contains(word))
            }
            ("role", _) => match *value {
                "end_user" => self.by.role == Role::EndUser,
                "agent" => self.by.role == Role::Agent,
                id => self.by.person.to_string() == id,
            },
            ("current_via_id", _) => (*value == "4") == self.is_by_mail,
            ("current_tags", _) => value.split(' ').any(|tag| now.tags.contains(tag)),
            (field, "changed") => {
                let before = self.before.as_ref().map_or("", |before| before.get(field));
                before != now.get(field)
            }
            (field, "value") => self.was(field, value) == Some(false) && now.get(field) == self.person(value),
            (field, "value_previous") => self.was(field, value) == Some(true) && now.get(field) != self.person(value),
            ("status", "less_than") => {
                let place = |status: &str| LIVES.iter().position(|known| *known == status);
                place(&now.status) < place(value)
            }
            (field, _) => now.get(field) == self.person(value),
        };
        plain != negated
    }

    /// Whether it was this; before a ticket was opened, it was nothing in particular.
    fn was(&self, field: &str, value: &str) -> Option<bool> {
        Some(self.before.as_ref().is_some_and(|before| before.get(field) == self.person(value)))
    }

    /// The ticket after these actions, if they can be done together.
    fn done(&self, now: &Model, actions: &[(&str, &str)]) -> Option<Model> {
        let is_agent = self.by.role == Role::Agent;
        let (mut after, mut status, mut assignee) = (now.clone(), None, None);
        let (mut added, mut removed, mut fields) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for (field, value) in actions {
            let words = || value.split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
            match *field {
                "status" => status = Some((*value).to_owned()),
                "priority" => after.priority = (*value).to_owned(),
                "type" => after.kind = (*value).to_owned(),
                "group_id" => after.group = (*value).to_owned(),
                "assignee_id" if *value == "current_user" && !is_agent => {
                    assignee = Some("nobody who could".to_owned())
                }
                "assignee_id" => assignee = Some(self.person(value)),
                "set_tags" => after.tags = words(),
                "current_tags" => added.extend(words()),
                "remove_tags" => removed.extend(words()),
                "custom_fields_21" | "custom_fields_22" => drop(fields.insert(*field, *value)),
                other => panic!("no such action: {other}"),
            }
        }
        removed.extend(fields.keys().filter_map(|field| tag(field, now.get(field))));
        after.tags.extend(added);
        after.tags.retain(|tag| !removed.contains(tag));
        after.tags.extend(fields.iter().filter_map(|(field, value)| tag(field, value)));
        for (field, value) in fields {
            let held = if field == "custom_fields_21" { &mut after.colour } else { &mut after.check };
            *held = value.to_owned();
        }
        let has_status = status.is_some();
        let is_taken = assignee.as_ref().is_some_and(|who| !who.is_empty() && *who != now.assignee);
        after.status = match status {
            Some(status) => status,
            None if now.status == "new" && is_taken => "open".to_owned(),
            None => now.status.clone(),
        };
        after.assignee = assignee.unwrap_or_else(|| now.assignee.clone());
        if after.assignee.is_empty() && ["solved", "closed"].contains(&after.status.as_str()) {
            if !has_status || !is_agent {
                return None;
            }
            after.assignee = self.by.person.to_string();
        }
        let is_reopened = now.status == "closed" && after.status != "closed";
        (!is_reopened && after.assignee != "nobody who could").then_some(after)
    }

    /// All that can be done, or as much of it as can.
    fn as_much(&self, now: &Model, actions: &[(&'static str, &'static str)]) -> Model {
        if let Some(all) = self.done(now, actions) {
            return all;
        }
        let mut taken = vec![false; actions.len()];
        let chosen = |taken: &[bool]| -> Vec<(&'static str, &'static str)> {
            actions.iter().zip(taken).filter(|(_, taken)| **taken).map(|(action, _)| *action).collect()
        };
        loop {
            let before = taken.clone();
            for index in 0..actions.len() {
                let was_taken = std::mem::replace(&mut taken[index], true);
                taken[index] = was_taken || self.done(now, &chosen(&taken)).is_some();
            }
            if taken == before {
                return self.done(now, &chosen(&taken)).expect("it could be done");
            }
        }
    }

    /// Which triggers changed what, in order. Without the guard, at most so many.
    pub(crate) fn run(
        &self,
        after: Model,
        triggers: &[Words],
        (is_guarded, most): (bool, usize),
    ) -> Vec<(usize, Model)> {
        let (mut now, mut fired, mut done) = (after, vec![false; triggers.len()], Vec::new());
        'from_the_first: while done.len() < most {
            for (index, words) in triggers.iter().enumerate() {
                let all = words.all.iter().all(|said| self.holds(&now, said));
                let any = words.any.is_empty() || words.any.iter().any(|said| self.holds(&now, said));
                if fired[index] || !all || !any {
                    continue;
                }
                fired[index] = is_guarded;
                let then = self.as_much(&now, &words.actions);
                if then != now {
                    done.push((index, then.clone()));
                    now = then;
                    continue 'from_the_first;
                }
            }
            break;
        }
        done
    }
}
