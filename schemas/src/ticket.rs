//! Events of the streams `ticket-<number>`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    events,
    ids::{AttachmentId, GroupId, PersonId, RuleId, TicketId},
    ticket_field::FieldSet,
    values::{Channel, Priority, RuleKind, Status, TicketType, Visibility},
};

events! {
    /// What happens to a ticket.
    pub enum TicketEvent {
        /// A ticket was opened, in status new. Its first comment follows in the same command.
        "ticket_opened" @ 1 => TicketOpened {
            /// Who wants something.
            operational requester: PersonId,
            /// Who typed it in.
            operational submitter: PersonId,
            /// What it is about.
            content subject: String,
            /// How urgent.
            operational priority: Option<Priority>,
            /// What kind.
            operational ticket_type: Option<TicketType>,
            /// Who works on it.
            operational assignee: Option<PersonId>,
            /// Which group does.
            operational group: Option<GroupId>,
            /// Words to find it by, sorted, each once.
            content tags: Vec<String>,
            /// Where it came in.
            operational channel: Channel,
            /// The id it has elsewhere.
            content external_id: Option<String>,
        },
        /// Somebody said something, to all or to agents only.
        "comment_added" @ 2, upcasts [comment_added_v1] => CommentAdded {
            /// Who.
            operational author: PersonId,
            /// Who may read it.
            operational visibility: Visibility,
            /// The text.
            content body: String,
            /// The cleaned HTML, when the author sent HTML.
            content html_body: Option<String>,
            /// Files that came along.
            operational attachments: Vec<AttachmentId>,
            /// Where it came in.
            operational channel: Channel,
        },
        /// The status changed.
        "status_set" @ 1 => StatusSet {
            /// The status now.
            operational status: Status,
        },
        /// The priority changed.
        "priority_set" @ 1 => PrioritySet {
            /// The priority now.
            operational priority: Option<Priority>,
        },
        /// The type changed.
        "type_set" @ 1 => TypeSet {
            /// The type now.
            operational ticket_type: Option<TicketType>,
        },
        /// Somebody else works on it.
        "assignee_set" @ 1 => AssigneeSet {
            /// Who works on it now.
            operational assignee: Option<PersonId>,
        },
        /// Another group works on it.
        "group_set" @ 1 => GroupSet {
            /// The group now.
            operational group: Option<GroupId>,
        },
        /// The tags changed.
        "tags_set" @ 1 => TagsSet {
            /// All tags now, sorted, each once.
            content tags: Vec<String>,
        },
        /// The subject changed.
        "subject_set" @ 1 => SubjectSet {
            /// The subject now.
            content subject: String,
        },
        /// Its id in another system changed.
        "external_id_set" @ 1 => ExternalIdSet {
            /// The id now.
            content external_id: Option<String>,
        },
        /// Somebody else is who wants something.
        "requester_set" @ 1 => RequesterSet {
            /// Who wants something now.
            operational requester: PersonId,
        },
        /// When it is to be done changed.
        "due_set" @ 1 => DueSet {
            /// The moment now.
            operational due_at: Option<Timestamp>,
        },
        /// It is an incident of another problem now, or of none.
        "problem_set" @ 1 => ProblemSet {
            /// The problem's ticket now.
            operational problem: Option<TicketId>,
        },
        /// Other people get copies of its mails.
        "email_ccs_set" @ 1 => EmailCcsSet {
            /// All of them now, sorted, each once.
            operational people: Vec<PersonId>,
        },
        /// Other agents follow it.
        "followers_set" @ 1 => FollowersSet {
            /// All of them now, sorted, each once.
            operational people: Vec<PersonId>,
        },
        /// Fields that the tenant made hold something else.
        "custom_fields_set" @ 1 => CustomFieldsSet {
            /// Those that do, with what they hold now.
            content fields: Vec<FieldSet>,
        },
        /// It came in under an address of the tenant. In the command that opens the ticket, never later.
        "recipient_noted" @ 1 => RecipientNoted {
            /// The address.
            personal recipient: String,
        },
        /// It goes on where a closed ticket ended. In the command that opens the ticket, never later.
        "followup_linked" @ 1 => FollowupLinked {
            /// The closed ticket.
            operational source: TicketId,
        },
        /// A rule of the tenant changed it, because of what the same command did before. What follows in the command, as many events as
        /// this says, is what the rule did.
        "rule_applied" @ 1 => RuleApplied {
            /// Which rule.
            operational rule: RuleId,
            /// What kind of rule.
            operational kind: RuleKind,
            /// Since when the rule says what it said then.
            operational said_at: Timestamp,
            /// What it was called.
            content title: String,
            /// How many events follow that are its doing.
            operational changes: u32,
        },
        /// It and its first comments happened elsewhere, and then. In the command that opens the ticket, never later.
        "ticket_imported" @ 1 => TicketImported {
            /// When it was opened there.
            operational created_at: Timestamp,
            /// When it last changed there.
            operational updated_at: Timestamp,
            /// When it was solved there, if it was.
            operational solved_at: Option<Timestamp>,
            /// When each of the command's comments was said, in their order.
            operational said_at: Vec<Timestamp>,
        },
        /// The ticket was put away: nobody sees it until it is restored.
        "ticket_deleted" @ 1 => TicketDeleted {},
        /// It is back as it was.
        "ticket_restored" @ 1 => TicketRestored {},
        /// Its content is gone for good, with that of its comments and files; their keys are on the erasure list. Sealed under the
        /// general key, so that it can be read when nothing else of the stream can.
        "ticket_erased" @ 1 => TicketErased {
            /// The files that went with it.
            operational attachments: Vec<AttachmentId>,
        },
    }
}

/// Version 1 said `public: true|false` and knew neither HTML nor the channel, which was always the API.
fn comment_added_v1(fields: &mut Map<String, Value>) {
    let public = fields.remove("public").and_then(|value| value.as_bool()).unwrap_or(false);
    let visibility = if public { Visibility::Public } else { Visibility::Internal };
    fields.insert("visibility".to_owned(), visibility.as_str().into());
    fields.insert("html_body".to_owned(), Value::Null);
    fields.insert("channel".to_owned(), Channel::Api.as_str().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_of_version_1_reads_as_today() {
        for (public, visibility) in [(true, Visibility::Public), (false, Visibility::Internal)] {
            let payload = format!(r#"{{"author":7,"public":{public},"body":"hello","attachments":[3]}}"#);
            let event = TicketEvent::decode("comment_added", 1, payload.as_bytes()).expect("decodes");
            let expected = CommentAdded {
                author: PersonId::new(7),
                visibility,
                body: "hello".to_owned().into(),
                html_body: None.into(),
                attachments: vec![AttachmentId::new(3)],
                channel: Channel::Api,
            };
            assert_eq!(event, TicketEvent::CommentAdded(expected));
        }
    }

    #[test]
    fn a_version_from_the_future_is_refused() {
        let error = TicketEvent::decode("comment_added", 3, b"{}").expect_err("refused");
        assert_eq!(error.to_string(), "comment_added: version 3 is unknown, this program reads 1 to 2");
    }

    #[test]
    fn a_payload_of_another_shape_is_refused_without_its_values() {
        for (payload, fault) in [
            (r#"{"tags":"secret"}"#, "Data error in line 1, column 16"),
            (r#"{"taggs":["secret"]}"#, "the field tags is missing"),
            (r#"{"tags":["secret""#, "Eof error in line 1, column 17"),
        ] {
            let error = TicketEvent::decode("tags_set", 1, payload.as_bytes()).expect_err("refused");
            assert_eq!(
                error.to_string(),
                format!("tags_set: the payload does not have the shape of its version: {fault}")
            );
        }
    }

    #[test]
    fn debug_tells_no_content() {
        let event = TicketEvent::from(SubjectSet { subject: "secret".to_owned().into() });
        assert!(!format!("{event:?}").contains("secret"));
    }
}
