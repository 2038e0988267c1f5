//! What the platform can fill in where a macro's words leave a place: of the ticket, its people and whoever asks.

use domain::rule;
use schemas::{GroupId, PersonId, values::ReadKind};

use crate::{
    access::Reading,
    api::{
        html,
        v2::present::{self, moment},
    },
    caller::Caller,
    problem::ApiError,
    read::{self, people::Person, tickets::Ticket},
    state::Desk,
};

/// Names with their values; without a ticket, what is about one stays as it is.
pub(super) struct Filling {
    values: Vec<(String, String)>,
    /// Whose values begin with which name: filled in, they are a read of that profile.
    people: Vec<(String, i64)>,
    has_ticket: bool,
    reading: Reading,
}

impl Filling {
    /// What is known of the caller and of a ticket.
    pub(super) async fn of(desk: &Desk, caller: &Caller, ticket: Option<&Ticket>) -> Result<Self, ApiError> {
        let (resident, mut transaction) = (&caller.resident, desk.reading(&caller.resident).await?);
        let reading = caller.reading.clone();
        let mut filling = Self { values: Vec::new(), people: Vec::new(), has_ticket: ticket.is_some(), reading };
        let asker = read::people::one(&mut transaction, resident, caller.person).await?;
        filling.person("current_user", asker.as_ref());
        let Some(ticket) = ticket else { return Ok(filling) };
        let requester = read::people::one(&mut transaction, resident, PersonId::new(ticket.requester_id)).await?;
        filling.person("ticket.requester", requester.as_ref());
        if let Some(assignee) = ticket.assignee_id {
            let assignee = read::people::one(&mut transaction, resident, PersonId::new(assignee)).await?;
            filling.person("ticket.assignee", assignee.as_ref());
        }
        if let Some(group) = ticket.group_id {
            let group = read::groups::one(&mut transaction, resident, GroupId::new(group)).await?;
            filling.put("ticket.group.name", group.map(|group| group.name));
        }
        filling.ticket(ticket, present::ticket::url(caller, ticket.ticket_id));
        Ok(filling)
    }

    fn put(&mut self, name: impl Into<String>, value: Option<String>) {
        self.values.extend(value.map(|value| (name.into(), value)));
    }

    fn person(&mut self, of: &str, person: Option<&Person>) {
        let Some(person) = person else { return };
        self.people.push((format!("{of}."), person.person_id));
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        self.put(format!("{of}.id"), Some(person.person_id.to_string()));
        self.put(format!("{of}.name"), Some(person.name.clone()));
        self.put(format!("{of}.first_name"), Some(first.to_owned()));
        self.put(format!("{of}.last_name"), Some(last.to_owned()));
        self.put(format!("{of}.email"), person.email.clone());
    }

    fn ticket(&mut self, ticket: &Ticket, url: String) {
        for (name, value) in [
            ("ticket.id", Some(ticket.ticket_id.to_string())),
            ("ticket.title", Some(ticket.subject.clone())),
            ("ticket.subject", Some(ticket.subject.clone())),
            ("ticket.description", Some(ticket.description.clone())),
            ("ticket.status", Some(ticket.status.clone())),
            ("ticket.priority", ticket.priority.clone()),
            ("ticket.ticket_type", ticket.ticket_type.clone()),
            ("ticket.external_id", ticket.external_id.clone()),
            ("ticket.via", Some(ticket.channel.clone())),
            ("ticket.tags", Some(ticket.tags.join(" "))),
            ("ticket.created_at", Some(moment(ticket.created_at))),
            ("ticket.updated_at", Some(moment(ticket.updated_at))),
            ("ticket.due_date", ticket.due_at.map(|due_at| moment(due_at.to_jiff()))),
            ("ticket.url", Some(url.clone())),
            ("ticket.link", Some(url)),
        ] {
            self.put(name, value);
        }
        for (field, value) in ticket.custom_fields.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.put(format!("ticket.ticket_field_{field}"), Some(text));
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        let known = self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        if known.is_some() {
            let shown = self.people.iter().filter(|(of, _)| name.starts_with(of)).map(|(_, person)| *person);
            self.reading.beside(ReadKind::User, shown);
        }
        let waits = || (!self.has_ticket && name.starts_with("ticket.")).then(|| format!("{{{{{name}}}}}"));
        known.or_else(waits)
    }

    /// A text with its places filled in.
    ///
    /// # Errors
    ///
    /// If it gets too long.
    pub(super) fn text(&self, text: &str) -> Result<String, ApiError> {
        Ok(rule::fill(text, |name| self.value(name))?)
    }

    /// HTML with its places filled in by text: what somebody wrote is no markup.
    ///
    /// # Errors
    ///
    /// If it gets too long.
    pub(super) fn html(&self, html: &str) -> Result<String, ApiError> {
        Ok(rule::fill(html, |name| self.value(name).map(|value| html::escape(&value)))?)
    }
}
