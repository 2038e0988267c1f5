//! The rules of tickets, as sentences.

use schemas::{
    GroupId,
    ticket::{GroupSet, PrioritySet, SubjectSet, TagsSet, TypeSet},
    values::{Priority, Role, TicketType},
};

use super::*;
use crate::{
    aggregate::Aggregate,
    scenario::given,
    ticket::{Open, Update},
};

mod automating;
mod changing;
mod commenting;
mod custom;
mod deleting;
mod linking;
mod opening;
mod triggering;

const REQUESTER: By = By { person: PersonId::new(1), role: Role::EndUser };
const STRANGER: By = By { person: PersonId::new(2), role: Role::EndUser };
const AGENT: By = By { person: PersonId::new(8), role: Role::Agent };
const ADMIN: By = By { person: PersonId::new(9), role: Role::Admin };

fn public(text: &str) -> Comment {
    Comment::public(text.to_owned())
}

fn internal(text: &str) -> Comment {
    Comment::internal(text.to_owned())
}

fn open_by(by: By) -> Open {
    Open::new(by, REQUESTER.person, "Kettle".to_owned(), public("It whistles."))
}

fn update_by(by: By, changes: Changes, comment: Option<Comment>) -> Update {
    Update { by, changes, comment, channel: Channel::Api }
}

fn change_by(by: By, changes: Changes) -> Update {
    update_by(by, changes, None)
}

fn comment_by(by: By, comment: Comment) -> AddComment {
    AddComment { by, comment, channel: Channel::Api }
}

fn to_status(status: Status) -> Changes {
    Changes { status: Some(status), ..Changes::default() }
}

fn opened() -> TicketOpened {
    TicketOpened {
        requester: REQUESTER.person,
        submitter: REQUESTER.person,
        subject: "Kettle".to_owned().into(),
        priority: None,
        ticket_type: None,
        assignee: None,
        group: None,
        tags: Vec::new().into(),
        channel: Channel::Api,
        external_id: None.into(),
    }
}

fn said(by: By, visibility: Visibility, text: &str) -> TicketEvent {
    CommentAdded {
        author: by.person,
        visibility,
        body: text.to_owned().into(),
        html_body: None.into(),
        attachments: Vec::new(),
        channel: Channel::Api,
    }
    .into()
}

fn status_set(status: Status) -> TicketEvent {
    StatusSet { status }.into()
}

fn assignee_set(by: By) -> TicketEvent {
    AssigneeSet { assignee: Some(by.person) }.into()
}

/// A ticket in a status, worked on by the agent once somebody had to.
fn ticket_in(status: Status) -> Vec<TicketEvent> {
    let mut history = vec![opened().into(), said(REQUESTER, Visibility::Public, "It whistles.")];
    if status != Status::New {
        history.extend([assignee_set(AGENT), status_set(status)]);
    }
    history
}

#[test]
fn the_state_counts_comments_and_remembers_the_last_of_everything() {
    let mut history = ticket_in(Status::Solved);
    history.push(TagsSet { tags: vec!["kettle".to_owned()].into() }.into());
    let ticket = Ticket::after(&history);
    let details = ticket.details().expect("it was opened");
    assert_eq!((details.status, details.comment_count), (Status::Solved, 1));
    assert_eq!(details.tags.expose(), &["kettle"]);
    assert_eq!(details.assignee, Some(AGENT.person));
}
