//! The attributes of a ticket that a client may send, for create and update alike.

use domain::{
    text,
    ticket::{By, Changes},
};
use regions::Resident;
use schemas::{
    GroupId, PersonId,
    values::{Channel, Priority, Status, TicketType},
};

use crate::{
    api::who,
    body::Fields,
    caller::Caller,
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
    pub(crate) channel: Channel,
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
            tags: tags(fields),
            channel: channel(fields, caller),
        }
    }

    /// Refuses ids that name no agent and no group.
    pub(crate) async fn check(&self, desk: &Desk, resident: &Resident) -> Result<(), ApiError> {
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
        if let Some(group) = self.group.flatten()
            && !who::is_group(desk, resident, group).await?
        {
            fault("group_id", "the id of a group");
        }
        if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(faults)) }
    }

    /// What an update asks for.
    pub(crate) fn into_changes(self) -> Changes {
        Changes {
            subject: self.subject.map(Into::into),
            ticket_type: self.ticket_type,
            priority: self.priority,
            group: self.group,
            tags: self.tags.map(Into::into),
            assignee: self.assignee,
            status: self.status,
        }
    }
}

fn tags(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    if !fields.has("tags") {
        return None;
    }
    let sent: Vec<String> = fields.strings("tags").unwrap_or_default().into_iter().map(str::to_owned).collect();
    text::tags(&sent).map_err(|invalid| fields.fault("tags", invalid.to_string(), "InvalidValue")).ok()
}

/// Where it came in: agents may say so (an importer says email), for others it is the API they are calling.
fn channel(fields: &mut Fields<'_>, caller: &Caller) -> Channel {
    if !caller.is_agent() {
        return Channel::Api;
    }
    let Some(mut via) = fields.object("via") else { return Channel::Api };
    let channel = via.word("channel");
    fields.absorb(via);
    channel.unwrap_or(Channel::Api)
}
