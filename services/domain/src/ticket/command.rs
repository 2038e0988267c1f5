//! What may be asked of a ticket.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use schemas::{
    AttachmentId, GroupId, PersonId, Personal, TicketFieldId, TicketId,
    ticket_field::FieldValue,
    values::{Channel, Priority, Role, Status, TicketType, Visibility},
};

use crate::{
    rule::{Automation, Watching},
    ticket_field::Known,
};

/// A person as far as the rules care: who, and in which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub person: PersonId,
    /// What they may do.
    pub role: Role,
}

impl By {
    /// The region's operator, whom a tenant asked for help: may what an agent may, and is none of its people. No person has id 0.
    pub const OPERATOR: Self = Self { person: PersonId::new(0), role: Role::Agent };

    /// Agents and admins, who work on tickets.
    pub const fn is_agent(self) -> bool {
        matches!(self.role, Role::Agent | Role::Admin)
    }
}

/// What may be asked of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open it, with its first comment.
    Open(Box<Open>),
    /// Change some of it, and perhaps say something: one audit.
    Update(Box<Update>),
    /// Say something.
    AddComment(AddComment),
    /// Put it away.
    Delete(By),
    /// Bring it back.
    Restore(By),
    /// Erase it for good.
    Erase(Erase),
    /// What an automation does to it, whose conditions hold of it as it is.
    Automated(Arc<Automation>),
    /// Close it, if it is solved: it has been for as long as anything may be.
    CloseSolved,
    /// Any of these, while the tenant's triggers look on.
    Watched(Box<Command>, Watching),
}

impl Command {
    /// Who asks.
    pub fn by(&self) -> By {
        match self {
            Self::Open(open) => open.by,
            Self::Update(update) => update.by,
            Self::AddComment(add) => add.by,
            Self::Delete(by) | Self::Restore(by) => *by,
            Self::Erase(erase) => erase.by,
            Self::Automated(_) | Self::CloseSolved => By::OPERATOR,
            Self::Watched(command, _) => command.by(),
        }
    }

    /// Whether triggers look at what it does: at what people do to a ticket, or time does, not at what happened elsewhere, nor at the end of one.
    pub fn is_watched(&self) -> bool {
        match self {
            Self::Open(open) => open.imported.is_none(),
            Self::Update(_) | Self::AddComment(_) | Self::Automated(_) | Self::CloseSolved => true,
            Self::Delete(_) | Self::Restore(_) | Self::Erase(_) => false,
            Self::Watched(command, _) => command.is_watched(),
        }
    }
}

/// Erases a deleted ticket. Whoever asks puts the keys of its content on the erasure list in the same append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// Who asks.
    pub by: By,
    /// The files of its comments.
    pub attachments: Vec<AttachmentId>,
}

/// Opens a ticket with its first comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Who asks.
    pub by: By,
    /// Who wants something.
    pub requester: PersonId,
    /// What it is about.
    pub subject: Personal<String>,
    /// The first comment. Its author is the ticket's submitter.
    pub comment: Comment,
    /// The status to begin with: when absent, open if it has an assignee, new otherwise.
    pub status: Option<Status>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// What kind.
    pub ticket_type: Option<TicketType>,
    /// Who works on it.
    pub assignee: Option<PersonId>,
    /// Which group does.
    pub group: Option<GroupId>,
    /// Words to find it by, in any order and case.
    pub tags: Personal<Vec<String>>,
    /// Where it came in.
    pub channel: Channel,
    /// The id it has elsewhere.
    pub external_id: Personal<Option<String>>,
    /// What else there is to it.
    pub further: Further,
    /// The tenant's address it was sent to.
    pub recipient: Personal<Option<String>>,
    /// What else was said, and when all of it was, if it happened elsewhere.
    pub imported: Option<Imported>,
    /// The closed ticket it follows up. Whoever asks has looked that it is closed.
    pub followup_of: Option<TicketId>,
    /// What the fields held there.
    pub inherited: Personal<BTreeMap<TicketFieldId, FieldValue>>,
}

/// What happened elsewhere, before the ticket was opened here. Whoever asks has looked that it is past.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// When the ticket was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was solved, if it was.
    pub solved_at: Option<Timestamp>,
    /// The comments after the first.
    pub comments: Vec<Comment>,
    /// When each comment was said, the first among them.
    pub said_at: Vec<Timestamp>,
}

impl Open {
    /// The least a ticket needs: everything else is absent until it is filled in.
    pub fn new(by: By, requester: PersonId, subject: impl Into<Personal<String>>, comment: Comment) -> Self {
        Self {
            by,
            requester,
            subject: subject.into(),
            comment,
            status: None,
            priority: None,
            ticket_type: None,
            assignee: None,
            group: None,
            tags: Personal::default(),
            channel: Channel::Api,
            external_id: Personal::default(),
            further: Further::default(),
            recipient: Personal::default(),
            imported: None,
            followup_of: None,
            inherited: Personal::default(),
        }
    }
}

/// Changes a ticket, and perhaps says something.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Who asks.
    pub by: By,
    /// What shall be different.
    pub changes: Changes,
    /// What is said about it.
    pub comment: Option<Comment>,
    /// Where it came in.
    pub channel: Channel,
}

/// What shall be different. `None` leaves a thing as it is; `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// What it is about.
    pub subject: Option<Personal<String>>,
    /// What kind.
    pub ticket_type: Option<Option<TicketType>>,
    /// How urgent.
    pub priority: Option<Option<Priority>>,
    /// Which group works on it.
    pub group: Option<Option<GroupId>>,
    /// All its tags, in any order and case.
    pub tags: Option<Personal<Vec<String>>>,
    /// Who works on it.
    pub assignee: Option<Option<PersonId>>,
    /// Where it is in its life.
    pub status: Option<Status>,
    /// The id it has elsewhere.
    pub external_id: Option<Personal<Option<String>>>,
    /// Who wants something.
    pub requester: Option<PersonId>,
    /// Tags it has besides, whatever it has.
    pub added_tags: Personal<Vec<String>>,
    /// Tags it has no more, whatever it has.
    pub removed_tags: Personal<Vec<String>>,
    /// What else there is to it.
    pub further: Further,
}

/// What is the same whether a ticket is opened or changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Further {
    /// When it is to be done.
    pub due_at: Option<Option<Timestamp>>,
    /// The problem it is an incident of. Whoever asks has looked that it is one.
    pub problem: Option<Option<TicketId>>,
    /// All who get copies or follow: who is named and does neither gets copies, who is not named does neither any more.
    pub collaborators: Option<Vec<PersonId>>,
    /// Who gets copies of its mails.
    pub email_ccs: Circle,
    /// Which agents follow it. Whoever asks has looked that they are agents.
    pub followers: Circle,
    /// What the fields hold that the tenant made.
    pub fields: Fields,
}

/// Fields that the tenant made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// Those that take values, where any are asked for or must be there.
    pub known: Arc<[Known]>,
    /// What shall be in some of them.
    pub asked: Vec<(TicketFieldId, Personal<Option<FieldValue>>)>,
}

/// How a list of people changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circle {
    /// These and nobody else.
    pub all: Option<Vec<PersonId>>,
    /// Besides, these.
    pub put: Vec<PersonId>,
    /// And not these.
    pub delete: Vec<PersonId>,
}

/// Says something.
#[derive(Debug, Clone, PartialEq)]
pub struct AddComment {
    /// Who asks.
    pub by: By,
    /// What is said.
    pub comment: Comment,
    /// Where it came in.
    pub channel: Channel,
}

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Whose words they are, when an agent writes them down for somebody else: an importer does.
    pub author: Option<By>,
    /// Who may read them; as the ticket is, when absent.
    pub visibility: Option<Visibility>,
    /// The text.
    pub body: Personal<String>,
    /// The cleaned HTML, when the author sent HTML.
    pub html_body: Personal<Option<String>>,
    /// Files that come along.
    pub attachments: Vec<AttachmentId>,
}

impl Comment {
    /// A comment for all to read.
    pub fn public(body: impl Into<Personal<String>>) -> Self {
        Self {
            author: None,
            visibility: Some(Visibility::Public),
            body: body.into(),
            html_body: Personal::default(),
            attachments: Vec::new(),
        }
    }

    /// A comment for agents only.
    pub fn internal(body: impl Into<Personal<String>>) -> Self {
        Self { visibility: Some(Visibility::Internal), ..Self::public(body) }
    }
}

impl From<Open> for Command {
    fn from(open: Open) -> Self {
        Self::Open(Box::new(open))
    }
}

impl From<Update> for Command {
    fn from(update: Update) -> Self {
        Self::Update(Box::new(update))
    }
}

impl From<Erase> for Command {
    fn from(erase: Erase) -> Self {
        Self::Erase(erase)
    }
}

impl From<AddComment> for Command {
    fn from(add: AddComment) -> Self {
        Self::AddComment(add)
    }
}
