//! What holds for tickets whatever is asked of them, by whomever and in whichever order.

use domain::{
    Aggregate,
    ticket::{AddComment, By, Changes, Circle, Command, Comment, Erase, Fields, Further, Open, Ticket, Update},
    ticket_field::Known,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    AttachmentId, GroupId, PersonId, Personal, TenantLogEvent, TicketFieldId, TicketId,
    ticket::TicketEvent,
    ticket_field::{FieldDefinition, FieldOption, FieldValue},
    values::{Channel, FieldKind, Priority, Role, Status, TicketType, Visibility},
};

/// Two end users, of whom the first usually is the requester, an agent and an admin.
const PEOPLE: [By; 4] = [
    By { person: PersonId::new(1), role: Role::EndUser },
    By { person: PersonId::new(2), role: Role::EndUser },
    By { person: PersonId::new(8), role: Role::Agent },
    By { person: PersonId::new(9), role: Role::Admin },
];

fn people() -> impl Strategy<Value = By> {
    select(&PEOPLE[..])
}

fn person_ids() -> impl Strategy<Value = PersonId> {
    people().prop_map(|by| by.person)
}

/// Mostly good texts, some that are refused.
fn texts() -> impl Strategy<Value = Personal<String>> {
    prop_oneof![8 => "[a-zA-Z ]{1,20}[a-z]", 1 => Just(String::new()), 1 => any::<String>()].prop_map(Personal::new)
}

fn tags() -> impl Strategy<Value = Personal<Vec<String>>> {
    vec(prop_oneof![9 => "[a-cA-C]{1,2}", 1 => any::<String>()], 0..4).prop_map(Personal::new)
}

fn comments() -> impl Strategy<Value = Comment> {
    let authors = prop_oneof![4 => Just(None), 1 => people().prop_map(Some)];
    let attachments = vec((1..4_i64).prop_map(AttachmentId::new), 0..4);
    (authors, option::weighted(0.8, select(Visibility::ALL)), texts(), attachments).prop_map(
        |(author, visibility, body, attachments)| Comment { author, visibility, attachments, ..Comment::public(body) },
    )
}

fn changes() -> impl Strategy<Value = Changes> {
    let described = (
        option::weighted(0.3, texts()),
        option::weighted(0.3, option::of(select(TicketType::ALL))),
        option::weighted(0.3, option::of(select(Priority::ALL))),
        option::weighted(0.3, tags()),
    );
    let handled = (
        option::weighted(0.3, option::of((1..3_i64).prop_map(GroupId::new))),
        option::weighted(0.3, option::of(person_ids())),
        // Closed is rare, or there would be little to see after it.
        option::weighted(0.6, prop_oneof![9 => select(&Status::ALL[..5]), 1 => Just(Status::Closed)]),
    );
    let linked = (
        option::weighted(0.2, option::of(texts()).prop_map(|id| id.map(Personal::into_inner).into())),
        option::weighted(0.2, person_ids()),
        tags(),
        tags(),
        further(),
    );
    (described, handled, linked).prop_map(|(described, handled, linked)| {
        let (subject, ticket_type, priority, tags) = described;
        let (group, assignee, status) = handled;
        let (external_id, requester, added_tags, removed_tags, further) = linked;
        Changes {
            subject,
            ticket_type,
            priority,
            tags,
            group,
            assignee,
            status,
            external_id,
            requester,
            added_tags,
            removed_tags,
            further,
        }
    })
}

/// Mostly nothing, as it is of no interest to most requests.
fn further() -> impl Strategy<Value = Further> {
    let people = || vec(person_ids(), 0..3);
    let circle = move || {
        let change =
            (option::of(people()), people(), people()).prop_map(|(all, put, delete)| Circle { all, put, delete });
        option::weighted(0.2, change).prop_map(Option::unwrap_or_default)
    };
    let due_at = option::weighted(0.2, option::of(Just(Timestamp::UNIX_EPOCH)));
    let problem = option::weighted(0.2, option::of((1..3_i64).prop_map(TicketId::new)));
    let circles = prop_oneof![
        // Both at once need not come to the same twice: who neither follows nor gets copies gets copies.
        option::weighted(0.3, people()).prop_map(|all| (all, Circle::default(), Circle::default())),
        (circle(), circle()).prop_map(|(email_ccs, followers)| (None, email_ccs, followers)),
    ];
    let further = (due_at, problem, circles, fields()).prop_map(
        |(due_at, problem, (collaborators, email_ccs, followers), fields)| Further {
            due_at,
            problem,
            collaborators,
            email_ccs,
            followers,
            fields,
        },
    );
    option::weighted(0.4, further).prop_map(Option::unwrap_or_default)
}

/// A field to choose in and one to check, and values of which some are none.
fn fields() -> impl Strategy<Value = Fields> {
    let values = option::of(prop_oneof![
        select(&["red", "green", "blue"][..]).prop_map(|value| FieldValue::Text(value.to_owned())),
        any::<bool>().prop_map(FieldValue::Flag),
    ]);
    let asked = vec(((1..4_i64).prop_map(TicketFieldId::new), values.prop_map(Personal::new)), 0..3);
    option::weighted(0.3, asked)
        .prop_map(|asked| Fields { known: known_fields().into(), asked: asked.unwrap_or_default() })
}

fn known_fields() -> Vec<Known> {
    let option = |value: &str| FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() };
    let blank = FieldDefinition {
        title: "Colour".to_owned(),
        title_in_portal: "Colour".to_owned(),
        position: 1,
        is_active: true,
        is_visible_in_portal: true,
        is_editable_in_portal: true,
        tag: Some("checked".to_owned()),
        options: vec![option("red"), option("green")],
        ..FieldDefinition::default()
    };
    let known = |field: i64, kind| Known { field: TicketFieldId::new(field), kind, definition: blank.clone().into() };
    vec![known(1, FieldKind::Tagger), known(2, FieldKind::Checkbox)]
}

fn opens() -> impl Strategy<Value = Command> {
    let who = (people(), person_ids(), texts(), comments());
    let what = (option::weighted(0.3, select(Status::ALL)), option::of(person_ids()), tags());
    let ties = (option::of(select(TicketType::ALL)), further(), option::of(Just("help@kettles.example".to_owned())));
    (who, what, ties).prop_map(
        |((by, requester, subject, comment), (status, assignee, tags), (ticket_type, further, recipient))| {
            let opened = Open { status, assignee, tags, ..Open::new(by, requester, subject, comment) };
            Open { ticket_type, further, recipient: recipient.into(), ..opened }.into()
        },
    )
}

fn updates() -> impl Strategy<Value = Command> {
    (people(), changes(), option::of(comments()))
        .prop_map(|(by, changes, comment)| Update { by, changes, comment, channel: Channel::Api }.into())
}

fn additions() -> impl Strategy<Value = Command> {
    (people(), comments()).prop_map(|(by, comment)| AddComment { by, comment, channel: Channel::Web }.into())
}

fn deletions() -> impl Strategy<Value = Command> {
    (people(), 0..3).prop_map(|(by, which)| match which {
        0 => Command::Delete(by),
        1 => Command::Restore(by),
        _ => Erase { by, attachments: Vec::new() }.into(),
    })
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![1 => opens(), 6 => updates(), 3 => additions(), 2 => deletions()]
}

/// A ticket that is surely open, requested by the first person.
fn opened() -> Vec<TicketEvent> {
    let comment = Comment::public("It whistles.".to_owned());
    let open = Open::new(PEOPLE[0], PEOPLE[0].person, "Kettle".to_owned(), comment);
    Ticket::default().decide(&open.into()).expect("a plain ticket opens")
}

fn histories() -> impl Strategy<Value = Vec<Command>> {
    vec(commands(), 0..20)
}

/// Lives through `commands` and calls `check` with each command, the ticket before it, its events and the ticket after.
fn live(
    commands: &[Command],
    mut check: impl FnMut(&Command, &Ticket, &[TicketEvent], &Ticket) -> Result<(), TestCaseError>,
) -> Result<Vec<TicketEvent>, TestCaseError> {
    let mut history = opened();
    let mut ticket = Ticket::after(&history);
    for command in commands {
        let before = ticket.clone();
        let Ok(events) = before.decide(command) else { continue };
        events.iter().for_each(|event| ticket.evolve(event));
        check(command, &before, &events, &ticket)?;
        history.extend(events);
    }
    Ok(history)
}

proptest! {
    #[test]
    fn the_state_is_the_fold_of_the_events_as_they_are_stored(commands in histories()) {
        let mut last = Ticket::after(&opened());
        let history = live(&commands, |_, _, _, after| {
            last = after.clone();
            Ok(())
        })?;
        let stored = history.iter().map(|event| {
            let event: TenantLogEvent = event.clone().into();
            let read = TenantLogEvent::decode(event.event_type(), event.schema_version(), &event.encode());
            Ticket::pick(read.expect("what was encoded is decoded")).expect("an event of a ticket")
        });
        prop_assert_eq!(Ticket::after(&stored.collect::<Vec<_>>()), last);
    }

    #[test]
    fn deciding_is_a_function_of_state_and_command(commands in histories()) {
        live(&commands, |command, before, events, _| {
            let again = before.decide(command).ok();
            prop_assert_eq!(again.as_deref(), Some(events));
            Ok(())
        })?;
    }

    #[test]
    fn what_was_changed_once_is_not_changed_again(commands in histories()) {
        live(&commands, |command, _, _, after| {
            let Command::Update(update) = command else { return Ok(()) };
            if after.status() == Some(Status::Closed) || update.comment.is_some() {
                return Ok(());
            }
            prop_assert_eq!(after.decide(command).ok(), Some(Vec::new()));
            Ok(())
        })?;
    }

    #[test]
    fn closed_stays_closed(commands in histories(), more in histories()) {
        let mut history = live(&commands, |_, _, _, _| Ok(()))?;
        let close = Changes { status: Some(Status::Closed), ..Changes::default() };
        let close = Update { by: PEOPLE[3], changes: close, comment: None, channel: Channel::Api };
        history.extend(Ticket::after(&history).decide(&close.into()).unwrap_or_default());
        let closed = Ticket::after(&history);
        if closed.details().is_none_or(|details| details.is_deleted) {
            return Ok(());
        }
        prop_assert_eq!(closed.status(), Some(Status::Closed));
        for command in &more {
            let events = closed.decide(command).unwrap_or_default();
            prop_assert!(events.iter().all(|event| matches!(event, TicketEvent::TicketDeleted(_))), "{command:?}");
        }
    }

    #[test]
    fn erased_is_the_end(commands in histories(), more in histories()) {
        let mut history = live(&commands, |_, _, _, _| Ok(()))?;
        for command in [Command::Delete(PEOPLE[3]), Erase { by: PEOPLE[3], attachments: Vec::new() }.into()] {
            history.extend(Ticket::after(&history).decide(&command).unwrap_or_default());
        }
        // Whether the keys are destroyed already, so that only the last event can be read, or not yet.
        for erased in [Ticket::after(&history), Ticket::after(&history[history.len() - 1..])] {
            prop_assert_eq!(erased.details(), None);
            for command in &more {
                prop_assert!(erased.decide(command).is_err(), "{command:?}");
            }
        }
    }

    #[test]
    fn nothing_becomes_new_again_and_whatever_is_solved_has_an_assignee(commands in histories()) {
        live(&commands, |_, before, _, after| {
            if before.status() != Some(Status::New) {
                prop_assert_ne!(after.status(), Some(Status::New));
            }
            let Some(details) = after.details() else { return Ok(()) };
            prop_assert!(details.assignee.is_some() || !matches!(details.status, Status::Solved | Status::Closed));
            Ok(())
        })?;
    }

    #[test]
    fn only_incidents_have_a_problem_and_people_are_sorted_and_each_once(commands in histories()) {
        live(&commands, |_, _, _, after| {
            let Some(details) = after.details() else { return Ok(()) };
            prop_assert!(details.problem.is_none() || details.ticket_type == Some(TicketType::Incident));
            for people in [&details.email_ccs, &details.followers] {
                prop_assert!(people.windows(2).all(|pair| pair[0] < pair[1]), "{people:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_end_user_only_comments_on_or_solves_their_own_ticket(commands in histories()) {
        live(&commands, |command, before, events, _| {
            let by = command.by();
            if by.is_agent() {
                return Ok(());
            }
            prop_assert_eq!(before.details().map(|details| details.requester), Some(by.person));
            for event in events {
                match event {
                    TicketEvent::CommentAdded(added) => {
                        prop_assert_eq!(added.author, by.person);
                        prop_assert_eq!(added.visibility, Visibility::Public);
                    }
                    // Open is what their comment leads to, solved what they may say.
                    TicketEvent::StatusSet(set) => prop_assert!(matches!(set.status, Status::Open | Status::Solved)),
                    other => prop_assert!(false, "{} by an end user", other.event_type()),
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn whatever_an_end_user_opens_is_their_own_and_new(command in opens()) {
        let Ok(events) = Ticket::default().decide(&command) else { return Ok(()) };
        let ticket = Ticket::after(&events);
        let details = ticket.details().expect("it was opened");
        if !command.by().is_agent() {
            prop_assert_eq!((details.requester, details.status), (command.by().person, Status::New));
            prop_assert_eq!((details.assignee, details.group), (None, None));
        }
        prop_assert_eq!(details.comment_count, 1);
    }

    #[test]
    fn tags_are_sorted_and_each_once(commands in histories()) {
        live(&commands, |_, _, _, after| {
            let Some(details) = after.details() else { return Ok(()) };
            let tags = details.tags.expose();
            prop_assert!(tags.windows(2).all(|pair| pair[0] < pair[1]), "{tags:?}");
            prop_assert!(tags.iter().all(|tag| *tag == tag.to_lowercase()));
            Ok(())
        })?;
    }

    #[test]
    fn the_events_of_a_command_come_in_a_fixed_order_each_kind_once(commands in histories()) {
        const ORDER: [&str; 15] = [
            "subject_set", "type_set", "priority_set", "requester_set", "group_set", "tags_set", "external_id_set", "custom_fields_set", "due_set",
            "problem_set", "email_ccs_set", "followers_set", "assignee_set", "status_set", "comment_added",
        ];
        live(&commands, |_, _, events, _| {
            let places: Vec<_> = events.iter().map(|event| ORDER.iter().position(|name| *name == event.event_type())).collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
            Ok(())
        })?;
    }

    #[test]
    fn no_refusal_and_no_command_shows_what_people_typed(commands in histories(), mark in "canary-[a-z]{12}") {
        let ticket = Ticket::after(&opened());
        for command in commands {
            let marked = Comment { html_body: Some(mark.clone()).into(), ..Comment::public(format!("{mark}\0")) };
            let add: Command = AddComment { by: command.by(), comment: marked, channel: Channel::Api }.into();
            let refusal = ticket.decide(&add).expect_err("U+0000 is refused");
            let shown = format!("{refusal} {refusal:?} {add:?}");
            prop_assert!(!shown.contains(&mark));
        }
    }
}
