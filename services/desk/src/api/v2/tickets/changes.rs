//! The attributes of a ticket that a client may send, for create and update alike.

use domain::{
    text,
    ticket::{By, Changes, Details, Further, Ticket},
};
use jiff::Timestamp;
use regions::Resident;
use schemas::{
    GroupId, PersonId, StreamName, TicketId,
    values::{Channel, Means, Priority, Status, TicketType},
};

use super::{circles::Circles, custom_fields};
use crate::{
    api::{
        named::{Named, Newcomers},
        who,
    },
    body::Fields,
    caller::Caller,
    execute::load,
    problem::{ApiError, FieldFault},
    state::Desk,
};

/// Attributes as a client sent them. `None` was not sent; `Some(None)` was sent as null.
pub(crate) struct Attributes {
    pub(crate) subject: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) priority: Option<Option<Priority>>,
    pub(crate) ticket_type: Option<Option<TicketType>>,
    pub(crate) assignee: Option<Option<PersonId>>,
    pub(crate) group: Option<Option<GroupId>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) external_id: Option<Option<String>>,
    pub(crate) channel: Channel,
    assignee_email: Option<String>,
    due_at: Option<Option<Timestamp>>,
    problem: Option<Option<TicketId>>,
    circles: Circles,
    custom_fields: custom_fields::Asked,
}

impl Attributes {
    /// Reads what both operations take. What is wrong is noted in `fields`.
    pub(crate) fn read(fields: &mut Fields<'_>, caller: &Caller) -> Self {
        Self {
            subject: fields.checked("subject", text::subject),
            status: fields.word("status"),
            priority: fields.has("priority").then(|| fields.word("priority")),
            ticket_type: fields.has("type").then(|| fields.word("type")),
            assignee: fields.has("assignee_id").then(|| fields.integer("assignee_id").map(PersonId::new)),
            group: fields.has("group_id").then(|| fields.integer("group_id").map(GroupId::new)),
            tags: tags(fields, "tags"),
            external_id: fields.has("external_id").then(|| external_id(fields)),
            channel: channel(fields, caller),
            assignee_email: fields.checked("assignee_email", text::email),
            due_at: fields.has("due_at").then(|| fields.moment("due_at")),
            problem: fields.has("problem_id").then(|| fields.integer("problem_id").map(TicketId::new)),
            circles: Circles::read(fields),
            custom_fields: custom_fields::read(fields),
        }
    }

    /// Finds whom and what they name, and refuses what names no agent, no group and no problem.
    pub(crate) async fn resolve(
        &mut self,
        desk: &Desk,
        caller: &Caller,
        newcomers: &mut Newcomers,
    ) -> Result<Further, ApiError> {
        self.check_asker(caller)?;
        let resident = &caller.resident;
        let mut faults = Vec::new();
        let mut fault = |field: &str, takes: &str| {
            let (field, description) = (field.to_owned(), format!("{field}: takes {takes}"));
            faults.push(FieldFault { field, description, code: "InvalidValue" });
        };
        if let Some(assignee) = self.assignee.flatten() {
            let found = who::by_id(desk, resident, assignee).await?;
            if !found.is_some_and(By::is_agent) {
                fault("assignee_id", "the id of an agent");
            }
        }
        if let Some(email) = &self.assignee_email {
            let named = Named::addressed(email, None).ok_or_else(ApiError::not_found)?;
            match named.find(desk, resident).await?.filter(|by| by.is_agent()) {
                Some(by) => self.assignee = Some(Some(by.person)),
                None => fault("assignee_email", "the address of an agent"),
            }
        }
        if let Some(group) = self.group.flatten()
            && !who::is_group(desk, resident, group).await?
        {
            fault("group_id", "the id of a group");
        }
        if let Some(problem) = self.problem.flatten()
            && !is_problem(desk, resident, problem).await?
        {
            fault("problem_id", "the id of a ticket of type problem");
        }
        if !faults.is_empty() {
            return Err(ApiError::invalid_fields(faults));
        }
        let further = self.circles.resolve(desk, resident, newcomers).await?;
        let fields = custom_fields::resolve(desk, resident, self.custom_fields.clone()).await?;
        Ok(Further { due_at: self.due_at, problem: self.problem, fields, ..further })
    }

    /// Refuses end users what would tell them who has which address. The rules refuse whatever else is for agents.
    fn check_asker(&self, caller: &Caller) -> Result<(), ApiError> {
        let names_people = self.assignee_email.is_some() || !self.circles.is_empty();
        match names_people && !caller.is_agent() {
            true => Err(ApiError::forbidden(
                "assignee_email, collaborators, email_ccs, followers: only agents may set this",
            )),
            false => Ok(()),
        }
    }

    /// What an update asks for.
    pub(crate) fn into_changes(self, further: Further) -> Changes {
        Changes {
            subject: self.subject.map(Into::into),
            ticket_type: self.ticket_type,
            priority: self.priority,
            group: self.group,
            tags: self.tags.map(Into::into),
            assignee: self.assignee,
            status: self.status,
            external_id: self.external_id.map(Into::into),
            further,
            ..Changes::default()
        }
    }
}

/// Whether there is such a ticket, and it is a problem: by the log, so that one opened a moment ago counts.
async fn is_problem(desk: &Desk, resident: &Resident, problem: TicketId) -> Result<bool, ApiError> {
    let (ticket, _) = load::<Ticket>(desk, resident, &StreamName::Ticket(problem)).await?;
    let is_problem = |details: &Details| !details.is_deleted && details.ticket_type == Some(TicketType::Problem);
    Ok(ticket.details().is_some_and(is_problem))
}

/// Empty is none.
fn external_id(fields: &mut Fields<'_>) -> Option<String> {
    if fields.value("external_id").and_then(serde_json::Value::as_str).is_some_and(|sent| sent.trim().is_empty()) {
        return None;
    }
    fields.checked("external_id", text::external_id)
}

/// A list of tags.
pub(crate) fn tags(fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
    if !fields.has(name) {
        return None;
    }
    let sent: Vec<String> = fields.strings(name).unwrap_or_default().into_iter().map(str::to_owned).collect();
    text::tags(&sent).map_err(|invalid| fields.fault(name, format!("takes {}", invalid.takes), "InvalidValue")).ok()
}

/// Where it came in: agents may say so (an importer says email), for others it is the API they are calling.
fn channel(fields: &mut Fields<'_>, caller: &Caller) -> Channel {
    // Whoever signed in sits before a page.
    let own = if caller.provenance.means == Means::Session { Channel::Web } else { Channel::Api };
    if !caller.is_agent() {
        return own;
    }
    let Some(mut via) = fields.object("via") else { return own };
    let channel = via.word("channel");
    fields.absorb(via);
    channel.unwrap_or(own)
}
