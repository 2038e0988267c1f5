//! What a webhook may be told: which events of the log, under which names.

use schemas::{TenantLogEvent, organization::OrganizationEvent, person::PersonEvent, ticket::TicketEvent};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// A type of events that webhooks subscribe to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $kind,)+ }

        impl Kind {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// As subscriptions and payloads name it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => concat!("zen:event-type:", $name)),+ }
            }
        }
    };
}

kinds! {
    /// A ticket was opened.
    TicketCreated = "ticket.created",
    /// A comment was added, the first one too.
    CommentAdded = "ticket.comment_added",
    /// Another status.
    StatusChanged = "ticket.status_changed",
    /// Another priority.
    PriorityChanged = "ticket.priority_changed",
    /// Another type.
    TypeChanged = "ticket.type_changed",
    /// Another subject.
    SubjectChanged = "ticket.subject_changed",
    /// Another assignee.
    AssigneeChanged = "ticket.agent_assignment_changed",
    /// Another group.
    GroupChanged = "ticket.group_assignment_changed",
    /// Another requester.
    RequesterChanged = "ticket.requester_changed",
    /// Other tags.
    TagsChanged = "ticket.tags_changed",
    /// Another id elsewhere.
    ExternalIdChanged = "ticket.external_id_changed",
    /// Another problem behind it.
    ProblemChanged = "ticket.problem_link_changed",
    /// It was put away.
    TicketDeleted = "ticket.soft_deleted",
    /// It is back.
    TicketRestored = "ticket.undeleted",
    /// It is gone for good.
    TicketErased = "ticket.permanently_deleted",
    /// Somebody is known.
    UserCreated = "user.created",
    /// Another name.
    UserRenamed = "user.name_changed",
    /// Another role.
    RoleChanged = "user.role_changed",
    /// Somebody was deleted.
    UserDeleted = "user.deleted",
    /// An organization is known.
    OrganizationCreated = "organization.created",
    /// Another name.
    OrganizationRenamed = "organization.name_changed",
    /// It was deleted.
    OrganizationDeleted = "organization.deleted",
}

impl Kind {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What an event of the log is told as, if it is told.
    pub const fn of(event: &TenantLogEvent) -> Option<Self> {
        Some(match event {
            TenantLogEvent::Ticket(event) => match event {
                TicketEvent::TicketOpened(_) => Self::TicketCreated,
                TicketEvent::CommentAdded(_) => Self::CommentAdded,
                TicketEvent::StatusSet(_) => Self::StatusChanged,
                TicketEvent::PrioritySet(_) => Self::PriorityChanged,
                TicketEvent::TypeSet(_) => Self::TypeChanged,
                TicketEvent::SubjectSet(_) => Self::SubjectChanged,
                TicketEvent::AssigneeSet(_) => Self::AssigneeChanged,
                TicketEvent::GroupSet(_) => Self::GroupChanged,
                TicketEvent::RequesterSet(_) => Self::RequesterChanged,
                TicketEvent::TagsSet(_) => Self::TagsChanged,
                TicketEvent::ExternalIdSet(_) => Self::ExternalIdChanged,
                TicketEvent::ProblemSet(_) => Self::ProblemChanged,
                TicketEvent::TicketDeleted(_) => Self::TicketDeleted,
                TicketEvent::TicketRestored(_) => Self::TicketRestored,
                TicketEvent::TicketErased(_) => Self::TicketErased,
                _ => return None,
            },
            TenantLogEvent::Person(event) => match event {
                PersonEvent::PersonAdded(_) => Self::UserCreated,
                PersonEvent::PersonRenamed(_) => Self::UserRenamed,
                PersonEvent::RoleChanged(_) => Self::RoleChanged,
                PersonEvent::PersonDeleted(_) => Self::UserDeleted,
                _ => return None,
            },
            TenantLogEvent::Organization(event) => match event {
                OrganizationEvent::OrganizationAdded(_) => Self::OrganizationCreated,
                OrganizationEvent::OrganizationRenamed(_) => Self::OrganizationRenamed,
                OrganizationEvent::OrganizationDeleted(_) => Self::OrganizationDeleted,
                _ => return None,
            },
            _ => return None,
        })
    }
}
