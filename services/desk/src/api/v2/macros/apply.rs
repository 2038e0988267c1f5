//! `GET /api/v2/macros/{id}/apply` and `tickets/{id}/macros/{macro_id}/apply`: what a macro changes and says. Nothing is written: a client
//! shows it to somebody, who sends it as an update or does not.

use axum::{Json, extract::State};
use domain::{
    Aggregate,
    rule::{Action, Said, Unknown, Vocabulary, Whom, said},
    text,
    ticket::{Comment, Details, Fields, Ticket, Update},
    ticket_field::Known,
};
use schemas::{
    PersonId, RuleId, StreamName, TicketId,
    values::{Channel, ReadKind, Visibility},
};
use serde_json::{Map, Value, json};

use super::fill::Filling;
use crate::{
    api::{
        html::{self, Cleaned},
        v2::{
            ids::{Id, TwoIds},
            present,
            rules::{self, Macro},
            tickets::update::in_sight,
        },
    },
    caller::Caller,
    execute::load,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers what the macro changes on any ticket: attributes that an update takes, and what is said.
pub(crate) async fn apply(State(desk): State<Desk>, caller: Caller, Id(rule): Id<RuleId>) -> ApiResult<Json<Value>> {
    caller.require_agent()?;
    let (actions, _) = actions(&desk, &caller, rule).await?;
    let mut ticket = changed(&caller, &actions);
    if let Some(said) = said(&actions) {
        let filling = Filling::of(&desk, &caller, None).await?;
        let comment = comment(&desk, &filling, (&said, true)).await?;
        ticket.insert("comment".to_owned(), comment.shown());
    }
    Ok(Json(json!({"result": {"ticket": ticket}})))
}

/// Answers the whole ticket as it would be, and what is said.
pub(crate) async fn apply_to_ticket(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(ticket, rule): TwoIds<TicketId, RuleId>,
) -> ApiResult<Json<Value>> {
    caller.require_agent()?;
    let mut row = in_sight(&desk, &caller, ticket).await?;
    let (actions, fields) = actions(&desk, &caller, rule).await?;
    caller.reading.beside(ReadKind::Rule, [rule.get()]);
    let comment = match said(&actions) {
        Some(said) => {
            let filling = Filling::of(&desk, &caller, Some(&row)).await?;
            Some(comment(&desk, &filling, (&said, row.is_public)).await?)
        }
        None => None,
    };
    let details = would_be(&desk, &caller, (ticket, &actions, fields), comment.as_ref()).await?;
    lay_over(&mut row, &details);
    let mut shown = present::ticket::ticket(&caller, &row);
    if let Some(comment) = comment {
        shown["comment"] = comment.shown();
    }
    Ok(Json(json!({"result": {"ticket": shown}})))
}

/// What a macro does. What it says of a field that is gone, or a value that a field takes no more, is passed over.
async fn actions(desk: &Desk, caller: &Caller, rule: RuleId) -> Result<(Vec<Action>, Vec<Known>), ApiError> {
    let row = rules::one::<Macro>(desk, caller, rule).await?;
    let fields = rules::fields(desk, &caller.resident).await?;
    let vocabulary = Vocabulary { fields: &fields, unknown: Unknown::Empty };
    Ok((Action::read_all(&row.definition.0.actions, vocabulary)?, fields))
}

/// The attributes that an update would take to do the same.
fn changed(caller: &Caller, actions: &[Action]) -> Map<String, Value> {
    let mut ticket = Map::new();
    let (mut added, mut removed, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for action in actions {
        let (name, value) = match action {
            Action::Status(status) => ("status", json!(status)),
            Action::Priority(priority) => ("priority", json!(priority)),
            Action::Type(ticket_type) => ("type", json!(ticket_type)),
            Action::Group(group) => ("group_id", json!(group)),
            Action::Assignee(Whom::Asker) => ("assignee_id", json!(caller.person)),
            Action::Assignee(Whom::Known(id)) => ("assignee_id", json!(id)),
            Action::Assignee(Whom::Nobody) => ("assignee_id", Value::Null),
            Action::SetTags(tags) => ("tags", json!(tags)),
            Action::Subject(subject) => ("subject", json!(subject)),
            Action::AddTags(tags) => {
                added.extend(tags);
                continue;
            }
            Action::RemoveTags(tags) => {
                removed.extend(tags);
                continue;
            }
            Action::Field(field, value) => {
                own.push(json!({"id": field, "value": value}));
                continue;
            }
            // Who that is depends on the ticket.
            Action::Assignee(_) => continue,
            Action::Comment(_) | Action::HtmlComment(_) | Action::CommentIsPublic(_) => continue,
        };
        ticket.insert(name.to_owned(), value);
    }
    for (name, tags) in [("additional_tags", added), ("remove_tags", removed)] {
        if !tags.is_empty() {
            ticket.insert(name.to_owned(), json!(tags));
        }
    }
    if !own.is_empty() {
        ticket.insert("custom_fields".to_owned(), json!(own));
    }
    ticket
}

/// What would be said.
struct Spoken {
    body: String,
    html_body: Option<String>,
    is_public: bool,
}

impl Spoken {
    fn shown(&self) -> Value {
        json!({
            "body": self.body,
            "html_body": html::of_comment(&self.body, self.html_body.as_deref()),
            "public": self.is_public,
            "scoped_body": [["channel:all", self.body]],
        })
    }

    /// As the rules of tickets take it; nothing, where there are no words.
    fn comment(&self) -> Option<Comment> {
        let visibility = if self.is_public { Visibility::Public } else { Visibility::Internal };
        let body = text::body(&self.body).ok()?;
        Some(Comment {
            visibility: Some(visibility),
            html_body: self.html_body.clone().into(),
            ..Comment::public(body)
        })
    }
}

/// The words, with their placeholders filled in.
async fn comment(desk: &Desk, filling: &Filling, (said, is_public): (&Said, bool)) -> Result<Spoken, ApiError> {
    let is_public = said.is_public.unwrap_or(is_public);
    if let Some(html) = &said.html_body {
        let cleaned = html::clean(desk, &filling.html(html)?).await?;
        let Cleaned { html, text } = cleaned.map_err(|takes| {
            ApiError::invalid("actions", format!("actions: for comment_value_html {takes}"), "InvalidValue")
        })?;
        return Ok(Spoken { body: text, html_body: Some(html), is_public });
    }
    let body = filling.text(said.body.as_deref().unwrap_or_default())?;
    Ok(Spoken { body, html_body: None, is_public })
}

/// The ticket after the macro, by the rules of tickets: what they would refuse is refused here. A field that must be filled in may be so
/// by whoever sends the update.
async fn would_be(
    desk: &Desk,
    caller: &Caller,
    (ticket, actions, mut known): (TicketId, &[Action], Vec<Known>),
    spoken: Option<&Spoken>,
) -> Result<Details, ApiError> {
    let (mut state, _) = load::<Ticket>(desk, &caller.resident, &StreamName::Ticket(ticket)).await?;
    let details = state.details().cloned().ok_or_else(ApiError::not_found)?;
    for known in &mut known {
        let definition = known.definition.expose().clone();
        known.definition = schemas::ticket_field::FieldDefinition { is_required: false, ..definition }.into();
    }
    let changes =
        Action::changes(actions, caller.person, (&details, Fields { known: known.into(), asked: Vec::new() }));
    let comment = spoken.and_then(Spoken::comment);
    let update = Update { by: caller.by(), changes, comment, channel: Channel::Api };
    for event in state.decide(&update.into())? {
        state.evolve(&event);
    }
    state.details().cloned().ok_or_else(ApiError::not_found)
}

/// What a macro can change, as it would be.
fn lay_over(row: &mut read::tickets::Ticket, details: &Details) {
    row.subject.clone_from(details.subject.expose());
    row.status = details.status.to_string();
    row.priority = details.priority.map(|priority| priority.to_string());
    row.ticket_type = details.ticket_type.map(|ticket_type| ticket_type.to_string());
    row.assignee_id = details.assignee.map(PersonId::get);
    row.group_id = details.group.map(schemas::GroupId::get);
    row.tags.clone_from(details.tags.expose());
    row.problem_id = details.problem.map(TicketId::get);
    row.custom_fields = json!(details.fields.expose());
}

#[cfg(test)]
mod tests;
